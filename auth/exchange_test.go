package auth

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/seawall/seawall/audit"
)

// clusterToken is what a Kubernetes cluster gives a pod of its service account.
func clusterToken() map[string]any {
	return map[string]any{
		"iss": "https://kubernetes.default.svc.cluster.local", "aud": []string{"hub.example"},
		"exp": time.Now().Add(time.Hour).Unix(), "iat": time.Now().Unix(), "nbf": time.Now().Unix(),
		"sub": "system:serviceaccount:shop:deployer",
		"kubernetes.io": map[string]any{
			"namespace":      "shop",
			"pod":            map[string]any{"name": "deployer-0", "uid": "a"},
			"serviceaccount": map[string]any{"name": "deployer", "uid": "b"},
		},
	}
}

// forgeToken is what a forge gives a job of its CI.
func forgeToken() map[string]any {
	return map[string]any{
		"iss": "https://token.forge.example", "aud": "hub.example", "exp": time.Now().Add(5 * time.Minute).Unix(),
		"iat": time.Now().Unix(), "sub": "repo:acme/shop:ref:refs/heads/main", "repository": "acme/shop",
		"ref": "refs/heads/main", "ref_protected": true, "run_id": 12345678901234567, "environment": nil,
	}
}

func (h *house) exchangeFor(token string, more ...string) *httptest.ResponseRecorder {
	pairs := append([]string{"grant_type", grantExchange, "subject_token", token, "subject_token_type", jwtTypes[0]}, more...)
	return h.send("POST", "/token/exchange", form(pairs...))
}

func newCluster(t *testing.T) (*house, signingKey) {
	h, k := newHouse(t), newSigningKey(t, "c1")
	i := Issuer{
		ID: "east", URL: "https://kubernetes.default.svc.cluster.local", Audience: "hub.example", Keys: k.set(t),
		Claims:  map[string]string{"kubernetes.io/namespace": "shop", "sub": "system:serviceaccount:*:deployer"},
		Subject: "{kubernetes.io/namespace}/{kubernetes.io/serviceaccount/name}",
		Grants:  []Grant{{Role: RolePuller, Scope: Repository("shop/**")}},
	}
	if err := h.PutIssuer(h.as("root"), i); err != nil {
		t.Fatal(err)
	}
	return h, k
}

func TestExchange(t *testing.T) {
	h, k := newCluster(t)
	h.grant("workload:east/shop/deployer", RolePusher, Repository("cache/*"))
	a := answerOf(t, h.exchangeFor(k.jwt(t, clusterToken())))
	if SecretKind(a.AccessToken) != TokenWorkload || a.IssuedTokenType != typeAccessToken || a.TokenType != "Bearer" || a.ExpiresIn != 3600 || a.Token != "" {
		t.Errorf("answer %+v", a)
	}
	p, _, err := h.authenticate(context.Background(), a.AccessToken, somewhere)
	if err != nil || p.Kind != audit.ActorWorkload || p.Name != "east/shop/deployer" || p.Via == "" ||
		!p.May(ImagePull, Repository("shop/app")) || p.May(ImagePush, Repository("shop/app")) || !p.May(ImagePush, Repository("cache/x")) {
		t.Fatalf("%+v, %v", p, err)
	}
	if e := h.store.last(); e.Action != "signin" || e.Outcome != audit.Done || e.Actor.ID != "workload:east/shop/deployer" {
		t.Errorf("recorded: %+v", e)
	}
	// As the password of docker login.
	r := answerOf(t, h.send("GET", "/token?scope=repository:shop/app:pull,push", basic("workload", a.AccessToken)))
	if r.Scope != "repository:shop/app:pull" {
		t.Errorf("answer %+v", r)
	}
	if _, _, err := h.authenticate(context.Background(), r.Token, somewhere); err != nil {
		t.Error(err)
	}
	// Without its issuer it is nothing, at once.
	if err := h.DeleteIssuer(h.as("root"), "east"); err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{a.AccessToken, r.Token} {
		if _, _, err := h.authenticate(context.Background(), token, somewhere); !errors.Is(err, ErrSignedOut) {
			t.Errorf("a token outlives its issuer: %v", err)
		}
	}
}

func TestExchangeRefused(t *testing.T) {
	h, k := newCluster(t)
	other := newSigningKey(t, "c1")
	change := func(name string, v any) string {
		c := clusterToken()
		c[name] = v
		return k.jwt(t, c)
	}
	without := func(name string) string {
		c := clusterToken()
		delete(c, name)
		return k.jwt(t, c)
	}
	good := k.jwt(t, clusterToken())
	parts := strings.Split(good, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`))
	hmacKey := []byte(k.set(t)) // the public key as a shared one
	tokens := map[string]string{
		"nothing":         "",
		"rubbish":         "a.b.c",
		"two parts":       parts[0] + "." + parts[1],
		"other key":       other.jwt(t, clusterToken()),
		"no signature":    parts[0] + "." + parts[1] + ".",
		"alg none":        none + "." + parts[1] + ".",
		"shared key":      sign(t, jose.SigningKey{Algorithm: jose.HS256, Key: hmacKey}, clusterToken()),
		"other issuer":    change("iss", "https://other.example"),
		"other audience":  change("aud", "other"),
		"no audience":     without("aud"),
		"expired":         change("exp", time.Now().Add(-time.Hour).Unix()),
		"no expiry":       without("exp"),
		"not yet":         change("nbf", time.Now().Add(time.Hour).Unix()),
		"other namespace": change("kubernetes.io", map[string]any{"namespace": "shop2", "serviceaccount": map[string]any{"name": "deployer"}}),
		"no namespace":    without("kubernetes.io"),
		"other account":   change("sub", "system:serviceaccount:shop:other"),
		"longer account":  change("sub", "system:serviceaccount:shop:deployer:x"),
		"no name":         change("kubernetes.io", map[string]any{"namespace": "shop"}),
		"two names":       change("kubernetes.io", map[string]any{"namespace": "shop", "serviceaccount": map[string]any{"name": []string{"a", "b"}}}),
		"changed":         parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"https://kubernetes.default.svc.cluster.local"}`)) + "." + parts[2],
		"long":            good + strings.Repeat("x", maxJWT),
	}
	for name, token := range tokens {
		h.clock.add(time.Hour) // so that the address is not limited
		w := h.exchangeFor(token)
		if w.Code != 400 || !strings.Contains(w.Body.String(), "invalid_request") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		if e := h.store.last(); e.Outcome != audit.Refused || e.Reason == "" {
			t.Errorf("%s is recorded as %+v", name, e)
		}
	}
	for _, more := range [][]string{{"requested_token_type", "x"}, {"actor_token", "x"}} {
		if w := h.exchangeFor(good, more...); w.Code != 400 {
			t.Errorf("%v: %d", more, w.Code)
		}
	}
	if w := h.send("POST", "/token/exchange", form("grant_type", grantExchange, "subject_token", good)); w.Code != 400 {
		t.Errorf("without a type: %d", w.Code)
	}
}

func TestExchangeIsLimited(t *testing.T) {
	h, k := newCluster(t)
	for range addressFailures {
		h.exchangeFor("a.b.c")
	}
	if w := h.exchangeFor(k.jwt(t, clusterToken())); w.Code != 429 || w.Header().Get("Retry-After") == "" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

// TestExchangeForge: a CI system whose keys are fetched.
func TestExchangeForge(t *testing.T) {
	h, server := newHouse(t), newSignInServer(t)
	claims := forgeToken()
	claims["iss"] = server.URL
	i := Issuer{
		ID: "forge", URL: server.URL, Audience: "hub.example", Subject: "{repository}@{run_id}",
		Claims: map[string]string{"sub": "repo:acme/*:ref:refs/heads/**", "ref_protected": "true"},
		Grants: []Grant{{Role: RolePusher, Scope: Repository("acme/**")}},
	}
	if err := h.PutIssuer(h.as("root"), i); err != nil {
		t.Fatal(err)
	}
	a := answerOf(t, h.exchangeFor(server.key.jwt(t, claims)))
	p, _, err := h.authenticate(context.Background(), a.AccessToken, somewhere)
	if err != nil || p.Name != "forge/acme/shop@12345678901234567" {
		t.Errorf("%+v, %v", p, err)
	}
	fork := maps.Clone(claims)
	fork["sub"] = "repo:evil/shop:ref:refs/heads/main"
	if w := h.exchangeFor(server.key.jwt(t, fork)); w.Code != 400 {
		t.Errorf("another organisation: %d", w.Code)
	}
	server.Close() // the keys are known
	answerOf(t, h.exchangeFor(server.key.jwt(t, claims)))
	i.URL = server.URL + "/away"
	if err := h.PutIssuer(h.as("root"), i); err != nil {
		t.Fatal(err)
	}
	claims["iss"] = i.URL
	if w := h.exchangeFor(server.key.jwt(t, claims)); w.Code != 503 || strings.Contains(w.Body.String(), "dial") {
		t.Errorf("an issuer that is away: %d %s", w.Code, w.Body)
	}
}

func TestIssuerRules(t *testing.T) {
	h, k := newHouse(t), newSigningKey(t, "k")
	root := h.as("root")
	good := Issuer{ID: "x", URL: "https://issuer.example", Audience: "hub", Subject: "{sub}", Claims: map[string]string{"sub": "a"}, Keys: k.set(t)}
	if err := h.PutIssuer(root, good); err != nil {
		t.Fatal(err)
	}
	private, _ := jose.JSONWebKey{Key: k.key, KeyID: "k"}.MarshalJSON()
	for name, change := range map[string]func(*Issuer){
		"id":          func(i *Issuer) { i.ID = "X Y" },
		"plain URL":   func(i *Issuer) { i.URL, i.Keys = "http://issuer.example", "" },
		"no URL":      func(i *Issuer) { i.URL = "issuer" },
		"audience":    func(i *Issuer) { i.Audience = "" },
		"anybody":     func(i *Issuer) { i.Claims = nil },
		"no pattern":  func(i *Issuer) { i.Claims = map[string]string{"sub": ""} },
		"one name":    func(i *Issuer) { i.Subject = "me" },
		"keys":        func(i *Issuer) { i.Keys = "{}" },
		"private key": func(i *Issuer) { i.Keys = fmt.Sprintf(`{"keys":[%s]}`, private) },
		"shared key":  func(i *Issuer) { i.Keys = `{"keys":[{"kty":"oct","k":"AAAA"}]}` },
		"role":        func(i *Issuer) { i.Grants = []Grant{{Role: "x", Scope: Everything}} },
		"scope":       func(i *Issuer) { i.Grants = []Grant{{Role: RoleReader}} },
	} {
		i := good
		change(&i)
		if err := h.PutIssuer(root, i); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestClaimMatches(t *testing.T) {
	tests := []struct {
		pattern, value string
		want           bool
	}{
		{"a", "a", true}, {"a", "ab", false}, {"a", "ba", false}, {"a*", "abc", true}, {"a*", "a/b", false}, {"a*", "a:b", false},
		{"a**", "a/b:c", true}, {"*", "", true}, {"?", "x", true}, {"?", "/", false}, {"a.c", "abc", false}, {"(a)+", "(a)+", true},
		{"repo:acme/*:ref:refs/heads/main", "repo:acme/shop:ref:refs/heads/main", true},
		{"repo:acme/*:ref:refs/heads/main", "repo:acme/x:evil/shop:ref:refs/heads/main", false},
		{"a\nb", "a\nb", true}, {"a", "a\n", false}, {"**", "a\nb", true},
	}
	for _, tt := range tests {
		if got := claimMatches(tt.pattern, []string{"other value", tt.value}[1:]); got != tt.want {
			t.Errorf("%q, %q: %v", tt.pattern, tt.value, got)
		}
	}
	if claimMatches("**", nil) {
		t.Error("a claim that is missing matches")
	}
}

func FuzzClaims(f *testing.F) {
	f.Add("repo:*/**", "a/b", "{sub}-{a/b}")
	f.Fuzz(func(t *testing.T, pattern, value, template string) {
		claims := map[string]any{"a": map[string]any{"b": value}, "sub": value, value: []any{value, true, nil, []any{value}}}
		claimMatches(pattern, claim(claims, value))
		expand(template, claims)
		unverifiedIssuer(value)
		localPath(value)
		if !strings.ContainsAny(value, "*?") && value != "" && !claimMatches(value, []string{value}) && strings.ToValidUTF8(value, "") == value {
			t.Errorf("%q does not match itself", value)
		}
	})
}
