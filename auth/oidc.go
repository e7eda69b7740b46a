package auth

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/seawall/seawall/audit"
)

// Provider is where people sign in by OpenID Connect.
type Provider struct {
	ID           string // "corp": stands in paths, and before the names of its users
	Title        string // "Corporate account": stands on the button
	Issuer       string
	ClientID     string
	ClientSecret string
	Scopes       []string // beside openid; nil: profile, email
	// The claims that hold name, e-mail address and groups: preferred_username, email and groups where "".
	NameClaim, EmailClaim, GroupsClaim string
	// Groups maps the provider's groups to ours, all others count for nothing; nil takes them as they are.
	Groups map[string]string
	// Allow lists groups, after mapping, one of which a user has to be in to sign in; nil lets all in.
	Allow []string
}

// provider asks for its metadata when it is first used: the hub starts without it.
type provider struct {
	Provider
	client *http.Client
	now    func() time.Time

	mu     sync.Mutex
	found  *oidc.Provider
	failed time.Time // the last time that it could not be reached
}

// askAgain is how long a provider that could not be reached is left alone.
const askAgain = 5 * time.Second

func newProviders(all []Provider, public *url.URL, client *http.Client, now func() time.Time) ([]*provider, error) {
	var providers []*provider
	seen := map[string]bool{}
	for _, p := range all {
		switch {
		case public.Host == "":
			return nil, invalid("sign-in by OpenID Connect needs the public URL")
		case !names.MatchString(p.ID) || seen[p.ID]:
			return nil, invalid("the id of a sign-in provider is missing or taken: %q", p.ID)
		case !issuerURL(p.Issuer, false) || p.ClientID == "":
			return nil, invalid("sign-in provider %s needs an issuer that begins with https:// and a client id", p.ID)
		}
		seen[p.ID] = true
		p.NameClaim = cmp.Or(p.NameClaim, "preferred_username")
		p.EmailClaim = cmp.Or(p.EmailClaim, "email")
		p.GroupsClaim = cmp.Or(p.GroupsClaim, "groups")
		if p.Scopes == nil {
			p.Scopes = []string{"profile", "email"}
		}
		providers = append(providers, &provider{Provider: p, client: client, now: now})
	}
	return providers, nil
}

func (p *provider) discover(ctx context.Context) (*oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found != nil {
		return p.found, nil
	}
	if p.now().Sub(p.failed) < askAgain {
		return nil, fmt.Errorf("%w: sign-in provider %s, a moment ago", errUnreachable, p.ID)
	}
	// Its key set outlives the request.
	found, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), p.client), p.Issuer)
	if err != nil {
		p.failed = p.now()
		return nil, fmt.Errorf("%w: asking sign-in provider %s: %w", errUnreachable, p.ID, err)
	}
	p.found = found
	return found, nil
}

// OIDCHandler serves /signin/oidc/{provider}, which sends the browser to the provider (with ?next=/path to come back
// to), and its callback, which opens the session. It is to stand inside of Middleware.
func (s *Authority) OIDCHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /signin/oidc/{provider}", s.beginOIDC)
	mux.HandleFunc("GET /signin/oidc/{provider}/callback", s.endOIDC)
	return mux
}

// journey is what the browser keeps between the two requests, in a cookie of ours: so it ends in the browser in which
// it began (state), with the token that was asked for (nonce), by who began it (verifier, RFC 7636).
type journey struct {
	State    string `json:"s"`
	Nonce    string `json:"n"`
	Verifier string `json:"v"`
	Next     string `json:"t"`
}

const (
	journeyCookie = "seawall-signin"
	journeyLife   = 10 * time.Minute
)

func (s *Authority) provider(id string) *provider {
	i := slices.IndexFunc(s.providers, func(p *provider) bool { return p.ID == id })
	if i < 0 {
		return nil
	}
	return s.providers[i]
}

func (s *Authority) oauth(p *provider, found *oidc.Provider) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.ClientID, ClientSecret: p.ClientSecret, Endpoint: found.Endpoint(),
		RedirectURL: strings.TrimSuffix(s.public.String(), "/") + "/signin/oidc/" + p.ID + "/callback",
		Scopes:      append([]string{oidc.ScopeOpenID}, p.Scopes...),
	}
}

func (s *Authority) beginOIDC(w http.ResponseWriter, r *http.Request) {
	p := s.provider(r.PathValue("provider"))
	if p == nil {
		http.NotFound(w, r)
		return
	}
	found, err := p.discover(r.Context())
	if err != nil {
		s.log.WarnContext(r.Context(), "a sign-in provider cannot be reached", errorAttr(err))
		http.Error(w, "the sign-in provider cannot be reached: try again later", http.StatusBadGateway)
		return
	}
	j := journey{newState(), newState(), oauth2.GenerateVerifier(), localPath(r.URL.Query().Get("next"))}
	raw, _ := json.Marshal(j) // strings only
	http.SetCookie(w, s.cookie(journeyCookie, base64.RawURLEncoding.EncodeToString(raw), journeyLife))
	w.Header().Set("Cache-Control", "no-store")
	to := s.oauth(p, found).AuthCodeURL(j.State, oidc.Nonce(j.Nonce), oauth2.S256ChallengeOption(j.Verifier))
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func newState() string { return base64.RawURLEncoding.EncodeToString(random(24)) }

// localPath lets nobody send a user elsewhere after sign-in.
func localPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || u.Host != "" || u.Scheme != "" ||
		len(next) > 2048 || strings.ContainsFunc(next, func(r rune) bool { return r == '\\' || r < ' ' }) {
		return "/"
	}
	return next
}

func (s *Authority) readJourney(r *http.Request) (journey, bool) {
	var j journey
	c, err := r.Cookie(s.cookieName(journeyCookie))
	if err != nil {
		return j, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil || json.Unmarshal(raw, &j) != nil || j.State == "" || j.Nonce == "" || j.Verifier == "" {
		return j, false
	}
	return j, subtle.ConstantTimeCompare([]byte(j.State), []byte(r.URL.Query().Get("state"))) == 1
}

func (s *Authority) endOIDC(w http.ResponseWriter, r *http.Request) {
	p := s.provider(r.PathValue("provider"))
	if p == nil {
		http.NotFound(w, r)
		return
	}
	gone := s.cookie(journeyCookie, "", 0)
	gone.MaxAge = -1
	http.SetCookie(w, gone)
	w.Header().Set("Cache-Control", "no-store")
	j, ok := s.readJourney(r)
	if !ok {
		http.Error(w, "the sign-in was not begun in this browser, or took too long: begin again", http.StatusBadRequest)
		return
	}
	var cookie *http.Cookie
	address := s.Address(r)
	err := s.charged(r.Context(), attempt{name: address, address: address, via: "oidc:" + p.ID}, func() (err error) {
		cookie, err = s.arrive(r, p, j)
		return err
	})
	if err != nil {
		s.refuseOIDC(w, r, p, err)
		return
	}
	http.SetCookie(w, cookie)
	http.Redirect(w, r, localPath(j.Next), http.StatusSeeOther)
}

// arrive trades the code for the provider's token and opens a session.
func (s *Authority) arrive(r *http.Request, p *provider, j journey) (*http.Cookie, error) {
	if e := r.URL.Query().Get("error"); e != "" {
		return nil, fmt.Errorf("%w: the provider says %s", errNotTrusted, clip(e, maxTitle))
	}
	found, err := p.discover(r.Context())
	if err != nil {
		return nil, err
	}
	ctx := oidc.ClientContext(r.Context(), p.client)
	token, err := s.oauth(p, found).Exchange(ctx, r.URL.Query().Get("code"), oauth2.VerifierOption(j.Verifier))
	if err != nil {
		return nil, fmt.Errorf("%w: the provider did not take the code", errNotTrusted)
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := found.VerifierContext(ctx, &oidc.Config{ClientID: p.ClientID, SupportedSigningAlgs: algorithms}).Verify(ctx, raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNotTrusted, err)
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(j.Nonce)) != 1 {
		return nil, fmt.Errorf("%w: it was made for another sign-in", errNotTrusted)
	}
	claims := map[string]any{}
	if err := tokenClaims(id, &claims); err != nil {
		return nil, err
	}
	u, err := s.welcome(r, p, id, claims)
	if err != nil {
		return nil, err
	}
	cookie, _, err := s.openSession(r.Context(), u, s.Address(r), r.UserAgent())
	return cookie, err
}

// welcome creates or updates the user that the provider vouches for.
func (s *Authority) welcome(r *http.Request, p *provider, id *oidc.IDToken, claims map[string]any) (User, error) {
	want := p.user(id, claims)
	if p.Allow != nil && !slices.ContainsFunc(p.Allow, func(g string) bool { return slices.Contains(want.Groups, g) }) {
		return User{}, fmt.Errorf("%w: %s is in none of the groups that may sign in", errNotTrusted, want.Name)
	}
	ctx := With(r.Context(), Principal{Actor: audit.Actor{Kind: audit.ActorUser, ID: want.ID, Name: want.Name, Address: s.Address(r)}})
	by := s.entry(ctx, "signin", "user", want.Name)
	by.Detail = map[string]string{"by": "oidc:" + p.ID}
	now := s.now().UTC()
	u, err := s.edit(ctx, want.ID, by, func(u *User) error {
		if u.Disabled {
			return fmt.Errorf("%w: the user %s is disabled", errNotTrusted, u.Name)
		}
		if u.Provider != want.Provider || u.Subject != want.Subject {
			return fmt.Errorf("%w: the id %s is another user's", errNotTrusted, u.ID)
		}
		u.Name, u.Email, u.Groups, u.LastSignIn = want.Name, want.Email, want.Groups, now
		return nil
	})
	if errors.Is(err, ErrNotFound) {
		u = want
		u.Created, u.LastSignIn = now, now
		err = s.store.PutUser(ctx, u, true, by)
	}
	if err != nil {
		return User{}, fmt.Errorf("signing in %s: %w", want.Name, err)
	}
	s.principals.forget() // the groups may be others
	return u, nil
}

// user is what the claims say. The id follows from issuer and subject, which never change; the name has the provider's
// id before it, so that it is never that of a local user.
func (p *provider) user(id *oidc.IDToken, claims map[string]any) User {
	sum := sha256.Sum256([]byte(id.Issuer + "\x00" + id.Subject))
	short := strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:16]))
	u := User{ID: "user:" + p.ID + "/" + short, Provider: id.Issuer, Subject: id.Subject, Groups: p.groups(claims)}
	u.Name = p.ID + "/" + clip(printable(cmp.Or(first(claim(claims, p.NameClaim)), id.Subject)), maxTitle)
	if e := first(claim(claims, p.EmailClaim)); checkEmail(e) == nil && first(claim(claims, "email_verified")) != "false" {
		u.Email = e
	}
	return u
}

func first(all []string) string {
	if len(all) == 0 {
		return ""
	}
	return all[0]
}

func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
}

func (p *provider) groups(claims map[string]any) []string {
	groups := []string{}
	for _, g := range claim(claims, p.GroupsClaim) {
		if p.Groups != nil {
			g = p.Groups[g]
		}
		if checkGroups([]string{g}) == nil && len(groups) < maxGroups {
			groups = append(groups, g)
		}
	}
	return normalGroups(groups)
}

func (s *Authority) refuseOIDC(w http.ResponseWriter, r *http.Request, p *provider, err error) {
	if status := statusOf(err); status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		retryAfter(w, err)
		http.Error(w, err.Error(), status)
		return
	}
	if !errors.Is(err, errNotTrusted) {
		s.log.ErrorContext(r.Context(), "sign-in by a provider failed", errorAttr(err))
		http.Error(w, "the sign-in failed: try again later", http.StatusBadGateway)
		return
	}
	e := audit.New(s.now(), nobody(s.Address(r)).Actor, "signin", audit.Object{Kind: "user", Name: "(unknown)"})
	e.Outcome, e.Reason, e.Request = audit.Refused, clip(err.Error(), maxScope), RequestID(r.Context())
	e.Detail = map[string]string{"by": "oidc:" + p.ID}
	if err := s.store.Record(r.Context(), e); err != nil {
		s.log.ErrorContext(r.Context(), "recording a refused sign-in failed", errorAttr(err))
	}
	http.Error(w, "the sign-in was refused: the audit trail has the reason", http.StatusForbidden)
}
