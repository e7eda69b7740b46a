package auth

import (
	"context"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// NewUser asks for a local user.
type NewUser struct {
	Name     string   `json:"name"` // lower case letters, digits, ".", "_", "-"
	Email    string   `json:"email,omitempty"`
	Password string   `json:"password"` // has to be changed at the first sign-in
	Groups   []string `json:"groups,omitempty"`
}

// UserChange says what to change of a user; nil leaves it.
type UserChange struct {
	Email    *string   `json:"email,omitempty"`
	Groups   *[]string `json:"groups,omitempty"` // local users only: a provider sets those of its own
	Disabled *bool     `json:"disabled,omitempty"`
	// Unlock ends a lock-out.
	Unlock bool `json:"unlock,omitempty"`
}

// Users lists all users. It needs user.read.
func (s *Authority) Users(ctx context.Context) ([]User, error) {
	if _, err := s.require(ctx, UserRead); err != nil {
		return nil, err
	}
	return s.store.Users(ctx)
}

// User returns one user: oneself, or with user.read anybody.
func (s *Authority) User(ctx context.Context, id string) (User, error) {
	if p := From(ctx); p.ID != id || !p.SignedIn() {
		if _, err := s.require(ctx, UserRead); err != nil {
			return User{}, err
		}
	}
	return s.store.User(ctx, id)
}

// CreateUser makes a local user who has to change the password at once. It needs user.write.
func (s *Authority) CreateUser(ctx context.Context, n NewUser) (User, error) {
	p, err := s.require(ctx, UserWrite)
	if err != nil {
		return User{}, err
	}
	if err := checkNewUser(n); err != nil {
		return User{}, err
	}
	u := User{
		ID: "user:" + n.Name, Name: n.Name, Email: n.Email, Groups: normalGroups(n.Groups), Created: s.now().UTC(),
		MustChangePassword: true,
	}
	// A user of that name may have had grants, and groups have some.
	if err := s.outranks(ctx, p, u.ID, u.Groups); err != nil {
		return User{}, err
	}
	if u.Password, err = s.hasher.hash(ctx, n.Password); err != nil {
		return User{}, err
	}
	by := s.entry(ctx, "user.create", "user", u.Name)
	if err := s.store.PutUser(ctx, u, true, by); err != nil {
		return User{}, fmt.Errorf("creating user %s: %w", n.Name, err)
	}
	return u, nil
}

func checkNewUser(n NewUser) error {
	if !names.MatchString(n.Name) {
		return invalid("no name of a user: %q; it has at most 64 lower case letters, digits, dots, dashes or underscores", n.Name)
	}
	if err := checkEmail(n.Email); err != nil {
		return err
	}
	if err := checkGroups(n.Groups); err != nil {
		return err
	}
	return CheckPassword(n.Name, n.Password)
}

func checkEmail(e string) error {
	if e == "" {
		return nil
	}
	if a, err := mail.ParseAddress(e); err != nil || a.Address != e || len(e) > 254 {
		return invalid("no e-mail address: %q", e)
	}
	return nil
}

const (
	maxGroups = 200
	maxGroup  = 200 // bytes
)

func checkGroups(groups []string) error {
	if len(groups) > maxGroups {
		return invalid("more than %d groups", maxGroups)
	}
	for _, g := range groups {
		if strings.TrimSpace(g) == "" || !plain(g, maxGroup) {
			return invalid("no name of a group: %q", g)
		}
	}
	return nil
}

// plain reports whether text of a user is of at most limit bytes, without control characters.
func plain(s string, limit int) bool {
	control := func(r rune) bool { return r < ' ' || r == 0x7f }
	return len(s) <= limit && utf8.ValidString(s) && !strings.ContainsFunc(s, control)
}

func normalGroups(groups []string) []string {
	groups = slices.Clone(groups)
	slices.Sort(groups)
	return slices.Compact(groups)
}

// UpdateUser changes a user who holds nothing that the principal does not hold. It needs user.write. A user who gets
// disabled is signed out, and all tokens are refused at once.
func (s *Authority) UpdateUser(ctx context.Context, id string, c UserChange) (User, error) {
	p, err := s.require(ctx, UserWrite)
	if err != nil {
		return User{}, err
	}
	s.admin.Lock()
	defer s.admin.Unlock()
	u, err := s.store.User(ctx, id)
	if err != nil {
		return User{}, fmt.Errorf("reading user %s: %w", id, err)
	}
	if err := c.check(u); err != nil {
		return User{}, err
	}
	changed := c.apply(u)
	if err := s.outranks(ctx, p, id, slices.Concat(u.Groups, changed.Groups)); err != nil {
		return User{}, err
	}
	if err := s.keepOwner(ctx, withUser(changed)); err != nil {
		return User{}, err
	}
	return s.update(ctx, id, c)
}

func (s *Authority) update(ctx context.Context, id string, c UserChange) (User, error) {
	by := s.entry(ctx, "user.update", "user", strings.TrimPrefix(id, "user:"))
	by.Detail = c.detail()
	u, err := s.edit(ctx, id, by, func(u *User) error {
		*u = c.apply(*u)
		return nil
	})
	if err != nil {
		return User{}, err
	}
	s.principals.forget()
	if u.Disabled {
		return u, s.revokeAll(ctx, id, func(t Token) bool { return t.Kind == TokenSession })
	}
	return u, nil
}

func (c UserChange) check(u User) error {
	if c.Email != nil {
		if err := checkEmail(*c.Email); err != nil {
			return err
		}
	}
	if c.Groups == nil {
		return nil
	}
	if u.Provider != "" {
		return invalid("the groups of this user come from its sign-in provider")
	}
	return checkGroups(*c.Groups)
}

func (c UserChange) apply(u User) User {
	if c.Email != nil {
		u.Email = *c.Email
	}
	if c.Groups != nil {
		u.Groups = normalGroups(*c.Groups)
	}
	if c.Disabled != nil {
		u.Disabled = *c.Disabled
	}
	if c.Unlock {
		u.Failures, u.LockedUntil = 0, time.Time{}
	}
	return u
}

func (c UserChange) detail() map[string]string {
	d := map[string]string{}
	if c.Email != nil {
		d["email"] = *c.Email
	}
	if c.Groups != nil {
		d["groups"] = strings.Join(*c.Groups, ",")
	}
	if c.Disabled != nil {
		d["disabled"] = fmt.Sprint(*c.Disabled)
	}
	if c.Unlock {
		d["unlock"] = "true"
	}
	return d
}

// DeleteUser deletes a user with tokens and grants. It needs user.write and the rank of UpdateUser.
func (s *Authority) DeleteUser(ctx context.Context, id string) error {
	p, err := s.require(ctx, UserWrite)
	if err != nil {
		return err
	}
	s.admin.Lock()
	defer s.admin.Unlock()
	if err := s.outranksSubject(ctx, p, id); err != nil {
		return err
	}
	if err := s.keepOwner(ctx, withoutUser(id)); err != nil {
		return err
	}
	s.users.Lock()
	defer s.users.Unlock()
	if err := s.store.DeleteUser(ctx, id, s.entry(ctx, "user.delete", "user", strings.TrimPrefix(id, "user:"))); err != nil {
		return fmt.Errorf("deleting user %s: %w", id, err)
	}
	s.principals.forget()
	return nil
}

// ChangePassword changes the principal's own password and ends all its other sessions, and the tokens that docker login
// got for the old password.
func (s *Authority) ChangePassword(ctx context.Context, old, password string) error {
	p := From(ctx)
	u, err := s.prove(ctx, p, old)
	if err != nil {
		return err
	}
	if err := CheckPassword(u.Name, password); err != nil {
		return err
	}
	if old == password {
		return invalid("the new password is the old one")
	}
	if err := s.setPassword(ctx, u.ID, password, false, "user.password"); err != nil {
		return err
	}
	return s.revokeAll(ctx, u.ID, func(t Token) bool {
		return t.ID != p.Via && (t.Kind == TokenSession || t.Kind == TokenAPI && t.Title == loginTitle)
	})
}

// prove checks the password of the local user who is signed in: a stolen session must not change how one signs in.
func (s *Authority) prove(ctx context.Context, p Principal, password string) (User, error) {
	if !p.SignedIn() {
		return User{}, ErrSignedOut
	}
	if p.Token != TokenSession && p.Token != "" {
		return User{}, fmt.Errorf("%w: this is done by a user who is signed in, not with a token", ErrRefused)
	}
	u, err := s.store.User(ctx, p.ID)
	if err != nil {
		return User{}, fmt.Errorf("reading user %s: %w", p.ID, err)
	}
	if u.Provider != "" {
		return User{}, invalid("this user signs in by another provider and has no password here")
	}
	a := attempt{name: u.Name, password: password, address: p.Address, via: "console"}
	err = s.charged(ctx, a, func() (err error) {
		u, err = s.known(ctx, a)
		return err
	})
	return u, err
}

func (s *Authority) setPassword(ctx context.Context, id, password string, mustChange bool, action string) error {
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return err
	}
	_, err = s.edit(ctx, id, s.entry(ctx, action, "user", strings.TrimPrefix(id, "user:")), func(u *User) error {
		u.Password, u.MustChangePassword = hash, mustChange
		u.Failures, u.LockedUntil = 0, time.Time{}
		return nil
	})
	s.principals.forget()
	return err
}

// ResetPassword gives a local user a password that has to be changed at once, and ends all sessions and tokens of the
// user. It needs user.write and the rank of UpdateUser.
func (s *Authority) ResetPassword(ctx context.Context, id, password string) error {
	p, err := s.require(ctx, UserWrite)
	if err != nil {
		return err
	}
	u, err := s.store.User(ctx, id)
	if err != nil {
		return fmt.Errorf("reading user %s: %w", id, err)
	}
	if u.Provider != "" {
		return invalid("this user signs in by another provider and has no password here")
	}
	if err := s.outranks(ctx, p, id, u.Groups); err != nil {
		return err
	}
	if err := CheckPassword(u.Name, password); err != nil {
		return err
	}
	if err := s.setPassword(ctx, id, password, true, "user.reset-password"); err != nil {
		return err
	}
	return s.revokeAll(ctx, id, anyToken)
}
