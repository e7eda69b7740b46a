package auth

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// signingKey signs tokens as an issuer does.
type signingKey struct {
	key *ecdsa.PrivateKey
	id  string
}

func newSigningKey(t *testing.T, id string) signingKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signingKey{k, id}
}

func (k signingKey) jwt(t *testing.T, claims map[string]any) string {
	t.Helper()
	return sign(t, jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: k.key, KeyID: k.id}}, claims)
}

func sign(t *testing.T, key jose.SigningKey, claims map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(key, nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(body)
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// set is the public key set.
func (k signingKey) set(t *testing.T) string {
	t.Helper()
	text, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &k.key.PublicKey, KeyID: k.id, Algorithm: "ES256", Use: "sig"}}})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// signInServer is an OpenID Connect provider on this machine that signs everybody in as claims say.
type signInServer struct {
	*httptest.Server
	t   *testing.T
	key signingKey

	mu     sync.Mutex
	claims map[string]any
	asked  url.Values // of the last authorization
	code   string
}

func newSignInServer(t *testing.T) *signInServer {
	s := &signInServer{t: t, key: newSigningKey(t, "k1")}
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", s.metadata)
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(s.key.set(t))) })
	mux.HandleFunc("/token", s.token)
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func (s *signInServer) metadata(w http.ResponseWriter, _ *http.Request) {
	json.NewEncoder(w).Encode(map[string]any{
		"issuer": s.URL, "authorization_endpoint": s.URL + "/authorize", "token_endpoint": s.URL + "/token",
		"jwks_uri": s.URL + "/keys", "id_token_signing_alg_values_supported": []string{"ES256", "HS256", "none"},
	})
}

// authorize is what the browser does at the provider: it returns the code for the callback.
func (s *signInServer) authorize(to string, claims map[string]any) (code, state string) {
	s.t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		s.t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked, s.claims, s.code = u.Query(), claims, newState()
	return s.code, s.asked.Get("state")
}

func (s *signInServer) token(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.ParseForm()
	sum := sha256.Sum256([]byte(r.Form.Get("code_verifier")))
	challenge := base64.RawURLEncoding.EncodeToString(sum[:])
	name, password, _ := r.BasicAuth()
	if s.code == "" || r.Form.Get("code") != s.code || challenge != s.asked.Get("code_challenge") || s.asked.Get("code_challenge_method") != "S256" ||
		name != "hub" || password != "client-secret" || r.Form.Get("redirect_uri") != s.asked.Get("redirect_uri") {
		http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
		return
	}
	s.code = ""
	claims := map[string]any{
		"iss": s.URL, "aud": "hub", "sub": "1234", "nonce": s.asked.Get("nonce"),
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(),
	}
	for k, v := range s.claims {
		claims[k] = v
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"access_token": "x", "token_type": "Bearer", "id_token": s.key.jwt(s.t, claims)})
}
