package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	tokenPath    = "/token"
	exchangePath = "/token/exchange"
	// registryLife is how long a registry token lives.
	registryLife = 5 * time.Minute
	// loginLife is how long the token lives that docker login keeps in place of the password; loginTokens bounds how many
	// a user has: the oldest goes.
	loginLife   = 90 * 24 * time.Hour
	loginTokens = 20
	loginTitle  = "docker login"
	maxForm     = 64 << 10 // bytes
)

// TokenHandler serves /token, the token endpoint of the distribution specification, by GET with an Authorization header
// and by POST in the form of OAuth 2.0 (grant_type password or refresh_token), and /token/exchange (see exchange). A
// token is for the part of the scopes that the principal may; whether that suffices is the registry's to say.
func (s *Authority) TokenHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+tokenPath, s.serveToken(s.tokenByHeader))
	mux.HandleFunc("POST "+tokenPath, s.serveToken(s.tokenByForm))
	mux.HandleFunc("POST "+exchangePath, s.serveToken(s.exchange))
	return mux
}

// tokenAnswer has both names of the token: the specification's and OAuth's.
type tokenAnswer struct {
	Token        string `json:"token,omitempty"`
	AccessToken  string `json:"access_token"`
	ExpiresIn    int    `json:"expires_in"` // seconds
	IssuedAt     string `json:"issued_at,omitempty"`
	Scope        string `json:"scope,omitempty"`
	RefreshToken string `json:"refresh_token,omitempty"`
	// Of a token exchange (RFC 8693, section 2.2.1):
	IssuedTokenType string `json:"issued_token_type,omitempty"`
	TokenType       string `json:"token_type,omitempty"`
}

func (s *Authority) serveToken(f func(*http.Request) (tokenAnswer, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		w.Header().Set("Cache-Control", "no-store")
		answer, err := f(r)
		if err != nil {
			s.refuseToken(w, r, err)
			return
		}
		writeJSON(w, "application/json", http.StatusOK, answer)
	}
}

// refuseToken answers in the form of the distribution specification and of RFC 6749, section 5.2, in one.
func (s *Authority) refuseToken(w http.ResponseWriter, r *http.Request, err error) {
	status := statusOf(err)
	switch {
	case status == http.StatusInternalServerError:
		s.log.ErrorContext(r.Context(), "giving a token failed", errorAttr(err))
		err = errors.New("the token could not be made")
	case errors.Is(err, errUnreachable):
		s.log.WarnContext(r.Context(), "an issuer cannot be reached", errorAttr(err))
		err = errUnreachable
	}
	retryAfter(w, err)
	code := map[int]string{
		http.StatusBadRequest: "invalid_request", http.StatusInternalServerError: "server_error",
		http.StatusServiceUnavailable: "temporarily_unavailable", http.StatusTooManyRequests: "temporarily_unavailable",
	}[status]
	if status == http.StatusUnauthorized && r.Method == http.MethodGet {
		w.Header().Set("WWW-Authenticate", `Basic realm="`+s.cfg.Service+`", charset="UTF-8"`)
	}
	writeJSON(w, "application/json", status, map[string]any{
		"errors": ociErrors(status, err), "error": cmp.Or(code, "invalid_grant"), "error_description": err.Error(),
	})
}

// tokenRequest is what both forms ask for.
type tokenRequest struct {
	scopes  []registryScope
	offline bool
	// refresh is the token that stands for a password in later requests, "" where there is none yet.
	refresh string
}

func (s *Authority) newTokenRequest(service string, scopes []string, offline bool) (tokenRequest, error) {
	if service != "" && service != s.cfg.Service {
		return tokenRequest{}, invalid("no registry %q here: this is %q", service, s.cfg.Service)
	}
	all, err := parseScopes(scopes)
	return tokenRequest{scopes: all, offline: offline}, err
}

func (s *Authority) tokenByHeader(r *http.Request) (tokenAnswer, error) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return tokenAnswer{}, invalid("the query cannot be read")
	}
	t, err := s.newTokenRequest(q.Get("service"), q["scope"], q.Get("offline_token") == "true")
	if err != nil {
		return tokenAnswer{}, err
	}
	header, address := r.Header.Get("Authorization"), s.Address(r)
	if header == "" {
		return s.anonymousToken(r, t, address)
	}
	c, ok := parseAuthorization(header)
	if !ok || c.bearer != "" {
		return tokenAnswer{}, ErrSignedOut
	}
	return s.tokenFor(r, t, c, address)
}

func (s *Authority) tokenByForm(r *http.Request) (tokenAnswer, error) {
	if err := r.ParseForm(); err != nil {
		return tokenAnswer{}, invalid("the form cannot be read")
	}
	f := r.PostForm
	t, err := s.newTokenRequest(f.Get("service"), f["scope"], f.Get("access_type") == "offline")
	if err != nil {
		return tokenAnswer{}, err
	}
	switch f.Get("grant_type") {
	case "password":
		return s.tokenFor(r, t, credentials{name: f.Get("username"), password: f.Get("password")}, s.Address(r))
	case "refresh_token":
		refresh := f.Get("refresh_token")
		if SecretKind(refresh) == "" {
			return tokenAnswer{}, ErrSignedOut
		}
		return s.tokenFor(r, t, credentials{password: refresh}, s.Address(r))
	}
	return tokenAnswer{}, invalid("no grant type %q here: there are password and refresh_token", f.Get("grant_type"))
}

func (s *Authority) tokenFor(r *http.Request, t tokenRequest, c credentials, address string) (tokenAnswer, error) {
	p, user, err := s.byBasic(r.Context(), c, address, true)
	if err != nil {
		return tokenAnswer{}, err
	}
	mark := ""
	if user != nil {
		mark = s.passwordMark(*user)
	}
	if t.offline {
		if t.refresh, err = s.refreshToken(r, p, user, c.password); err != nil {
			return tokenAnswer{}, err
		}
	}
	return s.registryToken(r.Context(), p, t, mark)
}

// refreshToken makes docker login keep a token in place of the password. Where a token was sent, it is that one.
func (s *Authority) refreshToken(r *http.Request, p Principal, user *User, password string) (string, error) {
	if user == nil {
		return password, nil
	}
	ctx := With(r.Context(), p)
	s.admin.Lock()
	defer s.admin.Unlock()
	if err := s.trimLogins(ctx, p.ID); err != nil {
		return "", err
	}
	request := TokenRequest{Title: loginTitle, Expires: s.now().Add(loginLife), Narrow: registryLimits}
	_, secret, err := s.makeToken(ctx, p.ID, TokenAPI, request, "token.create")
	return secret, err
}

// registryLimits keep the token of docker login to the registry.
var registryLimits = []Permission{
	{ImageList, Everything}, {ImagePull, Everything}, {ImageHeld, Everything}, {ImagePush, Everything},
	{ImageSign, Everything}, {ImageDelete, Everything},
}

func (s *Authority) trimLogins(ctx context.Context, user string) error {
	all, err := s.ofKind(ctx, user, TokenAPI)
	if err != nil {
		return err
	}
	n := 0
	for _, t := range all {
		if t.Title != loginTitle {
			continue
		}
		if n++; n >= loginTokens {
			if err := s.dropToken(ctx, t.ID, "api.revoke", "api"); err != nil {
				return err
			}
		}
	}
	return nil
}

// registryToken stores a token for what the principal may of the scopes. mark ties it to the user's password, where it
// was given for one.
func (s *Authority) registryToken(ctx context.Context, p Principal, t tokenRequest, mark string) (tokenAnswer, error) {
	now, secret := s.now().UTC(), newSecret(TokenRegistry)
	scopes, narrow := granted(&p, t.scopes)
	token := Token{
		ID: newTokenID(), Kind: TokenRegistry, Hash: hashSecret(secret), Subject: p.ID, Title: mark, Actor: p.Actor,
		Groups: p.Groups, Narrow: narrow, Created: now, Expires: now.Add(registryLife), Address: p.Address,
	}
	if err := s.store.PutToken(ctx, token, nil); err != nil {
		return tokenAnswer{}, fmt.Errorf("storing a registry token: %w", err)
	}
	return s.answer(secret, t, scopes), nil
}

func (s *Authority) answer(secret string, t tokenRequest, scopes []registryScope) tokenAnswer {
	var texts []string
	for _, g := range scopes {
		texts = append(texts, g.String())
	}
	return tokenAnswer{
		Token: secret, AccessToken: secret, ExpiresIn: int(registryLife / time.Second),
		IssuedAt: s.now().UTC().Format(time.RFC3339), Scope: strings.Join(texts, " "), RefreshToken: t.refresh,
		TokenType: "Bearer",
	}
}

// anonymousToken gives the one token that stands for nobody, where everybody may do something that is asked for. It is
// not stored, so that nobody can fill the store.
func (s *Authority) anonymousToken(r *http.Request, t tokenRequest, address string) (tokenAnswer, error) {
	p, err := s.anonymous(r.Context(), address)
	if err != nil {
		return tokenAnswer{}, err
	}
	scopes, _ := granted(&p, t.scopes)
	if len(scopes) == 0 {
		return tokenAnswer{}, ErrSignedOut
	}
	return s.answer(Anonymous, t, scopes), nil
}
