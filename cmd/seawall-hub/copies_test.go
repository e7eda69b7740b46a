package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

func (s *site) host() string { return strings.TrimPrefix(s.url, "http://") }

// credential keeps the administrator's password of another hub.
func (s *site) credential(name string, of *site) {
	s.call("POST", "/api/v1/credentials", map[string]string{"name": name, "host": of.host(), "user": "admin", "secret": adminPassword}, nil)
}

func TestImport(t *testing.T) {
	from, to := newSite(t, t.TempDir()), newSite(t, t.TempDir())
	digest := from.push("team/app", "1", goodLayer(t))
	to.credential("other", from)
	to.call("POST", "/api/v1/imports", map[string]string{"source": from.host() + "/team/app:1", "destination": "copies/app:2", "credential": "other"}, nil)
	var m struct{ Origin, PushedBy string }
	to.until("the copy is there", func() bool {
		status, body := to.try("GET", imagePath("copies/app", digest), nil)
		return status == http.StatusOK && json.Unmarshal(body, &m) == nil
	})
	if !strings.Contains(m.Origin, "/team/app:1") || m.PushedBy != "admin" {
		t.Errorf("origin %q, pushed by %q", m.Origin, m.PushedBy)
	}
	to.scanned("copies/app", digest)
	to.recorded("image.import")
}

func TestPullThrough(t *testing.T) {
	from, to := newSite(t, t.TempDir()), newSite(t, t.TempDir())
	digest := from.push("library/app", "1", goodLayer(t))
	to.credential("other", from)
	to.call("POST", "/api/v1/rules", map[string]any{"name": "mirror", "pattern": "hub/**",
		"mirror": map[string]any{"source": from.host(), "onPull": true, "credential": "other"}}, nil)
	code, body, _ := to.registry("admin", adminPassword, "GET", "/v2/hub/library/app/manifests/1", nil, nil)
	if code != http.StatusOK || digestOf(body) != digest {
		t.Fatalf("%d %s", code, body)
	}
	to.scanned("hub/library/app", digest)
	to.call("DELETE", imagePath("hub/library/app", digest), nil, nil)
	for _, ref := range []string{"1", digest} {
		if code, body, _ := to.registry("admin", adminPassword, "GET", "/v2/hub/library/app/manifests/"+ref, nil, nil); code != http.StatusNotFound {
			t.Errorf("what was deleted here is back by %s: %d %s", ref, code, body)
		}
	}
	if code, _, _ := to.registry("admin", adminPassword, "GET", "/v2/hub/library/other/manifests/1", nil, nil); code != http.StatusNotFound {
		t.Errorf("what the source does not have: %d", code)
	}
}

func TestNotificationOfARejectedImage(t *testing.T) {
	s := newSite(t, t.TempDir())
	var told atomic.Value
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var p struct {
			Events []struct{ Kind, Repository string }
		}
		if json.NewDecoder(r.Body).Decode(&p) == nil && len(p.Events) > 0 {
			told.Store(p.Events[0].Kind + " " + p.Events[0].Repository)
		}
	}))
	defer receiver.Close()
	var target struct{ ID int64 }
	s.call("POST", "/api/v1/notify/targets", map[string]any{"name": "hook", "form": "webhook", "url": receiver.URL, "secret": "a secret of some length"}, &target)
	s.call("POST", "/api/v1/notify/rules", map[string]any{"name": "rejected", "target": target.ID, "kinds": []string{"image.rejected"}, "severity": "unknown"}, nil)
	s.call("POST", "/api/v1/rules", map[string]any{"name": "no musl", "pattern": "**", "gate": "version: 1\npackages: {deny: [{package: musl}]}\n"}, nil)
	s.scanned("team/app", s.push("team/app", "1", goodLayer(t)))
	s.until("the webhook is called", func() bool { return told.Load() != nil })
	if got := told.Load(); got != "image.rejected team/app" {
		t.Errorf("told %v", got)
	}
}
