// Package keys keeps the data keys that everything at rest is encrypted with, wrapped by the customer's key-encryption
// key, which stays in a file or in a key management service.
//
// It promises that no data key is ever stored unwrapped; that an unwrapped one stays in memory for at most
// Config.Cache after the provider gave it out, so that revoking the key-encryption key takes effect within that time
// and reads then fail with ErrUnavailable; that a rotation of the key-encryption key re-wraps and rewrites no data; and
// that whoever alters the ring's file is noticed. It leaves out what is encrypted and how: each consumer asks for the
// key of its purpose every time that it opens something, and forgets it afterwards.
package keys

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// KeySize is the length of data keys in bytes.
const KeySize = 32

// DefaultCache is how long unwrapped keys stay in memory where Config does not say.
const DefaultCache = 5 * time.Minute

var (
	// ErrUnavailable: the provider refuses, or was out of reach for longer than the cache lifetime. Callers fail closed.
	ErrUnavailable = errors.New("the encryption key is not available")
	// ErrNotEncrypted: there is no provider, hence no keys.
	ErrNotEncrypted = errors.New("no key provider is configured")
	// ErrUnknownKey: the ring has no key with this id. It was restored from an older copy, or the data is of another hub.
	ErrUnknownKey = errors.New("unknown key")
	// ErrTampered: the ring was altered by somebody who does not have the key-encryption key, or is damaged.
	ErrTampered = errors.New("the key ring is damaged or was altered")
	// ErrChanged: a Store holds something else than what was to be replaced.
	ErrChanged = errors.New("the key ring was changed meanwhile")
)

// Config says where keys come from. Dir or Store, and Provider, are needed; Provider "" means no encryption.
type Config struct {
	// Dir holds keys.json with the wrapped data keys. Lose it and the data is lost: back it up with the data.
	Dir string
	// Store is used instead of Dir where several hubs share one ring.
	Store Store
	// Provider holds the key-encryption key: "file:/path", or a URL of awskms, azurekeyvault, gcpkms or hashivault as
	// gocloud.dev/secrets reads it.
	Provider string
	// Create makes the provider's file if there is none, and no ring either: a file that was taken away is not replaced.
	Create bool
	// Cache is how long unwrapped keys may stay in memory: DefaultCache for 0. The provider is asked again after half of it.
	Cache time.Duration
	// Clock is time.Now where nil.
	Clock func() time.Time
	// OnAlert is called once when the provider begins to refuse or is out of reach, and once when it answers again. It
	// must not call the ring.
	OnAlert func(Alert)
	// Log may be nil.
	Log *slog.Logger

	dial func(ctx context.Context, spec string, create bool) (provider, error) // for tests
}

// Ring hands out data keys by purpose. It is safe for concurrent use.
type Ring struct {
	cfg   Config
	store Store
	cache *cache
	calls singleflight.Group // by key id

	write sync.Mutex // held while the ring is changed, over provider calls

	mu       sync.Mutex // guards what follows, never held over a call
	provider provider
	ring     ring
	raw      []byte     // as stored, for Store.Save
	retired  []provider // replaced, closed in the end
	health   health

	stop    context.CancelFunc // nil where nothing runs
	running sync.WaitGroup
}

// Open reads the ring, or makes one if there is none, and asks the provider for the first key: a hub without its key
// does not start. With Provider "" it returns a ring that is not Enabled. Close it.
func Open(ctx context.Context, cfg Config) (*Ring, error) {
	cfg = defaults(cfg)
	r := &Ring{cfg: cfg, store: cfg.Store, cache: newCache(), health: health{failing: map[string]error{}}}
	if cfg.Provider == "" {
		return r, nil
	}
	if r.store == nil {
		r.store = directory(cfg.Dir)
	}
	raw, err := r.store.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the key ring: %w", err)
	}
	if r.provider, err = cfg.dial(ctx, cfg.Provider, cfg.Create && raw == nil); err != nil {
		return nil, err
	}
	if err := r.load(ctx, raw); err != nil {
		return nil, errors.Join(err, r.provider.close())
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	r.stop = stop
	r.running.Go(func() { r.watch(run) })
	r.running.Go(func() { r.sweep(run) })
	return r, nil
}

func defaults(cfg Config) Config {
	cfg.Cache = cmp.Or(max(cfg.Cache, 0), DefaultCache)
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.OnAlert == nil {
		cfg.OnAlert = func(Alert) {}
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.dial == nil {
		cfg.dial = dial
	}
	return cfg
}

// Enabled reports whether there is a provider, hence encryption.
func (r *Ring) Enabled() bool { return r.cfg.Provider != "" }

// Close forgets all keys.
func (r *Ring) Close() error {
	if r.stop == nil {
		return nil
	}
	r.stop()
	r.running.Wait()
	r.cache.purge(func(string, *entry) bool { return true })
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for _, p := range append(r.retired, r.provider) {
		errs = append(errs, p.close())
	}
	return errors.Join(errs...)
}

// load checks the ring that was read; a missing one is made.
func (r *Ring) load(ctx context.Context, raw []byte) error {
	if raw == nil {
		if err := r.create(ctx); !errors.Is(err, ErrChanged) {
			return err
		}
		return r.reload(ctx) // another hub was faster
	}
	next, err := parseRing(raw)
	if err != nil {
		return err
	}
	return r.adopt(ctx, next, raw)
}

// adopt checks a ring that was read, and uses it from now on.
func (r *Ring) adopt(ctx context.Context, next ring, raw []byte) error {
	own, ok := next.current(ringPurpose)
	if !ok {
		return fmt.Errorf("%w: it has no key of its own", ErrTampered)
	}
	key, err := r.unwrapped(ctx, own)
	if err != nil {
		return fmt.Errorf("opening the key ring, wrapped by %s: %w", next.Provider, err)
	}
	defer clear(key)
	if !next.authentic(key) {
		return fmt.Errorf("%w: its authentication code does not match; restore keys.json from a backup", ErrTampered)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if next.Revision < r.ring.Revision {
		return fmt.Errorf("%w: revision %d was replaced by the older %d", ErrTampered, r.ring.Revision, next.Revision)
	}
	r.ring, r.raw = next, raw
	return nil
}

// create makes a ring with nothing but its own key.
func (r *Ring) create(ctx context.Context) error {
	r.write.Lock()
	defer r.write.Unlock()
	return r.change(ctx, func(next *ring) error {
		next.Rotated = r.now()
		return r.addKey(ctx, next, ringPurpose)
	})
}

func (r *Ring) now() time.Time { return r.cfg.Clock().UTC() }

// snapshot returns the ring as it is. Its slices are never written to.
func (r *Ring) snapshot() (ring, []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ring, r.raw
}

func (r *Ring) keeper() provider {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.provider
}
