package auth

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seawall/seawall/audit"
)

// cheap makes hashes fast enough for tests.
var cheap = Hash{Memory: 64, Passes: 1, Threads: 1}

// house is an Authority over a memory, with a clock that stands until it is moved, the owner "root" and the user
// "alice" without grants, both with the password below.
type house struct {
	*Authority
	t     *testing.T
	store *memory
	clock *clock
}

type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

const (
	rightPassword = "the tide comes at nine"
	somewhere     = "192.0.2.10"
	agent         = "test/1"
)

func newHouse(t *testing.T, change ...func(*Config)) *house {
	t.Helper()
	m, c := newMemory(), &clock{t: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	cfg := Config{Store: m, Clock: c.now, Hash: cheap, PublicURL: "https://hub.example", Service: "hub.example"}
	for _, f := range change {
		f(&cfg)
	}
	a, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	h := &house{a, t, m, c}
	h.user("root")
	h.user("alice")
	h.grant("user:root", RoleOwner, Everything)
	return h
}

func (h *house) user(name string) {
	h.t.Helper()
	hash, err := h.hasher.hash(context.Background(), rightPassword)
	if err != nil {
		h.t.Fatal(err)
	}
	u := User{ID: "user:" + name, Name: name, Password: hash, Created: h.clock.now()}
	if err := h.store.PutUser(context.Background(), u, true, audit.Entry{}); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) grant(subject, role string, s Scope) Grant {
	h.t.Helper()
	g, err := h.store.PutGrant(context.Background(), Grant{Subject: subject, Role: role, Scope: s}, audit.Entry{})
	if err != nil {
		h.t.Fatal(err)
	}
	h.principals.forget()
	return g
}

// as signs a user in and returns a context of its session.
func (h *house) as(name string) context.Context {
	h.t.Helper()
	_, p, err := h.SignIn(context.Background(), name, rightPassword, "", somewhere, agent)
	if err != nil {
		h.t.Fatalf("signing in %s: %v", name, err)
	}
	return With(context.Background(), p)
}

// session signs a user in and returns the cookie.
func (h *house) session(name string) *http.Cookie {
	h.t.Helper()
	c, _, err := h.SignIn(context.Background(), name, rightPassword, "", somewhere, agent)
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

// token makes an API token for a user.
func (h *house) token(name string, narrow ...Permission) (Token, string) {
	h.t.Helper()
	t, secret, err := h.NewAPIToken(h.as(name), TokenRequest{Title: "test", Expires: h.clock.now().Add(24 * time.Hour), Narrow: narrow})
	if err != nil {
		h.t.Fatal(err)
	}
	return t, secret
}

// send sends a request through Middleware to a handler that answers with the principal's id.
func (h *house) send(method, target string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	r.RemoteAddr = somewhere + ":1234"
	for _, f := range change {
		f(r)
	}
	w := httptest.NewRecorder()
	mux := http.NewServeMux()
	mux.Handle("/token", h.TokenHandler())
	mux.Handle("/token/", h.TokenHandler())
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		p := From(r.Context())
		w.Write([]byte(p.ID))
	})
	h.Middleware(mux).ServeHTTP(w, r)
	return w
}

func basic(name, password string) func(*http.Request) {
	return func(r *http.Request) { r.SetBasicAuth(name, password) }
}

func bearer(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func cookie(c *http.Cookie) func(*http.Request) { return func(r *http.Request) { r.AddCookie(c) } }

func from(address string) func(*http.Request) {
	return func(r *http.Request) { r.RemoteAddr = address + ":1234" }
}

func form(pairs ...string) func(*http.Request) {
	return func(r *http.Request) {
		var b strings.Builder
		for i := 0; i < len(pairs); i += 2 {
			b.WriteString(escape(pairs[i]) + "=" + escape(pairs[i+1]) + "&")
		}
		n, _ := http.NewRequest(r.Method, r.URL.String(), strings.NewReader(strings.TrimSuffix(b.String(), "&")))
		r.Body, r.ContentLength = n.Body, n.ContentLength
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
}

func escape(s string) string { return url.QueryEscape(s) }
