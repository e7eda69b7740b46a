package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// The key-encryption key goes away while the hub runs: reads fail closed within the cache's lifetime, whoever asked for it
// is told, and everything goes on when the key is back.
func TestRevokedKey(t *testing.T) {
	kek := filepath.Join(t.TempDir(), "kek")
	s := newSite(t, t.TempDir(), "--key-provider", "file:"+kek, "--config", settings(t, "encryption: {cache: 2s}\n"))
	var mu sync.Mutex
	var told []string
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var p struct {
			Events []struct{ Kind, Title string }
		}
		if json.NewDecoder(r.Body).Decode(&p) == nil && len(p.Events) > 0 {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, p.Events[0].Kind+": "+p.Events[0].Title)
		}
	}))
	defer receiver.Close()
	hears := func(word string) func() bool {
		return func() bool {
			mu.Lock()
			defer mu.Unlock()
			return strings.Contains(strings.Join(told, "\n"), word)
		}
	}
	var target struct{ ID int64 }
	s.call("POST", "/api/v1/notify/targets", map[string]any{"name": "hook", "form": "webhook", "url": receiver.URL, "secret": "a secret of some length"}, &target)
	s.call("POST", "/api/v1/notify/rules", map[string]any{"name": "key", "target": target.ID, "kinds": []string{"key.*"}, "severity": "unknown"}, nil)
	s.restart("--key-provider", "file:"+kek, "--config", settings(t, "encryption: {cache: 2s}\n"))

	if err := os.Rename(kek, kek+".gone"); err != nil {
		t.Fatal(err)
	}
	s.until("nothing can be read", func() bool { status, _ := s.try("GET", "/api/v1/rules", nil); return status >= 500 })
	s.until("the alarm is raised", hears("refused"))
	if status, _ := s.try("GET", "/readyz", nil); status != http.StatusServiceUnavailable {
		t.Errorf("readyz: %d", status)
	}
	if err := os.Rename(kek+".gone", kek); err != nil {
		t.Fatal(err)
	}
	s.until("everything goes on", func() bool { status, _ := s.try("GET", "/readyz", nil); return status == http.StatusOK })
	s.until("the end of the alarm is told", hears("again"))
}
