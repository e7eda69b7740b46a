package client

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"time"

	"github.com/seawall/seawall/catalog"
)

// Exceptions lists exceptions, newest first; "" selects all.
func (c *Client) Exceptions(ctx context.Context, state catalog.ExceptionState, repository string) iter.Seq2[catalog.Exception, error] {
	return pages[catalog.Exception](ctx, c, "/exceptions", values("state", string(state), "repository", repository), "cursor")
}

// ExceptionRequest asks to set findings aside.
type ExceptionRequest struct {
	Repositories string        `json:"repositories"`
	As           catalog.State `json:"as"` // accepted or false-positive
	ID           string        `json:"id,omitempty"`
	Package      string        `json:"package,omitempty"`
	Path         string        `json:"path,omitempty"`
	Reason       string        `json:"reason"`
	Owner        string        `json:"owner"`
	Expires      time.Time     `json:"expires"`
}

// RequestException requests an exception; somebody else approves it.
func (c *Client) RequestException(ctx context.Context, r ExceptionRequest) (e catalog.Exception, err error) {
	err = c.send(ctx, http.MethodPost, "/exceptions", r, &e)
	return e, err
}

// DecideException approves, refuses or revokes an exception.
func (c *Client) DecideException(ctx context.Context, id int64, to catalog.ExceptionState, comment string) (e catalog.Exception, err error) {
	err = c.send(ctx, http.MethodPost, fmt.Sprintf("/exceptions/%d/decision", id), map[string]string{"to": string(to), "comment": comment}, &e)
	return e, err
}
