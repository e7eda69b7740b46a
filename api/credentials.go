package api

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/seawall/seawall/auth"
)

func (s *Server) credentialRoutes() []route {
	return []route{
		{method: "GET", path: "/credentials", need: on(auth.SystemRead), handle: (*call).credentials},
		{method: "POST", path: "/credentials", need: on(auth.SystemWrite), handle: (*call).putCredential},
		{method: "DELETE", path: "/credentials/{name}", need: on(auth.SystemWrite), handle: (*call).deleteCredential},
	}
}

func (c *call) credentialStore() (CredentialStore, error) {
	if c.s.Credentials == nil {
		return nil, fmt.Errorf("credentials of other registries: %w", ErrUnavailable)
	}
	return c.s.Credentials, nil
}

func (c *call) credentials() (reply, error) {
	store, err := c.credentialStore()
	if err != nil {
		return nil, err
	}
	found, err := store.Credentials(c.ctx())
	if err != nil {
		return nil, err
	}
	return ok(all(found)), nil
}

func (c *call) putCredential() (reply, error) {
	in, err := body[CredentialInput](c)
	if err != nil {
		return nil, err
	}
	var k check
	k.text(in.Name, "name", true, 200)
	k.text(in.Host, "host", true, 255)
	k.that(!strings.ContainsAny(in.Host, "/@ "), "host", "is a registry's host with its port, as in registry.example:5000")
	k.text(in.User, "user", true, 200)
	k.that(in.Secret != "" && len(in.Secret) <= 16<<10, "secret", "is needed, of at most 16 KiB")
	if err := k.done(); err != nil {
		return nil, err
	}
	store, err := c.credentialStore()
	if err != nil {
		return nil, err
	}
	v := Credential{Name: in.Name, Host: in.Host, User: in.User}
	if err := store.PutCredential(c.ctx(), v, in.Secret, c.entry("credential.put", "credential", in.Name)); err != nil {
		return nil, err
	}
	return created(v, "/credentials/"+url.PathEscape(in.Name)), nil
}

func (c *call) deleteCredential() (reply, error) {
	store, err := c.credentialStore()
	if err != nil {
		return nil, err
	}
	if err := store.DeleteCredential(c.ctx(), c.path("name"), c.entry("credential.delete", "credential", c.path("name"))); err != nil {
		return nil, err
	}
	return done(), nil
}
