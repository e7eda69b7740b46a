package api

import (
	"time"

	"github.com/seawall/seawall/auth"
	"github.com/seawall/seawall/catalog"
)

func (s *Server) findingRoutes() []route {
	return []route{
		{method: "GET", path: "/findings", need: somewhere(auth.ImageList), handle: (*call).findings},
		{method: "GET", path: "/findings/{key}", need: somewhere(auth.ImageList), handle: (*call).finding},
		{method: "PATCH", path: "/findings/{key}", need: somewhere(auth.FindingEdit), handle: (*call).changeFinding},
	}
}

var trackedTable = table[catalog.Tracked]{"findings", []column[catalog.Tracked]{
	{"repository", func(t *catalog.Tracked) any { return t.Repository }},
	{"type", func(t *catalog.Tracked) any { return t.Type }},
	{"id", func(t *catalog.Tracked) any { return t.ID }},
	{"title", func(t *catalog.Tracked) any { return t.Title }},
	{"package", func(t *catalog.Tracked) any { return t.Package }},
	{"version", func(t *catalog.Tracked) any { return t.Version }},
	{"fixedIn", func(t *catalog.Tracked) any { return t.FixedIn }},
	{"severity", func(t *catalog.Tracked) any { return t.Severity.String() }},
	{"exploited", func(t *catalog.Tracked) any { return t.Exploited }},
	{"state", func(t *catalog.Tracked) any { return string(t.State) }},
	{"firstSeen", func(t *catalog.Tracked) any { return t.FirstSeen }},
	{"lastSeen", func(t *catalog.Tracked) any { return t.LastSeen }},
	{"fixedAt", func(t *catalog.Tracked) any { return t.FixedAt }},
	{"due", func(t *catalog.Tracked) any { return t.Due }},
	{"owner", func(t *catalog.Tracked) any { return t.Owner }},
	{"source", func(t *catalog.Tracked) any { return t.Source }},
	{"images", func(t *catalog.Tracked) any { return len(t.Digests) }},
	{"key", func(t *catalog.Tracked) any { return t.Key }},
}}

func (q *query) findings() catalog.Findings {
	return catalog.Findings{
		Repository: q.text("repository"), Digest: q.text("digest"), ID: q.text("id"),
		Type:     oneOf(q, "type", "vulnerability", "secret", "check"),
		State:    oneOf(q, "state", catalog.Open, catalog.Accepted, catalog.FalsePositive, catalog.Fixed),
		Severity: q.severity(), Overdue: q.is("overdue"), Exploited: q.is("exploited"), Fixable: q.is("fixable"),
		Owner: q.text("owner"), Search: q.text("search"), Source: q.text("source"),
	}
}

func (c *call) findings() (reply, error) {
	q := c.query()
	want, at := q.findings(), q.span()
	if err := q.err(); err != nil {
		return nil, err
	}
	return listing(c, trackedTable, at, func(at span) (List[catalog.Tracked], error) { return c.trackedPage(want, at) })
}

// trackedPage is one page of the findings that the caller may see.
func (c *call) trackedPage(want catalog.Findings, at span) (List[catalog.Tracked], error) {
	if want.Repository != "" && !c.sees(want.Repository) {
		return all[catalog.Tracked](nil), nil
	}
	fetch := func(at span) (catalog.Page[catalog.Tracked], error) {
		want.Cursor, want.Limit = at.cursor, at.limit
		return c.s.Catalog.Findings(c.ctx(), want, c.now)
	}
	if want.Repository == "" && !c.seesAll() {
		return visible(at, func(t *catalog.Tracked) bool { return c.sees(t.Repository) }, fetch)
	}
	p, err := fetch(at)
	return whole(p), err
}

// loadFinding reads the finding of the path, if the caller may see it.
func (c *call) loadFinding() (catalog.Tracked, error) {
	t, err := c.s.Catalog.Finding(c.ctx(), c.path("key"))
	if err != nil {
		return t, err
	}
	if !c.sees(t.Repository) {
		return catalog.Tracked{}, errUnseen
	}
	return t, nil
}

func (c *call) finding() (reply, error) {
	t, err := c.loadFinding()
	if err != nil {
		return nil, err
	}
	return tagged(t), nil
}

func (c *call) changeFinding() (reply, error) {
	in, err := body[FindingChange](c)
	if err != nil {
		return nil, err
	}
	defer c.s.edits.take("finding " + c.path("key"))()
	t, err := c.loadFinding()
	if err != nil {
		return nil, err
	}
	if err := c.mayOn(auth.FindingEdit, t.Repository); err != nil {
		return nil, err
	}
	if err := c.matches(t, false); err != nil {
		return nil, err
	}
	owner, due, err := in.onto(t)
	if err != nil {
		return nil, err
	}
	e := c.entry("finding.change", "finding", t.Repository+" "+t.ID+" "+t.Package)
	e.Detail = map[string]string{"key": t.Key, "owner": owner}
	if !due.IsZero() {
		e.Detail["due"] = due.Format(time.RFC3339)
	}
	if err := c.s.Catalog.PutFinding(c.ctx(), t.Key, owner, due, e); err != nil {
		return nil, err
	}
	c.publish("findings", t.Repository)
	if t, err = c.s.Catalog.Finding(c.ctx(), t.Key); err != nil {
		return nil, err
	}
	return tagged(t), nil
}

// onto is what the finding's owner and due date become.
func (in FindingChange) onto(t catalog.Tracked) (owner string, due time.Time, err error) {
	var k check
	owner, due = t.Owner, t.Due
	if in.Owner != nil {
		owner = *in.Owner
		k.text(owner, "owner", false, 200)
	}
	if in.Due != nil {
		due = time.Time{}
		if *in.Due != "" {
			due, err = parseTime(*in.Due)
			k.that(err == nil, "due", "must be a time: 2026-01-31T12:00:00Z, or a day: 2026-01-31")
		}
	}
	return owner, due, k.done()
}
