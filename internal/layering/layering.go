// Package layering holds the table of who imports whom and the doors of heavy libraries, so that a test can hold
// both against the code. It leaves out everything else: nothing imports it.
package layering

// Imports lists, for each package of ours, which others it may import. A package's own subpackages are part of it
// and need no entry. "*" stands for everything. A package that is not listed may import nothing of ours.
var Imports = map[string][]string{
	"finding":         {},
	"scan/image":      {},
	"scan/inventory":  {"finding"},
	"scan/advisory":   {"finding"},
	"scan/report":     {"finding"},
	"gate":            {"finding"},
	"scan":            {"finding", "gate", "scan/image", "scan/inventory", "scan/advisory", "scan/report", "internal/sandbox"},
	"audit":           {"internal/durable"},
	"keys":            {"internal/durable"},
	"registry":        {},
	"registry/mirror": {"registry", "internal/egress"},
	"console":         {},
	"catalog":         {"audit", "finding", "job"},
	"job":             {"audit"},
	"auth":            {"audit"},
	"trust":           {},
	"notify":          {"audit", "finding", "internal/egress"},
	"intake":          {"audit", "catalog", "finding", "job", "notify"},
	"state":           {"audit", "auth", "catalog", "finding", "job", "notify", "internal/durable"},
	"api":             {"audit", "auth", "catalog", "finding", "job", "notify"},
	"e2e/conformance": {"registry"},
	"cmd/seawall":     {"*"},
	"cmd/seawall-hub": {"*"},
}

// Doors lists, for each heavy library, the only packages that may import it.
var Doors = map[string][]string{
	"github.com/google/go-containerregistry":  {"scan/image", "trust/remote", "registry/mirror"},
	"github.com/google/osv-scalibr/extractor": {"scan/inventory"},
	"github.com/google/osv-scalibr/semantic":  {"scan/advisory"},
	"github.com/klauspost/compress":           {"scan/image", "scan/advisory", "state"},
	"github.com/CycloneDX/cyclonedx-go":       {"scan/report"},
	"github.com/spdx/tools-golang":            {"scan/report"},
	"github.com/owenrumney/go-sarif/v3":       {"scan/report"},
	"github.com/pandatix/go-cvss":             {"scan/advisory"},
	"github.com/landlock-lsm/go-landlock":     {"internal/sandbox"},
	"github.com/elastic/go-seccomp-bpf":       {"internal/sandbox"},
	"github.com/spf13/cobra":                  {"cmd/seawall", "cmd/seawall-hub"},
	"github.com/distribution/distribution/v3": {"registry"},
	"github.com/ncruces/go-sqlite3":           {"state"},
	"github.com/jackc/pgx/v5":                 {"state"},
	"github.com/sigstore":                     {"trust"},
	"github.com/notaryproject":                {"trust"},
	"github.com/transparency-dev/tessera":     {"audit"},
	"gocloud.dev":                             {"keys"},
	"github.com/coreos/go-oidc/v3":            {"auth"},
	"github.com/pquerna/otp":                  {"auth"},
	"golang.org/x/oauth2":                     {"auth"},
	"golang.org/x/time":                       {"cmd/seawall-hub"},
	"github.com/schollz/progressbar/v3":       {"cmd/seawall"},
}
