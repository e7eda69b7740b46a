package auth

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestMiddleware(t *testing.T) {
	h := newHouse(t)
	session := h.session("alice")
	_, api := h.token("alice")
	old, broken := newSecret(TokenAPI), api[:len(api)-1]
	tests := []struct {
		name   string
		method string
		path   string
		change []func(*http.Request)
		status int
		body   string
	}{
		{"nobody", "GET", "/", nil, 200, Anonymous},
		{"bearer", "GET", "/", []func(*http.Request){bearer(api)}, 200, "user:alice"},
		{"bearer in small letters", "GET", "/", []func(*http.Request){header("Authorization", "bearer "+api)}, 200, "user:alice"},
		{"bearer needs no CSRF token", "POST", "/", []func(*http.Request){bearer(api)}, 200, "user:alice"},
		{"unknown token", "GET", "/", []func(*http.Request){bearer(old)}, 401, "not signed in"},
		{"broken token", "GET", "/", []func(*http.Request){bearer(broken)}, 401, "not signed in"},
		{"session as bearer", "GET", "/", []func(*http.Request){bearer(session.Value)}, 401, "not signed in"},
		{"session as password", "GET", "/", []func(*http.Request){basic("alice", session.Value)}, 401, "not signed in"},
		{"password", "GET", "/", []func(*http.Request){basic("alice", rightPassword)}, 200, "user:alice"},
		{"token as password", "GET", "/v2/", []func(*http.Request){basic("whoever", api)}, 200, "user:alice"},
		{"wrong password", "GET", "/v2/", []func(*http.Request){basic("alice", "wrong")}, 401, "UNAUTHORIZED"},
		{"other scheme", "GET", "/", []func(*http.Request){header("Authorization", "Digest x")}, 401, "not signed in"},
		{"long header", "GET", "/", []func(*http.Request){bearer(strings.Repeat("x", 5000))}, 401, "not signed in"},
		{"cookie", "GET", "/", []func(*http.Request){cookie(session)}, 200, "user:alice"},
		{"cookie at the registry", "GET", "/v2/", []func(*http.Request){cookie(session)}, 200, Anonymous},
		{"cookie without token", "POST", "/", []func(*http.Request){cookie(session)}, 403, HeaderCSRF},
		{"cookie with a wrong token", "DELETE", "/", []func(*http.Request){cookie(session), header(HeaderCSRF, csrf("x"))}, 403, HeaderCSRF},
		{"cookie with token", "POST", "/", []func(*http.Request){cookie(session), header(HeaderCSRF, csrf(session.Value))}, 200, "user:alice"},
		{"cookie with token from another site", "POST", "/",
			[]func(*http.Request){cookie(session), header(HeaderCSRF, csrf(session.Value)), header("Sec-Fetch-Site", "cross-site")}, 403, "another site"},
		{"origin", "POST", "/", []func(*http.Request){header("Origin", "https://evil.example")}, 403, "another site"},
		{"a remembered password from another site", "POST", "/v2/a/blobs/uploads/",
			[]func(*http.Request){basic("alice", rightPassword), header("Sec-Fetch-Site", "cross-site")}, 403, "another site"},
		{"own origin", "POST", "/", []func(*http.Request){header("Origin", "https://hub.example")}, 200, Anonymous},
		{"sign-in with an old cookie", "POST", "/api/v1/session", []func(*http.Request){cookie(session)}, 200, Anonymous},
		{"forged cookie", "GET", "/", []func(*http.Request){cookie(&http.Cookie{Name: session.Name, Value: newSecret(TokenSession)})}, 200, Anonymous},
		{"token in the cookie", "GET", "/", []func(*http.Request){cookie(&http.Cookie{Name: session.Name, Value: api})}, 200, Anonymous},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := h.send(tt.method, "https://hub.example"+tt.path, tt.change...)
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.body) {
				t.Errorf("answer %d %s, want %d %s", w.Code, w.Body, tt.status, tt.body)
			}
			if w.Header().Get("X-Request-Id") == "" {
				t.Error("no id of the request")
			}
		})
	}
}

func TestChallenge(t *testing.T) {
	h := newHouse(t)
	w := h.send("PUT", "/v2/team/app/manifests/latest", bearer(newSecret(TokenRegistry)))
	want := `Bearer realm="https://hub.example/token",service="hub.example",scope="repository:team/app:pull,push",error="invalid_token"`
	if got := w.Header().Get("WWW-Authenticate"); w.Code != 401 || got != want {
		t.Errorf("%d %s", w.Code, got)
	}
	plain := newHouse(t, func(c *Config) { c.PublicURL = "" })
	w = plain.send("GET", "/v2/", bearer("x"), func(r *http.Request) { r.Host = "127.0.0.1:5000\"\r\n" })
	want = `Bearer realm="http://127.0.0.1:5000/token",service="hub.example",error="invalid_token"`
	if got := w.Header().Get("WWW-Authenticate"); got != want {
		t.Error(got)
	}
}

func TestSessionEnds(t *testing.T) {
	h := newHouse(t)
	who := func(c *http.Cookie) string { return h.send("GET", "/", cookie(c)).Body.String() }
	idle := h.session("alice")
	h.clock.add(h.cfg.Idle + time.Minute)
	if who(idle) != Anonymous {
		t.Error("an idle session goes on")
	}
	busy := h.session("alice")
	for range int(h.cfg.Absolute/h.cfg.Idle)*2 - 1 {
		h.clock.add(h.cfg.Idle / 2)
		if who(busy) != "user:alice" {
			t.Fatal("a session in use ends")
		}
		h.flush(context.Background())
	}
	h.clock.add(h.cfg.Idle / 2)
	if who(busy) != Anonymous {
		t.Error("a session has no end")
	}
	if n, _ := h.store.DropTokens(context.Background(), h.clock.now()); n == 0 {
		t.Error("nothing expired")
	}
}

func TestSignOut(t *testing.T) {
	h := newHouse(t)
	ctx := h.as("alice")
	gone, err := h.SignOut(ctx)
	if err != nil || gone.MaxAge != -1 || gone.Name != "__Host-seawall" {
		t.Fatalf("%+v, %v", gone, err)
	}
	p := From(ctx)
	if all, _ := h.Sessions(h.as("root"), p.ID); len(all) != 0 {
		t.Errorf("%d sessions are left", len(all))
	}
}

func TestAddress(t *testing.T) {
	h := newHouse(t, func(c *Config) {
		c.Proxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	})
	tests := []struct{ peer, forwarded, want string }{
		{"192.0.2.1:1", "", "192.0.2.1"},
		{"192.0.2.1:1", "203.0.113.5", "192.0.2.1"}, // no proxy of ours: anybody can write the header
		{"10.0.0.1:1", "203.0.113.5", "203.0.113.5"},
		{"10.0.0.1:1", "1.2.3.4, 203.0.113.5", "203.0.113.5"},
		{"10.0.0.1:1", "203.0.113.5, 10.0.0.9", "203.0.113.5"},
		{"10.0.0.1:1", "10.0.0.7, 10.0.0.9", "10.0.0.7"},
		{"10.0.0.1:1", "rubbish", "10.0.0.1"},
		{"10.0.0.1:1", "1.2.3.4, rubbish, 10.0.0.9", "10.0.0.9"},
		{"[fd00::1]:1", "[2001:db8::5]:99", "2001:db8::5"},
		{"[::ffff:10.0.0.1]:1", "203.0.113.5", "203.0.113.5"},
		{"@", "203.0.113.5", ""},
	}
	for _, tt := range tests {
		r, _ := http.NewRequest("GET", "/", nil)
		r.RemoteAddr = tt.peer
		if tt.forwarded != "" {
			r.Header.Set("X-Forwarded-For", tt.forwarded)
		}
		if got := h.Address(r); got != tt.want {
			t.Errorf("%s, %q: %s, want %s", tt.peer, tt.forwarded, got, tt.want)
		}
	}
}

func TestCSRF(t *testing.T) {
	h := newHouse(t)
	r, _ := http.NewRequest("GET", "/", nil)
	if got := h.CSRF(r); got != "" {
		t.Error(got)
	}
	c := h.session("alice")
	r.AddCookie(c)
	if got := h.CSRF(r); got != csrf(c.Value) || strings.Contains(got, c.Value) {
		t.Error(got)
	}
}
