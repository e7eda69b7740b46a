package sbom

import (
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
	// bare are packages without a package URL: the image, or something that cannot be looked up.
	bare []*spdxPackage
	// owners are relationships that tell which package installed another.
	owners []spdxRelationship
}

func newSPDXState() *spdxState {
	return &spdxState{described: map[string]bool{}, packages: map[string]int{}}
}

func (b *builder) spdxJSON(data []byte) error {
	var version string
	s := newSPDXState()
	err := members(data, map[string]member{
		"spdxVersion":       into(&version),
		"annotations":       each(func(a *spdxAnnotation) error { b.imageAnnotation(a); return nil }),
		"documentDescribes": each(func(id *string) error { s.described[*id] = true; return nil }),
		"packages":          each(func(p *spdxPackage) error { return b.spdxPackage(p, s) }),
		"relationships":     each(s.relationship),
	})
	if err != nil {
		return fmt.Errorf("SPDX JSON: %w", err)
	}
	b.spdxEnd(s)
	return spdxVersion(version)
}

// relationship keeps what tells something: what the document describes, and what owns what.
func (s *spdxState) relationship(r *spdxRelationship) error {
	switch {
	case r.Type == "DESCRIBES":
		s.described[r.To] = true
	case r.Type == "OTHER" && strings.HasPrefix(r.Comment, ownership):
		if len(s.owners) >= maxPackages {
			return fmt.Errorf("more than %d relationships of ownership", maxPackages)
		}
		s.owners = append(s.owners, *r)
	}
	return nil
}

// spdxEnd settles what needs the relationships.
func (b *builder) spdxEnd(s *spdxState) {
	for _, p := range s.bare {
		if s.described[p.ID] {
			b.spdxImage(p, "")
		} else {
			b.unnamed++
		}
	}
	for i := range s.owners {
		b.spdxOwner(&s.owners[i], s)
	}
}

func spdxVersion(v string) error {
	switch v {
	case "SPDX-2.2", "SPDX-2.3":
		return nil
	}
	return fmt.Errorf("%q is not read: want SPDX-2.2, SPDX-2.3 or SPDX 3.0", v)
}

func (b *builder) imageAnnotation(a *spdxAnnotation) {
	for _, q := range decodeProperties(a.Comment) {
		setImage(&b.inv, q)
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
	switch {
	case p.Purpose == "CONTAINER" || isImageURL(e.purl):
		b.spdxImage(p, e.purl)
		return nil
	case e.purl == "" && len(e.properties) == 0:
		if len(s.bare) >= maxPackages {
			return fmt.Errorf("more than %d packages", maxPackages)
		}
		s.bare = append(s.bare, p)
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
	for i := range p.Annotations {
		b.imageAnnotation(&p.Annotations[i])
	}
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
