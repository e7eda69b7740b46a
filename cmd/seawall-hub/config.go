package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
)

// config is everything that an administrator may set. A file gives it (--config), flags and the environment
// (SEAWALL_HUB_DATA_DIR for --data-dir) come on top. docs/hub.md lists it.
type config struct {
	DataDir   string `yaml:"dataDir"`
	PublicURL string `yaml:"publicURL"`

	Listeners []listener `yaml:"listeners"`
	// TrustedProxies are networks whose X-Forwarded-For is believed.
	TrustedProxies []string `yaml:"trustedProxies"`

	// Database is "" for SQLite in DataDir, or postgres://…
	Database string  `yaml:"database"`
	Storage  storage `yaml:"storage"`

	Encryption encryption `yaml:"encryption"`
	Advisories advisories `yaml:"advisories"`
	OIDC       []provider `yaml:"oidc"`
	Audit      auditing   `yaml:"audit"`
	Outbound   outbound   `yaml:"outbound"`

	// Workers is how many images are scanned at once; 0 is one for each processor.
	Workers int    `yaml:"workers"`
	Sandbox string `yaml:"sandbox"`
	// CollectEvery is how often retention and collection run.
	CollectEvery time.Duration `yaml:"collectEvery"`
	LogFormat    string        `yaml:"logFormat"` // text or json
	LogLevel     string        `yaml:"logLevel"`

	firstLook bool // made by `up`
	guessed   bool // PublicURL follows from the first listener
}

// listener is one address that the hub serves on.
type listener struct {
	Address string `yaml:"address"`
	// Allow are networks that may connect; none: all.
	Allow []string `yaml:"allow"`
	// Serve is what is served there: registry, api, console; none: all.
	Serve []string `yaml:"serve"`
	// Cert and Key are PEM files; both "": a certificate of the hub's own, in DataDir/tls.
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
	// ClientCA, when set, demands a client certificate that this file's authorities issued.
	ClientCA string `yaml:"clientCA"`
	// PlainHTTP serves without TLS: on loopback, or behind a proxy that ends TLS.
	PlainHTTP bool `yaml:"plainHTTP"`
}

// storage is where blobs are kept: a directory (default DataDir/registry) or S3.
type storage struct {
	Dir string `yaml:"dir"`
	S3  *s3    `yaml:"s3"`
}

type s3 struct {
	Endpoint  string `yaml:"endpoint"`
	Region    string `yaml:"region"`
	Bucket    string `yaml:"bucket"`
	Prefix    string `yaml:"prefix"`
	AccessKey string `yaml:"accessKey"`
	SecretKey string `yaml:"secretKey"`
	PathStyle bool   `yaml:"pathStyle"`
}

type encryption struct {
	// Provider of the key-encryption key: file:/path, awskms://…, azurekeyvault://…, gcpkms://…, hashivault://…;
	// "" leaves data plain.
	Provider string        `yaml:"provider"`
	Cache    time.Duration `yaml:"cache"`
	// Dir holds the wrapped data keys; "" is DataDir/keys. Hubs that share a state share it.
	Dir string `yaml:"dir"`
}

type advisories struct {
	// Dir of the advisory database; "" is DataDir/db.
	Dir string `yaml:"dir"`
	// From is "public", a URL or a directory laid out as OSV's bucket is; "" never fetches.
	From       string        `yaml:"from"`
	Every      time.Duration `yaml:"every"`
	Ecosystems []string      `yaml:"ecosystems"`
}

type provider struct {
	ID           string   `yaml:"id"`
	Title        string   `yaml:"title"`
	Issuer       string   `yaml:"issuer"`
	ClientID     string   `yaml:"clientID"`
	ClientSecret string   `yaml:"clientSecret"`
	Scopes       []string `yaml:"scopes"`
	GroupsClaim  string   `yaml:"groupsClaim"`
}

type auditing struct {
	// Checkpoints is a directory that each signed checkpoint is written to as well.
	Checkpoints string `yaml:"checkpoints"`
	// Witnesses are asked to sign each checkpoint: other hubs, or any C2SP tlog-witness.
	Witnesses []witness `yaml:"witnesses"`
	// WitnessFor are the public keys of the logs whose checkpoints this hub signs, at /witness/add-checkpoint.
	WitnessFor []string `yaml:"witnessFor"`
	// Records older than RetainFor are sealed into segments below Segments and leave the state; 0 keeps all.
	RetainFor time.Duration `yaml:"retainFor"`
	Segments  string        `yaml:"segments"`
}

type witness struct {
	URL string `yaml:"url"` // "https://other.example:8443/witness"
	Key string `yaml:"key"`
}

// outbound is where the hub may connect to, by notifications, imports and mirrors.
type outbound struct {
	// AllowPrivate lets it reach loopback and private networks. Link-local addresses are never reached.
	AllowPrivate bool `yaml:"allowPrivate"`
}

// defaults are those of `serve`.
func defaults() config {
	return config{
		DataDir: "/var/lib/seawall", Sandbox: "auto", CollectEvery: 24 * time.Hour, LogFormat: "text", LogLevel: "info",
		Encryption: encryption{Cache: 5 * time.Minute}, Advisories: advisories{Every: 24 * time.Hour},
	}
}

// flags registers what is set most.
func (c *config) flags(fs *pflag.FlagSet, file *string, listen *[]string) {
	fs.StringVar(file, "config", "", "read settings from this YAML `FILE`; flags come on top")
	fs.StringVar(&c.DataDir, "data-dir", c.DataDir, "`DIR` that everything is kept in")
	fs.StringSliceVar(listen, "listen", nil, "`ADDRESS` to serve on (default :8443); may be repeated")
	fs.StringVar(&c.PublicURL, "public-url", c.PublicURL, "`URL` by which users reach the hub")
	fs.StringVar(&c.Database, "database", c.Database, "postgres:// `DSN` (default: SQLite in the data directory)")
	fs.StringVar(&c.Encryption.Provider, "key-provider", c.Encryption.Provider, "encrypt what is kept; the key-encryption key is at this `URL` (file:/path, hashivault://…)")
	fs.StringVar(&c.Advisories.Dir, "db-dir", c.Advisories.Dir, "`DIR` of the advisory database (default: below the data directory)")
	fs.StringVar(&c.Advisories.From, "advisories-from", c.Advisories.From, "fetch advisories from public, a `URL` or a directory (default: never)")
	fs.StringVar(&c.Sandbox, "sandbox", c.Sandbox, "confinement of the scanner: auto or require")
	fs.StringVar(&c.LogFormat, "log-format", c.LogFormat, "text or json")
	fs.StringVar(&c.LogLevel, "log-level", c.LogLevel, "debug, info, warn or error")
}

const maxConfigFile = 1 << 20

// readFile overwrites c by what the file says. Unknown keys are errors with their line.
func (c *config) readFile(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("reading the configuration: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxConfigFile))
	if err != nil {
		return fmt.Errorf("reading the configuration: %w", err)
	}
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(c); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("configuration %s: %w", name, err)
	}
	return nil
}

// complete fills in what follows from the rest, and says what cannot be.
func (c *config) complete() error {
	var err error
	if c.DataDir, err = filepath.Abs(c.DataDir); err != nil {
		return err
	}
	if len(c.Listeners) == 0 {
		c.Listeners = []listener{{Address: ":8443"}}
	}
	if c.Advisories.Dir == "" {
		c.Advisories.Dir = filepath.Join(c.DataDir, "db")
	}
	if c.Encryption.Dir == "" {
		c.Encryption.Dir = filepath.Join(c.DataDir, "keys")
	}
	if c.Storage.Dir == "" && c.Storage.S3 == nil {
		c.Storage.Dir = filepath.Join(c.DataDir, "registry")
	}
	if c.Database == "" {
		c.Database = "sqlite:" + filepath.Join(c.DataDir, "hub.db")
	}
	if err := c.Listeners[0].check(); err != nil { // what follows is guessed from it
		return err
	}
	if c.PublicURL == "" {
		c.PublicURL, c.guessed = guessURL(c.Listeners[0]), true
	}
	return c.check()
}

func (c *config) check() error {
	u, err := url.Parse(c.PublicURL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return fmt.Errorf("public URL %q: want https://host[:port]", c.PublicURL)
	}
	if c.Sandbox != "auto" && c.Sandbox != "require" {
		return fmt.Errorf("sandbox %q: want auto or require", c.Sandbox)
	}
	if c.Audit.RetainFor > 0 && c.Audit.Segments == "" {
		return errors.New("audit: retainFor needs segments, a directory outside of the data directory")
	}
	for _, l := range c.Listeners {
		if err := l.check(); err != nil {
			return err
		}
	}
	return nil
}

func (l *listener) check() error {
	if _, _, err := net.SplitHostPort(l.Address); err != nil {
		return fmt.Errorf("listener %q: want host:port or :port", l.Address)
	}
	if (l.Cert == "") != (l.Key == "") {
		return fmt.Errorf("listener %s: cert and key belong together", l.Address)
	}
	for _, s := range l.Serve {
		if s != "registry" && s != "api" && s != "console" {
			return fmt.Errorf("listener %s serves %q: want registry, api or console", l.Address, s)
		}
	}
	return nil
}

// guessURL is right for one machine; behind a proxy or a load balancer --public-url says it.
func guessURL(l listener) string {
	host, port, err := net.SplitHostPort(l.Address)
	if err != nil {
		return ""
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		if host, err = os.Hostname(); err != nil {
			host = "localhost"
		}
	}
	scheme := "https"
	if l.PlainHTTP {
		scheme = "http"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// environment gives each flag that was not set the value of its variable.
func environment(fs *pflag.FlagSet, env func(string) (string, bool)) error {
	var errs []error
	fs.VisitAll(func(f *pflag.Flag) {
		name := "SEAWALL_HUB_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		if v, ok := env(name); ok && !f.Changed {
			if err := fs.Set(f.Name, v); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", name, err))
			}
		}
	})
	return errors.Join(errs...)
}
