package state

import (
	"context"
	"crypto/sha256"
	"errors"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seawall/seawall/audit"
)

// start is when the tests' clock begins.
var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// testKeys is a ring of one key, which can be revoked.
type testKeys struct {
	id      string
	key     [32]byte
	revoked atomic.Bool
}

var errRevoked = errors.New("the key is revoked")

func newKeys(id string) *testKeys { return &testKeys{id: id, key: sha256.Sum256([]byte(id))} }

func (k *testKeys) Current(ctx context.Context) (string, []byte, error) {
	key, err := k.Key(ctx, k.id)
	return k.id, key, err
}

func (k *testKeys) Key(_ context.Context, id string) ([]byte, error) {
	if k.revoked.Load() {
		return nil, errRevoked
	}
	if id != k.id {
		return nil, errors.New("no such key")
	}
	return k.key[:], nil
}

// clock is a clock that tests turn.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.at.Store(start.UnixNano())
	return c
}

func (c *clock) time() time.Time         { return time.Unix(0, c.at.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.at.Add(int64(d)) }

// fixture is a database under test with its clock.
type fixture struct {
	*DB
	*clock
	t    *testing.T
	keys *testKeys
}

// onEach runs a test on every engine and form.
func onEach(t *testing.T, test func(t *testing.T, f *fixture)) {
	t.Helper()
	for _, form := range []struct {
		name string
		dsn  func(*testing.T) string
		keys *testKeys
	}{
		{"sqlite", sqliteFile, nil},
		{"sqlite encrypted", sqliteFile, newKeys("k1")},
		{"postgres", postgresDatabase, nil},
		{"postgres encrypted", postgresDatabase, newKeys("k1")},
	} {
		t.Run(form.name, func(t *testing.T) {
			t.Parallel()
			c := newClock()
			cfg := Config{DSN: form.dsn(t), Clock: c.time}
			if form.keys != nil {
				cfg.Keys = form.keys
			}
			test(t, &fixture{DB: open(t, cfg), clock: c, t: t, keys: form.keys})
		})
	}
}

func sqliteFile(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "hub.db") }

func open(t *testing.T, cfg Config) *DB {
	t.Helper()
	db, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// by is a record of an act of name.
func (f *fixture) by(name, action, object string) audit.Entry {
	return audit.New(f.time(), audit.Actor{Kind: audit.ActorUser, ID: "user:" + name, Name: name}, action, audit.Object{Kind: "test", Name: object})
}

func (f *fixture) ok(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) want(err, want error) {
	f.t.Helper()
	if !errors.Is(err, want) {
		f.t.Fatalf("got error %v, want %v", err, want)
	}
}

// must unwraps what cannot fail in a test.
func must[T any](v T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestClosed(t *testing.T) {
	db, err := Open(t.Context(), Config{DSN: sqliteFile(t)})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Close(), db.Close()); err != nil {
		t.Error(err)
	}
	if err := db.Record(t.Context()); err == nil {
		t.Error("wrote to a closed database")
	}
	if err := db.Ping(t.Context()); err == nil {
		t.Error("read from a closed database")
	}
}
