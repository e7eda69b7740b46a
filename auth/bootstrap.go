package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seawall/seawall/audit"
)

// adminName is the first user.
const adminName = "admin"

// Bootstrap makes the user "admin", owner of everything, on a hub where nobody is owner and nobody ever signed in, and
// returns the password, which has to be changed at the first sign-in. "" says that there are users. A start that was
// interrupted between the two steps is made up for by the next.
func (s *Authority) Bootstrap(ctx context.Context) (password string, err error) {
	ctx = With(ctx, Principal{Actor: audit.System("bootstrap")})
	users, err := s.store.Users(ctx)
	if err != nil {
		return "", fmt.Errorf("reading users: %w", err)
	}
	grants, err := s.store.Grants(ctx)
	if err != nil {
		return "", fmt.Errorf("reading grants: %w", err)
	}
	unused := func(u User) bool { return u.Name == adminName && u.LastSignIn.IsZero() }
	if owners(users, grants) > 0 || len(users) > 1 || len(users) == 1 && !unused(users[0]) {
		return "", nil
	}
	password, err = s.makeOwner(ctx, adminName)
	if errors.Is(err, ErrExists) {
		return "", nil // another hub on the same state was faster
	}
	return password, err
}

// Recover gives a local user a new password, which has to be changed at the first sign-in, takes its one-time code and
// its lock-out away, enables it and makes it owner of everything. It asks nobody for permission: it is for who runs the
// hub's executable on its machine.
func (s *Authority) Recover(ctx context.Context, name string) (password string, err error) {
	if !names.MatchString(name) {
		return "", invalid("no name of a user: %q", name)
	}
	ctx = With(ctx, Principal{Actor: audit.System("recover")})
	if password, err = s.makeOwner(ctx, name); err != nil {
		return "", err
	}
	return password, s.revokeAll(ctx, "user:"+name, anyToken)
}

func (s *Authority) makeOwner(ctx context.Context, name string) (string, error) {
	password := newPassword()
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return "", err
	}
	if err := s.putOwner(ctx, name, hash); err != nil {
		return "", err
	}
	g := Grant{Subject: "user:" + name, Role: RoleOwner, Scope: Everything}
	have, err := s.store.GrantsOf(ctx, []string{g.Subject})
	if err != nil {
		return "", fmt.Errorf("reading grants of %s: %w", name, err)
	}
	if !slices.ContainsFunc(have, func(h Grant) bool { return h.Role == g.Role && h.Scope == g.Scope }) {
		if _, err := s.store.PutGrant(ctx, g, s.entry(ctx, "grant.create", "grant", g.Subject)); err != nil {
			return "", fmt.Errorf("making %s owner: %w", name, err)
		}
	}
	s.principals.forget()
	return password, nil
}

func (s *Authority) putOwner(ctx context.Context, name, hash string) error {
	_, found, err := s.local(ctx, name)
	if err != nil {
		return err
	}
	if !found {
		u := User{ID: "user:" + name, Name: name, Password: hash, MustChangePassword: true, Created: s.now().UTC()}
		if err := s.store.PutUser(ctx, u, true, s.entry(ctx, "user.create", "user", name)); err != nil {
			return fmt.Errorf("creating user %s: %w", name, err)
		}
		return nil
	}
	_, err = s.edit(ctx, "user:"+name, s.entry(ctx, "user.recover", "user", name), func(u *User) error {
		u.Password, u.MustChangePassword, u.Disabled = hash, true, false
		u.TOTP, u.HasTOTP, u.Failures, u.LockedUntil = nil, false, 0, time.Time{}
		return nil
	})
	return err
}

// newPassword has 100 random bits in four groups that can be read aloud.
func newPassword() string {
	const letters = "abcdefghijkmnpqrstuvwxyz23456789" // 32, without l, o, 0, 1
	var groups []string
	for range 4 {
		b := random(5)
		for i := range b {
			b[i] = letters[b[i]%32]
		}
		groups = append(groups, string(b))
	}
	return strings.Join(groups, "-")
}
