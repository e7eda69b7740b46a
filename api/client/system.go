package client

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"time"

	"github.com/seawall/seawall/job"
)

// Keys says how the hub's data at rest is encrypted.
type Keys struct {
	Encrypted bool      `json:"encrypted"`
	Provider  string    `json:"provider"`
	Healthy   bool      `json:"healthy"`
	Error     string    `json:"error"`
	Checked   time.Time `json:"checked"`
	Next      time.Time `json:"next"`
	Items     []DataKey `json:"items"`
}

// DataKey is one data key.
type DataKey struct {
	ID      string    `json:"id"`
	Purpose string    `json:"purpose"`
	Created time.Time `json:"created"`
	Wrapped time.Time `json:"wrapped"`
	Current bool      `json:"current"`
}

// Keys returns the state of the keys.
func (c *Client) Keys(ctx context.Context) (k Keys, err error) {
	err = c.get(ctx, "/keys", nil, &k)
	return k, err
}

// RotateKeys wraps the keys anew; with dataKeys it makes new ones for what is written from now on.
func (c *Client) RotateKeys(ctx context.Context, dataKeys bool) (k Keys, err error) {
	err = c.send(ctx, http.MethodPost, "/keys/rotate", map[string]bool{"dataKeys": dataKeys}, &k)
	return k, err
}

// Backup writes a backup of the hub's state.
func (c *Client) Backup(ctx context.Context, w io.Writer) error {
	return c.stream(ctx, "/backup", nil, w)
}

// Jobs lists jobs, newest first; zero values select all. Before and Limit of the filter do not count.
func (c *Client) Jobs(ctx context.Context, f job.Filter) iter.Seq2[job.Job, error] {
	return pages[job.Job](ctx, c, "/jobs", values("kind", f.Kind, "state", string(f.State), "key", f.Key, "limit", "500"), "before")
}

// CancelJob ends a job, RetryJob makes a failed one wait again.
func (c *Client) CancelJob(ctx context.Context, id int64) error {
	return c.send(ctx, http.MethodPost, fmt.Sprintf("/jobs/%d/cancel", id), nil, nil)
}

// RetryJob makes a failed or cancelled job wait again.
func (c *Client) RetryJob(ctx context.Context, id int64) error {
	return c.send(ctx, http.MethodPost, fmt.Sprintf("/jobs/%d/retry", id), nil, nil)
}

// UpdateDatabase orders an update of the hub's advisory database and returns its job.
func (c *Client) UpdateDatabase(ctx context.Context) (job int64, err error) {
	var a accepted
	err = c.send(ctx, http.MethodPost, "/database/update", nil, &a)
	return a.Job, err
}

// Collect orders a collection of what nothing needs and returns its job.
func (c *Client) Collect(ctx context.Context, dryRun bool) (job int64, err error) {
	var a accepted
	err = c.send(ctx, http.MethodPost, "/collections", map[string]bool{"dryRun": dryRun}, &a)
	return a.Job, err
}

// System says what the hub is.
type System struct {
	Version string    `json:"version"`
	Address string    `json:"address"`
	Started time.Time `json:"started"`
}

// System asks what the hub is; it answers everybody who is signed in.
func (c *Client) System(ctx context.Context) (s System, err error) {
	err = c.get(ctx, "/system", nil, &s)
	return s, err
}
