package auth

import "context"

type requestKey struct{}

// WithRequest returns a context that carries the id of the HTTP request, for audit records.
func WithRequest(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestKey{}, id)
}

// RequestID returns the id of the HTTP request, "" outside of one.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}
