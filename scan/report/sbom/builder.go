package sbom

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seawall/seawall/finding"
)

// builder gathers what a document says, whatever its format.
type builder struct {
	o   Options
	inv finding.Inventory
	// distro is what package URLs say about the distribution, "debian-12", by how many packages say it: used where
	// the document itself names none.
	distro map[string]int
	// unnamed counts entries that look like packages and cannot be looked up, for want of a name, version or URL.
	unnamed int
}

// entry is a package as a document has it, before it is known who wrote the document.
type entry struct {
	name, version, purl string
	licenses            []string
	path                string
	// properties are those of CycloneDX, the annotations of SPDX.
	properties []Property
}

// add turns e into a package of the inventory. Properties of our own say everything; without them the package URL
// does, and what other tools are known to add.
func (b *builder) add(e entry) (*finding.Package, error) {
	if len(b.inv.Packages) >= maxPackages {
		return nil, fmt.Errorf("more than %d packages", maxPackages)
	}
	p := finding.Package{Name: e.name, Version: e.version, PURL: e.purl}
	ours := false
	for _, q := range e.properties {
		ours = setPackage(&p, q) || ours
	}
	if !ours {
		if !b.foreign(&p, e) {
			return nil, nil
		}
	}
	b.inv.Packages = append(b.inv.Packages, p)
	return &b.inv.Packages[len(b.inv.Packages)-1], nil
}

// foreign fills p from what other tools wrote; false where nothing can be looked up.
func (b *builder) foreign(p *finding.Package, e entry) bool {
	p.Licenses, p.Path = e.licenses, strings.TrimPrefix(e.path, "/")
	u, err := parsePURL(e.purl)
	if err != nil || u.Name == "" {
		if e.name != "" {
			b.unnamed++
		}
		return false
	}
	if u.Type == "oci" || u.Type == "docker" {
		return false
	}
	u.fill(p)
	others(p, e.properties)
	if isOS(p.Type) {
		if d := u.distro(); d != "" {
			if b.distro == nil {
				b.distro = map[string]int{}
			}
			b.distro[d]++
		}
	} else {
		p.Ecosystem = languageEcosystems[p.Type]
	}
	normalise(p)
	return true
}

// finish settles what can only be known at the end: the distribution and with it the ecosystem of its packages.
func (b *builder) finish(name, digest string) *finding.Inventory {
	v := &b.inv
	if id := v.Image.ID; id != "" && !slices.Contains(v.Image.Aliases, id) {
		v.Image.Aliases = append(v.Image.Aliases, id)
	}
	if v.Image.Ref == "" {
		v.Image.Ref = name
	}
	v.Image.ID, v.Image.IDKind = digest, finding.IDSBOM
	slices.Sort(v.Image.Aliases)
	v.Image.Aliases = slices.Compact(v.Image.Aliases)
	settleLayers(v)
	b.settleDistro()
	for i := range v.Packages {
		if p := &v.Packages[i]; p.Ecosystem == "" && isOS(p.Type) {
			p.Ecosystem = v.Distro.Ecosystem
		}
	}
	b.settleGaps()
	return v
}

func (b *builder) settleDistro() {
	d := &b.inv.Distro
	if d.ID == "" {
		d.ID, d.VersionID = splitDistro(b.commonDistro())
	}
	if d.Ecosystem == "" && d.ID != "" && b.o.Ecosystem != nil {
		d.Ecosystem = b.o.Ecosystem(d.ID, d.VersionID)
	}
}

func (b *builder) commonDistro() string {
	best := ""
	for d, n := range b.distro {
		if best == "" || n > b.distro[best] || n == b.distro[best] && d < best {
			best = d
		}
	}
	return best
}

func (b *builder) settleGaps() {
	v := &b.inv
	if b.unnamed > 0 {
		v.Gaps = append(v.Gaps, finding.Gap{Kind: finding.GapUnreadable, Where: v.Image.Ref,
			Detail: fmt.Sprintf("%d entries of the SBOM have no package URL that tells what they are: they were not looked up", b.unnamed)})
	}
	if len(v.Packages) == 0 && !slices.ContainsFunc(v.Gaps, func(g finding.Gap) bool { return g.Kind == finding.GapNothingFound }) {
		v.Gaps = append(v.Gaps, finding.Gap{Kind: finding.GapNothingFound, Where: v.Image.Ref, Detail: "the SBOM lists no package"})
	}
}
