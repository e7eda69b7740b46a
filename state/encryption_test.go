package state

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
)

// secrets are texts that fill writes and that must not be found on the disk.
var plaintexts = []string{"team/app", "openssl", "CVE-1", "argon-hash", "very-secret-path", "hook-secret", "mirror-secret", "user:alice", "not reachable", "CREATE TABLE"}

func TestNothingReadableOnDisk(t *testing.T) {
	dir := t.TempDir()
	f := &fixture{DB: open(t, Config{DSN: "sqlite:" + filepath.Join(dir, "hub.db"), Keys: newKeys("k1")}), clock: newClock(), t: t}
	f.fill()
	f.decide(f.image(app, 2), vulnerability("CVE-1", "openssl", finding.SeverityHigh))
	look := func() (names []string) {
		f.ok(filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			content, err := os.ReadFile(path)
			for _, p := range plaintexts {
				if bytes.Contains(content, []byte(p)) {
					t.Errorf("%s holds %q", filepath.Base(path), p)
				}
			}
			names = append(names, filepath.Base(path))
			return err
		}))
		return names
	}
	// While it runs: the WAL is there, and not empty.
	if got := strings.Join(look(), " "); !strings.Contains(got, "hub.db-wal") {
		t.Errorf("no WAL among %s", got)
	}
	if info, err := os.Stat(filepath.Join(dir, "hub.db-wal")); err != nil || info.Size() == 0 {
		t.Errorf("WAL: %v, %v", info, err)
	}
	f.ok(f.write(t.Context(), func(x tx) error { return nil }))
	look()
}

func TestPlainIsReadable(t *testing.T) { // or the test above would prove nothing
	dir := t.TempDir()
	f := &fixture{DB: open(t, Config{DSN: "sqlite:" + filepath.Join(dir, "hub.db")}), clock: newClock(), t: t}
	f.fill()
	var all []byte
	for _, name := range []string{"hub.db", "hub.db-wal"} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		f.ok(err)
		all = append(all, content...)
	}
	for _, p := range plaintexts[:3] {
		if !bytes.Contains(all, []byte(p)) {
			t.Errorf("%q is not there", p)
		}
	}
}

// TestRevokedKeyClosesEverything: connections that know the key give nothing away any more.
func TestRevokedKeyClosesEverything(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		if f.keys == nil {
			t.Skip("not encrypted")
		}
		keys := newKeys("k1") // of its own: tests share the others
		dsn := sqliteFile(t)
		if f.Engine() == "postgres" {
			dsn = postgresDatabase(t)
		}
		db := open(t, Config{DSN: dsn, Keys: keys})
		f.ok(db.PutManifest(t.Context(), f.image(app, 1), nil))
		keys.revoked.Store(true)
		_, err := db.Manifest(t.Context(), app, digest(1))
		f.want(err, errRevoked)
		f.want(db.PutManifest(t.Context(), f.image(app, 2), nil), errRevoked)
		f.want(db.Backup(t.Context(), &bytes.Buffer{}), errRevoked)
		f.want(db.Ping(t.Context()), errRevoked)
		keys.revoked.Store(false)
		f.ok(db.Ping(t.Context()))
	})
}

func TestOpenIsRefused(t *testing.T) {
	k1, wrong := newKeys("k1"), &testKeys{id: "k1"}
	for _, engine := range []struct {
		name string
		dsn  func(*testing.T) string
	}{{"sqlite", sqliteFile}, {"postgres", postgresDatabase}} {
		for name, c := range map[string]struct {
			first, then Keys
			want        [2]string // of SQLite, of PostgreSQL
		}{
			"no keys for an encrypted one": {k1, nil, [2]string{"is encrypted: configure its keys", "where there are none now"}},
			"keys for a plain one":         {nil, k1, [2]string{"is not encrypted", "without where there are"}},
			"a wrong key":                  {k1, wrong, [2]string{"is not the one", "another key"}},
			"an unknown key":               {k1, newKeys("k2"), [2]string{"no such key", "no such key"}},
		} {
			t.Run(engine.name+" "+name, func(t *testing.T) {
				dsn := engine.dsn(t)
				db, err := Open(t.Context(), Config{DSN: dsn, Keys: c.first})
				if err != nil {
					t.Fatal(err)
				}
				db.Close()
				want := c.want[0]
				if engine.name == "postgres" {
					want = c.want[1]
				}
				db, err = Open(t.Context(), Config{DSN: dsn, Keys: c.then})
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want an error with %q", err, want)
				}
				if err == nil {
					db.Close()
				}
			})
		}
	}
	for dsn, want := range map[string]string{
		"": "is named", "mysql://x": "is named", "sqlite:": "path", "sqlite:/no/such/dir/x.db": "unable to open",
		"postgres://bob:pass%zzword@h/x": "cannot be read",
	} {
		_, err := Open(t.Context(), Config{DSN: dsn})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "pass") {
			t.Errorf("%q: %v", dsn, err)
		}
	}
}

// TestSealedValuesStayInPlace: on PostgreSQL whoever writes to the database cannot exchange values.
func TestSealedValuesStayInPlace(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		if f.keys == nil || f.Engine() != "postgres" {
			t.Skip("nothing is sealed")
		}
		ctx := t.Context()
		f.fill()
		f.ok(f.PutSetting(ctx, "other", []byte(`"x"`), f.by("root", "setting.update", "other")))
		var leaked []string
		f.ok(f.read(ctx, func(x tx) (err error) {
			leaked, err = list(ctx, x, scanText, `SELECT id FROM account WHERE position('argon-hash'::bytea in doc) > 0
				UNION SELECT 'target' FROM target WHERE position('hook-secret'::bytea in doc) > 0`)
			return err
		}))
		if len(leaked) > 0 {
			t.Errorf("readable: %v", leaked)
		}
		f.ok(f.write(ctx, func(x tx) error {
			_, err := x.exec(ctx, `UPDATE setting SET value = (SELECT value FROM setting WHERE key = 'name') WHERE key = 'other'`)
			return err
		}))
		_, err := f.Setting(ctx, "other")
		f.want(err, errSealed)
		f.ok(f.write(ctx, func(x tx) error {
			_, err := x.exec(ctx, `UPDATE setting SET value = ? WHERE key = 'other'`, []byte("\x00\"forged\""))
			return err
		}))
		_, err = f.Setting(ctx, "other")
		f.want(err, errSealed)
	})
}

// FuzzOpenSealed: a value in the database may have been altered.
func FuzzOpenSealed(f *testing.F) {
	s := sealer{keys: newKeys("k1")}
	good, err := s.seal(f.Context(), cell{"a", "b", "c"}, []byte("text"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte{formSealed, 255})
	f.Add([]byte{formPlain})
	f.Fuzz(func(t *testing.T, value []byte) {
		plain, err := s.open(t.Context(), cell{"a", "b", "c"}, value)
		if err == nil && (string(plain) != "text" || !bytes.Equal(value, good)) && len(value) < 40 {
			t.Errorf("%x opens as %q", value, plain)
		}
	})
}

// FuzzCursor: cursors come from callers.
func FuzzCursor(f *testing.F) {
	f.Add(cursor{Num: 5, ID: 7}.String())
	f.Fuzz(func(t *testing.T, s string) {
		c, err := parseCursor(s)
		if err != nil && err != catalog.ErrCursor {
			t.Error(err)
		}
		if again, err2 := parseCursor(c.String()); err == nil && (err2 != nil || again != c) {
			t.Errorf("%+v came back as %+v, %v", c, again, err2)
		}
	})
}
