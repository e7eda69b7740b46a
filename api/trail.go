package api

import (
	"io"
	"strconv"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/auth"
)

func (s *Server) auditRoutes() []route {
	return []route{
		{method: "GET", path: "/audit", need: on(auth.AuditRead), handle: (*call).audit},
		{method: "GET", path: "/audit/checkpoint", need: on(auth.AuditRead), handle: (*call).checkpoint},
		{method: "GET", path: "/audit/export", need: on(auth.AuditRead), handle: (*call).exportAudit, streams: true},
	}
}

var auditTable = table[audit.Stored]{"audit", []column[audit.Stored]{
	{"index", func(r *audit.Stored) any { return r.Index }},
	{"seq", func(r *audit.Stored) any { return r.Seq }},
	{"time", func(r *audit.Stored) any { return r.Time }},
	{"actorKind", func(r *audit.Stored) any { return string(r.Actor.Kind) }},
	{"actor", func(r *audit.Stored) any { return r.Actor.ID }},
	{"address", func(r *audit.Stored) any { return r.Actor.Address }},
	{"action", func(r *audit.Stored) any { return r.Action }},
	{"objectKind", func(r *audit.Stored) any { return r.Object.Kind }},
	{"object", func(r *audit.Stored) any { return r.Object.Name }},
	{"outcome", func(r *audit.Stored) any { return string(r.Outcome) }},
	{"reason", func(r *audit.Stored) any { return r.Reason }},
	{"id", func(r *audit.Stored) any { return r.ID }},
	{"request", func(r *audit.Stored) any { return r.Request }},
}}

func (c *call) audit() (reply, error) {
	q := c.query()
	want := audit.Query{Actor: q.text("actor"), Action: q.text("action"), Object: q.text("object"), From: q.time("from"), To: q.time("to")}
	at := q.before()
	if err := q.err(); err != nil {
		return nil, err
	}
	return listing(c, auditTable, at, func(at span) (List[audit.Stored], error) {
		want.Before, want.Limit = at.number(), at.limit
		found, err := c.s.Audit.Audit(c.ctx(), want)
		return backwards(found, at, func(r *audit.Stored) int64 { return r.Seq }), err
	})
}

// before is the page of listings that go backwards by number.
func (q *query) before() span {
	at := span{limit: int(q.number("limit", defaultLimit, 1, maxLimit))}
	if n := q.number("before", 0, 0, 1<<62); n > 0 {
		at.cursor = strconv.FormatInt(n, 10)
	}
	return at
}

func (at span) number() int64 {
	n, _ := strconv.ParseInt(at.cursor, 10, 64) // made by before or backwards
	return n
}

// backwards is a page whose next begins before the last item's number.
func backwards[T any](items []T, at span, number func(*T) int64) List[T] {
	l := all(items)
	l.Total = -1
	if len(items) >= at.limit && len(items) > 0 {
		l.Next = strconv.FormatInt(number(&items[len(items)-1]), 10)
	} else if at.cursor == "" {
		l.Total = len(items)
	}
	return l
}

func (c *call) checkpoint() (reply, error) {
	if c.s.AuditLog == nil {
		return nil, errNoLog
	}
	p, err := c.s.AuditLog.Checkpoint(c.ctx())
	if err != nil {
		return nil, err
	}
	return ok(p), nil
}

func (c *call) exportAudit() (reply, error) {
	if c.s.AuditLog == nil {
		return nil, errNoLog
	}
	if err := c.record(c.entry("audit.export", "audit", "log")); err != nil {
		return nil, err
	}
	name := "seawall-audit-" + c.now.Format("20060102T150405Z") + ".tar"
	return stream{"application/x-tar", name, func(w io.Writer) error { return c.s.AuditLog.Export(c.ctx(), w) }}, nil
}
