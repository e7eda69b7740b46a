package notify

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/finding"
)

// memory is a Store.
type memory struct {
	mu         sync.Mutex
	targets    []Target
	rules      []Rule
	deliveries []Delivery
	leased     map[int64]time.Time
	changed    chan struct{}
}

func newMemory() *memory {
	return &memory{leased: map[int64]time.Time{}, changed: make(chan struct{}, 1000)}
}

func (m *memory) Targets(context.Context) ([]Target, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Target{}, m.targets...), nil
}

func (m *memory) NotifyRules(context.Context) ([]Rule, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Rule{}, m.rules...), nil
}

func (m *memory) PutTarget(_ context.Context, t Target, _ audit.Entry) (Target, error) { return t, nil }
func (m *memory) DeleteTarget(context.Context, int64, audit.Entry) error               { return nil }
func (m *memory) PutNotifyRule(_ context.Context, r Rule, _ audit.Entry) (Rule, error) { return r, nil }
func (m *memory) DeleteNotifyRule(context.Context, int64, audit.Entry) error           { return nil }

func (m *memory) AddDelivery(_ context.Context, d Delivery, join bool) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.deliveries {
		if was := &m.deliveries[i]; join && was.Rule == d.Rule && was.State == Waiting && was.Attempts == 0 {
			was.Events = append(was.Events, d.Events...)
			return was.ID, nil
		}
	}
	d.ID = int64(len(m.deliveries) + 1)
	m.deliveries = append(m.deliveries, d)
	return d.ID, nil
}

func (m *memory) DueDeliveries(_ context.Context, _ string, now, until time.Time, n int) (out []Delivery, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, d := range m.deliveries {
		if d.State == Waiting && !d.NotBefore.After(now) && m.leased[d.ID].Before(now) && len(out) < n {
			m.leased[d.ID] = until
			out = append(out, d)
		}
	}
	return out, nil
}

func (m *memory) PutDelivery(_ context.Context, d Delivery) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.leased, d.ID)
	m.deliveries[d.ID-1] = d
	m.changed <- struct{}{}
	return nil
}

func (m *memory) Deliveries(context.Context, int64, int) ([]Delivery, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Delivery{}, m.deliveries...), nil
}

// clock is set by hand.
type clock struct {
	mu sync.Mutex
	at time.Time
}

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

type rig struct {
	*Notifier
	store *memory
	clock *clock
	log   *bytes.Buffer
}

func newRig(t *testing.T, roots *x509.CertPool) *rig {
	t.Helper()
	r := &rig{store: newMemory(), clock: &clock{at: noon}, log: &bytes.Buffer{}}
	n, err := New(Config{Store: r.store, PublicURL: "https://hub.example", AllowPrivate: true, Roots: roots, Worker: "w",
		Poll: time.Millisecond, Timeout: 5 * time.Second, Now: r.clock.now, Log: slog.New(slog.NewTextHandler(r.log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	r.Notifier = n
	return r
}

// attempts makes those that are due now.
func (r *rig) attempts(t *testing.T) []Delivery {
	t.Helper()
	due, err := r.due(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	for i := range due {
		r.deliver(t.Context(), &due[i])
	}
	return due
}

func event(id string, s finding.Severity) Event {
	return Event{ID: id, Time: noon, Kind: "image.rejected", Severity: s, Title: "team/app is rejected", Text: "2 critical findings",
		Repository: "team/app", Digest: "sha256:ab", IDs: []string{"CVE-2026-1"}, Link: "/images/x", Detail: map[string]string{"fixed": "1.2"}}
}

func TestSelects(t *testing.T) {
	e := event("1", finding.SeverityHigh)
	about := e
	about.Repository = ""
	for name, tt := range map[string]struct {
		rule Rule
		e    Event
		want bool
	}{
		"all":              {Rule{}, e, true},
		"disabled":         {Rule{Disabled: true}, e, false},
		"lower":            {Rule{Severity: finding.SeverityMedium}, e, true},
		"same":             {Rule{Severity: finding.SeverityHigh}, e, true},
		"higher":           {Rule{Severity: finding.SeverityCritical}, e, false},
		"kind":             {Rule{Kinds: []string{"scan.*", "image.*"}}, e, true},
		"other kind":       {Rule{Kinds: []string{"scan.*"}}, e, false},
		"repository":       {Rule{Repositories: "team/**"}, e, true},
		"other repository": {Rule{Repositories: "prod/**"}, e, false},
		"no image":         {Rule{Repositories: "prod/**"}, about, true},
	} {
		if got := tt.rule.Selects(&tt.e); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestTell(t *testing.T) {
	r := newRig(t, nil)
	r.store.rules = []Rule{{ID: 1, Target: 1}, {ID: 2, Target: 1, Severity: finding.SeverityCritical}, {ID: 3, Target: 2, Digest: 60}}
	for i, s := range []finding.Severity{finding.SeverityHigh, finding.SeverityCritical} {
		if err := r.Tell(t.Context(), event(fmt.Sprint(i), s)); err != nil {
			t.Fatal(err)
		}
	}
	type short struct {
		Rule   int64
		Events int
		After  time.Duration
	}
	var got []short
	for _, d := range r.store.deliveries {
		got = append(got, short{d.Rule, len(d.Events), d.NotBefore.Sub(noon)})
	}
	want := []short{{1, 1, 0}, {3, 2, time.Hour}, {1, 1, 0}, {2, 1, 0}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if link := r.store.deliveries[0].Events[0].Link; link != "https://hub.example/images/x" {
		t.Errorf("link %s", link)
	}
}

// hook is a webhook's receiver.
type hook struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	header http.Header
	bodies [][]byte
	seen   []http.Header
}

func newHook(t *testing.T) *hook {
	h := &hook{status: http.StatusNoContent, header: http.Header{}}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.bodies, h.seen = append(h.bodies, body), append(h.seen, q.Header)
		for k, v := range h.header {
			w.Header()[k] = v
		}
		w.WriteHeader(h.status)
		if h.status != http.StatusNoContent {
			io.WriteString(w, "no <secret> here\x00\n")
		}
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *hook) answer(status int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.status = status
}

// TestRetries: the pauses are as documented, and after a day it has failed.
func TestRetries(t *testing.T) {
	r, h := newRig(t, nil), newHook(t)
	h.answer(http.StatusInternalServerError)
	r.store.targets = []Target{{ID: 1, Form: Webhook, URL: h.URL + "/secret-path"}}
	r.store.rules = []Rule{{ID: 1, Name: "all", Target: 1}}
	if err := r.Tell(t.Context(), event("1", 0)); err != nil {
		t.Fatal(err)
	}
	var at []time.Duration
	for range 24 * 60 * 2 {
		if len(r.attempts(t)) > 0 {
			at = append(at, r.clock.now().Sub(noon))
		}
		r.clock.pass(time.Minute)
	}
	want := []time.Duration{0, 1, 6, 36, 156, 516, 876, 1236, 1440}
	for i := range want {
		want[i] *= time.Minute
	}
	if diff := cmp.Diff(want, at); diff != "" {
		t.Errorf("attempts: %s", diff)
	}
	d := r.store.deliveries[0]
	if d.State != Failed || d.Error != "the target answers 500 Internal Server Error" || d.Attempts != 9 {
		t.Errorf("ends as %+v", d)
	}
	if strings.Contains(r.log.String(), "secret") || !strings.Contains(r.log.String(), "given up") {
		t.Errorf("log: %s", r.log)
	}
}

func TestAnswers(t *testing.T) {
	for name, tt := range map[string]struct {
		status int
		after  string
		state  string
		next   time.Duration
		error  string
	}{
		"taken":        {204, "", Sent, 0, ""},
		"also taken":   {200, "", Sent, 0, ""},
		"redirect":     {302, "", Waiting, time.Minute, "redirect"},
		"not found":    {404, "", Waiting, time.Minute, "404"},
		"gone":         {410, "", Failed, 0, "gone for good"},
		"asks to wait": {429, "600", Waiting, 10 * time.Minute, "429"},
		"for too long": {503, "864000", Waiting, 6 * time.Hour, "503"},
		"until":        {503, noon.Add(2 * time.Hour).Format(http.TimeFormat), Waiting, 2 * time.Hour, "503"},
		"nonsense":     {503, "soon", Waiting, time.Minute, "503"},
	} {
		t.Run(name, func(t *testing.T) {
			r, h := newRig(t, nil), newHook(t)
			h.answer(tt.status)
			h.header.Set("Retry-After", tt.after)
			h.header.Set("Location", h.URL+"/elsewhere")
			r.store.targets = []Target{{ID: 1, Form: Webhook, URL: h.URL}}
			r.store.deliveries = []Delivery{{ID: 1, Target: 1, State: Waiting, Events: []Event{event("1", 0)}}}
			r.attempts(t)
			d := r.store.deliveries[0]
			if d.State != tt.state || !strings.Contains(d.Error, tt.error) || strings.Contains(d.Error, "secret") {
				t.Errorf("%+v", d)
			}
			if tt.state == Waiting && d.NotBefore.Sub(noon) != tt.next {
				t.Errorf("again after %s", d.NotBefore.Sub(noon))
			}
			if len(h.bodies) != 1 {
				t.Errorf("%d requests", len(h.bodies))
			}
		})
	}
}

// TestDown: one attempt speaks for all to a target that cannot be reached, for a moment.
func TestDown(t *testing.T) {
	r, h := newRig(t, nil), newHook(t)
	h.Close()
	r.store.targets = []Target{{ID: 1, Form: Slack, URL: h.URL + "/services/T0/B0/secret"}, {ID: 2, Form: Webhook, URL: newHook(t).URL}}
	for i := range int64(3) {
		r.store.deliveries = append(r.store.deliveries, Delivery{ID: i + 1, Target: 1 + i/2, State: Waiting, Events: []Event{event("1", 0)}})
	}
	r.attempts(t)
	first, second, third := r.store.deliveries[0], r.store.deliveries[1], r.store.deliveries[2]
	if first.Attempts != 1 || second.Attempts != 1 || !strings.HasPrefix(second.Error, "another delivery just failed") || third.State != Sent {
		t.Errorf("%+v", r.store.deliveries)
	}
	if strings.Contains(first.Error+second.Error, "secret") {
		t.Errorf("the address is told: %s", first.Error)
	}
	r.clock.pass(time.Minute)
	r.attempts(t)
	if strings.HasPrefix(r.store.deliveries[0].Error, "another") {
		t.Errorf("it was not tried again: %s", r.store.deliveries[0].Error)
	}
}

func TestRun(t *testing.T) {
	r, h := newRig(t, nil), newHook(t)
	r.store.targets = []Target{{ID: 1, Form: Webhook, URL: h.URL}}
	r.store.rules = []Rule{{ID: 1, Name: "all", Target: 1}}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- r.Run(ctx) }()
	for i := range 50 {
		if err := r.Tell(ctx, event(fmt.Sprint(i), 0)); err != nil {
			t.Fatal(err)
		}
	}
	for range 50 {
		<-r.store.changed
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	for _, d := range r.store.deliveries {
		if d.State != Sent || d.Attempts != 1 || d.Sent.IsZero() {
			t.Errorf("%+v", d)
		}
	}
	if len(h.bodies) != 50 {
		t.Errorf("%d requests", len(h.bodies))
	}
}

// TestStop: an attempt that is cut off by the end counts for nothing.
func TestStop(t *testing.T) {
	r := newRig(t, nil)
	begun := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		io.Copy(io.Discard, q.Body)
		close(begun)
		<-q.Context().Done()
	}))
	defer s.Close()
	r.store.targets = []Target{{ID: 1, Form: Webhook, URL: s.URL}}
	r.store.deliveries = []Delivery{{ID: 1, Target: 1, State: Waiting, Events: []Event{event("1", 0)}}}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- r.Run(ctx) }()
	<-begun
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if d := r.store.deliveries[0]; d.Attempts != 0 || d.State != Waiting {
		t.Errorf("%+v", d)
	}
}

func TestPrivateAddresses(t *testing.T) {
	h := newHook(t)
	n, err := New(Config{Store: newMemory()})
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range []Target{
		{Form: Webhook, URL: h.URL},
		{Form: Syslog, URL: "udp://127.0.0.1:514"},
		{Form: Syslog, URL: "tcp://10.0.0.1"},
		{Form: Email, URL: "smtp://169.254.169.254", To: []string{"a@example.com"}},
	} {
		if err := n.Test(t.Context(), target); err == nil || !strings.Contains(err.Error(), "not allowed") || !failureOf(err).permanent {
			t.Errorf("%s: %v", target.URL, err)
		}
	}
	if len(h.bodies) > 0 {
		t.Error("the loopback address was reached")
	}
}

func TestTargetsThatCannotBe(t *testing.T) {
	r := newRig(t, nil)
	for _, target := range []Target{
		{Form: "pigeon", URL: "https://example.com"}, {Form: Webhook, URL: "ftp://example.com"}, {Form: Slack, URL: "://"},
		{Form: Teams, URL: "https://"}, {Form: Syslog, URL: "http://example.com"}, {Form: Syslog, URL: "udp://"}, {Form: Syslog, URL: "%"},
		{Form: Email, URL: "smtp://"}, {Form: Email, URL: "smtp://h"}, {Form: Email, URL: "smtp://h", To: []string{"a@b\r\nBcc: c@d"}},
		{Form: Email, URL: "smtp://h?from=nobody", To: []string{"a@b"}},
		{Form: Email, URL: "smtp://h?starttls=off", To: []string{"a@b"}, Secret: []byte("x")},
	} {
		if err := r.Test(t.Context(), target); err == nil || !failureOf(err).permanent {
			t.Errorf("%s %q: %v", target.Form, target.URL, err)
		}
	}
	r.store.deliveries = []Delivery{{ID: 1, Target: 9, State: Waiting}}
	if r.attempts(t); r.store.deliveries[0].State != Failed {
		t.Errorf("without a target: %+v", r.store.deliveries[0])
	}
	if _, err := New(Config{}); err == nil {
		t.Error("no store is taken")
	}
	if _, err := New(Config{Store: r.store, PublicURL: "hub"}); err == nil {
		t.Error("an address that is none is taken")
	}
}
