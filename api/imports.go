package api

import (
	"strings"

	"github.com/seawall/seawall/auth"
)

func (s *Server) importRoutes() []route {
	return []route{
		{method: "POST", path: "/imports", need: need{auth.ImageImport, inBody}, handle: (*call).importImage},
		{method: "POST", path: "/collections", need: on(auth.SystemWrite), handle: (*call).collect},
	}
}

// importImage asks for the right to import into the destination; that the source may be read is asked of the other
// registry, with the credential that is named.
func (c *call) importImage() (reply, error) {
	in, err := body[ImportRequest](c)
	if err != nil {
		return nil, err
	}
	var k check
	k.text(in.Source, "source", true, 512)
	k.text(in.Destination, "destination", true, 512)
	k.text(in.Credential, "credential", false, 200)
	k.that(!strings.ContainsAny(in.Source+in.Destination, " \t\n"), "source", "must hold no spaces")
	if err := k.done(); err != nil {
		return nil, err
	}
	repository := repositoryOf(in.Destination)
	if err := c.mayOn(auth.ImageImport, repository); err != nil {
		return nil, err
	}
	e := c.entry("image.import.order", "repository", repository)
	e.Detail = map[string]string{"source": in.Source, "destination": in.Destination}
	if err := c.record(e); err != nil {
		return nil, err
	}
	id, err := c.s.Actions.Import(c.ctx(), in, c.who.Actor)
	if err != nil {
		return nil, err
	}
	c.publish("jobs", "")
	return accepted(id), nil
}

// repositoryOf is a reference without tag and digest.
func repositoryOf(ref string) string {
	ref, _, _ = strings.Cut(ref, "@")
	if i := strings.LastIndexByte(ref, ':'); i > strings.LastIndexByte(ref, '/') {
		ref = ref[:i]
	}
	return ref
}

func (c *call) collect() (reply, error) {
	in, err := optionalBody[CollectionRequest](c)
	if err != nil {
		return nil, err
	}
	e := c.entry("registry.collect", "registry", "blobs")
	if in.DryRun {
		e.Detail = map[string]string{"dryRun": "true"}
	}
	if err := c.record(e); err != nil {
		return nil, err
	}
	id, err := c.s.Actions.Collect(c.ctx(), in, c.who.Actor)
	if err != nil {
		return nil, err
	}
	c.publish("jobs", "")
	return accepted(id), nil
}
