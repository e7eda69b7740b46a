package api

import (
	"fmt"
	"net/url"
	"slices"

	"github.com/seawall/seawall/auth"
)

func (s *Server) roleRoutes() []route {
	return []route{
		{method: "GET", path: "/roles", need: on(auth.UserRead), handle: (*call).roles},
		{method: "POST", path: "/roles", need: on(auth.UserWrite), handle: (*call).putRole},
		{method: "DELETE", path: "/roles/{name}", need: on(auth.UserWrite), handle: (*call).deleteRole},
		{method: "GET", path: "/grants", need: on(auth.UserRead), handle: (*call).grants},
		{method: "POST", path: "/grants", need: on(auth.UserWrite), handle: (*call).createGrant},
		{method: "DELETE", path: "/grants/{id}", need: on(auth.UserWrite), handle: (*call).deleteGrant},
		{method: "GET", path: "/who-can", need: on(auth.UserRead), handle: (*call).whoCan},
	}
}

func (c *call) roles() (reply, error) {
	found, err := c.s.Auth.Roles(c.ctx())
	if err != nil {
		return nil, err
	}
	return ok(all(found)), nil
}

func (c *call) putRole() (reply, error) {
	in, err := body[auth.Role](c)
	if err != nil {
		return nil, err
	}
	in.Builtin = false
	if err := c.s.Auth.PutRole(c.ctx(), in); err != nil {
		return nil, err
	}
	c.publish("users", "")
	return created(in, "/roles/"+url.PathEscape(in.Name)), nil
}

func (c *call) deleteRole() (reply, error) {
	if err := c.s.Auth.DeleteRole(c.ctx(), c.path("name")); err != nil {
		return nil, err
	}
	c.publish("users", "")
	return done(), nil
}

var grantTable = table[auth.Grant]{"grants", []column[auth.Grant]{
	{"id", func(g *auth.Grant) any { return g.ID }},
	{"subject", func(g *auth.Grant) any { return g.Subject }},
	{"role", func(g *auth.Grant) any { return g.Role }},
	{"scope", func(g *auth.Grant) any { return g.Scope.String() }},
}}

func (c *call) grants() (reply, error) {
	q := c.query()
	subject, role := q.text("subject"), q.text("role")
	if err := q.err(); err != nil {
		return nil, err
	}
	found, err := c.s.Auth.Grants(c.ctx())
	if err != nil {
		return nil, err
	}
	found = slices.DeleteFunc(found, func(g auth.Grant) bool {
		return subject != "" && g.Subject != subject || role != "" && g.Role != role
	})
	return listing(c, grantTable, span{}, func(span) (List[auth.Grant], error) { return all(found), nil })
}

func (c *call) createGrant() (reply, error) {
	in, err := body[auth.Grant](c)
	if err != nil {
		return nil, err
	}
	in.ID = 0
	g, err := c.s.Auth.PutGrant(c.ctx(), in)
	if err != nil {
		return nil, err
	}
	c.publish("users", g.Subject)
	return created(g, fmt.Sprintf("/grants/%d", g.ID)), nil
}

func (c *call) deleteGrant() (reply, error) {
	id, err := c.number("id")
	if err != nil {
		return nil, err
	}
	if err := c.s.Auth.DeleteGrant(c.ctx(), id); err != nil {
		return nil, err
	}
	c.publish("users", "")
	return done(), nil
}

func (c *call) whoCan() (reply, error) {
	q := c.query()
	action, repository := oneOf(q, "action", auth.Actions...), q.text("repository")
	if action == "" {
		q.wrong("action", "is needed")
	}
	if err := q.err(); err != nil {
		return nil, err
	}
	scope := auth.Everything
	if repository != "" {
		scope = auth.Repository(repository)
	}
	found, err := c.s.Auth.WhoCan(c.ctx(), action, scope)
	if err != nil {
		return nil, err
	}
	return ok(all(found)), nil
}
