package mirror

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seawall/seawall/registry"
)

func TestRemote(t *testing.T) {
	for _, tt := range []struct{ pattern, source, repository, want string }{
		{"hub/**", "docker.io", "hub/library/alpine", "docker.io/library/alpine"},
		{"hub/*", "docker.io/library/", "hub/alpine", "docker.io/library/alpine"},
		{"**", "other.example", "a/b", "other.example/a/b"},
		{"team/app", "other.example/x", "team/app", "other.example/x"},
		{"team/app-*", "other.example/x", "team/app-1", "other.example/x/app-1"},
		{"team/app", "other.example/x", "team/app2", ""},
		{"hub/**", "docker.io", "other/a", ""},
	} {
		got, err := (&Rule{Pattern: tt.pattern, Source: tt.source}).Remote(tt.repository)
		if got != tt.want || (err != nil) != (tt.want == "") {
			t.Errorf("%s from %s by %s: %q, %v", tt.repository, tt.source, tt.pattern, got, err)
		}
	}
}

// through is a fetcher from another registry, with a clock that is set and a way to break the source.
type through struct {
	*Fetcher
	sink   *registry.Registry
	host   string
	now    atomic.Int64
	down   atomic.Bool
	asked  atomic.Int64
	gate   chan struct{} // when not nil, manifests wait for it
	origin atomic.Value
}

func newThrough(t *testing.T) *through {
	t.Helper()
	f := &through{sink: sink(t, nil)}
	f.host = broken(t, func(w http.ResponseWriter, q *http.Request, next http.Handler) {
		if f.down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		if f.gate != nil && q.Method == http.MethodGet && q.URL.Path == "/v2/app/manifests/1" {
			<-f.gate
		}
		f.asked.Add(1)
		next.ServeHTTP(w, q)
	})
	c := New(Config{Pause: 1, Now: func() time.Time { return time.Unix(f.now.Load(), 0) }})
	rule := &Rule{Pattern: "hub/*", Source: f.host}
	f.Fetcher = NewFetcher(FetcherConfig{
		Client: c, Sink: f.sink,
		Rules: func(_ context.Context, repo string) (*Rule, error) {
			if repo == "own" {
				return nil, nil
			}
			return rule, nil
		},
		As: func(ctx context.Context, origin string) context.Context { f.origin.Store(origin); return ctx },
	})
	return f
}

func TestFetch(t *testing.T) {
	f := newThrough(t)
	first := push(t, f.host+"/app:1", index(t, "linux/amd64", "linux/arm64"))
	fetch := func(ref, want string) {
		t.Helper()
		err := f.Fetch(t.Context(), "hub/app", ref)
		if got := has(t, f.sink, "hub/app", ref); got != want || (err == nil) != (want != "") {
			t.Errorf("%s is %q, want %q: %v", ref, got, want, err)
		}
	}
	asks := func(why string, some bool) {
		t.Helper()
		if n := f.asked.Swap(0); (n > 0) != some {
			t.Errorf("%s: %d requests to the source", why, n)
		}
	}
	f.asked.Store(0)
	fetch("1", first)
	asks("the first pull", true)
	if o := f.origin.Load(); o != f.host+"/app:1" {
		t.Errorf("origin %v", o)
	}
	fetch("1", first)
	asks("a second pull at once", false)
	fetch(first, first)
	asks("a pull by digest", false)

	second := push(t, f.host+"/app:1", image(t, 1))
	f.asked.Store(0)
	fetch("1", first)
	asks("while it is fresh", false)
	f.now.Add(301)
	fetch("1", second)
	asks("later", true)

	f.now.Add(301)
	f.down.Store(true)
	fetch("1", second)
	fetch("2", "")
	if err := f.Fetch(t.Context(), "hub/app", "2"); !errors.Is(err, ErrUnavailable) {
		t.Errorf("the source is down: %v", err)
	}
	f.down.Store(false)
	asks("down", false)
	fetch("2", "") // remembered
	asks("a moment later", false)
	f.now.Add(30)
	if err := f.Fetch(t.Context(), "hub/app", "2"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a tag that is not there: %v", err)
	}
	if err := f.Fetch(t.Context(), "own", "1"); err != nil {
		t.Errorf("without a rule: %v", err)
	}
	if err := f.Fetch(t.Context(), "hub/app", "..!"); err != nil {
		t.Errorf("a bad tag is for the registry to refuse: %v", err)
	}
}

// TestFetchOnce: many pulls at once are one copy, and one that gives up does not end it.
func TestFetchOnce(t *testing.T) {
	f := newThrough(t)
	d := push(t, f.host+"/app:1", image(t, 1))
	f.gate = make(chan struct{})
	gone, leave := context.WithCancel(t.Context())
	var pulls sync.WaitGroup
	for i := range 10 {
		pulls.Add(1)
		go func() {
			defer pulls.Done()
			ctx := t.Context()
			if i == 0 {
				ctx = gone
			}
			err := f.Fetch(ctx, "hub/app", "1")
			if i == 0 && !errors.Is(err, context.Canceled) || i > 0 && err != nil {
				t.Errorf("pull %d: %v", i, err)
			}
		}()
	}
	leave()
	close(f.gate)
	pulls.Wait()
	if has(t, f.sink, "hub/app", "1") != d {
		t.Error("not copied")
	}
}

func TestFetchWaitsOnlySoLong(t *testing.T) {
	f := newThrough(t)
	push(t, f.host+"/app:1", image(t, 1))
	f.gate = make(chan struct{})
	f.Wait = time.Millisecond
	if err := f.Fetch(t.Context(), "hub/app", "1"); !errors.Is(err, ErrFetching) {
		t.Errorf("%v", err)
	}
	close(f.gate)
	f.Wait = time.Minute
	if err := f.Fetch(t.Context(), "hub/app", "1"); err != nil {
		t.Error(err)
	}
}

func TestRememberIsBounded(t *testing.T) {
	f := NewFetcher(FetcherConfig{Client: client()})
	for i := range maxKnown + 10 {
		f.remember(fmt.Sprint(i), nil)
	}
	if len(f.known) > maxKnown {
		t.Errorf("%d references are remembered", len(f.known))
	}
}
