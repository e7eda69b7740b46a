// Package layering holds the table of who imports whom and the doors of heavy libraries, so that a test can hold
// both against the code. It leaves out everything else: nothing imports it.
package layering

// Imports lists, for each package of ours, which others it may import. A package's own subpackages are part of it
// and need no entry. "*" stands for everything. A package that is not listed may import nothing of ours.
var Imports = map[string][]string{
	"finding":        {},
	"scan/image":     {},
	"scan/inventory": {"finding"},
	"scan/advisory":  {"finding"},
	"scan/report":    {"finding"},
	"gate":           {"finding"},
	"scan":           {"finding", "gate", "scan/image", "scan/inventory", "scan/advisory", "scan/report", "internal/sandbox"},
	"cmd/seawall":    {"*"},
}

// Doors lists, for each heavy library, the only packages that may import it.
var Doors = map[string][]string{
	"github.com/google/go-containerregistry":  {"scan/image"},
	"github.com/google/osv-scalibr/extractor": {"scan/inventory"},
	"github.com/google/osv-scalibr/semantic":  {"scan/advisory"},
	"github.com/klauspost/compress":           {"scan/image", "scan/advisory"},
	"github.com/CycloneDX/cyclonedx-go":       {"scan/report"},
	"github.com/spdx/tools-golang":            {"scan/report"},
	"github.com/owenrumney/go-sarif/v3":       {"scan/report"},
	"github.com/pandatix/go-cvss":             {"scan/advisory"},
	"github.com/landlock-lsm/go-landlock":     {"internal/sandbox"},
	"github.com/elastic/go-seccomp-bpf":       {"internal/sandbox"},
	"github.com/spf13/cobra":                  {"cmd/seawall"},
	"github.com/schollz/progressbar/v3":       {"cmd/seawall"},
}
