package auth

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

const (
	maxIssuers = 200
	maxKeySet  = 256 << 10 // bytes
	maxClaims  = 50
)

// algorithms are those of public keys. Without a list, an issuer's own would count.
var algorithms = []string{
	oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA,
}

// Issuers lists the issuers. It needs user.read.
func (s *Authority) Issuers(ctx context.Context) ([]Issuer, error) {
	if _, err := s.require(ctx, UserRead); err != nil {
		return nil, err
	}
	return s.store.Issuers(ctx)
}

// PutIssuer makes or changes an issuer. It needs user.write, and that the principal holds what the issuer's workloads
// get and got.
func (s *Authority) PutIssuer(ctx context.Context, i Issuer) error {
	p, err := s.require(ctx, UserWrite)
	if err != nil {
		return err
	}
	if err := i.check(); err != nil {
		return err
	}
	s.admin.Lock()
	defer s.admin.Unlock()
	grants, err := s.issuerGrants(ctx, i)
	if err != nil {
		return err
	}
	if err := s.mayGive(ctx, p, grants); err != nil {
		return err
	}
	by := s.entry(ctx, "issuer.put", "issuer", i.ID)
	by.Detail = map[string]string{"url": i.URL, "audience": i.Audience, "claims": fmt.Sprint(i.Claims), "subject": i.Subject, "grants": fmt.Sprint(i.Grants)}
	if err := s.store.PutIssuer(ctx, i, by); err != nil {
		return fmt.Errorf("storing issuer %s: %w", i.ID, err)
	}
	s.principals.forget()
	return nil
}

// issuerGrants checks the issuer's grants and returns them with those that it has now.
func (s *Authority) issuerGrants(ctx context.Context, i Issuer) ([]Grant, error) {
	for n := range i.Grants {
		i.Grants[n].ID, i.Grants[n].Subject = 0, ""
		if err := s.checkGrant(ctx, i.Grants[n]); err != nil {
			return nil, err
		}
	}
	all, err := s.store.Issuers(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading issuers: %w", err)
	}
	n := slices.IndexFunc(all, func(o Issuer) bool { return o.ID == i.ID })
	switch {
	case n >= 0:
		return slices.Concat(i.Grants, all[n].Grants), nil
	case len(all) >= maxIssuers:
		return nil, invalid("there are %d issuers already", len(all))
	}
	return i.Grants, nil
}

// DeleteIssuer deletes an issuer; the tokens that were exchanged against it are refused at once. It needs what PutIssuer
// needs.
func (s *Authority) DeleteIssuer(ctx context.Context, id string) error {
	p, err := s.require(ctx, UserWrite)
	if err != nil {
		return err
	}
	s.admin.Lock()
	defer s.admin.Unlock()
	all, err := s.store.Issuers(ctx)
	if err != nil {
		return fmt.Errorf("reading issuers: %w", err)
	}
	n := slices.IndexFunc(all, func(o Issuer) bool { return o.ID == id })
	if n < 0 {
		return fmt.Errorf("issuer %s: %w", id, ErrNotFound)
	}
	if err := s.mayGive(ctx, p, all[n].Grants); err != nil {
		return err
	}
	if err := s.store.DeleteIssuer(ctx, id, s.entry(ctx, "issuer.delete", "issuer", id)); err != nil {
		return fmt.Errorf("deleting issuer %s: %w", id, err)
	}
	s.principals.forget()
	return nil
}

func (i Issuer) check() error {
	switch {
	case !names.MatchString(i.ID):
		return invalid("no id of an issuer: %q; it has at most 64 lower case letters, digits, dots, dashes or underscores", i.ID)
	case !issuerURL(i.URL, i.Keys != ""):
		return invalid("no URL of an issuer: %q; it begins with https://", i.URL)
	case i.Audience == "" || len(i.Audience) > maxTitle:
		return invalid("an issuer needs the audience that its tokens are made for")
	case len(i.Claims) == 0 || len(i.Claims) > maxClaims:
		return invalid("an issuer needs patterns of claims, or everybody with a token of it could sign in: %q", `{"sub": "repo:team/app:**"}`)
	case i.Subject == "" || len(i.Subject) > maxScope || !placeholders.MatchString(i.Subject):
		return invalid("an issuer needs a template that names its workloads, with a claim in it: {sub}")
	case len(i.Grants) > maxClaims:
		return invalid("more than %d grants", maxClaims)
	}
	for name, pattern := range i.Claims {
		if name == "" || pattern == "" || len(name)+len(pattern) > maxScope {
			return invalid("no pattern of a claim: %q: %q", name, pattern)
		}
	}
	if i.Keys != "" {
		if _, err := parseKeys(i.Keys); err != nil {
			return err
		}
	}
	return nil
}

// issuerURL allows http where nothing is fetched, and on the hub's own machine.
func issuerURL(text string, keys bool) bool {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || len(text) > maxScope || u.User != nil {
		return false
	}
	a, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && (keys || err == nil && a.IsLoopback())
}

// parseKeys reads a JSON Web Key Set of public keys.
func parseKeys(text string) ([]crypto.PublicKey, error) {
	var set jose.JSONWebKeySet
	if len(text) > maxKeySet || json.Unmarshal([]byte(text), &set) != nil || len(set.Keys) == 0 {
		return nil, invalid("the keys are no JSON Web Key Set")
	}
	var keys []crypto.PublicKey
	for _, k := range set.Keys {
		switch key := k.Key.(type) {
		case *rsa.PublicKey:
			if key.N.BitLen() < 2048 {
				return nil, invalid("an RSA key has fewer than 2048 bits")
			}
			keys = append(keys, key)
		case *ecdsa.PublicKey, ed25519.PublicKey:
			keys = append(keys, key)
		default:
			return nil, invalid("the key set holds a key that is not public: never hand private keys out")
		}
	}
	return keys, nil
}

// issuers keeps what is needed to verify the tokens of issuers, by URL and keys. Keys that are fetched are kept there
// and fetched anew when a token names one that is not among them.
type issuers struct {
	client *http.Client
	keys   *recent[[2]string, oidc.KeySet]
}

func newIssuers(client *http.Client) *issuers {
	return &issuers{client: client, keys: newRecent[[2]string, oidc.KeySet](maxIssuers)}
}

func (v *issuers) keySet(ctx context.Context, i Issuer) (oidc.KeySet, error) {
	id := [2]string{i.URL, i.Keys}
	if set, ok := v.keys.get(id); ok {
		return set, nil
	}
	set, err := v.load(ctx, i)
	if err != nil {
		return nil, err
	}
	v.keys.put(id, set)
	return set, nil
}

func (v *issuers) load(ctx context.Context, i Issuer) (oidc.KeySet, error) {
	if i.Keys != "" {
		keys, err := parseKeys(i.Keys)
		if err != nil {
			return nil, err
		}
		return &oidc.StaticKeySet{PublicKeys: keys}, nil
	}
	p, err := oidc.NewProvider(oidc.ClientContext(ctx, v.client), i.URL)
	if err != nil {
		return nil, fmt.Errorf("%w: asking issuer %s for its keys: %w", errUnreachable, i.URL, err)
	}
	var meta struct {
		JWKS string `json:"jwks_uri"`
	}
	if err := p.Claims(&meta); err != nil {
		return nil, fmt.Errorf("reading the metadata of issuer %s: %w", i.URL, err)
	}
	// Not of this request: the set outlives it.
	return oidc.NewRemoteKeySet(oidc.ClientContext(context.Background(), v.client), meta.JWKS), nil
}

var (
	errNotTrusted = errors.New("the token is not one that is trusted here")
	// errUnreachable counts as a failure of the address that asked: else anybody could make the hub ask without end.
	errUnreachable = errors.New("the issuer cannot be reached")
)

// verify checks signature, issuer, audience, times and claims of a token.
func (v *issuers) verify(ctx context.Context, i Issuer, token string) (map[string]any, error) {
	set, err := v.keySet(ctx, i)
	if err != nil {
		return nil, err
	}
	verifier := oidc.NewVerifier(i.URL, set, &oidc.Config{ClientID: i.Audience, SupportedSigningAlgs: algorithms})
	t, err := verifier.Verify(oidc.ClientContext(ctx, v.client), token)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNotTrusted, err)
	}
	claims := map[string]any{}
	if err := tokenClaims(t, &claims); err != nil {
		return nil, err
	}
	for name, pattern := range i.Claims {
		if !claimMatches(pattern, claim(claims, name)) {
			return nil, fmt.Errorf("%w: its claim %s does not match %s", errNotTrusted, name, pattern)
		}
	}
	return claims, nil
}

func tokenClaims(t *oidc.IDToken, claims *map[string]any) error {
	var raw json.RawMessage
	if err := t.Claims(&raw); err != nil {
		return fmt.Errorf("%w: %w", errNotTrusted, err)
	}
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber() // ids stay what they are
	if err := d.Decode(claims); err != nil {
		return fmt.Errorf("%w: %w", errNotTrusted, err)
	}
	return nil
}
