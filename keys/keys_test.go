package keys

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// fake is a provider whose answers a test chooses.
type fake struct {
	mu      sync.Mutex
	err     error
	calls   int
	wrapErr error
	label   byte
}

func (f *fake) wrap(_ context.Context, p []byte) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.wrapErr != nil {
		return nil, f.wrapErr
	}
	return append([]byte{f.label}, p...), f.err
}

func (f *fake) unwrap(_ context.Context, w []byte) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	if f.err != nil {
		return nil, f.err
	}
	if w[0] != f.label {
		return nil, errRefused
	}
	return bytes.Clone(w[1:]), nil
}

func (f *fake) answer(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

func (f *fake) asked() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

func (f *fake) name() string { return "fake:" + string(f.label) }
func (f *fake) close() error { return nil }

// alerts collects what OnAlert is told.
type alerts struct {
	mu   sync.Mutex
	list []Alert
}

func (a *alerts) add(v Alert) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.list = append(a.list, v)
}

func (a *alerts) states() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var s []string
	for _, v := range a.list {
		s = append(s, string(v.State))
	}
	return strings.Join(s, " ")
}

type bench struct {
	*Ring
	clock  *clock
	fake   *fake
	next   *fake
	alerts *alerts
	cfg    Config
}

func openBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{clock: newClock(), fake: &fake{label: 'a'}, next: &fake{label: 'b'}, alerts: &alerts{}}
	b.cfg = Config{Dir: t.TempDir(), Provider: "fake:a", Clock: b.clock.now, OnAlert: b.alerts.add,
		dial: func(_ context.Context, spec string, _ bool) (provider, error) {
			if spec == "fake:b" {
				return b.next, nil
			}
			return b.fake, nil
		}}
	b.Ring = b.reopen(t, b.cfg)
	return b
}

func (b *bench) reopen(t *testing.T, cfg Config) *Ring {
	t.Helper()
	r, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func current(t *testing.T, r *Ring, purpose string) (string, []byte) {
	t.Helper()
	id, key, err := r.Purpose(purpose).Current(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(key) != KeySize {
		t.Fatalf("a key of %d bytes", len(key))
	}
	return id, key
}

func TestKeysAreOfOnePurposeAndStay(t *testing.T) {
	b := openBench(t)
	id, key := current(t, b.Ring, "state")
	again, same := current(t, b.Ring, "state")
	if id != again || !bytes.Equal(key, same) {
		t.Error("two calls of Current gave two keys")
	}
	other, different := current(t, b.Ring, "registry")
	if id == other || bytes.Equal(key, different) {
		t.Error("two purposes share a key")
	}
	if _, err := b.Purpose("registry").Key(t.Context(), id); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("another purpose's key: %v", err)
	}
	r := b.reopen(t, b.cfg)
	got, err := r.Purpose("state").Key(t.Context(), id)
	if err != nil || !bytes.Equal(got, key) {
		t.Errorf("after a restart: %x, %v, want %x", got, err, key)
	}
	for _, name := range []string{"", "ring", "State", "a b", strings.Repeat("a", 33)} {
		if _, _, err := r.Purpose(name).Current(t.Context()); err == nil {
			t.Errorf("purpose %q has keys", name)
		}
	}
}

func TestCallersCannotSpoilTheCache(t *testing.T) {
	b := openBench(t)
	_, key := current(t, b.Ring, "state")
	want := bytes.Clone(key)
	clear(key)
	if _, key = current(t, b.Ring, "state"); !bytes.Equal(key, want) {
		t.Error("clearing a returned key changed the cached one")
	}
	b.cache.purge(func(string, *entry) bool { return true })
	if !bytes.Equal(key, want) {
		t.Error("a purge changed a key that was handed out")
	}
}

func TestNoProviderMeansNoKeys(t *testing.T) {
	r, err := Open(t.Context(), Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, _, err := r.Purpose("state").Current(t.Context()); !errors.Is(err, ErrNotEncrypted) || r.Enabled() {
		t.Errorf("Current: %v, enabled %v", err, r.Enabled())
	}
	if s := r.Check(t.Context()); s.Enabled {
		t.Errorf("status %+v", s)
	}
	if _, err := r.Rotate(t.Context(), Rotation{}); !errors.Is(err, ErrNotEncrypted) {
		t.Errorf("Rotate: %v", err)
	}
}

func TestRefusalTakesEffectAtTheNextCheck(t *testing.T) {
	b := openBench(t)
	id, _ := current(t, b.Ring, "state")
	b.fake.answer(errRefused)
	if _, err := b.Purpose("state").Key(t.Context(), id); err != nil {
		t.Fatalf("within the lifetime: %v", err)
	}
	if s := b.Check(t.Context()); s.State != Refuses || s.Error == "" {
		t.Errorf("status %+v", s)
	}
	for range 3 {
		if _, err := b.Purpose("state").Key(t.Context(), id); !errors.Is(err, ErrUnavailable) {
			t.Fatalf("after the refusal: %v", err)
		}
		b.Check(t.Context())
	}
	b.fake.answer(nil)
	b.Check(t.Context())
	if _, err := b.Purpose("state").Key(t.Context(), id); err != nil {
		t.Errorf("granted again: %v", err)
	}
	if got := b.alerts.states(); got != "refuses answers" {
		t.Errorf("alerts %q", got)
	}
}

func TestOutOfReachLeavesTheRestOfTheLifetime(t *testing.T) {
	b := openBench(t)
	id, _ := current(t, b.Ring, "state")
	b.fake.answer(errors.New("connection refused"))
	b.clock.add(DefaultCache / 2)
	b.Check(t.Context())
	if _, err := b.Purpose("state").Key(t.Context(), id); err != nil {
		t.Fatalf("within the lifetime: %v", err)
	}
	b.clock.add(DefaultCache / 2)
	b.expire()
	if n := len(b.cache.entries); n != 0 {
		t.Errorf("%d keys are in memory after their lifetime", n)
	}
	if _, err := b.Purpose("state").Key(t.Context(), id); !errors.Is(err, ErrUnavailable) {
		t.Fatalf("after the lifetime: %v", err)
	}
	calls := b.fake.asked()
	b.Purpose("state").Key(t.Context(), id)
	if b.fake.asked() != calls {
		t.Error("a provider in trouble is asked again at once")
	}
	if got := b.alerts.states(); got != "unreachable" {
		t.Errorf("alerts %q", got)
	}
	if until := b.alerts.list[0].Until; !until.Equal(b.clock.now()) {
		t.Errorf("the alert says that keys serve until %s, want %s", until, b.clock.now())
	}
	b.fake.answer(nil)
	b.clock.add(retryAfter)
	if _, err := b.Purpose("state").Key(t.Context(), id); err != nil {
		t.Errorf("back again: %v", err)
	}
}

func TestExpiryWithoutACheck(t *testing.T) {
	b := openBench(t)
	id, _ := current(t, b.Ring, "state")
	b.fake.answer(errRefused)
	b.clock.add(DefaultCache)
	if _, err := b.Purpose("state").Key(t.Context(), id); !errors.Is(err, ErrUnavailable) {
		t.Errorf("an expired key was used: %v", err)
	}
}

func TestUnusedKeysLeaveMemory(t *testing.T) {
	b := openBench(t)
	current(t, b.Ring, "state")
	for range 4 {
		b.clock.add(DefaultCache / 2)
		b.Check(t.Context())
		b.expire()
	}
	if ids := b.cache.used(time.Time{}); len(ids) != 1 {
		t.Errorf("in memory: %v, want the ring's own key only", ids)
	}
}

func TestWatchPurgesOnItsOwn(t *testing.T) {
	f := &fake{label: 'a'}
	got := make(chan Alert, 4)
	r, err := Open(t.Context(), Config{Dir: t.TempDir(), Provider: "fake:a", Cache: 20 * time.Millisecond, OnAlert: func(a Alert) { got <- a },
		dial: func(context.Context, string, bool) (provider, error) { return f, nil }})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	f.answer(errRefused)
	if a := <-got; a.State != Refuses {
		t.Errorf("alert %+v", a)
	}
	if n := len(r.cache.used(time.Time{})); n != 0 {
		t.Errorf("%d keys stayed in memory", n)
	}
}

func TestOpenNeedsTheProvider(t *testing.T) {
	b := openBench(t)
	b.fake.answer(errRefused)
	if _, err := Open(t.Context(), b.cfg); !errors.Is(err, ErrUnavailable) {
		t.Errorf("opened without the provider: %v", err)
	}
}

func TestConcurrentCallersShareOneCall(t *testing.T) {
	b := openBench(t)
	id, _ := current(t, b.Ring, "state")
	b.cache.purge(func(string, *entry) bool { return true })
	before := b.fake.asked()
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			if _, err := b.Purpose("state").Key(context.Background(), id); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := b.fake.asked() - before; n > 4 {
		t.Errorf("32 callers asked the provider %d times", n)
	}
}

func TestTwoHubsShareARing(t *testing.T) {
	b := openBench(t)
	two := b.reopen(t, b.cfg)
	id, key := current(t, b.Ring, "state")
	if got, err := two.Purpose("state").Key(t.Context(), id); err != nil || !bytes.Equal(got, key) {
		t.Errorf("the other hub: %x, %v", got, err)
	}
	var wg sync.WaitGroup
	ids := make([]string, 2)
	for i, r := range []*Ring{b.Ring, two} {
		wg.Go(func() {
			var err error
			if ids[i], _, err = r.Purpose("audit").Current(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if ids[0] != ids[1] {
		t.Errorf("two hubs made two first keys: %v", ids)
	}
}

func TestAlteredRingsAreRefused(t *testing.T) {
	b := openBench(t)
	current(t, b.Ring, "state")
	current(t, b.Ring, "audit")
	path := filepath.Join(b.cfg.Dir, RingFile)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	edit := func(change func(*ring)) []byte {
		v, err := parseRing(good)
		if err != nil {
			t.Fatal(err)
		}
		change(&v)
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	for name, raw := range map[string][]byte{
		"empty":           {},
		"truncated":       good[:len(good)/2],
		"no JSON":         []byte("hello"),
		"key dropped":     edit(func(v *ring) { v.Keys = v.Keys[:len(v.Keys)-1] }),
		"keys swapped":    edit(func(v *ring) { v.Keys[1], v.Keys[2] = v.Keys[2], v.Keys[1] }),
		"wraps swapped":   edit(func(v *ring) { v.Keys[1].Wrapped, v.Keys[2].Wrapped = v.Keys[2].Wrapped, v.Keys[1].Wrapped }),
		"purpose changed": edit(func(v *ring) { v.Keys[1].Purpose = "audit" }),
		"id doubled":      edit(func(v *ring) { v.Keys[1].ID = v.Keys[2].ID }),
		"own key gone":    edit(func(v *ring) { v.Keys = v.Keys[1:] }),
		"revision":        edit(func(v *ring) { v.Revision++ }),
		"date":            edit(func(v *ring) { v.Rotated = v.Rotated.Add(1) }),
		"code removed":    edit(func(v *ring) { v.MAC = nil }),
	} {
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), b.cfg); !errors.Is(err, ErrTampered) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnOlderRingIsNoticedWhileRunning(t *testing.T) {
	b := openBench(t)
	old, _ := os.ReadFile(filepath.Join(b.cfg.Dir, RingFile))
	current(t, b.Ring, "state")
	if err := os.WriteFile(filepath.Join(b.cfg.Dir, RingFile), old, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := b.reload(t.Context()); !errors.Is(err, ErrTampered) {
		t.Errorf("reload: %v", err)
	}
	if err := os.Remove(filepath.Join(b.cfg.Dir, RingFile)); err != nil {
		t.Fatal(err)
	}
	if err := b.reload(t.Context()); !errors.Is(err, ErrTampered) {
		t.Errorf("reload of nothing: %v", err)
	}
	current(t, b.Ring, "state") // what is in memory goes on
}

func TestNothingUnwrappedIsStored(t *testing.T) {
	dir := t.TempDir()
	r, err := Open(t.Context(), Config{Dir: dir, Provider: "file:" + filepath.Join(t.TempDir(), "kek"), Create: true})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	_, key := current(t, r, "state")
	err = fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, name))
		if bytes.Contains(b, key) {
			t.Errorf("%s holds an unwrapped key", name)
		}
		if info, _ := d.Info(); info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %04o", name, info.Mode().Perm())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
