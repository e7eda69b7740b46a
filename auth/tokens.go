package auth

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	// maxLife is how long an API token or a secret lives at most.
	maxLife = 366 * 24 * time.Hour
	// maxTokens bounds the API tokens of a user, secretsAtOnce the secrets of a service principal: the one in use and the
	// one that takes over.
	maxTokens     = 100
	secretsAtOnce = 2
	maxTitle      = 200
	maxNarrow     = 100
)

// TokenRequest asks for an API token.
type TokenRequest struct {
	Title string `json:"title"`
	// Expires has to be given, at most a year ahead.
	Expires time.Time `json:"expires"`
	// Narrow limits the token; nil lets it do whatever its owner may.
	Narrow []Permission `json:"narrow,omitempty"`
}

// NewAPIToken makes a token for the principal and returns it in clear, this once. It takes a session or a password: a
// token that leaked cannot make others.
func (s *Authority) NewAPIToken(ctx context.Context, r TokenRequest) (Token, string, error) {
	p := From(ctx)
	switch {
	case !p.SignedIn():
		return Token{}, "", ErrSignedOut
	case !strings.HasPrefix(p.ID, "user:") || p.Token != TokenSession && p.Token != "":
		return Token{}, "", fmt.Errorf("%w: tokens are made by a user who is signed in, not with a token", ErrRefused)
	case p.Must != "":
		return Token{}, "", fmt.Errorf("%w: %w", ErrRefused, ErrMust)
	}
	if err := s.checkRequest(r); err != nil {
		return Token{}, "", err
	}
	s.admin.Lock()
	defer s.admin.Unlock()
	if err := s.roomFor(ctx, p.ID, TokenAPI, maxTokens); err != nil {
		return Token{}, "", err
	}
	return s.makeToken(ctx, p.ID, TokenAPI, r, "token.create")
}

func (s *Authority) checkRequest(r TokenRequest) error {
	now := s.now()
	switch {
	case strings.TrimSpace(r.Title) == "" || !plain(r.Title, maxTitle):
		return invalid("a token needs a title of at most %d bytes that says what it is for", maxTitle)
	case !r.Expires.After(now):
		return invalid("a token needs a date of expiry in the future")
	case r.Expires.After(now.Add(maxLife)):
		return invalid("a token lives a year at most")
	case r.Narrow != nil && len(r.Narrow) == 0 || len(r.Narrow) > maxNarrow:
		return invalid("a token is limited to between 1 and %d permissions, or not at all", maxNarrow)
	}
	for _, n := range r.Narrow {
		if !slices.Contains(Actions, n.Action) {
			return invalid("no such action: %q", n.Action)
		}
		if err := n.Scope.Check(); err != nil {
			return err
		}
	}
	return nil
}

func (s *Authority) roomFor(ctx context.Context, subject string, k TokenKind, limit int) error {
	have, err := s.ofKind(ctx, subject, k)
	if err != nil {
		return err
	}
	if len(have) >= limit {
		return invalid("there are %d already: delete one first", len(have))
	}
	return nil
}

// ofKind lists the tokens of a subject that have not expired, newest first.
func (s *Authority) ofKind(ctx context.Context, subject string, k TokenKind) ([]Token, error) {
	all, err := s.store.Tokens(ctx, subject)
	if err != nil {
		return nil, fmt.Errorf("listing tokens of %s: %w", subject, err)
	}
	now := s.now()
	all = slices.DeleteFunc(all, func(t Token) bool { return t.Kind != k || s.over(t, now) })
	newestFirst(all)
	return all, nil
}

func (s *Authority) makeToken(ctx context.Context, subject string, k TokenKind, r TokenRequest, action string) (Token, string, error) {
	secret := newSecret(k)
	t := Token{
		ID: newTokenID(), Kind: k, Hash: hashSecret(secret), Subject: subject, Title: strings.TrimSpace(r.Title),
		Narrow: slices.Clone(r.Narrow), Created: s.now().UTC(), Expires: r.Expires.UTC(), Address: From(ctx).Address,
	}
	by := s.entry(ctx, action, string(k), t.ID)
	by.Detail = map[string]string{"subject": subject, "title": t.Title, "expires": t.Expires.Format(time.RFC3339)}
	if err := s.store.PutToken(ctx, t, &by); err != nil {
		return Token{}, "", fmt.Errorf("storing a token: %w", err)
	}
	return t, secret, nil
}

// Tokens lists the principal's own API tokens, newest first.
func (s *Authority) Tokens(ctx context.Context) ([]Token, error) {
	p := From(ctx)
	if !p.SignedIn() {
		return nil, ErrSignedOut
	}
	return s.ofKind(ctx, p.ID, TokenAPI)
}

// NewServiceSecret makes a secret for a service principal and returns it in clear, this once. Two may be valid at a
// time, so that the old one works until the new one is in use.
func (s *Authority) NewServiceSecret(ctx context.Context, id string, r TokenRequest) (Token, string, error) {
	p, err := s.require(ctx, UserWrite)
	if err != nil {
		return Token{}, "", err
	}
	if err := s.checkRequest(r); err != nil {
		return Token{}, "", err
	}
	s.admin.Lock()
	defer s.admin.Unlock()
	if _, err := s.store.Service(ctx, id); err != nil {
		return Token{}, "", fmt.Errorf("reading service principal %s: %w", id, err)
	}
	if err := s.outranks(ctx, p, id, nil); err != nil {
		return Token{}, "", err
	}
	if err := s.roomFor(ctx, id, TokenSecret, secretsAtOnce); err != nil {
		return Token{}, "", err
	}
	return s.makeToken(ctx, id, TokenSecret, r, "secret.create")
}

// ServiceSecrets lists the secrets of a service principal, newest first.
func (s *Authority) ServiceSecrets(ctx context.Context, id string) ([]Token, error) {
	if _, err := s.require(ctx, UserRead); err != nil {
		return nil, err
	}
	return s.ofKind(ctx, id, TokenSecret)
}

// Revoke ends a session, API token or secret at once: one's own, or with user.write one of a subject that holds nothing
// that the principal does not hold. A token that is limited ends nothing but itself.
func (s *Authority) Revoke(ctx context.Context, id string) error {
	p := From(ctx)
	if !p.SignedIn() {
		return ErrSignedOut
	}
	if p.Narrow != nil && id != p.Via {
		return fmt.Errorf("%w: a token that is limited ends nothing but itself", ErrRefused)
	}
	subject := p.ID
	if p.May(UserWrite, Everything) {
		subject = ""
	}
	t, err := s.findToken(ctx, subject, id)
	if err != nil {
		return err
	}
	if t.Subject != p.ID {
		if err := s.outranksSubject(ctx, p, t.Subject); err != nil {
			return err
		}
	}
	return s.dropToken(ctx, id, string(t.Kind)+".revoke", string(t.Kind))
}

func (s *Authority) findToken(ctx context.Context, subject, id string) (Token, error) {
	all, err := s.store.Tokens(ctx, subject)
	if err != nil {
		return Token{}, fmt.Errorf("looking for token %s: %w", id, err)
	}
	i := slices.IndexFunc(all, func(t Token) bool { return t.ID == id })
	if i < 0 {
		return Token{}, fmt.Errorf("token %s: %w", id, ErrNotFound)
	}
	return all[i], nil
}

func (s *Authority) dropToken(ctx context.Context, id, action, kind string) error {
	if err := s.store.DeleteToken(ctx, id, s.entry(ctx, action, kind, id)); err != nil {
		return fmt.Errorf("revoking %s: %w", id, err)
	}
	s.principals.forget()
	return nil
}

// revokeAll ends tokens of a subject that which selects.
func (s *Authority) revokeAll(ctx context.Context, subject string, which func(Token) bool) error {
	all, err := s.store.Tokens(ctx, subject)
	if err != nil {
		return fmt.Errorf("listing tokens of %s: %w", subject, err)
	}
	for _, t := range all {
		if which(t) {
			if err := s.dropToken(ctx, t.ID, string(t.Kind)+".revoke", string(t.Kind)); err != nil {
				return err
			}
		}
	}
	s.principals.forget()
	return nil
}

func anyToken(Token) bool { return true }
