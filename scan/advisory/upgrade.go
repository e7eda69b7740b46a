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
	var order []upgradeKey
	byKey := map[upgradeKey]*finding.Upgrade{}
	baseUp := &finding.Upgrade{Kind: "base", Package: base}
	for i := range findings {
		f := &findings[i]
		if f.Fixed == "" || f.Suppressed != nil || f.KernelHeaders {
			continue
		}
		if f.Layer != nil && f.Layer.Base {
			count(baseUp, f)
		}
		key := upgradeOf(&f.Package)
		u := byKey[key]
		if u == nil {
			u = &finding.Upgrade{Kind: "package", Package: key.name, From: key.from, To: f.Fixed}
			byKey[key] = u
			order = append(order, key)
		}
		if f.Fixed != u.To {
			u.To = higher(&f.Package, u.To, f.Fixed)
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

type upgradeKey struct{ typ, name, from string }

func upgradeOf(p *finding.Package) upgradeKey {
	if isOSType(p.Type) && namingOf(p.Ecosystem) == bySource {
		return upgradeKey{p.Type, cmp.Or(p.SourceName, p.Name), cmp.Or(p.SourceVersion, p.Version)}
	}
	return upgradeKey{p.Type, p.Name, p.Version}
}

// higher is a, or b where it is known to be the higher version.
func higher(p *finding.Package, a, b string) string {
	c, err := version.Compare(cmp.Or(p.Ecosystem, typeEcosystems[p.Type]), a, b)
	if err == nil && c < 0 {
		return b
	}
	return a
}

func fixesMore(a, b finding.Upgrade) int {
	for _, s := range finding.Severities {
		if c := cmp.Compare(b.Fixes.Of(s), a.Fixes.Of(s)); c != 0 {
			return c
		}
	}
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Package, b.Package), cmp.Compare(a.From, b.From))
}
