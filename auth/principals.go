package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seawall/seawall/audit"
)

// fresh is how long what is known of a token is believed without asking the store. It bounds how long a revocation
// that another hub made takes to be felt here; one that was made here is felt at once.
const fresh = 5 * time.Second

// principals remembers who tokens stand for. Every change made here clears it; round tells an answer that was read from
// the store before such a change, so that it is not kept after it.
type principals struct {
	mu    sync.Mutex
	round int
	known *recent[string, known]
}

type known struct {
	principal Principal
	token     Token
	at        time.Time
}

func newPrincipals() *principals {
	return &principals{known: newRecent[string, known](20_000)}
}

func (c *principals) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.round++
	c.known.clear()
}

func (c *principals) begin() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.round
}

func (c *principals) keep(round int, key string, k known) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if round == c.round {
		c.known.put(key, k)
	}
}

func (c *principals) get(key string, now time.Time) (known, bool) {
	k, ok := c.known.get(key)
	return k, ok && now.Sub(k.at) < fresh && !now.Before(k.at)
}

// authenticate returns who a token stands for: ErrSignedOut where it is unknown, expired or revoked.
func (s *Authority) authenticate(ctx context.Context, secret, address string) (Principal, Token, error) {
	if SecretKind(secret) == "" {
		return Principal{}, Token{}, ErrSignedOut
	}
	now, key := s.now(), string(hashSecret(secret))
	k, ok := s.principals.get(key, now)
	if !ok {
		var err error
		round := s.principals.begin()
		if k, err = s.look(ctx, []byte(key), now); err != nil {
			return Principal{}, Token{}, err
		}
		s.principals.keep(round, key, k)
	}
	if s.over(k.token, now) {
		return Principal{}, Token{}, ErrSignedOut
	}
	s.uses.note(k.token, now)
	k.principal.Address = address
	return k.principal, k.token, nil
}

func (s *Authority) look(ctx context.Context, hash []byte, now time.Time) (known, error) {
	t, err := s.store.Token(ctx, hash)
	if errors.Is(err, ErrNotFound) {
		return known{}, ErrSignedOut
	} else if err != nil {
		return known{}, fmt.Errorf("looking a token up: %w", err)
	}
	p, err := s.principalOf(ctx, t)
	if err != nil {
		return known{}, err
	}
	return known{principal: p, token: t, at: now}, nil
}

// over reports whether a token is of no use any more: expired, or a session that idled too long.
func (s *Authority) over(t Token, now time.Time) bool {
	if !now.Before(t.Expires) {
		return true
	}
	last := t.Created
	for _, u := range []time.Time{t.Used, s.uses.last(t.ID)} {
		if u.After(last) {
			last = u
		}
	}
	return t.Kind == TokenSession && now.Sub(last) > s.cfg.Idle
}

// principalOf says who a stored token stands for.
func (s *Authority) principalOf(ctx context.Context, t Token) (Principal, error) {
	var p Principal
	var err error
	switch {
	case strings.HasPrefix(t.Subject, "user:"):
		p, err = s.userPrincipal(ctx, t)
	case strings.HasPrefix(t.Subject, "service:"):
		p, err = s.servicePrincipal(ctx, t.Subject)
	case strings.HasPrefix(t.Subject, "workload:"):
		p, err = s.workloadPrincipal(ctx, t)
	default:
		return p, ErrSignedOut
	}
	if errors.Is(err, ErrNotFound) {
		return p, ErrSignedOut
	} else if err != nil {
		return p, err
	}
	p.Via, p.Token, p.Narrow = t.ID, t.Kind, t.Narrow
	if t.Kind == TokenRegistry {
		if err := s.checkParent(ctx, t); err != nil {
			return p, err
		}
		p.Via = t.Actor.Via
		if p.Narrow == nil { // a store may give an empty list back as none
			p.Narrow = []Permission{}
		}
	}
	return p, s.fillGrants(ctx, &p)
}

func (s *Authority) userPrincipal(ctx context.Context, t Token) (Principal, error) {
	u, err := s.store.User(ctx, t.Subject)
	if err != nil {
		return Principal{}, err
	}
	// A registry token that was given for a password ends with that password.
	if u.Disabled || t.Kind == TokenRegistry && t.Actor.Via == "" && t.Title != s.passwordMark(u) {
		return Principal{}, ErrSignedOut
	}
	return s.ofUser(u, t.Kind), nil
}

// ofUser is the user without grants.
func (s *Authority) ofUser(u User, k TokenKind) Principal {
	p := Principal{Actor: audit.Actor{Kind: audit.ActorUser, ID: u.ID, Name: u.Name}, Groups: slices.Clone(u.Groups)}
	if k == TokenSession || k == "" {
		p.Must = s.must(u)
	}
	return p
}

// must says what a user has to do before anything else.
func (s *Authority) must(u User) string {
	switch {
	case u.Provider != "":
		return ""
	case u.MustChangePassword:
		return "password"
	case s.cfg.RequireTOTP && !u.HasTOTP:
		return "totp"
	}
	return ""
}

func (s *Authority) servicePrincipal(ctx context.Context, id string) (Principal, error) {
	v, err := s.store.Service(ctx, id)
	if err != nil {
		return Principal{}, err
	}
	if v.Disabled {
		return Principal{}, ErrSignedOut
	}
	return Principal{Actor: audit.Actor{Kind: audit.ActorService, ID: v.ID, Name: v.Name}}, nil
}

// workloadPrincipal holds what its issuer gives now; with the issuer gone, its tokens are of no use.
func (s *Authority) workloadPrincipal(ctx context.Context, t Token) (Principal, error) {
	issuer, _, _ := strings.Cut(strings.TrimPrefix(t.Subject, "workload:"), "/")
	all, err := s.store.Issuers(ctx)
	if err != nil {
		return Principal{}, fmt.Errorf("reading issuers: %w", err)
	}
	i := slices.IndexFunc(all, func(i Issuer) bool { return i.ID == issuer })
	if i < 0 {
		return Principal{}, ErrSignedOut
	}
	a := t.Actor
	a.Via = ""
	return Principal{Actor: a, Groups: slices.Clone(t.Groups), Grants: slices.Clone(all[i].Grants)}, nil
}

// checkParent refuses a registry token whose API token, secret or exchanged token was revoked since.
func (s *Authority) checkParent(ctx context.Context, t Token) error {
	if t.Actor.Via == "" {
		return nil
	}
	parents, err := s.store.Tokens(ctx, t.Subject)
	if err != nil {
		return fmt.Errorf("reading tokens of %s: %w", t.Subject, err)
	}
	if !slices.ContainsFunc(parents, func(p Token) bool { return p.ID == t.Actor.Via }) {
		return ErrSignedOut
	}
	return nil
}

// fillGrants adds what was granted to the principal, to its groups and to everybody.
func (s *Authority) fillGrants(ctx context.Context, p *Principal) error {
	grants, err := s.store.GrantsOf(ctx, subjects(p.ID, p.Groups))
	if err != nil {
		return fmt.Errorf("reading grants: %w", err)
	}
	p.Grants = append(p.Grants, grants...)
	p.Roles, err = s.customRoles(ctx, p.Grants)
	return err
}

func subjects(id string, groups []string) []string {
	all := []string{Anonymous}
	if id != Anonymous {
		all = append(all, id)
	}
	for _, g := range groups {
		all = append(all, "group:"+g)
	}
	return all
}

// customRoles returns the actions of the custom roles that grants name; nil where they name none.
func (s *Authority) customRoles(ctx context.Context, grants []Grant) (map[string][]Action, error) {
	if !slices.ContainsFunc(grants, func(g Grant) bool { return builtin[g.Role] == nil }) {
		return nil, nil
	}
	all, err := s.store.Roles(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading roles: %w", err)
	}
	roles := map[string][]Action{}
	for _, r := range all {
		roles[r.Name] = r.Actions
	}
	return roles, nil
}

// anonymous is who a request without credentials comes from.
func (s *Authority) anonymous(ctx context.Context, address string) (Principal, error) {
	now := s.now()
	k, ok := s.principals.get(Anonymous, now)
	if !ok {
		round := s.principals.begin()
		k = known{principal: nobody(""), at: now}
		if err := s.fillGrants(ctx, &k.principal); err != nil {
			return Principal{}, err
		}
		s.principals.keep(round, Anonymous, k)
	}
	k.principal.Address = address
	return k.principal, nil
}
