// Package registry serves images and artifacts over the OCI distribution protocol, version 1.1, from a storage driver.
//
// It promises that what it acknowledged is stored and stays until it is collected, that content is served only under
// the digest that was verified when it came in, and that nothing is served, stored or deleted before the Hooks agreed.
// The storage is the one truth about content, links, tags and referrers: whoever keeps a catalog follows by the Hooks
// and can be rebuilt from Repositories, Tags and Manifests. With keys, everything is sealed before it reaches the
// storage (package sealed); the names of files, which are repository names and digests, are not.
//
// It leaves out who may do what, what is held back and why, and how long anything is kept: the Hooks decide, and
// Delete, Purge and Collect are called by whoever knows.
package registry

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/distribution/distribution/v3/registry/storage/driver"

	"github.com/seawall/seawall/registry/sealed"
)

// Driver is where bytes are kept: a *directory.Driver, or what package s3 opens.
type Driver = driver.StorageDriver

// Keys gives the keys that seal what is stored; see package sealed.
type Keys = sealed.Keys

// Config says how a registry is set up. Zero values work, but for Storage.
type Config struct {
	Storage Driver
	// Shared says that other processes serve the same storage, so that nothing of an upload may be kept in memory
	// from one request to the next.
	Shared bool
	// Keys, when not nil, seal everything that is stored. A storage is sealed from its beginning or not at all.
	Keys   Keys
	Hooks  Hooks // nil: Open, everything is allowed
	Limits Limits
	Log    *slog.Logger // nil: discarded
}

// Limits bound what clients may make the registry do. Zero values are the defaults.
type Limits struct {
	Manifest int64         // bytes of one manifest: 4 MiB
	Blob     int64         // bytes of one blob: 64 GiB
	Uploads  int           // uploads that are kept open in memory: 512
	Idle     time.Duration // after which an open upload is written out: 5 minutes
	Page     int           // entries in one answer: 1000
}

func (l Limits) withDefaults() Limits {
	if l.Manifest <= 0 {
		l.Manifest = 4 << 20
	}
	if l.Blob <= 0 {
		l.Blob = 64 << 30
	}
	if l.Uploads <= 0 {
		l.Uploads = 512
	}
	if l.Idle <= 0 {
		l.Idle = 5 * time.Minute
	}
	if l.Page <= 0 {
		l.Page = 1000
	}
	return l
}

// Registry is an http.Handler for /v2/, and the same content without HTTP.
type Registry struct {
	store    Driver
	hooks    Hooks
	limits   Limits
	log      *slog.Logger
	shared   bool
	uploads  *uploads
	parsed   *cache
	places   *places
	tags     locks
	collects sync.Mutex
}

// New opens the registry that is kept in the storage, and puts back what an interrupted collection had set aside.
func New(ctx context.Context, c Config) (*Registry, error) {
	if c.Storage == nil {
		return nil, fmt.Errorf("opening registry: no storage is given")
	}
	r := &Registry{
		store:  c.Storage,
		hooks:  c.Hooks,
		limits: c.Limits.withDefaults(),
		log:    c.Log,
		shared: c.Shared,
		parsed: newCache(64 << 20),
		places: newPlaces(1 << 16),
	}
	if c.Keys != nil {
		r.store = sealed.New(c.Storage, c.Keys)
	}
	if r.hooks == nil {
		r.hooks = Open{}
	}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	r.uploads = newUploads(r.store, r.limits, c.Shared)
	if err := r.recover(ctx); err != nil {
		return nil, fmt.Errorf("opening registry: %w", err)
	}
	return r, nil
}

// Close writes open uploads out, so that they can be resumed after a restart.
func (r *Registry) Close() error { return r.uploads.close() }

// ServeHTTP answers requests below /v2/.
func (r *Registry) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if err := r.serve(w, q); err != nil {
		r.answer(w, q, err)
	}
}

func (r *Registry) serve(w http.ResponseWriter, q *http.Request) error {
	path, ok := strings.CutPrefix(q.URL.Path, "/v2")
	switch {
	case !ok:
		return errNotFound
	case path == "" || path == "/":
		return r.serveBase(w, q)
	case path == "/_catalog":
		return r.serveCatalog(w, q)
	}
	t, err := parseTarget(path)
	if err != nil {
		return err
	}
	if h := r.handler(t.kind, q.Method); h != nil {
		return h(w, q, t)
	}
	w.Header().Set("Allow", strings.Join(r.allowed(t.kind), ", "))
	return errUnsupported("this cannot be done with " + q.Method)
}

// serveBase answers GET /v2/, by which clients find out whether they have to sign in.
func (r *Registry) serveBase(w http.ResponseWriter, q *http.Request) error {
	if q.Method != http.MethodGet && q.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		return errUnsupported("this cannot be done with " + q.Method)
	}
	if _, err := r.hooks.Authorize(q, nil); err != nil {
		return err
	}
	return writeJSON(w, q, "application/json", struct{}{})
}
