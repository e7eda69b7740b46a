package main

import (
	"bytes"
	"io/fs"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// goodLayer is an image that nothing is known against.
func goodLayer(t *testing.T) []byte {
	return layer(t, map[string]string{
		"etc/os-release":       "ID=alpine\nVERSION_ID=3.20.3\nPRETTY_NAME=\"Alpine Linux v3.20\"\n",
		"lib/apk/db/installed": "P:musl\nV:1.2.5-r0\nA:x86_64\nL:MIT\no:musl\n\n",
	})
}

func TestPushScanHoldRelease(t *testing.T) {
	s := newSite(t, t.TempDir())
	digest := s.push("prod/app", "1", goodLayer(t))
	status := s.scanned("prod/app", digest)
	if status == "received" {
		t.Fatalf("status %s after the scan", status)
	}
	pull := func() (int, []byte) {
		code, body, _ := s.registry("carol", "many words in a row", "GET", "/v2/prod/app/manifests/1", nil, nil)
		return code, body
	}
	s.reader("carol", "many words in a row")
	if code, body := pull(); code != http.StatusOK {
		t.Errorf("observe: %d %s", code, body)
	}
	s.call("POST", "/api/v1/rules", map[string]any{"name": "prod", "pattern": "prod/**", "mode": "enforce", "gate": "version: 1\npackages: {deny: [{package: musl}]}\n"}, nil)
	s.until("the image is rejected", func() bool { code, _ := pull(); return code == http.StatusForbidden })
	code, body := pull()
	if code != http.StatusForbidden || !bytes.Contains(body, []byte("DENIED")) || !bytes.Contains(body, []byte("held")) {
		t.Errorf("enforce: %d %s", code, body)
	}
	s.call("PUT", imagePath("prod/app", digest)+"/override", map[string]any{"status": "released", "reason": "needed tonight"}, nil)
	if code, body := pull(); code != http.StatusOK {
		t.Errorf("released by hand: %d %s", code, body)
	}
	s.recorded("image.push", "rule.create", "image.release")
}

// reader makes a user who may pull everything.
func (s *site) reader(name, password string) {
	s.t.Helper()
	s.call("POST", "/api/v1/users", map[string]any{"name": name, "password": password + " once", "roles": []string{"puller"}}, nil)
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	other := &site{t: s.t, url: s.url, client: &http.Client{Jar: jar}}
	var session struct{ CSRF string }
	other.call("POST", "/api/v1/session", map[string]string{"name": name, "password": password + " once"}, &session)
	other.csrf = session.CSRF
	other.call("POST", "/api/v1/session/password", map[string]string{"current": password + " once", "new": password}, nil)
}

// recorded waits until the audit trail holds each of the actions, sequenced.
func (s *site) recorded(actions ...string) {
	s.t.Helper()
	for _, action := range actions {
		s.until(action+" is in the log", func() bool {
			var page struct{ Items []struct{ Index int64 } }
			s.call("GET", "/api/v1/audit?action="+action, nil, &page)
			return len(page.Items) > 0 && page.Items[0].Index >= 0
		})
	}
}

func TestEncryptedAtRest(t *testing.T) {
	dir, kek := t.TempDir(), filepath.Join(t.TempDir(), "kek")
	s := newSite(t, dir, "--key-provider", "file:"+kek)
	const word = "xyzzy-plaintext-marker"
	digest := s.push("team/secret-project", "1", layer(t, map[string]string{
		"etc/os-release":       "ID=alpine\nVERSION_ID=3.20.3\nPRETTY_NAME=\"" + word + "\"\n",
		"lib/apk/db/installed": "P:" + word + "\nV:1.2.5-r0\nA:x86_64\nL:MIT\no:" + word + "\n\n",
	}))
	s.scanned("team/secret-project", digest)
	s.recorded("image.push")
	if where := holding(t, dir, word); where != "" {
		t.Errorf("%s holds plaintext while the hub runs", where)
	}
	s.end()
	if where := holding(t, dir, word); where != "" {
		t.Errorf("%s holds plaintext", where)
	}
	again := newSite(t, dir, "--key-provider", "file:"+kek)
	if code, body, _ := again.registry("admin", adminPassword, "GET", "/v2/team/secret-project/manifests/1", nil, nil); code != http.StatusOK {
		t.Errorf("after a restart: %d %s", code, body)
	}
}

// holding returns a file below dir that holds the word, "" for none.
func holding(t *testing.T, dir, word string) (where string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil // files come and go while the hub runs
		}
		if b, err := os.ReadFile(path); err == nil && strings.Contains(string(b), word) {
			where = path
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return where
}
