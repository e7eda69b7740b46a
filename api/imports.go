package api

import (
	"context"
	"regexp"
	"strings"

	"github.com/seawall/seawall/auth"
)

func (s *Server) importRoutes() []route {
	return []route{
		{method: "POST", path: "/imports", need: need{auth.ImageImport, inBody}, handle: (*call).importImage},
		{method: "POST", path: "/collections", need: on(auth.SystemWrite), handle: (*call).collect},
	}
}

// destination is a repository's name with an optional tag.
// Source: OCI distribution specification 1.1, pulling manifests.
var destination = regexp.MustCompile(`^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*(?::[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127})?$`)

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
	k.that(!strings.ContainsAny(in.Source, " \t\n"), "source", "must hold no spaces")
	k.that(destination.MatchString(in.Destination), "destination", "must be a repository of this hub, with a tag if you like: team/app:1")
	if err := k.done(); err != nil {
		return nil, err
	}
	repository, _, _ := strings.Cut(in.Destination, ":")
	if err := c.mayOn(auth.ImageImport, repository); err != nil {
		return nil, err
	}
	e := c.entry("image.import.order", "repository", repository)
	e.Detail = map[string]string{"source": in.Source, "destination": in.Destination}
	return c.order(e, func(ctx context.Context) (int64, error) { return c.s.Actions.Import(ctx, in, c.who.Actor) })
}

func (c *call) collect() (reply, error) {
	in, err := optionalBody[CollectionRequest](c)
	if err != nil {
		return nil, err
	}
	e := c.entry("registry.collect.order", "registry", "blobs")
	if in.DryRun {
		e.Detail = map[string]string{"dryRun": "true"}
	}
	return c.order(e, func(ctx context.Context) (int64, error) { return c.s.Actions.Collect(ctx, in, c.who.Actor) })
}
