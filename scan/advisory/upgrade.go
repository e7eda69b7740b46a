package advisory

import (
	"cmp"
	"slices"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/advisory/version"
)

// Upgrades lists the changes that fix findings, first the one that fixes most: by critical findings, then high and
// so on. A package is upgraded to the highest of the versions that fix its findings; packages built from one source
// go together under the source's name. The base image is one change that fixes what its layers brought and a fix
// is known for; base names it, "" where not known. Suppressed findings and kernel headers do not count.
func Upgrades(findings []finding.Finding, base string) []finding.Upgrade {
	var order []string
	byKey := map[string]*finding.Upgrade{}
	baseUp := &finding.Upgrade{Kind: "base", Package: base}
	for i := range findings {
		f := &findings[i]
		if f.Fixed == "" || f.Suppressed != nil || f.KernelHeaders {
			continue
		}
		if f.Layer != nil && f.Layer.Base {
			count(baseUp, f)
		}
		key, name, from := upgradeOf(&f.Package)
		u := byKey[key]
		if u == nil {
			u = &finding.Upgrade{Kind: "package", Package: name, From: from}
			byKey[key] = u
			order = append(order, key)
		}
		if c, err := version.Compare(cmp.Or(f.Package.Ecosystem, typeEcosystems[f.Package.Type]), u.To, f.Fixed); u.To == "" || err == nil && c < 0 {
			u.To = f.Fixed
		}
		count(u, f)
	}
	var out []finding.Upgrade
	if baseUp.Fixes.Total() > 0 {
		out = append(out, *baseUp)
	}
	for _, key := range order {
		out = append(out, *byKey[key])
	}
	for i := range out {
		slices.Sort(out[i].IDs)
		out[i].IDs = slices.Compact(out[i].IDs)
	}
	slices.SortStableFunc(out, fixesMore)
	return out
}

func count(u *finding.Upgrade, f *finding.Finding) {
	u.Fixes.Add(f.Severity)
	u.IDs = append(u.IDs, f.ID)
}

func upgradeOf(p *finding.Package) (key, name, from string) {
	name, from = p.Name, p.Version
	if isOSType(p.Type) && namingOf(p.Ecosystem) == bySource {
		name, from = cmp.Or(p.SourceName, name), cmp.Or(p.SourceVersion, from)
	}
	return p.Type + "\x00" + name + "\x00" + from, name, from
}

func fixesMore(a, b finding.Upgrade) int {
	for _, s := range finding.Severities {
		if c := cmp.Compare(b.Fixes.Of(s), a.Fixes.Of(s)); c != 0 {
			return c
		}
	}
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Package, b.Package), cmp.Compare(a.From, b.From))
}

// baseName is the base image's name where the image says it (OCI image-spec, annotations).
func baseName(inv *finding.Inventory) string {
	return inv.Image.Config.Labels["org.opencontainers.image.base.name"]
}
