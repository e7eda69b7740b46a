package api

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/seawall/seawall/auth"
)

func (s *Server) userRoutes() []route {
	return []route{
		{method: "GET", path: "/users", need: on(auth.UserRead), handle: (*call).users},
		{method: "POST", path: "/users", need: on(auth.UserWrite), handle: (*call).createUser, secret: true},
		{method: "GET", path: "/users/{id}", need: on(auth.UserRead), handle: (*call).user},
		{method: "PATCH", path: "/users/{id}", need: on(auth.UserWrite), handle: (*call).changeUser},
		{method: "DELETE", path: "/users/{id}", need: on(auth.UserWrite), handle: (*call).deleteUser},
		{method: "POST", path: "/users/{id}/password", need: on(auth.UserWrite), handle: (*call).resetPassword, secret: true},
		{method: "DELETE", path: "/users/{id}/totp", need: on(auth.UserWrite), handle: (*call).resetTOTP},
	}
}

var userTable = table[auth.User]{"users", []column[auth.User]{
	{"id", func(u *auth.User) any { return u.ID }},
	{"name", func(u *auth.User) any { return u.Name }},
	{"email", func(u *auth.User) any { return u.Email }},
	{"provider", func(u *auth.User) any { return u.Provider }},
	{"groups", func(u *auth.User) any { return u.Groups }},
	{"totp", func(u *auth.User) any { return u.HasTOTP }},
	{"disabled", func(u *auth.User) any { return u.Disabled }},
	{"created", func(u *auth.User) any { return u.Created }},
	{"lastSignIn", func(u *auth.User) any { return u.LastSignIn }},
}}

func (c *call) users() (reply, error) {
	q := c.query()
	search := strings.ToLower(q.text("search"))
	if err := q.err(); err != nil {
		return nil, err
	}
	users, err := c.s.Auth.Users(c.ctx())
	if err != nil {
		return nil, err
	}
	found := []auth.User{}
	for _, u := range users {
		if strings.Contains(strings.ToLower(u.ID+" "+u.Email), search) {
			found = append(found, u)
		}
	}
	return listing(c, userTable, span{}, func(span) (List[auth.User], error) { return all(found), nil })
}

func (c *call) user() (reply, error) {
	u, err := c.s.Auth.User(c.ctx(), c.path("id"))
	if err != nil {
		return nil, err
	}
	return tagged(u), nil
}

func (c *call) createUser() (reply, error) {
	in, err := body[NewUser](c)
	if err != nil {
		return nil, err
	}
	password := in.Password
	if password == "" {
		password = newPassword()
	}
	u, err := c.s.Auth.CreateUser(c.ctx(), auth.NewUser{Name: in.Name, Email: in.Email, Password: password, Groups: in.Groups})
	if err != nil {
		return nil, err
	}
	if err := c.grantAll(u.ID, in.Roles); err != nil {
		return nil, errors.Join(err, c.undo(func(ctx context.Context) error { return c.s.Auth.DeleteUser(ctx, u.ID) }))
	}
	c.publish("users", u.ID)
	made := UserCreated{User: u}
	if in.Password == "" {
		made.Password = password
	}
	return created(made, "/users/"+url.PathEscape(u.ID)), nil
}

// newPassword is one for the first sign-in: 130 random bits.
func newPassword() string { return strings.ToLower(rand.Text()) }

// grantAll grants roles on everything.
func (c *call) grantAll(subject string, roles []string) error {
	for _, role := range roles {
		if _, err := c.s.Auth.PutGrant(c.ctx(), auth.Grant{Subject: subject, Role: role, Scope: auth.Everything}); err != nil {
			return fmt.Errorf("granting %s: %w", cut(role, 80), err)
		}
	}
	return nil
}

// undo takes back the first half of a change whose second half was refused, even when the caller has gone.
func (c *call) undo(do func(context.Context) error) error {
	return do(context.WithoutCancel(c.ctx()))
}

func (c *call) changeUser() (reply, error) {
	in, err := body[auth.UserChange](c)
	if err != nil {
		return nil, err
	}
	defer c.s.edits.take("user " + c.path("id"))()
	if err := c.userMatches(); err != nil {
		return nil, err
	}
	u, err := c.s.Auth.UpdateUser(c.ctx(), c.path("id"), in)
	if err != nil {
		return nil, err
	}
	c.publish("users", u.ID)
	return tagged(u), nil
}

// userMatches holds If-Match against the user of the path.
func (c *call) userMatches() error {
	u, err := c.s.Auth.User(c.ctx(), c.path("id"))
	if err != nil {
		return err
	}
	return c.matches(u, false)
}

func (c *call) deleteUser() (reply, error) {
	defer c.s.edits.take("user " + c.path("id"))()
	if err := c.userMatches(); err != nil {
		return nil, err
	}
	if err := c.s.Auth.DeleteUser(c.ctx(), c.path("id")); err != nil {
		return nil, err
	}
	c.publish("users", c.path("id"))
	return done(), nil
}

func (c *call) resetPassword() (reply, error) {
	in, err := optionalBody[PasswordReset](c)
	if err != nil {
		return nil, err
	}
	out := OneTimePassword{}
	if in.Password == "" {
		out.Password = newPassword()
		in.Password = out.Password
	}
	if err := c.s.Auth.ResetPassword(c.ctx(), c.path("id"), in.Password); err != nil {
		return nil, err
	}
	c.publish("users", c.path("id"))
	return ok(out), nil
}

func (c *call) resetTOTP() (reply, error) {
	if err := c.s.Auth.ResetTOTP(c.ctx(), c.path("id")); err != nil {
		return nil, err
	}
	c.publish("users", c.path("id"))
	return done(), nil
}
