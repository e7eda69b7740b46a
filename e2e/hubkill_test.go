//go:build e2e

package e2e

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/job"
)

// kills is how often a hub is killed: 20 times, or $SEAWALL_E2E_KILLS.
func kills(t *testing.T) int {
	t.Helper()
	text := os.Getenv("SEAWALL_E2E_KILLS")
	if text == "" {
		return 20
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("SEAWALL_E2E_KILLS=%q is no number", text)
	}
	return n
}

// pushed is what a hub acknowledged.
type pushed struct{ repository, tag, digest string }

// load pushes one image after the other until it is stopped, and remembers each that was acknowledged.
type load struct {
	hubs []*hub
	mu   sync.Mutex
	all  []pushed
	tags map[string][]string // what a tag may point at: the last that was acknowledged, or one that was tried since
	stop atomic.Bool
	done sync.WaitGroup
}

func (l *load) start(t *testing.T, workers int) {
	l.tags = map[string][]string{}
	for w := range workers {
		l.done.Go(func() { l.push(t, w) })
	}
}

func (l *load) push(t *testing.T, worker int) {
	for n := 0; !l.stop.Load(); n++ {
		h := l.hubs[n%len(l.hubs)]
		pkg := []string{vulnerable, clean}[n%2]
		img := adding(t, debian(t, pkg, fmt.Sprint("worker ", worker, " image ", n)), noise(1<<10+rand.IntN(256<<10)))
		p := pushed{fmt.Sprintf("load/app%d", worker), fmt.Sprint("t", n%5), digestOf(t, img)}
		l.try(p)
		time.Sleep(time.Duration(rand.IntN(100)) * time.Millisecond)
		if h.tryPush(p.repository, p.tag, img) == nil {
			l.acknowledged(p)
		}
	}
}

func (p pushed) name() string  { return p.repository + ":" + p.tag }
func (p pushed) image() string { return p.repository + "@" + p.digest }

func (l *load) try(p pushed) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tags[p.name()] = append(l.tags[p.name()], p.digest)
}

func (l *load) acknowledged(p pushed) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, p)
	l.tags[p.name()] = []string{p.digest}
}

// since returns what was acknowledged after the first n.
func (l *load) since(n int) []pushed {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.all[min(n, len(l.all)):])
}

func (l *load) end() {
	l.stop.Store(true)
	l.done.Wait()
}

// A hub that is killed at any moment of push, scan and collection has every push that it acknowledged, whole, with its
// audit record; scans that were cut short are done in the end.
func TestHubKilled(t *testing.T) {
	u := withMadeUp(t, newUser(t))
	h := startHub(t, hubConfig{advisories: u.dbDir()})
	l := &load{hubs: []*hub{h}}
	l.start(t, 3)
	defer l.end()
	checked := 0
	for i := range kills(t) {
		if i%3 == 0 {
			_, _, _ = h.ask(t.Context(), "POST", "/collections", object{})
		}
		time.Sleep(time.Duration(100+rand.IntN(900)) * time.Millisecond)
		h.kill()
		h.start()
		fresh := l.since(checked)
		checked += len(fresh)
		verifyPushed(t, h, fresh)
	}
	l.end()
	all := l.since(0)
	verifyTags(t, h, l)
	t.Logf("%d kills, %d pushes acknowledged", kills(t), len(all))
	if len(all) < kills(t) {
		t.Errorf("only %d pushes were acknowledged: the test shows little", len(all))
	}
	settled(t, h, all)
	verifyAudit(t, h, u, all)
}

// verifyPushed pulls everything by digest.
func verifyPushed(t *testing.T, h *hub, all []pushed) {
	t.Helper()
	for _, p := range all {
		if err := h.fetch(login{"admin", adminPassword}, p.repository, p.digest); err != nil {
			t.Fatalf("an acknowledged push is lost: %+v: %v", p, err)
		}
	}
}

// verifyTags checks that registry and catalog agree where tags point.
func verifyTags(t *testing.T, h *hub, l *load) {
	t.Helper()
	for name, may := range l.tags {
		at, err := h.tryResolve(name)
		if err != nil && len(may) > 0 {
			t.Errorf("%s: %v", name, err)
			continue
		}
		found := false
		for _, d := range may {
			found = found || d == at
		}
		if !found {
			t.Errorf("%s is %s; it was last acknowledged or tried as %q", name, at, may)
		}
	}
}

// settled waits until every image has its verdict and no job is left.
func settled(t *testing.T, h *hub, all []pushed) {
	t.Helper()
	var counts struct {
		Items []struct {
			Kind, State string
			Count       int
		}
	}
	h.until("no job is left", func() bool {
		h.call("GET", "/jobs/counts", nil, &counts)
		for _, c := range counts.Items {
			if c.State == "running" || c.State == "waiting" {
				return false
			}
		}
		return true
	})
	for j := range pages[job.Job](h, "/jobs?state=failed", "before") {
		t.Errorf("a job failed: %s %s, %d attempts: %s", j.Kind, j.Key, j.Attempts, j.Error)
	}
	images := map[string]catalog.Manifest{}
	for m := range pages[catalog.Manifest](h, "/images?limit=500", "cursor") {
		images[m.Repository+"@"+m.Digest] = m
	}
	for _, p := range all {
		if m := images[p.image()]; m.Scan == nil || m.Scan.Matched.IsZero() || m.Status == catalog.Received {
			t.Errorf("%s has no verdict: %q", p.image(), m.Status)
		}
	}
}

// verifyAudit exports the audit trail, checks it without the hub, and looks for a record of each push.
func verifyAudit(t *testing.T, h *hub, u *user, all []pushed) string {
	t.Helper()
	h.until("every record is in the log", func() bool {
		var page struct{ Items []audit.Stored }
		h.call("GET", "/audit?limit=1", nil, &page)
		return len(page.Items) == 1 && page.Items[0].Index >= 0
	})
	recorded := map[string]bool{}
	for r := range pages[audit.Stored](h, "/audit?action=image.push&limit=500", "before") {
		recorded[r.Object.Name] = r.Index >= 0
	}
	for _, p := range all {
		if !recorded[p.image()] {
			t.Errorf("the log has no record of the push of %s", p.image())
		}
	}
	dir := exportAudit(t, h)
	u.must(t, 0, "audit", "verify", dir)
	return dir
}

// pages goes through a listing of the API to its end.
func pages[T any](h *hub, path, cursor string) iter.Seq[T] {
	return func(yield func(T) bool) {
		for next := ""; ; {
			var page struct {
				Items []T
				Next  string
			}
			h.call("GET", path+"&"+cursor+"="+url.QueryEscape(next), nil, &page)
			for _, item := range page.Items {
				if !yield(item) {
					return
				}
			}
			if next = page.Next; next == "" {
				return
			}
		}
	}
}

// exportAudit unpacks the hub's audit trail.
func exportAudit(t *testing.T, h *hub) string {
	t.Helper()
	_, body := h.try("GET", "/audit/export", nil)
	dir := t.TempDir()
	call(t, "tar", "-xf", write(t, filepath.Join(t.TempDir(), "audit.tar"), string(body)), "-C", dir)
	return dir
}
