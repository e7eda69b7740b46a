package feed

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/seawall/seawall/scan/advisory/feed/fetch"
)

// The public sources.
const (
	PublicOSV           = "https://osv-vulnerabilities.storage.googleapis.com/"
	PublicKEV           = "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json"
	PublicEPSS          = "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz"
	PublicDebianTracker = "https://security-tracker.debian.org/tracker/data/json"
)

// Where the sources beside OSV's lie in a mirror or a directory.
const (
	layoutKEV    = "kev/known_exploited_vulnerabilities.json"
	layoutEPSS   = "epss/epss_scores-current.csv.gz"
	layoutDebian = "debian/tracker.json"
)

// None as an address in Config means that the source is left out.
const None = "none"

// Config says what to update and from where. Only Dir and Database are needed.
type Config struct {
	// Dir is the database directory. It is made where it does not exist.
	Dir      string
	Database Database
	// From is a mirror's address or a directory; "" means the public sources. A mirror holds what OSV's bucket holds,
	// and may hold kev/, epss/ and debian/ beside it: nothing is asked of any other host then. A directory may also
	// hold *.jsonl files, plain or compressed, in itself or in osv/, and alpine-secdb/.
	From string
	// Ecosystems limits OSV's; nil means all that From lists and whose versions can be compared.
	Ecosystems []string
	// KEV, EPSS and DebianTracker are addresses or files, instead of those that From implies; None leaves them out.
	KEV, EPSS, DebianTracker string
	// AlpineSecDB are addresses or files of single secdb files ("https://secdb.alpinelinux.org/v3.20/main.json").
	AlpineSecDB []string
	// AcceptShrink lets a database replace one that has more than a tenth more records of something.
	AcceptShrink bool
	// Key signs the new database, as GenerateKey made it; "" leaves it unsigned.
	Key string
	// IncrementalLimit is the number of changed records up to which they are fetched one by one; 0 means 500.
	IncrementalLimit int
	// Download says how. Its zero value follows the environment's proxy variables and demands TLS.
	Download Download
	// Now is the clock; nil means the system's.
	Now func() time.Time
}

// Download configures the transfers.
type Download struct {
	HTTP     *http.Client
	Insecure bool
	Tries    int
	Pause    time.Duration
	// Progress is called as bytes arrive and as sources are read: what, so far, and in all or -1. It may be called
	// from several goroutines.
	Progress func(what string, done, total int64)
}

func (d Download) client() *fetch.Client {
	return &fetch.Client{HTTP: d.HTTP, Insecure: d.Insecure, Tries: d.Tries, Pause: d.Pause, Progress: d.Progress}
}

func (c *Config) now() time.Time {
	if c.Now != nil {
		return c.Now().UTC().Truncate(time.Second)
	}
	return time.Now().UTC().Truncate(time.Second)
}

func (c *Config) incrementalLimit() int {
	if c.IncrementalLimit > 0 {
		return c.IncrementalLimit
	}
	return 500
}

// base is the mirror's address with its slash, "" where From is a directory.
func (c *Config) base() string {
	if c.From == "" {
		return PublicOSV
	}
	if !isURL(c.From) {
		return ""
	}
	return strings.TrimSuffix(c.From, "/") + "/"
}

func isURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http")
}

// extra is a source beside OSV's.
type extra struct {
	name, address string
	kind          kind
	// optional: it may be missing where nobody has asked for it.
	optional bool
}

func (c *Config) extras() []extra {
	out := []extra{
		c.extra("debian", debianTracker, c.DebianTracker, PublicDebianTracker, layoutDebian),
		c.extra("kev", kevList, c.KEV, PublicKEV, layoutKEV),
		c.extra("epss", epssList, c.EPSS, PublicEPSS, layoutEPSS),
	}
	for _, a := range c.AlpineSecDB {
		out = append(out, extra{name: "alpine/" + secDBName(a), address: a, kind: alpineSecDB})
	}
	kept := out[:0]
	for _, e := range out {
		if e.address != "" && e.address != None {
			kept = append(kept, e)
		}
	}
	return kept
}

// extra with no address of its own follows From; from a directory the directory's own listing finds it.
func (c *Config) extra(name string, k kind, asked, public, layout string) extra {
	switch {
	case asked != "":
		return extra{name: name, address: asked, kind: k}
	case c.From == "":
		return extra{name: name, address: public, kind: k}
	case c.base() != "":
		return extra{name: name, address: c.base() + layout, kind: k, optional: true}
	}
	return extra{name: name, kind: k}
}

// secDBName is the release and repository: "v3.20/main" of any address that ends in v3.20/main.json.
func secDBName(address string) string {
	parts := strings.FieldsFunc(address, func(r rune) bool { return r == '/' || r == '\\' })
	if len(parts) > 2 {
		parts = parts[len(parts)-2:]
	}
	name := strings.Join(parts, "/")
	for _, suffix := range []string{".json", ".yaml", ".yml"} {
		name = strings.TrimSuffix(name, suffix)
	}
	return name
}
