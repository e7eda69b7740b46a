package auth

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Holder is somebody who may do something, and why.
type Holder struct {
	Subject string `json:"subject"` // "user:alice", "group:dev", "issuer:cluster" for all workloads of an issuer
	Name    string `json:"name"`
	Role    string `json:"role"`
	Scope   Scope  `json:"scope"` // of the grant
	// Via is the group that holds the grant, "" where it is the subject's own.
	Via      string `json:"via,omitempty"`
	Disabled bool   `json:"disabled,omitempty"` // may not at present
}

// WhoCan lists who may do a on all of scope, each once for each grant that gives it, ordered by subject. It needs
// user.read.
func (s *Authority) WhoCan(ctx context.Context, a Action, scope Scope) ([]Holder, error) {
	if _, err := s.require(ctx, UserRead); err != nil {
		return nil, err
	}
	if !slices.Contains(Actions, a) {
		return nil, invalid("no such action: %q", a)
	}
	if HubWide(a) {
		scope = Everything
	}
	d, err := s.directory(ctx)
	if err != nil {
		return nil, err
	}
	holders := []Holder{}
	for _, g := range d.grants {
		if g.Scope.Covers(scope) && slices.Contains((&Principal{Roles: d.roles}).actions(g.Role), a) {
			holders = append(holders, d.holders(g)...)
		}
	}
	slices.SortStableFunc(holders, func(a, b Holder) int { return strings.Compare(a.Subject, b.Subject) })
	return holders, nil
}

// directory is all that WhoCan looks at.
type directory struct {
	users    []User
	services []Service
	grants   []Grant
	roles    map[string][]Action
}

func (s *Authority) directory(ctx context.Context) (d directory, err error) {
	if d.users, err = s.store.Users(ctx); err != nil {
		return d, fmt.Errorf("reading users: %w", err)
	}
	if d.services, err = s.store.Services(ctx); err != nil {
		return d, fmt.Errorf("reading service principals: %w", err)
	}
	if d.grants, err = s.store.Grants(ctx); err != nil {
		return d, fmt.Errorf("reading grants: %w", err)
	}
	issuers, err := s.store.Issuers(ctx)
	if err != nil {
		return d, fmt.Errorf("reading issuers: %w", err)
	}
	for _, i := range issuers {
		for _, g := range i.Grants {
			g.Subject = "issuer:" + i.ID
			d.grants = append(d.grants, g)
		}
	}
	d.roles, err = s.customRoles(ctx, d.grants)
	return d, err
}

// holders are the subject of a grant and, where that is a group, its users.
func (d directory) holders(g Grant) []Holder {
	_, name, ok := strings.Cut(g.Subject, ":")
	if !ok {
		name = g.Subject
	}
	h := Holder{Subject: g.Subject, Name: name, Role: g.Role, Scope: g.Scope}
	all := []Holder{h}
	for _, u := range d.users {
		switch {
		case g.Subject == u.ID:
			all[0].Name, all[0].Disabled = u.Name, u.Disabled
		case strings.HasPrefix(g.Subject, "group:") && slices.Contains(u.Groups, name):
			all = append(all, Holder{u.ID, u.Name, g.Role, g.Scope, g.Subject, u.Disabled})
		}
	}
	for _, v := range d.services {
		if g.Subject == v.ID {
			all[0].Name, all[0].Disabled = v.Name, v.Disabled
		}
	}
	return all
}
