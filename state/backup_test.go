package state

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"github.com/klauspost/compress/zstd"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/auth"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/job"
	"github.com/seawall/seawall/notify"
)

// fill puts something into every table that a backup holds.
func (f *fixture) fill() {
	f.t.Helper()
	ctx := f.t.Context()
	a, b := f.image("team/app", 1), f.image("team/app", 2)
	index := catalog.Manifest{Repository: "team/app", Digest: digest(3), Kind: catalog.KindIndex, Children: []string{a.Digest, b.Digest}, Pushed: f.time()}
	f.push(a, "1")
	f.push(b)
	f.push(index, "latest")
	f.decide(a, vulnerability("CVE-1", "openssl", finding.SeverityHigh, "GHSA-1"))
	_, err := f.PutRule(ctx, catalog.Rule{Name: "all", Pattern: "**"}, f.by("alice", "rule.create", "all"))
	f.ok(err)
	_, err = f.PutException(ctx, f.exception("team/*", "CVE-1"), f.by("alice", "exception.request", "1"))
	f.ok(err)
	f.ok(f.PutUser(ctx, auth.User{ID: "user:alice", Name: "alice", Password: "argon-hash", TOTP: []byte("totp-secret")}, true, f.by("root", "user.create", "alice")))
	f.ok(f.PutService(ctx, auth.Service{ID: "service:ci", Name: "ci"}, true, f.by("root", "service.create", "ci")))
	f.ok(f.PutRole(ctx, auth.Role{Name: "custom", Actions: []auth.Action{auth.ImagePull}}, f.by("root", "role.create", "custom")))
	_, err = f.PutGrant(ctx, auth.Grant{Subject: "user:alice", Role: "custom", Scope: auth.Scope{Kind: auth.ScopeAll}}, f.by("root", "grant.create", "alice"))
	f.ok(err)
	f.ok(f.PutIssuer(ctx, auth.Issuer{ID: "ci", URL: "https://issuer.example"}, f.by("root", "issuer.create", "ci")))
	f.ok(f.PutToken(ctx, auth.Token{ID: "t1", Kind: auth.TokenAPI, Hash: []byte("hash-1"), Subject: "user:alice", Expires: f.time().AddDate(1, 0, 0)}, nil))
	_, err = f.Enqueue(ctx, job.Job{Kind: "scan", Key: "team/app@" + a.Digest, Payload: json.RawMessage(`{"a":1}`), By: audit.System("test")})
	f.ok(err)
	target, err := f.PutTarget(ctx, notify.Target{Name: "chat", Form: notify.Slack, URL: "https://hooks.example/very-secret-path", Secret: []byte("hook-secret")}, f.by("root", "target.create", "chat"))
	f.ok(err)
	rule, err := f.PutNotifyRule(ctx, notify.Rule{Name: "all", Target: target.ID}, f.by("root", "notify-rule.create", "all"))
	f.ok(err)
	_, err = f.AddDelivery(ctx, notify.Delivery{Rule: rule.ID, Target: target.ID, Events: []notify.Event{{ID: "e1", Title: "newly affected"}}}, false)
	f.ok(err)
	f.ok(f.PutSetting(ctx, "name", []byte(`"hub"`), f.by("root", "setting.update", "name")))
	f.ok(f.PutCredential(ctx, Credential{Name: "mirror", User: "bob", Secret: "mirror-secret"}, f.by("root", "credential.create", "mirror")))
	f.ok(f.NoteTrend(ctx, f.time()))
}

func (f *fixture) exception(repositories, id string) catalog.Exception {
	return catalog.Exception{Repositories: repositories, As: catalog.Accepted, RequestedBy: "alice", RequestedAt: f.time(),
		Suppression: finding.Suppression{Source: finding.SourceHub, ID: id, Reason: "not reachable", Owner: "team", Expires: f.time().AddDate(0, 1, 0)}}
}

// dump is everything that a backup holds, sealed values opened, as text to be compared.
func dump(t *testing.T, db *DB) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	err := db.read(t.Context(), func(x tx) error {
		for i := range tables {
			columns := must(parseColumns(tables[i].columns))(t)
			rows, err := list(t.Context(), x, func(s scanner) (string, error) {
				row, err := x.backupRow(t.Context(), &tables[i], columns, s)
				for i := range row {
					row[i] = plainValue(row[i])
				}
				return fmt.Sprintf("%v", row), err
			}, `SELECT `+columnNames(columns)+` FROM `+tables[i].name+` ORDER BY 1, 2`)
			if err != nil {
				return err
			}
			for _, r := range rows {
				if !strings.HasPrefix(r, "[seal ") {
					out[tables[i].name] = append(out[tables[i].name], r)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestBackupBetweenEngines moves everything from one engine and form to another.
func TestBackupBetweenEngines(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		f.fill()
		var backup bytes.Buffer
		f.ok(f.Backup(t.Context(), &backup))
		want := dump(t, f.DB)
		for _, tb := range tables {
			if len(want[tb.name]) == 0 {
				t.Errorf("the test leaves %s empty", tb.name)
			}
		}
		for _, to := range []struct {
			name string
			dsn  func(*testing.T) string
		}{{"sqlite", sqliteFile}, {"postgres", postgresDatabase}} {
			cfg := Config{DSN: to.dsn(t), Clock: f.time}
			if f.keys != nil {
				cfg.Keys = f.keys
			}
			f.ok(Restore(t.Context(), cfg, bytes.NewReader(backup.Bytes())))
			db := open(t, cfg)
			if d := cmp.Diff(want, dump(t, db)); d != "" {
				t.Errorf("restored to %s: %s", to.name, d)
			}
			// New rows are numbered after the old ones.
			f.ok(db.PutManifest(t.Context(), f.image("team/new", 9), nil, f.by("alice", "image.push", "new")))
			if err := Restore(t.Context(), cfg, bytes.NewReader(backup.Bytes())); err == nil || !strings.Contains(err.Error(), "not empty") {
				t.Errorf("restored over something: %v", err)
			}
		}
	})
}

func TestBackupIsRefused(t *testing.T) {
	keys := newKeys("k1")
	f := &fixture{DB: open(t, Config{DSN: sqliteFile(t), Keys: keys}), clock: newClock(), t: t}
	f.fill()
	var whole bytes.Buffer
	f.ok(f.Backup(t.Context(), &whole))
	if bytes.Contains(whole.Bytes(), []byte("team/app")) {
		t.Error("the backup is readable")
	}
	for name, c := range map[string]struct {
		alter func(b []byte) []byte
		keys  Keys
		want  string
	}{
		"no keys":          {func(b []byte) []byte { return b }, nil, "configure the keys"},
		"another key":      {func(b []byte) []byte { return b }, newKeys("k2"), "asking for the key k1"},
		"a wrong key":      {func(b []byte) []byte { return b }, &testKeys{id: "k1"}, "another key"},
		"a flipped bit":    {func(b []byte) []byte { b[len(b)/2] ^= 1; return b }, keys, "damaged"},
		"cut in a piece":   {func(b []byte) []byte { return b[:len(b)-7] }, keys, "damaged"},
		"header only":      {func(b []byte) []byte { return b[:bytes.IndexByte(b, '\n')+1] }, keys, "damaged"},
		"altered header":   {func(b []byte) []byte { return bytes.Replace(b, []byte(`"salt":"`), []byte(`"salt":"0`), 1) }, keys, "damaged"},
		"something else":   {func([]byte) []byte { return []byte("PK\x03\x04") }, keys, "no backup"},
		"empty":            {func([]byte) []byte { return nil }, keys, "no backup"},
		"a newer version":  {func([]byte) []byte { return []byte(`{"seawall":"backup","version":9}` + "\n") }, keys, "version 9"},
		"plain, and empty": {func([]byte) []byte { return []byte(`{"seawall":"backup","version":1}` + "\n") }, keys, "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			dsn := sqliteFile(t)
			err := Restore(t.Context(), Config{DSN: dsn, Keys: c.keys}, bytes.NewReader(c.alter(bytes.Clone(whole.Bytes()))))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

// FuzzRestore: a backup comes from elsewhere.
func FuzzRestore(f *testing.F) {
	db, err := Open(context.Background(), Config{DSN: "sqlite:" + f.TempDir() + "/a.db"})
	if err != nil {
		f.Fatal(err)
	}
	var b bytes.Buffer
	if err := db.Backup(context.Background(), &b); err != nil {
		f.Fatal(err)
	}
	db.Close()
	f.Add(b.Bytes())
	f.Add([]byte(`{"seawall":"backup","version":1}` + "\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		in, err := openBackup(t.Context(), newKeys("k1"), bytes.NewReader(b))
		if err != nil {
			return
		}
		readBackup(in)
	})
}

// readBackup reads a backup as far as it goes without a database.
func readBackup(in io.Reader) {
	unpacked, err := zstd.NewReader(io.LimitReader(in, 1<<20), zstd.WithDecoderMaxMemory(1<<20))
	if err != nil {
		return
	}
	defer unpacked.Close()
	r := &restorer{files: tar.NewReader(io.LimitReader(unpacked, 1<<20))}
	if r.readAbout() != nil {
		return
	}
	for {
		h, err := r.files.Next()
		if err != nil {
			return
		}
		name, _, _ := strings.Cut(h.Name, "/")
		columns, err := parseColumns(r.about.Tables[name])
		if err != nil {
			continue
		}
		tb := tableNamed(name)
		x := tx{db: &DB{}}
		for rows := json.NewDecoder(r.files); ; {
			if _, err := restoreRow(context.Background(), x, &tb, columns, rows); err != nil {
				break
			}
		}
	}
}
