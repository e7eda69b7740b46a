package client

import (
	"context"
	"io"
	"iter"
	"time"

	"github.com/seawall/seawall/audit"
)

// Audit lists audit records, newest first. Before and Limit of the query do not count: it goes on to the oldest.
func (c *Client) Audit(ctx context.Context, q audit.Query) iter.Seq2[audit.Stored, error] {
	return pages[audit.Stored](ctx, c, "/audit", values("actor", q.Actor, "action", q.Action, "object", q.Object,
		"from", moment(q.From), "to", moment(q.To), "limit", "500"), "before")
}

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// Checkpoint is the signed head of the audit log.
type Checkpoint struct {
	Origin  string `json:"origin"`
	Size    int64  `json:"size"`
	Root    string `json:"root"`
	Note    string `json:"note"`
	Key     string `json:"key"`
	Pending int    `json:"pending"`
}

// Checkpoint returns the signed head of the audit log.
func (c *Client) Checkpoint(ctx context.Context) (p Checkpoint, err error) {
	err = c.get(ctx, "/audit/checkpoint", nil, &p)
	return p, err
}

// Export writes the audit log as a tar of the directory that `seawall audit verify` reads.
func (c *Client) Export(ctx context.Context, w io.Writer) error {
	return c.stream(ctx, "/audit/export", nil, w)
}
