package auth

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func answerOf(t *testing.T, w *httptest.ResponseRecorder) (a tokenAnswer) {
	t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil || w.Code != http.StatusOK {
		t.Fatalf("answer %d %s (%v)", w.Code, w.Body, err)
	}
	return a
}

// may lists what a registry token may on team/app.
func (h *house) may(token string) []Action {
	p, _, err := h.authenticate(context.Background(), token, somewhere)
	if err != nil {
		return nil
	}
	all := []Action{}
	for _, a := range Actions {
		if p.May(a, Repository("team/app")) {
			all = append(all, a)
		}
	}
	return all
}

func TestRegistryToken(t *testing.T) {
	scope := "/token?service=hub.example&scope=repository:team/app:"
	tests := []struct {
		role, actions string
		granted       string
		may           []Action
	}{
		{RolePusher, "pull,push", "repository:team/app:pull,push", []Action{ImageList, ImagePull, ImagePush}},
		{RolePusher, "pull,push,delete", "repository:team/app:pull,push", []Action{ImageList, ImagePull, ImagePush}},
		{RolePusher, "pull", "repository:team/app:pull", []Action{ImageList, ImagePull}},
		{RolePuller, "pull,push", "repository:team/app:pull", []Action{ImageList, ImagePull}},
		{RolePuller, "push", "", []Action{}},
		{RoleReader, "pull", "", []Action{}},
		{RoleSigner, "pull,push", "repository:team/app:pull,push", []Action{ImageList, ImagePull, ImageSign}},
		{RoleReviewer, "pull", "repository:team/app:pull", []Action{ImageList, ImagePull, ImageHeld}},
		{RoleOwner, "*", "repository:team/app:pull,push,delete", []Action{ImageList, ImagePull, ImageHeld, ImagePush, ImageDelete, ImageSign}},
		{RoleOwner, "fly", "", []Action{}},
	}
	for _, tt := range tests {
		t.Run(tt.role+" "+tt.actions, func(t *testing.T) {
			h := newHouse(t)
			h.grant("user:alice", tt.role, Repository("team/**"))
			a := answerOf(t, h.send("GET", scope+tt.actions, basic("alice", rightPassword)))
			if a.Token != a.AccessToken || a.ExpiresIn != 300 || a.IssuedAt == "" || a.RefreshToken != "" || a.Scope != tt.granted {
				t.Errorf("answer %+v", a)
			}
			if diff := cmp.Diff(tt.may, h.may(a.Token)); diff != "" {
				t.Error(diff)
			}
			h.clock.add(registryLife)
			if h.may(a.Token) != nil {
				t.Error("the token has no end")
			}
		})
	}
}

func TestRegistryTokenScopes(t *testing.T) {
	h := newHouse(t)
	h.grant("user:alice", RolePusher, Repository("team/**"))
	h.grant("user:alice", RolePuller, Repository("base/*"))
	get := func(query string) string {
		return answerOf(t, h.send("GET", "/token?"+query, basic("alice", rightPassword))).Scope
	}
	for query, want := range map[string]string{
		"":                           "",
		"scope=registry:catalog:*":   "registry:catalog:*",
		"scope=registry:catalog:get": "",
		"scope=repository:team/a:pull,push&scope=repository:base/b:pull,push": "repository:team/a:pull,push repository:base/b:pull",
		"scope=repository:team/a:pull%20repository:base/b:pull":               "repository:team/a:pull repository:base/b:pull",
		"scope=repository(plugin):team/a:pull":                                "repository:team/a:pull",
		"scope=repository:Team/A:pull":                                        "",
		"scope=repository:team/../x:pull":                                     "",
		"scope=repository:team/**:pull":                                       "",
		"scope=host:5000/x:pull":                                              "",
		"account=alice&client_id=docker&scope=repository:team/a:pull,pull":    "repository:team/a:pull",
	} {
		if got := get(query); got != want {
			t.Errorf("%s gives %q", query, got)
		}
	}
	for _, query := range []string{"service=other", "scope=x", "scope=a:b", "scope=" + strings.Repeat("repository:a:pull+", 101), "a=%zz"} {
		if w := h.send("GET", "/token?"+query, basic("alice", rightPassword)); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
}

// TestEmptyLimit: a store may give an empty list back as none; a registry token is narrow all the same.
func TestEmptyLimit(t *testing.T) {
	h := newHouse(t)
	a := answerOf(t, h.send("GET", "/token", basic("root", rightPassword)))
	for id, tok := range h.store.tokens {
		tok.Narrow = nil
		h.store.tokens[id] = tok
	}
	if may := h.may(a.Token); len(may) != 0 {
		t.Errorf("a token for no scope may %v", may)
	}
}

func TestRegistryTokenRefused(t *testing.T) {
	h := newHouse(t)
	_, api := h.token("alice")
	reg := answerOf(t, h.send("GET", "/token", basic("alice", api))).Token
	for name, change := range map[string]func(*http.Request){
		"nobody":         header("X", ""),
		"wrong password": basic("alice", "wrong"),
		"bearer":         bearer(api),
		"registry token": basic("alice", reg),
		"session":        basic("alice", h.session("alice").Value),
	} {
		w := h.send("GET", "/token?scope=repository:team/app:pull", change)
		if w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), `"UNAUTHORIZED"`) || w.Header().Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	if w := h.send("PUT", "/token"); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("PUT: %d", w.Code)
	}
}

func TestAnonymousPull(t *testing.T) {
	h := newHouse(t)
	h.grant(Anonymous, RolePuller, Repository("public/*"))
	a := answerOf(t, h.send("GET", "/token?scope=repository:public/app:pull"))
	if a.Token != Anonymous || a.Scope != "repository:public/app:pull" || len(h.store.tokens) != 0 {
		t.Errorf("answer %+v, %d stored", a, len(h.store.tokens))
	}
	p, err := h.byHeader(context.Background(), "Bearer "+a.Token, somewhere, true)
	if err != nil || !p.May(ImagePull, Repository("public/app")) || p.May(ImagePull, Repository("team/app")) || p.SignedIn() {
		t.Errorf("%+v, %v", p, err)
	}
	if w := h.send("GET", "/token?scope=repository:team/app:pull"); w.Code != http.StatusUnauthorized {
		t.Errorf("elsewhere: %d", w.Code)
	}
	// Who is signed in may what everybody may.
	if got := answerOf(t, h.send("GET", "/token?scope=repository:public/app:pull,push", basic("alice", rightPassword))).Scope; got != "repository:public/app:pull" {
		t.Error(got)
	}
}

func TestTokenByForm(t *testing.T) {
	h := newHouse(t)
	h.grant("user:alice", RolePusher, Repository("team/**"))
	post := func(pairs ...string) *httptest.ResponseRecorder {
		return h.send("POST", "/token", form(append(pairs, "service", "hub.example", "client_id", "docker")...))
	}
	first := answerOf(t, post("grant_type", "password", "username", "alice", "password", rightPassword,
		"scope", "repository:team/a:pull repository:team/b:push", "access_type", "offline"))
	if first.Scope != "repository:team/a:pull repository:team/b:push" || SecretKind(first.RefreshToken) != TokenAPI {
		t.Fatalf("answer %+v", first)
	}
	next := answerOf(t, post("grant_type", "refresh_token", "refresh_token", first.RefreshToken, "scope", "repository:team/a:pull,push"))
	if next.Scope != "repository:team/a:pull,push" || SecretKind(next.Token) != TokenRegistry {
		t.Errorf("answer %+v", next)
	}
	// What docker login keeps opens the registry only.
	p, _, err := h.authenticate(context.Background(), first.RefreshToken, somewhere)
	if err != nil || p.MayAny(ImageScan) || !p.MayAny(ImagePush) {
		t.Errorf("%+v, %v", p, err)
	}
	for _, pairs := range [][]string{
		{"grant_type", "client_credentials"}, {}, {"grant_type", "refresh_token", "refresh_token", "x"},
		{"grant_type", "refresh_token", "refresh_token", rightPassword}, {"grant_type", "refresh_token", "refresh_token", next.Token},
		{"grant_type", "password", "username", "alice", "password", "wrong"},
	} {
		w := post(pairs...)
		if w.Code < 400 || w.Code >= 500 || !strings.Contains(w.Body.String(), `"error":`) {
			t.Errorf("%v: %d %s", pairs, w.Code, w.Body)
		}
	}
	// With a new password, all that was given for the old one ends at once.
	if err := h.ChangePassword(h.as("alice"), rightPassword, "when the moon is full"); err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{first.Token, next.Token, first.RefreshToken} {
		if _, _, err := h.authenticate(context.Background(), token, somewhere); err == nil {
			t.Error("a token outlives the password that it was given for")
		}
	}
}

func TestLoginTokensAreBounded(t *testing.T) {
	h := newHouse(t)
	for range loginTokens + 5 {
		h.clock.add(time.Second)
		answerOf(t, h.send("GET", "/token?offline_token=true", basic("alice", rightPassword)))
	}
	all, _ := h.Tokens(h.as("alice"))
	if len(all) != loginTokens {
		t.Errorf("%d tokens", len(all))
	}
}

func TestRevokedParent(t *testing.T) {
	h := newHouse(t)
	h.grant("user:alice", RolePusher, Repository("team/**"))
	parent, api := h.token("alice", Permission{ImagePull, Repository("team/**")})
	a := answerOf(t, h.send("GET", "/token?scope=repository:team/app:pull,push&offline_token=true", basic("x", api)))
	if a.Scope != "repository:team/app:pull" || a.RefreshToken != api {
		t.Errorf("answer %+v", a)
	}
	if diff := cmp.Diff([]Action{ImagePull}, h.may(a.Token)); diff != "" {
		t.Error(diff)
	}
	if err := h.Revoke(h.as("alice"), parent.ID); err != nil {
		t.Fatal(err)
	}
	if h.may(a.Token) != nil {
		t.Error("a registry token outlives the token that it was made with")
	}
}

func TestServiceSecrets(t *testing.T) {
	h := newHouse(t)
	root := h.as("root")
	v, err := h.CreateService(root, "ci", "Builds")
	if err != nil {
		t.Fatal(err)
	}
	h.grant(v.ID, RolePusher, Repository("team/**"))
	ask := func() (Token, string, error) {
		return h.NewServiceSecret(root, v.ID, TokenRequest{Title: "builds", Expires: h.clock.now().Add(time.Hour)})
	}
	_, old, err := ask()
	if err != nil {
		t.Fatal(err)
	}
	h.clock.add(time.Minute)
	_, next, err := ask()
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := ask(); err == nil {
		t.Error("a third secret is made")
	}
	for _, secret := range []string{old, next} {
		if got := answerOf(t, h.send("GET", "/token?scope=repository:team/app:push", basic("ci", secret))).Scope; got != "repository:team/app:push" {
			t.Error(got)
		}
		if got := h.send("GET", "/v2/", basic("ci", secret)).Body.String(); got != "service:ci" {
			t.Error(got)
		}
	}
	h.clock.add(59 * time.Minute)
	if w := h.send("GET", "/v2/", basic("ci", old)); w.Code != 401 {
		t.Errorf("the expired secret: %d", w.Code)
	}
	if w := h.send("GET", "/v2/", basic("ci", next)); w.Code != 200 {
		t.Errorf("the next secret: %d", w.Code)
	}
	yes := true
	if _, err := h.UpdateService(h.as("root"), v.ID, ServiceChange{Disabled: &yes}); err != nil {
		t.Fatal(err)
	}
	if w := h.send("GET", "/v2/", basic("ci", next)); w.Code != 401 {
		t.Errorf("a disabled service: %d", w.Code)
	}
}

func TestOneTimeCodeAtRegistry(t *testing.T) {
	h := newHouse(t)
	h.enrol("alice")
	w := h.send("GET", "/token", basic("alice", rightPassword))
	if w.Code != 401 || !strings.Contains(w.Body.String(), "make an API token") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestPasswordOnEveryRequest(t *testing.T) {
	h := newHouse(t)
	for range 3 {
		h.send("GET", "/v2/", basic("alice", rightPassword))
	}
	n := 0
	for _, e := range h.store.records {
		if e.Action == "signin" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d sign-ins are recorded of one client", n)
	}
	h.clock.add(recheck)
	if w := h.send("GET", "/v2/", basic("alice", rightPassword)); w.Code != 200 {
		t.Error(w.Code)
	}
}

func TestScopeOf(t *testing.T) {
	tests := []struct{ method, path, mount, from, want string }{
		{"GET", "/v2/", "", "", ""},
		{"GET", "/v2/_catalog", "", "", "registry:catalog:*"},
		{"GET", "/v2/a/manifests/1", "", "", "repository:a:pull"},
		{"HEAD", "/v2/a/b/blobs/sha256:x", "", "", "repository:a/b:pull"},
		{"GET", "/v2/a/tags/list", "", "", "repository:a:pull"},
		{"GET", "/v2/a/referrers/sha256:x", "", "", "repository:a:pull"},
		{"DELETE", "/v2/a/manifests/1", "", "", "repository:a:delete"},
		{"POST", "/v2/a/blobs/uploads/", "sha256:x", "b", "repository:a:pull,push repository:b:pull"},
		{"POST", "/v2/a/blobs/uploads/", "sha256:x", `b"`, "repository:a:pull,push"},
		{"PUT", `/v2/a"b/manifests/1`, "", "", ""},
		{"PUT", "/v2/blobs/manifests/1", "", "", "repository:blobs:pull,push"},
	}
	for _, tt := range tests {
		if got := scopeOf(tt.method, tt.path, tt.mount, tt.from); got != tt.want {
			t.Errorf("%s %s: %q", tt.method, tt.path, got)
		}
	}
}

func FuzzScopes(f *testing.F) {
	f.Add("repository:team/app:pull,push registry:catalog:*")
	f.Add("repository(plugin):host:5000/x:*")
	f.Fuzz(func(t *testing.T, s string) {
		scopes, err := parseScopes([]string{s})
		if err != nil {
			return
		}
		p := Principal{Grants: []Grant{{Role: RoleOwner, Scope: Repository("team/**")}}}
		answer, narrow := granted(&p, scopes)
		for _, n := range narrow {
			if n.Action != ImageList && !Repository("team/**").Covers(n.Scope) {
				t.Errorf("%q gives %v", s, n)
			}
		}
		again, err := parseScopes([]string{fmt.Sprint(strings.Trim(fmt.Sprint(answer), "[]"))})
		if err != nil || len(again) != len(answer) {
			t.Errorf("%q answers %v", s, answer)
		}
	})
}

func FuzzChallengePath(f *testing.F) {
	f.Add("/v2/a/blobs/uploads/", "b")
	f.Fuzz(func(t *testing.T, path, from string) {
		if s := scopeOf("POST", path, "x", from); strings.ContainsAny(s, "\"\r\n\\") {
			t.Errorf("%q breaks out of the header", s)
		}
	})
}
