package api

import (
	"github.com/seawall/seawall/auth"
)

func (s *Server) tokenRoutes() []route {
	return []route{
		{method: "GET", path: "/tokens", need: need{where: signedIn}, handle: (*call).tokens},
		{method: "POST", path: "/tokens", need: need{where: signedIn}, handle: (*call).createToken, secret: true},
		{method: "DELETE", path: "/tokens/{id}", need: need{where: signedIn}, handle: (*call).revoke},
		{method: "GET", path: "/sessions", need: need{where: signedIn}, handle: (*call).sessions},
	}
}

func (c *call) tokens() (reply, error) {
	found, err := c.s.Auth.Tokens(c.ctx())
	if err != nil {
		return nil, err
	}
	return ok(all(found)), nil
}

func (c *call) createToken() (reply, error) {
	in, err := body[auth.TokenRequest](c)
	if err != nil {
		return nil, err
	}
	t, secret, err := c.s.Auth.NewAPIToken(c.ctx(), in)
	if err != nil {
		return nil, err
	}
	return created(TokenCreated{t, secret}, "/tokens/"+t.ID), nil
}

func (c *call) revoke() (reply, error) {
	if err := c.s.Auth.Revoke(c.ctx(), c.path("id")); err != nil {
		return nil, err
	}
	return done(), nil
}

func (c *call) sessions() (reply, error) {
	q := c.query()
	user := q.text("user")
	if err := q.err(); err != nil {
		return nil, err
	}
	if user == "" {
		user = c.who.ID
	}
	found, err := c.s.Auth.Sessions(c.ctx(), user)
	if err != nil {
		return nil, err
	}
	return ok(all(found)), nil
}
