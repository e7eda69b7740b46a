package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// mayGive refuses what the principal does not hold itself: nobody can make another, or a second self, more powerful.
func (s *Authority) mayGive(ctx context.Context, p Principal, grants []Grant) error {
	roles, err := s.customRoles(ctx, grants)
	if err != nil {
		return err
	}
	target := Principal{Roles: roles}
	for _, g := range grants {
		for _, a := range target.actions(g.Role) {
			if HubWide(a) && g.Scope != Everything {
				continue // gives nothing
			}
			if !p.May(a, g.Scope) {
				return fmt.Errorf("%w: role %s on %s gives %s, which you do not hold there", ErrRefused, g.Role, g.Scope, a)
			}
		}
	}
	return nil
}

// outranks refuses to act on a subject that holds what the principal does not: who could set its password or make it a
// token would have its power.
func (s *Authority) outranks(ctx context.Context, p Principal, id string, groups []string) error {
	grants, err := s.store.GrantsOf(ctx, subjects(id, groups))
	if err != nil {
		return fmt.Errorf("reading grants of %s: %w", id, err)
	}
	return s.mayGive(ctx, p, grants)
}

func (s *Authority) outranksSubject(ctx context.Context, p Principal, id string) error {
	var groups []string
	if strings.HasPrefix(id, "user:") {
		u, err := s.store.User(ctx, id)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return fmt.Errorf("reading user %s: %w", id, err)
		}
		groups = u.Groups
	}
	return s.outranks(ctx, p, id, groups)
}

// keepOwner refuses a change after which no user would be owner of everything. The caller holds s.admin.
func (s *Authority) keepOwner(ctx context.Context, change func(users []User, grants []Grant) ([]User, []Grant)) error {
	users, err := s.store.Users(ctx)
	if err != nil {
		return fmt.Errorf("reading users: %w", err)
	}
	grants, err := s.store.Grants(ctx)
	if err != nil {
		return fmt.Errorf("reading grants: %w", err)
	}
	before := owners(users, grants)
	if before > 0 && owners(change(slices.Clone(users), slices.Clone(grants))) == 0 {
		return ErrLast
	}
	return nil
}

// owners counts the users who are owner of everything and are not disabled.
func owners(users []User, grants []Grant) int {
	n := 0
	for _, u := range users {
		is := func(g Grant) bool {
			return g.Role == RoleOwner && g.Scope == Everything && g.Subject != Anonymous &&
				slices.Contains(subjects(u.ID, u.Groups), g.Subject)
		}
		if !u.Disabled && slices.ContainsFunc(grants, is) {
			n++
		}
	}
	return n
}

func withUser(u User) func([]User, []Grant) ([]User, []Grant) {
	return func(users []User, grants []Grant) ([]User, []Grant) {
		for i := range users {
			if users[i].ID == u.ID {
				users[i] = u
			}
		}
		return users, grants
	}
}

func withoutUser(id string) func([]User, []Grant) ([]User, []Grant) {
	return func(users []User, grants []Grant) ([]User, []Grant) {
		return slices.DeleteFunc(users, func(u User) bool { return u.ID == id }), grants
	}
}

func withoutGrant(id int64) func([]User, []Grant) ([]User, []Grant) {
	return func(users []User, grants []Grant) ([]User, []Grant) {
		return users, slices.DeleteFunc(grants, func(g Grant) bool { return g.ID == id })
	}
}
