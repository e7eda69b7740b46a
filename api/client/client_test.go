package client_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seawall/seawall/api"
	"github.com/seawall/seawall/api/client"
	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/auth"
	"github.com/seawall/seawall/catalog"
)

func TestNew(t *testing.T) {
	for url, want := range map[string]string{
		"https://hub.example":           "",
		"https://hub.example/":          "",
		"http://127.0.0.1:8080":         "",
		"http://[::1]:8080":             "",
		"http://localhost:8080":         "",
		"http://hub.example":            "without TLS",
		"http://127.0.0.1.evil.example": "without TLS",
		"hub.example":                   "no address",
		"ftp://hub.example":             "no address",
		"https://u:p@hub.example":       "no password",
	} {
		_, err := client.New(client.Config{URL: url, Token: "swt_x"})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", url, err, want)
		}
	}
	if _, err := client.New(client.Config{URL: "https://hub.example", CA: []byte("none")}); err == nil {
		t.Error("certificates that are none are taken")
	}
}

// hub is a server, and a client of it.
func hub(t *testing.T, h http.HandlerFunc) *client.Client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	c, err := client.New(client.Config{URL: s.URL, Token: "swt_x"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func problem(w http.ResponseWriter, p api.Problem) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	json.NewEncoder(w).Encode(p)
}

func TestProblemsAreErrors(t *testing.T) {
	c := hub(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer swt_x" {
			t.Error("no token")
		}
		problem(w, api.Problem{Type: "about:blank", Title: "Unprocessable Entity", Status: 422, Detail: "2 fields are\x1b[2J wrong",
			Errors: []api.FieldError{{Field: "name", Message: "is needed"}, {Field: "as", Message: "must be accepted"}}})
	})
	_, err := c.RequestException(t.Context(), client.ExceptionRequest{})
	var e *client.Error
	if !errors.As(err, &e) || e.Status != 422 {
		t.Fatalf("%v", err)
	}
	want := "the hub answers 422 Unprocessable Entity: 2 fields are [2J wrong; name: is needed; as: must be accepted"
	if err.Error() != want {
		t.Errorf("%q", err)
	}
}

func TestWhatIsNoHub(t *testing.T) {
	for _, h := range []http.HandlerFunc{
		func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://evil.example/", http.StatusFound)
		},
		func(w http.ResponseWriter, r *http.Request) { http.Error(w, "<html>", http.StatusBadGateway) },
		func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(500)
			io.WriteString(w, "{")
		},
		func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "<html>") },
	} {
		if _, err := hub(t, h).Keys(t.Context()); err == nil || strings.Contains(err.Error(), "<html>") {
			t.Errorf("%v", err)
		}
	}
}

func TestPagesAreFollowed(t *testing.T) {
	asked := []string{}
	c := hub(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.RawQuery)
		l := api.List[catalog.Manifest]{Items: []catalog.Manifest{{Digest: r.URL.Query().Get("cursor") + "a"}}}
		if len(asked) < 3 {
			l.Next = fmt.Sprint(len(asked))
		}
		json.NewEncoder(w).Encode(l)
	})
	got := []string{}
	for m, err := range c.Images(t.Context(), client.Images{Status: "rejected"}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, m.Digest)
	}
	if diff := cmp.Diff([]string{"a", "1a", "2a"}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"limit=500&status=rejected", "cursor=1&limit=500&status=rejected", "cursor=2&limit=500&status=rejected"}, asked); diff != "" {
		t.Error(diff)
	}
}

// TestAPageThatLeadsToItselfEnds: a hub that is broken does not keep the client for ever.
func TestAPageThatLeadsToItselfEnds(t *testing.T) {
	c := hub(t, func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(api.List[audit.Stored]{Items: []audit.Stored{{Seq: 1}}, Next: "7"})
	})
	n := 0
	for _, err := range c.Audit(t.Context(), audit.Query{From: time.Unix(0, 0)}) {
		if n++; err != nil || n > 2 {
			t.Fatalf("%d, %v", n, err)
		}
	}
}

// TestBusyHubsAreAskedAgain: with the same key, so that it is done once.
func TestBusyHubsAreAskedAgain(t *testing.T) {
	keys := map[string]int{}
	c := hub(t, func(w http.ResponseWriter, r *http.Request) {
		keys[r.Header.Get("Idempotency-Key")]++
		if keys[r.Header.Get("Idempotency-Key")] == 1 {
			w.Header().Set("Retry-After", "1")
			problem(w, api.Problem{Title: "Too Many Requests", Status: 429})
			return
		}
		io.WriteString(w, `{"job":7}`)
	})
	id, err := c.Scan(t.Context(), "team/app", "sha256:00")
	if err != nil || id != 7 || len(keys) != 1 {
		t.Errorf("%d %v %v", id, err, keys)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Scan(ctx, "team/app", "sha256:00"); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestRepositoriesAreOneSegment(t *testing.T) {
	c := hub(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.EscapedPath() != "/api/v1/repositories/team%2Fapp/images/sha256:00" {
			t.Errorf("%s", r.URL.EscapedPath())
		}
		io.WriteString(w, `{}`)
	})
	if _, err := c.Image(t.Context(), "team/app", "sha256:00"); err != nil {
		t.Error(err)
	}
}

// TestHalfAnExportIsAnError: the hub breaks the connection where it cannot go on.
func TestHalfAnExportIsAnError(t *testing.T) {
	c := hub(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "half")
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	var b bytes.Buffer
	if err := c.Export(t.Context(), &b); err == nil || !strings.Contains(err.Error(), "broke off") {
		t.Errorf("%v, %q", err, b.String())
	}
}

func TestSignIn(t *testing.T) {
	asked := []string{}
	c := hub(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.URL.Path+" "+r.Header.Get("X-CSRF-Token"))
		var in map[string]any
		json.NewDecoder(r.Body).Decode(&in)
		switch {
		case r.Header.Get("Authorization") != "":
			t.Error("an old token beside a password")
		case r.Method == "POST" && strings.HasSuffix(r.URL.Path, "/session"):
			if in["totp"] != "123456" {
				problem(w, api.Problem{Type: "totp-required", Title: "Unauthorized", Status: 401})
				return
			}
			http.SetCookie(w, &http.Cookie{Name: "__Host-seawall", Value: "v", Secure: true, Path: "/"})
			json.NewEncoder(w).Encode(api.Session{SignedIn: true, CSRF: "c"})
		case r.Method == "POST":
			json.NewEncoder(w).Encode(api.TokenCreated{Token: auth.Token{ID: "t1"}, Secret: "swt_new"})
		default:
			w.WriteHeader(204)
		}
	})
	_, _, err := c.SignIn(t.Context(), "alice", "p", "", "laptop", time.Now().Add(time.Hour))
	var e *client.Error
	if !errors.As(err, &e) || e.Type != "totp-required" {
		t.Errorf("%v", err)
	}
	token, secret, err := c.SignIn(t.Context(), "alice", "p", "123456", "laptop", time.Now().Add(time.Hour))
	if err != nil || token.ID != "t1" || secret != "swt_new" {
		t.Errorf("%+v %q %v", token, secret, err)
	}
	want := []string{"POST /api/v1/session ", "POST /api/v1/session ", "POST /api/v1/tokens c", "DELETE /api/v1/session c"}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Error(diff)
	}
}

// TestTypesAreThoseOfTheInterface: each field of the client's types is one of the hub's, of the same kind.
func TestTypesAreThoseOfTheInterface(t *testing.T) {
	for ours, theirs := range map[any]any{
		client.Session{}: api.Session{}, client.Principal{}: api.Principal{}, client.Token{}: auth.Token{}, client.Checkpoint{}: api.Checkpoint{},
		client.DataKey{}: api.DataKey{}, client.System{}: api.System{}, client.FieldError{}: api.FieldError{}, client.ExceptionRequest{}: api.ExceptionRequest{},
	} {
		compare(t, reflect.TypeOf(ours), reflect.TypeOf(theirs))
	}
	compare(t, reflect.TypeFor[client.Keys](), reflect.TypeFor[api.Keys]())
	compare(t, reflect.TypeFor[client.Error](), reflect.TypeFor[api.Problem]())
}

func compare(t *testing.T, ours, theirs reflect.Type) {
	t.Helper()
	kinds := map[string]reflect.Kind{}
	for i := range theirs.NumField() {
		name, _, _ := strings.Cut(theirs.Field(i).Tag.Get("json"), ",")
		kinds[name] = theirs.Field(i).Type.Kind()
	}
	for i := range ours.NumField() {
		name, _, _ := strings.Cut(ours.Field(i).Tag.Get("json"), ",")
		if name != "-" && kinds[name] != ours.Field(i).Type.Kind() {
			t.Errorf("%s: %s is %s there and %s here", ours, name, kinds[name], ours.Field(i).Type.Kind())
		}
	}
}
