package api

import (
	"context"
	"errors"
	"net/url"

	"github.com/seawall/seawall/auth"
)

func (s *Server) serviceRoutes() []route {
	return []route{
		{method: "GET", path: "/services", need: on(auth.UserRead), handle: (*call).services},
		{method: "POST", path: "/services", need: on(auth.UserWrite), handle: (*call).createService},
		{method: "GET", path: "/services/{id}", need: on(auth.UserRead), handle: (*call).service},
		{method: "PATCH", path: "/services/{id}", need: on(auth.UserWrite), handle: (*call).changeService},
		{method: "DELETE", path: "/services/{id}", need: on(auth.UserWrite), handle: (*call).deleteService},
		{method: "GET", path: "/services/{id}/secrets", need: on(auth.UserRead), handle: (*call).serviceSecrets},
		{method: "POST", path: "/services/{id}/secrets", need: on(auth.UserWrite), handle: (*call).createServiceSecret, secret: true},
	}
}

var serviceTable = table[auth.Service]{"services", []column[auth.Service]{
	{"id", func(v *auth.Service) any { return v.ID }},
	{"name", func(v *auth.Service) any { return v.Name }},
	{"title", func(v *auth.Service) any { return v.Title }},
	{"disabled", func(v *auth.Service) any { return v.Disabled }},
	{"created", func(v *auth.Service) any { return v.Created }},
}}

func (c *call) services() (reply, error) {
	if err := c.query().err(); err != nil {
		return nil, err
	}
	found, err := c.s.Auth.Services(c.ctx())
	if err != nil {
		return nil, err
	}
	return listing(c, serviceTable, span{}, func(span) (List[auth.Service], error) { return all(found), nil })
}

func (c *call) loadService() (auth.Service, error) {
	found, err := c.s.Auth.Services(c.ctx())
	if err != nil {
		return auth.Service{}, err
	}
	for _, v := range found {
		if v.ID == c.path("id") {
			return v, nil
		}
	}
	return auth.Service{}, errNothing
}

func (c *call) service() (reply, error) {
	v, err := c.loadService()
	if err != nil {
		return nil, err
	}
	return tagged(v), nil
}

func (c *call) createService() (reply, error) {
	in, err := body[NewService](c)
	if err != nil {
		return nil, err
	}
	v, err := c.s.Auth.CreateService(c.ctx(), in.Name, in.Title)
	if err != nil {
		return nil, err
	}
	if err := c.grantAll(v.ID, in.Roles); err != nil {
		return nil, errors.Join(err, c.undo(func(ctx context.Context) error { return c.s.Auth.DeleteService(ctx, v.ID) }))
	}
	c.publish("users", v.ID)
	return created(v, "/services/"+url.PathEscape(v.ID)), nil
}

func (c *call) changeService() (reply, error) {
	in, err := body[auth.ServiceChange](c)
	if err != nil {
		return nil, err
	}
	defer c.s.edits.take("service " + c.path("id"))()
	if err := c.serviceMatches(); err != nil {
		return nil, err
	}
	v, err := c.s.Auth.UpdateService(c.ctx(), c.path("id"), in)
	if err != nil {
		return nil, err
	}
	c.publish("users", v.ID)
	return tagged(v), nil
}

func (c *call) serviceMatches() error {
	v, err := c.loadService()
	if err != nil {
		return err
	}
	return c.matches(v, false)
}

func (c *call) deleteService() (reply, error) {
	defer c.s.edits.take("service " + c.path("id"))()
	if err := c.serviceMatches(); err != nil {
		return nil, err
	}
	if err := c.s.Auth.DeleteService(c.ctx(), c.path("id")); err != nil {
		return nil, err
	}
	c.publish("users", c.path("id"))
	return done(), nil
}

func (c *call) serviceSecrets() (reply, error) {
	found, err := c.s.Auth.ServiceSecrets(c.ctx(), c.path("id"))
	if err != nil {
		return nil, err
	}
	return ok(all(found)), nil
}

func (c *call) createServiceSecret() (reply, error) {
	in, err := body[auth.TokenRequest](c)
	if err != nil {
		return nil, err
	}
	t, secret, err := c.s.Auth.NewServiceSecret(c.ctx(), c.path("id"), in)
	if err != nil {
		return nil, err
	}
	c.publish("users", c.path("id"))
	return created(TokenCreated{t, secret}, "/tokens/"+t.ID), nil
}
