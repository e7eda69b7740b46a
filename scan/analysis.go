package scan

import (
	"strings"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/inventory"
	"github.com/seawall/seawall/scan/inventory/check"
	"github.com/seawall/seawall/scan/inventory/secret"
)

// AnalyserVersion is that of everything that decides what a layer's result holds.
const AnalyserVersion = inventory.AnalyserVersion

// scanned says what to look for in layers; it is part of the key of a cached result.
type scanned = finding.Scanned

// All looks for everything.
var All = finding.Scanned{Packages: true, Executables: true, Secrets: true, Checks: true}

// cacheKey names the result of one layer: everything that it depends on.
func cacheKey(s scanned, diffID string) string {
	var kinds strings.Builder
	for _, k := range []struct {
		on   bool
		name string
	}{{s.Packages, "p"}, {s.Executables, "x"}, {s.Secrets, "s"}, {s.Checks, "c"}} {
		if k.on {
			kinds.WriteString(k.name)
		}
	}
	return AnalyserVersion + "-" + kinds.String() + "/" + diffID
}

func analyserOptions(s scanned, tempDir string) inventory.Options {
	o := inventory.Options{Packages: s.Packages, Executables: s.Executables, TempDir: tempDir}
	if s.Secrets {
		o.Secrets, o.SecretWanted = secret.New().File, secret.Wanted
	}
	if s.Checks {
		o.Interesting = check.Interesting
	}
	return o
}
