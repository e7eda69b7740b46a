package sbom

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/seawall/seawall/finding"
)

// The parts of SPDX 2.2 and 2.3 (spdx.github.io/spdx-spec/v2.3) that tell about packages.

type spdxPackage struct {
	ID          string           `json:"SPDXID"`
	Name        string           `json:"name"`
	Version     string           `json:"versionInfo"`
	Purpose     string           `json:"primaryPackagePurpose"`
	SourceInfo  string           `json:"sourceInfo"`
	Declared    string           `json:"licenseDeclared"`
	Concluded   string           `json:"licenseConcluded"`
	Refs        []spdxRef        `json:"externalRefs"`
	Annotations []spdxAnnotation `json:"annotations"`
}

type spdxRef struct {
	Type    string `json:"referenceType"`
	Locator string `json:"referenceLocator"`
}

type spdxAnnotation struct {
	Comment string `json:"comment"`
}

type spdxRelationship struct {
	From    string `json:"spdxElementId"`
	To      string `json:"relatedSpdxElement"`
	Type    string `json:"relationshipType"`
	Comment string `json:"comment"`
}

// spdxState is what has to be remembered until the relationships are read.
type spdxState struct {
	described map[string]bool
	// packages maps SPDX ids to places in the inventory's list.
	packages map[string]int
}

func (b *builder) spdxJSON(data []byte) error {
	var doc struct {
		Version       string           `json:"spdxVersion"`
		Name          string           `json:"name"`
		Annotations   []spdxAnnotation `json:"annotations"`
		Describes     []string         `json:"documentDescribes"`
		Packages      json.RawMessage  `json:"packages"`
		Relationships json.RawMessage  `json:"relationships"`
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return fmt.Errorf("SPDX JSON: %w", err)
	}
	if err := spdxVersion(doc.Version); err != nil {
		return err
	}
	b.imageAnnotations(doc.Annotations)
	s := spdxState{described: map[string]bool{}, packages: map[string]int{}}
	for _, id := range doc.Describes {
		s.described[id] = true
	}
	if err := s.describes(doc.Relationships); err != nil {
		return err
	}
	err := eachOf(doc.Packages, "SPDX packages", func(p *spdxPackage) error { return b.spdxPackage(p, &s) })
	if err != nil {
		return err
	}
	return eachOf(doc.Relationships, "SPDX relationships", func(r *spdxRelationship) error {
		b.spdxOwner(r, &s)
		return nil
	})
}

func spdxVersion(v string) error {
	switch v {
	case "SPDX-2.2", "SPDX-2.3":
		return nil
	}
	return fmt.Errorf("%q is not read: want SPDX-2.2, SPDX-2.3 or SPDX 3.0", v)
}

func (s *spdxState) describes(relationships json.RawMessage) error {
	return eachOf(relationships, "SPDX relationships", func(r *spdxRelationship) error {
		if r.Type == "DESCRIBES" {
			s.described[r.To] = true
		}
		return nil
	})
}

func (b *builder) imageAnnotations(all []spdxAnnotation) {
	for _, a := range all {
		for _, q := range decodeProperties(a.Comment) {
			setImage(&b.inv, q)
		}
	}
}

func (b *builder) spdxPackage(p *spdxPackage, s *spdxState) error {
	switch p.Purpose {
	case "OPERATING-SYSTEM", "OPERATING_SYSTEM":
		b.setDistro(finding.Distro{ID: p.Name, VersionID: p.Version})
		return nil
	case "FILE", "SOURCE":
		return nil
	}
	e := p.entry()
	if p.Purpose == "CONTAINER" || s.described[p.ID] && (e.purl == "" || isImageURL(e.purl)) {
		b.spdxImage(p, e.purl)
		return nil
	}
	added, err := b.add(e)
	if added != nil && p.ID != "" {
		s.packages[p.ID] = len(b.inv.Packages) - 1
	}
	return err
}

func isImageURL(u string) bool {
	return strings.HasPrefix(u, "pkg:oci/") || strings.HasPrefix(u, "pkg:docker/")
}

// spdxImage takes the package that stands for the image.
func (b *builder) spdxImage(p *spdxPackage, url string) {
	b.imageAnnotations(p.Annotations)
	b.imageRef(p.Name)
	b.imageDigest(p.Version)
	if u, err := parsePURL(url); err == nil {
		b.imageDigest(u.Version)
	}
}

func (p *spdxPackage) entry() entry {
	e := entry{name: p.Name, version: p.Version, licenses: spdxLicenses(p.Declared, p.Concluded), path: sourcePath(p.SourceInfo)}
	for _, r := range p.Refs {
		if r.Type == "purl" {
			e.purl = r.Locator
			break
		}
	}
	for _, a := range p.Annotations {
		e.properties = append(e.properties, decodeProperties(a.Comment)...)
	}
	return e
}

func spdxLicenses(declared, concluded string) []string {
	for _, s := range []string{declared, concluded} {
		if s != "" && s != "NOASSERTION" && s != "NONE" {
			return []string{s}
		}
	}
	return nil
}

// sourcePath reads the first path out of Syft's sentence: "acquired package info from DPKG DB: /var/lib/dpkg/status".
func sourcePath(info string) string {
	rest, ok := strings.CutPrefix(info, "acquired package info from ")
	if !ok {
		return ""
	}
	_, paths, _ := strings.Cut(rest, ": ")
	path, _, _ := strings.Cut(paths, ", ")
	return path
}

// spdxOwner reads which package installed another: Syft's relationship between a distribution package and a language
// package whose files it owns.
func (b *builder) spdxOwner(r *spdxRelationship, s *spdxState) {
	if r.Type != "OTHER" || !strings.HasPrefix(r.Comment, ownership) {
		return
	}
	parent, ok1 := s.packages[r.From]
	child, ok2 := s.packages[r.To]
	if ok1 && ok2 {
		b.own(parent, child)
	}
}

// ownership is what Syft calls the relationship.
const ownership = "ownership-by-file-overlap"

func (b *builder) own(parent, child int) {
	p, c := &b.inv.Packages[parent], &b.inv.Packages[child]
	if isOS(p.Type) && !isOS(c.Type) && c.OwnedBy == "" {
		c.OwnedBy = p.Name
	}
}
