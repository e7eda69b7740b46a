package api

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/auth"
)

// call is one request on its way.
type call struct {
	s     *Server
	w     http.ResponseWriter
	r     *http.Request
	route *route // nil where the path or method is not known
	who   auth.Principal
	now   time.Time
}

func (s *Server) call(w http.ResponseWriter, r *http.Request, route *route) *call {
	return &call{s: s, w: w, r: r, route: route, who: auth.From(r.Context()), now: s.Clock().UTC()}
}

func (c *call) ctx() context.Context { return c.r.Context() }

// path returns a wildcard of the route's path, unescaped.
func (c *call) path(name string) string { return c.r.PathValue(name) }

// number returns a wildcard that is a number above 0; what is none names nothing.
func (c *call) number(name string) (int64, error) {
	n, err := strconv.ParseInt(c.path(name), 10, 64)
	if err != nil || n < 1 {
		return 0, errNothing
	}
	return n, nil
}

// entry is the record of what the caller does now.
func (c *call) entry(action, kind, name string) audit.Entry {
	e := audit.New(c.now, c.who.Actor, action, audit.Object{Kind: kind, Name: name})
	e.Request = auth.RequestID(c.ctx())
	return e
}

// record commits records of acts that change nothing in the state.
func (c *call) record(e ...audit.Entry) error { return c.s.Users.Record(c.ctx(), e...) }

// act announces an act on something outside of the state, does it and records how it ended. The outcome is recorded
// even when the caller has gone.
func (c *call) act(e audit.Entry, do func(context.Context) error) error {
	e.Outcome = audit.Intent
	if err := c.record(e); err != nil {
		return err
	}
	err := do(c.ctx())
	end := e
	end.ID, end.Time, end.Act, end.Outcome = audit.NewID(), c.s.Clock().UTC(), e.ID, audit.Done
	if err != nil {
		end.Outcome, end.Reason = audit.Failed, cut(err.Error(), 300)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx()), 10*time.Second)
	defer cancel()
	if rerr := c.s.Users.Record(ctx, end); rerr != nil && err == nil {
		return rerr
	}
	return err
}

// order has something done later, by a job, and records whether it was taken.
func (c *call) order(e audit.Entry, do func(context.Context) (job int64, err error)) (reply, error) {
	var id int64
	err := c.act(e, func(ctx context.Context) (err error) {
		id, err = do(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	c.publish("jobs", "")
	return accepted(id), nil
}

// follow notes that what should have followed a committed change failed: the change stands, so the caller gets the
// answer to it.
func (c *call) follow(err error, what string) {
	if err != nil {
		c.s.Log.ErrorContext(c.ctx(), "what follows a change failed", slog.String("what", what),
			slog.String("request", auth.RequestID(c.ctx())), slog.Any("error", err))
	}
}

// publish tells whoever listens.
func (c *call) publish(topic, key string) { c.s.Events.Publish(topic, key) }

// cut shortens s to at most n bytes.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n] + "…"
}
