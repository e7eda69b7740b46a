package api

import (
	"net/url"

	"github.com/seawall/seawall/auth"
)

func (s *Server) issuerRoutes() []route {
	return []route{
		{method: "GET", path: "/issuers", need: on(auth.UserRead), handle: (*call).issuers},
		{method: "POST", path: "/issuers", need: on(auth.UserWrite), handle: (*call).putIssuer},
		{method: "DELETE", path: "/issuers/{id}", need: on(auth.UserWrite), handle: (*call).deleteIssuer},
	}
}

func (c *call) issuers() (reply, error) {
	found, err := c.s.Auth.Issuers(c.ctx())
	if err != nil {
		return nil, err
	}
	return ok(all(found)), nil
}

func (c *call) putIssuer() (reply, error) {
	in, err := body[auth.Issuer](c)
	if err != nil {
		return nil, err
	}
	if err := c.s.Auth.PutIssuer(c.ctx(), in); err != nil {
		return nil, err
	}
	c.publish("users", "")
	return created(in, "/issuers/"+url.PathEscape(in.ID)), nil
}

func (c *call) deleteIssuer() (reply, error) {
	if err := c.s.Auth.DeleteIssuer(c.ctx(), c.path("id")); err != nil {
		return nil, err
	}
	c.publish("users", "")
	return done(), nil
}
