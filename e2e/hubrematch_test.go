//go:build e2e

package e2e

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/notify"
)

// publish gives u a database of the made up advisories and more.
func publish(t *testing.T, u *user, more ...object) {
	t.Helper()
	all := maps.Clone(madeUp)
	all["Debian"] = append(slices.Clone(all["Debian"]), more...)
	bucket := t.TempDir()
	writeBucket(t, bucket, all)
	u.must(t, 0, "db", "update", "-q", "--accept-shrink", "--from", bucket)
}

// An advisory that comes holds what was released, without a new scan; one that is withdrawn releases it again.
func TestHubRematch(t *testing.T) {
	u := withMadeUp(t, newUser(t))
	h := startHub(t, hubConfig{advisories: u.dbDir()})
	puller := h.person("puller", "puller")
	hook := newReceiver(t)
	h.call("POST", "/rules", object{"name": "production", "pattern": "prod/**", "mode": "enforce"}, nil)
	h.notifies(hook)
	affected, other := debian(t, clean, "affected"), debian(t, "dash 0.5.12-2", "other")
	one, two := h.push("prod/app", "1", affected), h.push("prod/other", "1", other)
	h.becomes("prod/app", one, catalog.Released)
	h.becomes("prod/other", two, catalog.Released)
	scanned, matched := h.image("prod/app", one).Scan.Scanned, h.image("prod/other", two).Scan.Matched

	publish(t, u, advisory("DEBIAN-CVE-2099-0100", "Debian:12", "coreutils", "9:1", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"))
	h.becomes("prod/app", one, catalog.Rejected)
	if m := h.image("prod/app", one); !m.Scan.Scanned.Equal(scanned) {
		t.Error("the image was scanned again for a new advisory")
	}
	if m := h.image("prod/other", two); m.Status != catalog.Released || m.Scan.Matched.Before(matched) {
		t.Errorf("the other image is %s", m.Status)
	}
	if h.fetch(puller, "prod/app", one) == nil {
		t.Error("pulled what the new advisory holds")
	}
	var page struct {
		Items []struct{ Repository, Digest string }
	}
	h.call("GET", "/images?finding=CVE-2099-0100", nil, &page)
	if len(page.Items) != 1 || page.Items[0].Digest != one {
		t.Errorf("affected by the new advisory: %+v", page.Items)
	}
	h.until("the webhook was called", func() bool { return len(hook.about("newly-affected")) > 0 })

	publish(t, u)
	h.becomes("prod/app", one, catalog.Released)
	if err := h.fetch(puller, "prod/app", one); err != nil {
		t.Errorf("the advisory was withdrawn: %v", err)
	}
	if got := hook.about("newly-affected"); len(got) != 1 || !strings.Contains(got[0], "CVE-2099-0100") || !strings.Contains(got[0], "1 image") {
		t.Errorf("told %q; want one, that CVE-2099-0100 affects 1 image", got)
	}
}

// receiver takes the hub's webhooks and checks their signatures.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	events []struct{ Kind, Title string }
	wrong  []string
}

const hookSecret = "a secret that only the two know"

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	t.Cleanup(func() {
		for _, w := range r.wrong {
			t.Error(w)
		}
	})
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	b, err := io.ReadAll(io.LimitReader(q.Body, 1<<20))
	var message struct {
		Events []struct{ Kind, Title string }
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err != nil || json.Unmarshal(b, &message) != nil:
		r.wrong = append(r.wrong, "a webhook that cannot be read: "+string(b))
	case notify.Verify([]byte(hookSecret), q.Header.Get(notify.HeaderSignature), b, time.Now(), time.Minute) != nil:
		r.wrong = append(r.wrong, "a webhook without a good signature")
	}
	r.events = append(r.events, message.Events...)
}

// about returns the titles of the events of a kind.
func (r *receiver) about(kind string) (titles []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		if e.Kind == kind {
			titles = append(titles, e.Title)
		}
	}
	return titles
}

// notifies has a webhook told of everything.
func (h *hub) notifies(r *receiver) {
	h.t.Helper()
	var target struct{ ID int64 }
	h.call("POST", "/notify/targets", object{"name": "hook", "form": "webhook", "url": r.URL, "secret": hookSecret}, &target)
	h.call("POST", "/notify/rules", object{"name": "all", "target": target.ID, "severity": "unknown"}, nil)
}
