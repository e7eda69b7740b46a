package auth

import (
	"context"

	"github.com/seawall/seawall/audit"
)

type principalKey struct{}

// With returns a context that carries who a request comes from.
func With(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// From returns who the request comes from; where nobody was put in, an anonymous principal that may do nothing.
func From(ctx context.Context) Principal {
	if p, ok := ctx.Value(principalKey{}).(Principal); ok {
		return p
	}
	return nobody("")
}

// nobody is the principal of a request from address that names no user and no token.
func nobody(address string) Principal {
	return Principal{Actor: audit.Actor{Kind: audit.ActorAnonymous, ID: Anonymous, Name: Anonymous, Address: address}}
}

// Anonymous is the subject of grants that everybody has, signed in or not.
const Anonymous = "anonymous"

// SignedIn reports whether the principal is somebody.
func (p *Principal) SignedIn() bool { return p.Kind != "" && p.Kind != audit.ActorAnonymous }
