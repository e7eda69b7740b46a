//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seawall/seawall/catalog"
)

// program runs the hub's own commands: backup, restore.
func program(t *testing.T) tool {
	return tool{line: []string{filepath.Join(filepath.Dir(executable), "seawall-hub")}, env: []string{"TMPDIR=" + t.TempDir()}}
}

// What is known to be in the hub is nowhere in its directory in plain, neither while it runs nor after a kill, in the
// database, its log, the blobs, the audit trail, the caches or the backup. Names of repositories and tags are names of
// files.
func TestHubEncrypted(t *testing.T) {
	u := withMadeUp(t, newUser(t))
	dir, key := t.TempDir(), filepath.Join(t.TempDir(), "key")
	h := startHub(t, hubConfig{dir: filepath.Join(dir, "hub"), advisories: u.dbDir(), args: []string{"--key-provider", "file:" + key}})
	words := []string{"xyzzy-repository", "xyzzy-tag", "xyzzy-content", "xyzzy-package", "xyzzy-person", "xyzzy-reason", "xyzzy-secret"}
	h.person("xyzzy-person", "puller")
	img := adding(t, debian(t, "xyzzy-package 1.0", "xyzzy-content"), tarOf(t, map[string]string{"root/xyzzy-secret.pem": privateKey(t)}))
	digest := h.push("team/xyzzy-repository", "xyzzy-tag", img)
	h.scanned("team/xyzzy-repository", digest)
	h.call("PUT", at("team/xyzzy-repository", digest)+"/override", object{"status": "released", "reason": "xyzzy-reason"}, nil)
	h.until("all is in the log", func() bool { return lastIndex(h) >= 0 })
	holdsNone(t, dir, words, "while it runs")
	program(t).must(t, "", "backup", filepath.Join(dir, "backup"), "--data-dir", h.dir, "--key-provider", "file:"+key)
	h.kill()
	holdsNone(t, dir, words, "after a kill")
	h.start()
	if err := h.fetch(login{"admin", adminPassword}, "team/xyzzy-repository", digest); err != nil {
		t.Fatalf("after a kill: %v", err)
	}
	h.call("POST", "/keys/rotate", object{"dataKeys": true}, nil)
	again := h.push("team/xyzzy-repository", "xyzzy-tag", adding(t, img, tarOf(t, map[string]string{"more": "xyzzy-content"})))
	h.scanned("team/xyzzy-repository", again)
	h.stop()
	holdsNone(t, dir, words, "after a rotation")
	h.start()
	for _, d := range []string{digest, again} {
		if err := h.fetch(login{"admin", adminPassword}, "team/xyzzy-repository", d); err != nil {
			t.Errorf("after a rotation: %v", err)
		}
	}
}

// lastIndex is the place of the newest audit record in the log, -1 before it is there.
func lastIndex(h *hub) int64 {
	h.t.Helper()
	var page struct{ Items []struct{ Index int64 } }
	h.call("GET", "/audit?limit=1", nil, &page)
	return page.Items[0].Index
}

// holdsNone looks for words in all files below a directory.
func holdsNone(t *testing.T, dir string, words []string, when string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil // files come and go while the hub runs
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return nil
		}
		files++
		for _, word := range words {
			if bytes.Contains(content, []byte(word)) {
				t.Errorf("%s: %s holds %q", when, strings.TrimPrefix(path, dir), word)
			}
		}
		return nil
	})
	if err != nil || files < 10 {
		t.Fatalf("looked at %d files: %v", files, err)
	}
}

// A backup that is made while images come in and go out holds all that was acknowledged before it began, and becomes a
// hub elsewhere.
func TestHubBackup(t *testing.T) {
	u := withMadeUp(t, newUser(t))
	for _, c := range []struct {
		name string
		args []string
	}{{"plain", nil}, {"encrypted", []string{"--key-provider", "file:" + filepath.Join(t.TempDir(), "key")}}} {
		t.Run(c.name, func(t *testing.T) { testBackup(t, u, c.args) })
	}
}

func testBackup(t *testing.T, u *user, args []string) {
	h := startHub(t, hubConfig{advisories: u.dbDir(), args: args})
	puller := h.person("puller", "puller")
	h.call("POST", "/rules", object{"name": "production", "pattern": "prod/**", "mode": "enforce"}, nil)
	held := h.push("prod/app", "held", debian(t, vulnerable, "held"))
	h.becomes("prod/app", held, catalog.Rejected)
	l := &load{hubs: []*hub{h}}
	l.start(t, 2)
	defer l.end()
	h.until("some images are there", func() bool { return len(l.since(5)) > 0 })
	before := l.since(0)
	dir := filepath.Join(t.TempDir(), "backup")
	program(t).must(t, "", append([]string{"backup", dir, "--data-dir", h.dir}, args...)...)
	h.until("some more images are there", func() bool { return len(l.since(len(before)+5)) > 0 })
	l.end()
	log := exportAudit(t, h)
	h.stop()

	restored := filepath.Join(t.TempDir(), "restored")
	program(t).must(t, "", append([]string{"restore", dir, "--data-dir", restored}, args...)...)
	again := startHub(t, hubConfig{dir: restored, advisories: u.dbDir(), args: args})
	verifyPushed(t, again, before)
	settled(t, again, before)
	again.becomes("prod/app", held, catalog.Rejected)
	if err := again.fetch(puller, "prod/app", held); err == nil || !strings.Contains(err.Error(), "held") {
		t.Errorf("what was held is not held after the restore: %v", err)
	}
	// What the restored hub appends continues the log of before: the old checkpoint may lie ahead of the backup, but
	// what both have is the same.
	verifyAudit(t, again, u, before)
	u.must(t, 0, "audit", "verify", log)
	if out, err := program(t).try("", append([]string{"restore", dir, "--data-dir", restored}, args...)...); err == nil {
		t.Errorf("restored over a hub that has data:\n%s", out)
	}
}

// An exported audit trail verifies without the hub; whatever is altered in it is found and named.
func TestHubAudit(t *testing.T) {
	h := startHub(t, hubConfig{})
	u := newUser(t)
	for i := range 5 {
		h.call("POST", "/rules", object{"name": "rule", "pattern": "x" + string(rune('a'+i)) + "/**", "mode": "observe"}, nil)
	}
	h.until("all is in the log", func() bool { return lastIndex(h) >= 0 })
	dir := exportAudit(t, h)
	key := filepath.Join(h.dir, "audit", "log.pub")
	u.must(t, 0, "audit", "verify", dir, "--key", key)

	other := startHub(t, hubConfig{})
	u.must(t, 1, "audit", "verify", dir, "--key", filepath.Join(other.dir, "audit", "log.pub"))

	for _, c := range []struct{ name, from, to string }{
		{"altered", `"xc/**"`, `"xz/**"`},
		{"another actor", `"user:admin"`, `"user:carol"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			copied := filepath.Join(t.TempDir(), "audit")
			call(t, "cp", "-R", dir, copied)
			file := fileWith(t, copied, c.from)
			content := contentOf(t, file)
			write(t, file, strings.Replace(content, c.from, c.to, 1))
			o := u.must(t, 1, "audit", "verify", copied, "--key", key, "-o", "json")
			var r struct {
				Holds   bool
				Problem struct {
					Index int64
					ID    string
				}
			}
			if err := json.Unmarshal([]byte(o.stdout), &r); err != nil || r.Holds || r.Problem.ID == "" {
				t.Errorf("the record is not named: %v in %s", err, o.stdout)
			}
		})
	}
}

// fileWith finds a file below dir that holds the text.
func fileWith(t *testing.T, dir, text string) (found string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || found != "" {
			return err
		}
		if content, err := os.ReadFile(path); err == nil && bytes.Contains(content, []byte(text)) {
			found = path
		}
		return nil
	})
	if err != nil || found == "" {
		t.Fatalf("no file below %s holds %s: %v", dir, text, err)
	}
	return found
}
