package state

import (
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
)

// ofImported makes of another scanner's finding what exceptions are matched against: it knows no paths and no source.
func ofImported(f *catalog.Tracked) finding.Finding {
	out := finding.Finding{ID: f.ID, Aliases: f.Aliases, Package: finding.Package{Name: f.Package, Version: f.Version}}
	if f.Exploited {
		out.KEV = &finding.KEV{}
	}
	return out
}

func rowsOf(x *tracked) []finding.Finding {
	if x.Type != typeVulnerability {
		return nil
	}
	return []finding.Finding{ofImported(&x.Tracked)}
}
