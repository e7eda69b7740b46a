// Package mirror copies images from other registries into ours: once, by schedule, or when somebody asks for what is
// not there.
//
// It promises that what is stored has the digest that the source gave it, that blobs stream and what is there already
// is not fetched again, that signatures and SBOMs come with the image and before it, so that whoever judges the image
// finds them, and that a tag moves only when all that it names is there. It connects to no link-local address and to
// none that serves a cloud machine's credentials, whatever a registry redirects to.
//
// It leaves out who may copy what, when (the hub's jobs), and where credentials are kept (package state).
package mirror

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/seawall/seawall/internal/egress"
	"github.com/seawall/seawall/registry"
)

// Sink is where copies go. *registry.Registry implements it.
type Sink interface {
	Manifest(ctx context.Context, repo, ref string) (p []byte, mediaType, digest string, err error)
	HasBlob(ctx context.Context, repo, digest string) (bool, error)
	PutBlob(ctx context.Context, repo, digest string, content io.Reader) error
	PutManifestAs(ctx context.Context, repo, digest, mediaType string, p []byte, tags ...string) (registry.Manifest, error)
}

// Source is what is copied, or for Tags: which repository is listed.
type Source struct {
	// Ref is a name as docker knows it: "registry.example/team/app:1", "alpine", or with @sha256:….
	Ref        string
	Credential Credential
	// CA holds authorities (PEM) that are trusted beside the system's.
	CA []byte
	// Insecure allows plain HTTP and certificates that nobody vouches for.
	Insecure bool
	// Platforms are those of an index that are copied: "linux/amd64", "linux/arm/v7". None: all. With one, its image
	// alone is copied; with more, an index of our own is made, which the source's signatures do not cover.
	Platforms []string
	// Bare leaves out signatures, SBOMs and whatever else refers to the image.
	Bare bool
}

// Credential is what is signed in with; the zero value is nobody. Without User, Secret is a registry token.
type Credential struct {
	// Host is the registry that the credential is for: "docker.io", "registry.example:5000". Where it is set, the
	// credential is sent to no other, whatever a source names.
	Host   string
	User   string
	Secret string
}

// none says that nobody signs in.
func (c Credential) none() bool { return c.User == "" && c.Secret == "" }

// fits refuses another registry than the one that the credential is for.
func (c Credential) fits(r name.Registry) error {
	if c.Host == "" || c.none() {
		return nil
	}
	own, err := name.NewRegistry(c.Host)
	if err != nil {
		return fmt.Errorf("the credential is for %q, which is no registry", c.Host)
	}
	if own.RegistryStr() != r.RegistryStr() {
		return fmt.Errorf("%w: the credential is for %s, not for %s", ErrDenied, own.RegistryStr(), r.RegistryStr())
	}
	return nil
}

// LogValue keeps the secret out of logs.
func (c Credential) LogValue() slog.Value { return slog.StringValue(c.User) }

// String keeps the secret out of texts.
func (c Credential) String() string { return c.User }

// GoString keeps the secret out of texts.
func (c Credential) GoString() string { return c.User }

// Dest is where a copy goes.
type Dest struct {
	Repository string
	Tag        string // "": the source's tag; none where the source is named by digest
}

// Progress is how far a copy is.
type Progress struct {
	Manifests int   // stored or found
	Blobs     int   // stored
	Bytes     int64 // fetched
	Skipped   int   // blobs that were there
	Current   string
}

// Result is what a copy did.
type Result struct {
	Origin    string `json:"origin"` // "index.docker.io/library/alpine:3.20@sha256:…"
	Digest    string `json:"digest"` // of what the tag points to now
	MediaType string `json:"mediaType"`
	Tag       string `json:"tag,omitempty"`
	Manifests int    `json:"manifests"` // stored, referrers included
	Referrers int    `json:"referrers"` // stored
	Blobs     int    `json:"blobs"`     // stored
	Bytes     int64  `json:"bytes"`     // fetched
	Skipped   int    `json:"skipped"`   // blobs that were there
	Unchanged bool   `json:"unchanged"` // the tag was there and stays
	// Notes say what was left out.
	Notes []string `json:"notes,omitempty"`
}

// Limits bound what a source may make us do. Zero values are the defaults.
type Limits struct {
	Manifest  int64         // bytes: 4 MiB
	Blob      int64         // bytes: 64 GiB
	Manifests int           // of one copy, referrers included: 2000
	Referrers int           // of one manifest: 200
	Tags      int           // of one listing: 100000
	Depth     int           // of indexes in indexes, and of referrers of referrers: 4
	Stall     time.Duration // without a byte, after which a download is begun anew: 60 s
}

func (l Limits) withDefaults() Limits {
	set := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	if l.Manifest <= 0 {
		l.Manifest = 4 << 20
	}
	if l.Blob <= 0 {
		l.Blob = 64 << 30
	}
	if l.Stall <= 0 {
		l.Stall = time.Minute
	}
	set(&l.Manifests, 2000)
	set(&l.Referrers, 200)
	set(&l.Tags, 100_000)
	set(&l.Depth, 4)
	return l
}

// Config says how a client connects. Zero values work.
type Config struct {
	Limits Limits
	// Parallel is how many blobs of one copy are fetched at once: 3.
	Parallel int
	// NoPrivate refuses registries on loopback and in private networks.
	NoPrivate bool
	// AllowLinkLocal allows link-local addresses and those that serve a cloud machine's credentials.
	AllowLinkLocal bool
	// Pause is the one before a request is tried again, doubled each time: 1 s.
	Pause time.Duration
	Now   func() time.Time // nil: time.Now
	Log   *slog.Logger     // nil: discarded
}

// Client copies. It may be used by many at once.
type Client struct {
	Config
	guard egress.Guard
}

// New returns a client.
func New(c Config) *Client {
	c.Limits = c.Limits.withDefaults()
	if c.Parallel <= 0 {
		c.Parallel = 3
	}
	if c.Pause <= 0 {
		c.Pause = time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Client{Config: c, guard: egress.Guard{Private: !c.NoPrivate, LinkLocal: c.AllowLinkLocal}}
}
