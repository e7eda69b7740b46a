package auth

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seawall/seawall/audit"
)

// newCorp is a house whose people sign in at a provider.
func newCorp(t *testing.T, change func(*Provider)) (*house, *signInServer) {
	server := newSignInServer(t)
	h := newHouse(t, func(c *Config) {
		p := Provider{ID: "corp", Issuer: server.URL, ClientID: "hub", ClientSecret: "client-secret"}
		if change != nil {
			change(&p)
		}
		c.OIDC = []Provider{p}
	})
	return h, server
}

func (h *house) browse(target string, cookies ...*http.Cookie) *http.Response {
	r := httptest.NewRequest("GET", "https://hub.example"+target, nil)
	r.RemoteAddr = somewhere + ":1"
	for _, c := range cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	h.Middleware(h.OIDCHandler()).ServeHTTP(w, r)
	return w.Result()
}

// visit signs in with the claims and returns the callback's answer.
func (h *house) visit(s *signInServer, claims map[string]any, change ...func(url.Values)) *http.Response {
	h.t.Helper()
	begin := h.browse("/signin/oidc/corp?next=/images")
	if begin.StatusCode != http.StatusSeeOther {
		h.t.Fatal(begin.Status)
	}
	code, state := s.authorize(begin.Header.Get("Location"), claims)
	q := url.Values{"code": {code}, "state": {state}}
	for _, f := range change {
		f(q)
	}
	return h.browse("/signin/oidc/corp/callback?"+q.Encode(), begin.Cookies()...)
}

func sessionOf(r *http.Response) *http.Cookie {
	for _, c := range r.Cookies() {
		if c.Name == "__Host-"+sessionCookie {
			return c
		}
	}
	return nil
}

func TestOIDC(t *testing.T) {
	h, server := newCorp(t, func(p *Provider) { p.Groups = map[string]string{"cn=dev": "dev", "cn=ops": "ops"} })
	h.grant("group:dev", RolePusher, Repository("team/**"))
	claims := map[string]any{"preferred_username": "alice", "email": "alice@hub.example", "groups": []string{"cn=dev", "cn=other"}}
	end := h.visit(server, claims)
	c := sessionOf(end)
	if end.StatusCode != http.StatusSeeOther || end.Header.Get("Location") != "/images" || c == nil {
		t.Fatalf("%s %s", end.Status, end.Header)
	}
	p, _, err := h.authenticate(context.Background(), c.Value, somewhere)
	if err != nil || p.Name != "corp/alice" || !p.May(ImagePush, Repository("team/app")) || p.ID == "user:alice" {
		t.Fatalf("%+v, %v", p, err)
	}
	u := h.store.users[p.ID]
	if diff := cmp.Diff([]string{"dev"}, u.Groups); diff != "" || u.Email != "alice@hub.example" || u.Password != "" {
		t.Errorf("%+v %s", u, diff)
	}
	// A second time it is the same user, with the groups of then.
	claims["groups"], claims["preferred_username"] = []string{"cn=ops"}, "alice.b"
	again := sessionOf(h.visit(server, claims))
	if p, _, err = h.authenticate(context.Background(), again.Value, somewhere); err != nil || p.ID != u.ID || p.Name != "corp/alice.b" {
		t.Errorf("%+v, %v", p, err)
	}
	if p, _, _ := h.authenticate(context.Background(), c.Value, somewhere); p.MayAny(ImagePush) {
		t.Error("the first session keeps the old groups")
	}
	// It has no password here.
	for _, name := range []string{"corp/alice.b", strings.TrimPrefix(u.ID, "user:")} {
		if _, _, err := h.SignIn(context.Background(), name, "", "", somewhere, agent); err == nil {
			t.Errorf("%s signs in with a password", name)
		}
	}
	u.Disabled = true
	h.store.users[u.ID] = u
	if r := h.visit(server, claims); r.StatusCode != http.StatusForbidden || sessionOf(r) != nil {
		t.Errorf("a disabled user: %s", r.Status)
	}
	if e := h.store.last(); e.Outcome != audit.Refused || !strings.Contains(e.Reason, "disabled") {
		t.Errorf("recorded: %+v", e)
	}
}

func TestOIDCRefused(t *testing.T) {
	old := time.Now().Add(-time.Hour).Unix()
	tests := map[string]struct {
		claims map[string]any
		change func(url.Values)
		status int
	}{
		"other audience": {map[string]any{"aud": "other"}, nil, 403},
		"other issuer":   {map[string]any{"iss": "https://evil.example"}, nil, 403},
		"expired":        {map[string]any{"exp": old}, nil, 403},
		"other nonce":    {map[string]any{"nonce": "x"}, nil, 403},
		"no nonce":       {map[string]any{"nonce": ""}, nil, 403},
		"other state":    {nil, func(q url.Values) { q.Set("state", "x") }, 400},
		"no state":       {nil, func(q url.Values) { q.Del("state") }, 400},
		"other code":     {nil, func(q url.Values) { q.Set("code", "x") }, 403},
		"error":          {nil, func(q url.Values) { q.Set("error", "access_denied") }, 403},
		"not allowed":    {map[string]any{"groups": []string{"dev"}}, nil, 403},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h, server := newCorp(t, func(p *Provider) { p.Allow = []string{"ops"} })
			claims := map[string]any{"groups": []string{"ops"}}
			for k, v := range tt.claims {
				claims[k] = v
			}
			change := tt.change
			if change == nil {
				change = func(url.Values) {}
			}
			r := h.visit(server, claims, change)
			if r.StatusCode != tt.status || sessionOf(r) != nil {
				t.Errorf("%s, session %v", r.Status, sessionOf(r))
			}
		})
	}
}

// TestOIDCOtherBrowser: a callback in a browser that began nothing signs nobody in.
func TestOIDCOtherBrowser(t *testing.T) {
	h, server := newCorp(t, nil)
	begin := h.browse("/signin/oidc/corp")
	code, state := server.authorize(begin.Header.Get("Location"), nil)
	r := h.browse("/signin/oidc/corp/callback?" + url.Values{"code": {code}, "state": {state}}.Encode())
	if r.StatusCode != http.StatusBadRequest || sessionOf(r) != nil {
		t.Error(r.Status)
	}
	if r := h.browse("/signin/oidc/other"); r.StatusCode != http.StatusNotFound {
		t.Error(r.Status)
	}
}

func TestOIDCProviderAway(t *testing.T) {
	h, server := newCorp(t, nil)
	server.Close()
	for range 2 {
		if r := h.browse("/signin/oidc/corp"); r.StatusCode != http.StatusBadGateway {
			t.Error(r.Status)
		}
	}
}

func TestOIDCIsLimited(t *testing.T) {
	h, server := newCorp(t, nil)
	for range addressFailures {
		h.visit(server, map[string]any{"nonce": "x"})
	}
	if r := h.visit(server, nil); r.StatusCode != http.StatusTooManyRequests || r.Header.Get("Retry-After") == "" {
		t.Error(r.Status)
	}
}

func TestLocalPath(t *testing.T) {
	for next, want := range map[string]string{
		"/images?a=b": "/images?a=b", "": "/", "images": "/", "//evil.example": "/", "https://evil.example": "/",
		"/\\evil.example": "/", "/a\nb": "/", "/" + strings.Repeat("a", 3000): "/", "javascript:alert(1)": "/", "/%zz": "/",
	} {
		if got := localPath(next); got != want {
			t.Errorf("%q: %q", next, got)
		}
	}
}

func TestProviderRules(t *testing.T) {
	good := Provider{ID: "corp", Issuer: "https://issuer.example", ClientID: "hub"}
	for name, change := range map[string]func(*Config){
		"no public URL": func(c *Config) { c.PublicURL = "" },
		"twice":         func(c *Config) { c.OIDC = append(c.OIDC, good) },
		"no id":         func(c *Config) { c.OIDC[0].ID = "" },
		"plain":         func(c *Config) { c.OIDC[0].Issuer = "http://issuer.example" },
		"no client":     func(c *Config) { c.OIDC[0].ClientID = "" },
		"no store":      func(c *Config) { c.Store = nil },
		"odd URL":       func(c *Config) { c.PublicURL = "hub.example" },
	} {
		cfg := Config{Store: newMemory(), Hash: cheap, PublicURL: "https://hub.example", OIDC: []Provider{good}}
		if _, err := New(cfg); err != nil {
			t.Fatal(err)
		}
		change(&cfg)
		if _, err := New(cfg); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
