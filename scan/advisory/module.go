package advisory

import (
	"regexp"
	"strings"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/advisory/record"
)

// moduleInSummary finds the module and stream in an erratum's summary: "Important: nodejs:18 security update".
// Several modules ("virt:rhel and virt-devel:rhel") leave the stream unknown.
var moduleInSummary = regexp.MustCompile(`(?:^|[ ,])([A-Za-z][A-Za-z0-9_.+-]*:[A-Za-z0-9_.-]+)(?:[ ,]|$)`)

// moduleOf says whether an entry is about packages of an rpm module, and which module and stream, where known.
// Builds of a module carry ".module_el8…" or ".module+el8…" in their release.
func moduleOf(r *record.Record, a *record.Affected) (modular bool, module string) {
	if a.Modularity != "" {
		return true, moduleStream(a.Modularity)
	}
	for _, g := range a.Ranges {
		for _, e := range g.Events {
			modular = modular || inModule(e.Fixed) || inModule(e.LastAffected)
		}
	}
	if !modular {
		return false, ""
	}
	summary := strings.TrimPrefix(r.Summary, errataRating.FindString(r.Summary))
	if m := moduleInSummary.FindAllStringSubmatch(summary, 2); len(m) == 1 {
		module = m[0][1]
	}
	return true, module
}

func inModule(version string) bool {
	return strings.Contains(version, ".module_") || strings.Contains(version, ".module+")
}

// moduleStream cuts a module label to module and stream: "nodejs:18" of "nodejs:18:8080020230101:abc".
func moduleStream(label string) string {
	parts := strings.SplitN(label, ":", 3)
	if len(parts) < 2 {
		return label
	}
	return parts[0] + ":" + parts[1]
}

// moduleApplies: an erratum of a module speaks of packages of the same stream only, and one that is not of a
// module never of a module's packages. Where one of the two does not name the stream, the versions decide.
func moduleApplies(a *attrs, p *finding.Package) bool {
	modular := p.Modularity != "" || inModule(p.Version)
	if modular != a.modular {
		return false
	}
	return a.module == "" || p.Modularity == "" || a.module == moduleStream(p.Modularity)
}
