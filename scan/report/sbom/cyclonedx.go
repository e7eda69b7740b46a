package sbom

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/seawall/seawall/finding"
)

// The parts of CycloneDX (cyclonedx.org/docs) that tell about packages. They have the same names from 1.2 to 1.7.

type cdxComponent struct {
	Type       string        `json:"type" xml:"type,attr"`
	Group      string        `json:"group" xml:"group"`
	Name       string        `json:"name" xml:"name"`
	Version    string        `json:"version" xml:"version"`
	PURL       string        `json:"purl" xml:"purl"`
	Licenses   []cdxLicense  `json:"licenses" xml:"-"`
	Properties []cdxProperty `json:"properties" xml:"properties>property"`
	// Components is decoded level by level: see nested.
	Components json.RawMessage `json:"components" xml:"-"`

	XMLLicenses   cdxXMLLicenses `json:"-" xml:"licenses"`
	XMLComponents []cdxComponent `json:"-" xml:"components>component"`
}

type cdxProperty struct {
	Name  string `json:"name" xml:"name,attr"`
	Value string `json:"value" xml:",chardata"`
}

type cdxLicense struct {
	License    cdxLicenseName `json:"license"`
	Expression string         `json:"expression"`
}

type cdxLicenseName struct {
	ID   string `json:"id" xml:"id"`
	Name string `json:"name" xml:"name"`
}

type cdxXMLLicenses struct {
	License    []cdxLicenseName `xml:"license"`
	Expression []string         `xml:"expression"`
}

type cdxMetadata struct {
	Component  *cdxComponent `json:"component" xml:"component"`
	Properties []cdxProperty `json:"properties" xml:"properties>property"`
}

func (b *builder) cycloneDXJSON(data []byte) error {
	var format, version string
	err := members(data, map[string]member{
		"bomFormat":   into(&format),
		"specVersion": into(&version),
		"metadata": func(d *json.Decoder) error {
			var m cdxMetadata
			if err := decode(d, &m); err != nil {
				return err
			}
			b.cdxMetadata(&m)
			if m.Component == nil {
				return nil
			}
			return b.cdxList(m.Component.Components, 1)
		},
		"components": each(func(c *cdxComponent) error { return b.cdxTree(c, 0) }),
	})
	if err != nil {
		return fmt.Errorf("CycloneDX JSON: %w", err)
	}
	if format != "CycloneDX" {
		return fmt.Errorf("CycloneDX JSON: bomFormat is %q", format)
	}
	return cdxVersion(version)
}

// maxXML bounds an XML document, in bytes: unlike JSON it is decoded in one piece.
const maxXML = 64 << 20

func (b *builder) cycloneDXXML(data []byte) error {
	if len(data) > maxXML {
		return fmt.Errorf("CycloneDX XML: larger than %d MiB: give the JSON form", maxXML>>20)
	}
	var doc struct {
		XMLName    xml.Name       `xml:"bom"`
		Metadata   cdxMetadata    `xml:"metadata"`
		Components []cdxComponent `xml:"components>component"`
	}
	if err := xml.Unmarshal(data, &doc); err != nil {
		return fmt.Errorf("CycloneDX XML: %w", err)
	}
	version, ok := strings.CutPrefix(doc.XMLName.Space, "http://cyclonedx.org/schema/bom/")
	if !ok {
		return fmt.Errorf("CycloneDX XML: name space is %q", doc.XMLName.Space)
	}
	if err := cdxVersion(version); err != nil {
		return err
	}
	b.cdxMetadata(&doc.Metadata)
	if c := doc.Metadata.Component; c != nil {
		if err := b.cdxXMLList(c.XMLComponents, 1); err != nil {
			return err
		}
	}
	return b.cdxXMLList(doc.Components, 0)
}

func cdxVersion(v string) error {
	switch v {
	case "1.2", "1.3", "1.4", "1.5", "1.6", "1.7":
		return nil
	}
	return fmt.Errorf("CycloneDX version %q is not read: want 1.2 to 1.7", v)
}

func (b *builder) cdxMetadata(m *cdxMetadata) {
	for _, q := range m.Properties {
		setImage(&b.inv, Property(q))
	}
	c := m.Component
	if c == nil {
		return
	}
	for _, q := range c.Properties {
		setImage(&b.inv, Property(q))
		b.foreignImage(Property(q))
	}
	if c.Type != "container" {
		return
	}
	b.imageRef(c.Name)
	b.imageDigest(c.Version)
	if u, err := parsePURL(c.PURL); err == nil {
		b.imageDigest(u.Version)
	}
}

// foreignImage reads what Trivy tells about the image.
func (b *builder) foreignImage(q Property) {
	image := &b.inv.Image
	switch q.Name {
	case trivy + "ImageID":
		b.imageDigest(q.Value)
	case trivy + "RepoTag":
		image.Tags = append(image.Tags, q.Value)
	case trivy + "RepoDigest":
		if _, digest, ok := strings.Cut(q.Value, "@"); ok {
			b.imageDigest(digest)
		}
	}
}

func (b *builder) imageRef(name string) {
	if b.inv.Image.Ref == "" {
		b.inv.Image.Ref = name
	}
}

// imageDigest notes a digest that the document says is the image's.
func (b *builder) imageDigest(s string) {
	if len(s) == len("sha256:")+64 && strings.HasPrefix(s, "sha256:") {
		b.inv.Image.Aliases = append(b.inv.Image.Aliases, s)
	}
}

func (b *builder) cdxList(list json.RawMessage, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("components nest deeper than %d", maxDepth)
	}
	return eachOf(list, func(c *cdxComponent) error { return b.cdxTree(c, depth) })
}

func (b *builder) cdxTree(c *cdxComponent, depth int) error {
	if err := b.cdxComponent(c); err != nil {
		return err
	}
	return b.cdxList(c.Components, depth+1)
}

func (b *builder) cdxXMLList(list []cdxComponent, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("CycloneDX: components nest deeper than %d", maxDepth)
	}
	for i := range list {
		c := &list[i]
		for _, l := range c.XMLLicenses.License {
			c.Licenses = append(c.Licenses, cdxLicense{License: l})
		}
		for _, e := range c.XMLLicenses.Expression {
			c.Licenses = append(c.Licenses, cdxLicense{Expression: e})
		}
		if err := b.cdxComponent(c); err != nil {
			return err
		}
		if err := b.cdxXMLList(c.XMLComponents, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) cdxComponent(c *cdxComponent) error {
	switch c.Type {
	case "operating-system":
		b.cdxOS(c)
		return nil
	case "library", "framework", "application", "platform", "":
	default:
		return nil
	}
	if c.PURL == "" && c.Type != "library" && c.Type != "framework" && !hasOurs(c.Properties) {
		return nil // an application without a URL is a file or a group of packages
	}
	e := entry{name: c.Name, version: c.Version, purl: c.PURL, licenses: cdxLicenses(c.Licenses)}
	for _, q := range c.Properties {
		e.properties = append(e.properties, Property(q))
	}
	_, err := b.add(e)
	return err
}

func hasOurs(properties []cdxProperty) bool {
	for _, q := range properties {
		if strings.HasPrefix(q.Name, packagePrefix) {
			return true
		}
	}
	return false
}

// cdxOS takes the distribution from the component that stands for it, unless the document's properties tell more.
func (b *builder) cdxOS(c *cdxComponent) {
	d := finding.Distro{ID: c.Name, VersionID: c.Version}
	for _, q := range c.Properties {
		switch q.Name {
		case "syft:distro:id":
			d.ID = q.Value
		case "syft:distro:versionID":
			d.VersionID = q.Value
		case "syft:distro:versionCodename":
			d.Codename = q.Value
		case "syft:distro:prettyName":
			d.Name = q.Value
		}
	}
	b.setDistro(d)
}

func (b *builder) setDistro(d finding.Distro) {
	if b.inv.Distro.ID == "" {
		b.inv.Distro = d
	}
}

func cdxLicenses(all []cdxLicense) []string {
	var out []string
	for _, l := range all {
		for _, s := range []string{l.Expression, l.License.ID, l.License.Name} {
			if s != "" {
				out = append(out, s)
				break
			}
		}
	}
	return out
}
