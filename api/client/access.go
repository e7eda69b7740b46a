package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"time"
)

// Session says who asks.
type Session struct {
	SignedIn  bool       `json:"signedIn"`
	Principal *Principal `json:"principal"`
	Must      string     `json:"must"` // "password", "totp": what has to happen first
}

// Principal is who asks.
type Principal struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Session asks who the token is of. A token that the hub does not take is an *Error of status 401.
func (c *Client) Session(ctx context.Context) (s Session, err error) {
	err = c.get(ctx, "/session", nil, &s)
	return s, err
}

// SignIn trades a name and a password, with a one-time code where the hub asks for one (an *Error of type
// "totp-required"), for an API token of the title that expires then. The session it takes is ended again.
func (c *Client) SignIn(ctx context.Context, name, password, code, title string, expires time.Time) (Token, string, error) {
	s := &session{Client: c}
	if err := s.open(ctx, name, password, code); err != nil {
		return Token{}, "", err
	}
	defer s.end(context.WithoutCancel(ctx))
	return s.token(ctx, title, expires)
}

// Token is what the hub keeps of a token.
type Token struct {
	ID      string    `json:"id"`
	Kind    string    `json:"kind"`
	Subject string    `json:"subject"`
	Title   string    `json:"title"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
	Used    time.Time `json:"used"`
}

// Tokens lists one's own tokens.
func (c *Client) Tokens(ctx context.Context) iter.Seq2[Token, error] {
	return pages[Token](ctx, c, "/tokens", nil, "cursor")
}

// Revoke ends a token: one's own, or with user.write anybody's.
func (c *Client) Revoke(ctx context.Context, id string) error {
	return c.send(ctx, http.MethodDelete, "/tokens/"+url.PathEscape(id), nil, nil)
}
