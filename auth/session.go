package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/seawall/seawall/audit"
)

// HeaderCSRF carries the token that proves that a request with a cookie was made by our own pages.
const HeaderCSRF = "X-CSRF-Token"

// maxAgent bounds the User-Agent that is kept of a session, in bytes.
const maxAgent = 200

// secure reports whether clients reach the hub by TLS.
func (s *Authority) secure() bool { return s.public.Scheme == "https" }

// cookieName has the prefix that makes browsers refuse the cookie from other hosts and without TLS (RFC 6265bis, section
// 4.1.3.2), where there is TLS.
func (s *Authority) cookieName(name string) string {
	if s.secure() {
		return "__Host-" + name
	}
	return name
}

func (s *Authority) cookie(name, value string, age time.Duration) *http.Cookie {
	return &http.Cookie{
		Name: s.cookieName(name), Value: value, Path: "/", MaxAge: int(age / time.Second),
		HttpOnly: true, Secure: s.secure(), SameSite: http.SameSiteLaxMode,
	}
}

const sessionCookie = "seawall"

// openSession stores a session of a user that proved to be it.
func (s *Authority) openSession(ctx context.Context, u User, address, agent string) (*http.Cookie, Principal, error) {
	now, secret := s.now().UTC(), newSecret(TokenSession)
	t := Token{
		ID: newTokenID(), Kind: TokenSession, Hash: hashSecret(secret), Subject: u.ID, Created: now,
		Expires: now.Add(s.cfg.Absolute), Used: now, Address: address, Agent: clip(agent, maxAgent),
	}
	who := s.ofUserAt(u, address)
	who.Via = t.ID
	by := s.entry(With(ctx, who), "session.open", "session", t.ID)
	if err := s.store.PutToken(ctx, t, &by); err != nil {
		return nil, Principal{}, fmt.Errorf("opening a session: %w", err)
	}
	p, _, err := s.authenticate(ctx, secret, address)
	if err != nil {
		return nil, Principal{}, err
	}
	return s.cookie(sessionCookie, secret, s.cfg.Absolute), p, nil
}

// clip cuts foreign text for the record.
func clip(s string, n int) string { return strings.ToValidUTF8(s[:min(len(s), n)], "?") }

func newTokenID() string { return audit.NewID()[:16] }

// SignOut ends the session of the principal and returns the cookie that takes its place in the browser.
func (s *Authority) SignOut(ctx context.Context) (*http.Cookie, error) {
	p := From(ctx)
	if p.Token == TokenSession {
		if err := s.dropToken(ctx, p.Via, "session.close", "session"); err != nil {
			return nil, err
		}
	}
	gone := s.cookie(sessionCookie, "", 0)
	gone.MaxAge = -1
	return gone, nil
}

// CSRF returns the token of the session that the request's cookie carries, "" where there is none.
func (s *Authority) CSRF(r *http.Request) string {
	c, err := r.Cookie(s.cookieName(sessionCookie))
	if err != nil || SecretKind(c.Value) != TokenSession {
		return ""
	}
	return csrf(c.Value)
}

// csrf follows from the session's secret, which no other site knows.
func csrf(secret string) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte("csrf"))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

func csrfOK(secret, token string) bool {
	return subtle.ConstantTimeCompare([]byte(csrf(secret)), []byte(token)) == 1
}

// Sessions lists the open sessions of a user, newest first: one's own, or with user.read anybody's; "" for all.
func (s *Authority) Sessions(ctx context.Context, user string) ([]Token, error) {
	if p := From(ctx); user != p.ID || !p.SignedIn() {
		if _, err := s.require(ctx, UserRead); err != nil {
			return nil, err
		}
	}
	all, err := s.store.Tokens(ctx, user)
	if err != nil {
		return nil, fmt.Errorf("listing sessions: %w", err)
	}
	now := s.now()
	all = slices.DeleteFunc(all, func(t Token) bool { return t.Kind != TokenSession || s.over(t, now) })
	newestFirst(all)
	return all, nil
}

func newestFirst(all []Token) {
	slices.SortStableFunc(all, func(a, b Token) int { return b.Created.Compare(a.Created) })
}
