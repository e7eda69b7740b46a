package auth

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Roles lists the built-in roles and the custom ones. Everybody who is signed in may see them.
func (s *Authority) Roles(ctx context.Context) ([]Role, error) {
	if p := From(ctx); !p.SignedIn() {
		return nil, ErrSignedOut
	}
	custom, err := s.store.Roles(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading roles: %w", err)
	}
	return append(Builtin(), custom...), nil
}

// PutRole makes or changes a custom role. It needs user.write, and that the principal holds on everything what the role
// gives and gave.
func (s *Authority) PutRole(ctx context.Context, r Role) error {
	p, err := s.require(ctx, UserWrite)
	if err != nil {
		return err
	}
	r.Builtin = false
	if err := r.check(); err != nil {
		return err
	}
	s.admin.Lock()
	defer s.admin.Unlock()
	old, err := s.customRole(ctx, r.Name)
	if err != nil {
		return err
	}
	for _, a := range slices.Concat(r.Actions, old.Actions) {
		if !p.May(a, Everything) {
			return refused(a, Everything)
		}
	}
	r.Actions = slices.DeleteFunc(slices.Clone(Actions), func(a Action) bool { return !slices.Contains(r.Actions, a) })
	by := s.entry(ctx, "role.put", "role", r.Name)
	by.Detail = map[string]string{"actions": fmt.Sprint(r.Actions), "before": fmt.Sprint(old.Actions)}
	if err := s.store.PutRole(ctx, r, by); err != nil {
		return fmt.Errorf("storing role %s: %w", r.Name, err)
	}
	s.principals.forget()
	return nil
}

func (r Role) check() error {
	switch {
	case !names.MatchString(r.Name):
		return invalid("no name of a role: %q; it has at most 64 lower case letters, digits, dots, dashes or underscores", r.Name)
	case builtin[r.Name] != nil:
		return invalid("role %s is built in and cannot be changed", r.Name)
	case !plain(r.Title, maxTitle):
		return invalid("the title is longer than %d bytes, or not plain text", maxTitle)
	case len(r.Actions) == 0:
		return invalid("a role needs at least one action")
	}
	for _, a := range r.Actions {
		if !slices.Contains(Actions, a) {
			return invalid("no such action: %q", a)
		}
	}
	return nil
}

// customRole returns the zero role where there is none of that name.
func (s *Authority) customRole(ctx context.Context, name string) (Role, error) {
	all, err := s.store.Roles(ctx)
	if err != nil {
		return Role{}, fmt.Errorf("reading roles: %w", err)
	}
	if i := slices.IndexFunc(all, func(r Role) bool { return r.Name == name }); i >= 0 {
		return all[i], nil
	}
	return Role{}, nil
}

// DeleteRole deletes a custom role with its grants. It needs what PutRole needs.
func (s *Authority) DeleteRole(ctx context.Context, name string) error {
	p, err := s.require(ctx, UserWrite)
	if err != nil {
		return err
	}
	if builtin[name] != nil {
		return invalid("role %s is built in and cannot be deleted", name)
	}
	s.admin.Lock()
	defer s.admin.Unlock()
	old, err := s.customRole(ctx, name)
	if err != nil {
		return err
	}
	for _, a := range old.Actions {
		if !p.May(a, Everything) {
			return refused(a, Everything)
		}
	}
	if err := s.store.DeleteRole(ctx, name, s.entry(ctx, "role.delete", "role", name)); err != nil {
		return fmt.Errorf("deleting role %s: %w", name, err)
	}
	s.principals.forget()
	return nil
}

// Grants lists all grants. It needs user.read.
func (s *Authority) Grants(ctx context.Context) ([]Grant, error) {
	if _, err := s.require(ctx, UserRead); err != nil {
		return nil, err
	}
	return s.store.Grants(ctx)
}

// PutGrant gives a role. It needs user.write, and that the principal holds there what the role gives. ErrExists: the
// subject has it.
func (s *Authority) PutGrant(ctx context.Context, g Grant) (Grant, error) {
	p, err := s.require(ctx, UserWrite)
	if err != nil {
		return Grant{}, err
	}
	g.ID = 0
	s.admin.Lock()
	defer s.admin.Unlock()
	if err := s.checkGrant(ctx, g); err != nil {
		return Grant{}, err
	}
	if err := s.checkSubject(ctx, g); err != nil {
		return Grant{}, err
	}
	if err := s.mayGive(ctx, p, []Grant{g}); err != nil {
		return Grant{}, err
	}
	by := s.entry(ctx, "grant.create", "grant", g.Subject)
	by.Detail = map[string]string{"role": g.Role, "scope": g.Scope.String()}
	if g, err = s.store.PutGrant(ctx, g, by); err != nil {
		return Grant{}, fmt.Errorf("storing a grant: %w", err)
	}
	s.principals.forget()
	return g, nil
}

// checkGrant checks role and scope.
func (s *Authority) checkGrant(ctx context.Context, g Grant) error {
	if err := g.Scope.Check(); err != nil {
		return err
	}
	if builtin[g.Role] != nil {
		return nil
	}
	r, err := s.customRole(ctx, g.Role)
	if err != nil {
		return err
	}
	if r.Name == "" {
		return invalid("no such role: %q", g.Role)
	}
	return nil
}

func (s *Authority) checkSubject(ctx context.Context, g Grant) error {
	kind, name, _ := strings.Cut(g.Subject, ":")
	var err error
	switch {
	case !plain(g.Subject, maxScope):
		return invalid("the subject is longer than %d bytes, or not plain text", maxScope)
	case g.Subject == Anonymous:
		if g.Role != RoleReader && g.Role != RolePuller {
			return invalid("everybody can be reader or puller, not %s", g.Role)
		}
	case kind == "user" && name != "":
		_, err = s.store.User(ctx, g.Subject)
	case kind == "service" && name != "":
		_, err = s.store.Service(ctx, g.Subject)
	case kind == "group" && name != "", kind == "workload" && name != "":
	default:
		return invalid("no subject of a grant: %q; write user:name, service:name, group:name, workload:issuer/name or anonymous", g.Subject)
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w", g.Subject, err)
	}
	have, err := s.store.GrantsOf(ctx, []string{g.Subject})
	if err != nil {
		return fmt.Errorf("reading grants of %s: %w", g.Subject, err)
	}
	if slices.ContainsFunc(have, func(h Grant) bool { return h.Role == g.Role && h.Scope == g.Scope }) {
		return fmt.Errorf("%s has role %s on %s: %w", g.Subject, g.Role, g.Scope, ErrExists)
	}
	return nil
}

// DeleteGrant takes a role back. It needs user.write, and that the principal holds what the grant gives. ErrLast: nobody
// else is owner of everything.
func (s *Authority) DeleteGrant(ctx context.Context, id int64) error {
	p, err := s.require(ctx, UserWrite)
	if err != nil {
		return err
	}
	s.admin.Lock()
	defer s.admin.Unlock()
	all, err := s.store.Grants(ctx)
	if err != nil {
		return fmt.Errorf("reading grants: %w", err)
	}
	i := slices.IndexFunc(all, func(g Grant) bool { return g.ID == id })
	if i < 0 {
		return fmt.Errorf("grant %d: %w", id, ErrNotFound)
	}
	if err := s.mayGive(ctx, p, all[i:i+1]); err != nil {
		return err
	}
	if err := s.keepOwner(ctx, withoutGrant(id)); err != nil {
		return err
	}
	by := s.entry(ctx, "grant.delete", "grant", all[i].Subject)
	by.Detail = map[string]string{"role": all[i].Role, "scope": all[i].Scope.String()}
	if err := s.store.DeleteGrant(ctx, id, by); err != nil {
		return fmt.Errorf("deleting grant %d: %w", id, err)
	}
	s.principals.forget()
	return nil
}
