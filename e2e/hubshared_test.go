//go:build e2e

package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	osuser "os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/seawall/seawall/catalog"
)

// startPostgres runs a PostgreSQL of the test's own on a socket, and returns the DSN of an empty database.
func startPostgres(t *testing.T) string {
	t.Helper()
	need(t, "initdb", "postgres", "psql")
	dir, err := os.MkdirTemp("", "pg") // short: the path of a socket is at most 107 bytes long
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	as := &syscall.SysProcAttr{Setpgid: true}
	if os.Geteuid() == 0 { // PostgreSQL refuses to run as root
		as.Credential = nobody(t)
		if err := os.Chown(dir, int(as.Credential.Uid), int(as.Credential.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	initdb := exec.Command("initdb", "-D", filepath.Join(dir, "data"), "-U", "hub", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
	initdb.Dir, initdb.SysProcAttr = dir, as
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	pg := exec.Command("postgres", "-D", filepath.Join(dir, "data"), "-k", dir, "-c", "listen_addresses=", "-c", "fsync=off")
	pg.Dir, pg.SysProcAttr = dir, as
	if err := pg.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pg.Process.Signal(syscall.SIGQUIT); _ = pg.Wait() })
	waitFor(t, "PostgreSQL", func() bool {
		return exec.Command("psql", "-h", dir, "-U", "hub", "-d", "postgres", "-c", "CREATE DATABASE hub").Run() == nil
	})
	return "postgres://hub@/hub?host=" + url.QueryEscape(dir)
}

func nobody(t *testing.T) *syscall.Credential {
	t.Helper()
	u, err := osuser.Lookup("nobody")
	if err != nil {
		t.Skip(err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// onServers is the configuration of a hub that keeps its state in a PostgreSQL and its blobs in a bucket. Hubs that
// are started with it share both.
func onServers(t *testing.T) string {
	t.Helper()
	dsn := startPostgres(t)
	s3 := httptest.NewServer(gofakes3.New(s3mem.New(), gofakes3.WithAutoBucket(true)).Server())
	t.Cleanup(s3.Close)
	return write(t, filepath.Join(t.TempDir(), "hub.yaml"), fmt.Sprintf(
		"database: %q\nstorage:\n  s3: {endpoint: %q, region: us-east-1, bucket: seawall, accessKey: test, secretKey: test, pathStyle: true}\n", dsn, s3.URL))
}

// The same hub on PostgreSQL and S3: push, scan, hold, release, pull, and the record of it.
func TestHubOnServers(t *testing.T) {
	u := withMadeUp(t, newUser(t))
	for _, c := range []struct {
		name string
		args []string
	}{{"plain", nil}, {"encrypted", []string{"--key-provider", "file:" + filepath.Join(t.TempDir(), "key")}}} {
		t.Run(c.name, func(t *testing.T) {
			h := startHub(t, hubConfig{advisories: u.dbDir(), args: append(c.args, "--config", onServers(t))})
			puller := h.person("puller", "puller")
			h.call("POST", "/rules", object{"name": "production", "pattern": "prod/**", "mode": "enforce"}, nil)
			bad, good := h.push("prod/app", "bad", debian(t, vulnerable, "bad")), h.push("prod/app", "good", debian(t, clean, "good"))
			h.becomes("prod/app", bad, catalog.Rejected)
			h.becomes("prod/app", good, catalog.Released)
			if err := h.fetch(puller, "prod/app", bad); err == nil {
				t.Error("pulled what is held")
			}
			h.kill()
			h.start()
			if err := h.fetch(puller, "prod/app", good); err != nil {
				t.Error(err)
			}
			if err := h.fetch(puller, "prod/app", bad); err == nil {
				t.Error("pulled what is held after a restart")
			}
			verifyAudit(t, h, u, []pushed{{"prod/app", "bad", bad}, {"prod/app", "good", good}})
		})
	}
}

// Two hubs on one PostgreSQL and one bucket, one of which is killed again and again: what either acknowledged is
// there, from both; one audit trail holds all of it.
func TestTwoHubsKilled(t *testing.T) {
	u := withMadeUp(t, newUser(t))
	config := onServers(t)
	one := startHub(t, hubConfig{advisories: u.dbDir(), args: []string{"--config", config}})
	other := startHub(t, hubConfig{advisories: u.dbDir(), args: []string{"--config", config}})
	l := &load{hubs: []*hub{one, other}}
	l.start(t, 3)
	defer l.end()
	checked := 0
	for i := range kills(t) {
		victim := l.hubs[i%2]
		time.Sleep(time.Duration(100+rand.IntN(900)) * time.Millisecond)
		victim.kill()
		victim.start()
		fresh := l.since(checked)
		checked += len(fresh)
		verifyPushed(t, l.hubs[(i+1)%2], fresh)
	}
	l.end()
	all := l.since(0)
	verifyPushed(t, one, all)
	verifyTags(t, other, l)
	t.Logf("%d kills, %d pushes acknowledged", kills(t), len(all))
	settled(t, one, all)
	verifyAudit(t, other, u, all)
}
