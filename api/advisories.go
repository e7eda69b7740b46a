package api

import (
	"context"

	"github.com/seawall/seawall/auth"
	"github.com/seawall/seawall/catalog"
)

func (s *Server) advisoryRoutes() []route {
	return []route{
		{method: "GET", path: "/advisories", need: somewhere(auth.ImageList), handle: (*call).advisories},
		{method: "GET", path: "/advisories/{id}", need: somewhere(auth.ImageList), handle: (*call).advisory},
		{method: "GET", path: "/database", need: somewhere(auth.ImageList), handle: (*call).database},
		{method: "POST", path: "/database/update", need: on(auth.SystemWrite), handle: (*call).updateDatabase},
	}
}

func (c *call) advisories() (reply, error) {
	q := c.query()
	search, limit := q.text("search"), int(q.number("limit", defaultLimit, 1, maxLimit))
	if search != "" && len(search) < 2 {
		q.wrong("search", "needs two characters or more")
	}
	if err := q.err(); err != nil {
		return nil, err
	}
	found, err := c.s.Actions.Advisories(c.ctx(), search, limit)
	if err != nil {
		return nil, err
	}
	l := all(found)
	if len(found) >= limit {
		l.Total = -1
	}
	return ok(l), nil
}

func (c *call) advisory() (reply, error) {
	q := c.query()
	at := q.span()
	if err := q.err(); err != nil {
		return nil, err
	}
	a, err := c.s.Actions.Advisory(c.ctx(), c.path("id"))
	if err != nil {
		return nil, err
	}
	if a.Images, err = c.reach(a.ID, at); err != nil {
		return nil, err
	}
	return ok(a), nil
}

// reach is one page of the images that an advisory affects, each with its findings.
func (c *call) reach(id string, at span) (*AdvisoryReach, error) {
	page, err := c.manifests(catalog.Images{Finding: id, Sort: "name"}, at)
	if err != nil {
		return nil, err
	}
	r := &AdvisoryReach{Items: make([]AffectedImage, len(page.Items)), Next: page.Next, Total: page.Total}
	byRepository := map[string][]catalog.Tracked{}
	for i := range page.Items {
		m := &page.Items[i]
		if _, read := byRepository[m.Repository]; !read {
			p, err := c.s.Catalog.Findings(c.ctx(), catalog.Findings{Repository: m.Repository, ID: id, Limit: maxLimit}, c.now)
			if err != nil {
				return nil, err
			}
			byRepository[m.Repository] = p.Items
		}
		r.Items[i] = affected(m, byRepository[m.Repository])
	}
	return r, nil
}

// affected sets beside an image those of the repository's findings that it carries.
func affected(m *catalog.Manifest, found []catalog.Tracked) AffectedImage {
	a := AffectedImage{Repository: m.Repository, Digest: m.Digest, Tags: m.Tags, Platform: m.Platform, Status: m.Status,
		Findings: []catalog.Tracked{}, Running: noSource}
	for _, t := range found {
		for _, d := range t.Digests {
			if d == m.Digest {
				t.Digests = nil // of other images: they stand at theirs
				a.Findings = append(a.Findings, t)
				break
			}
		}
	}
	return a
}

func (c *call) database() (reply, error) {
	d, err := c.s.Actions.Database(c.ctx())
	if err != nil {
		return nil, err
	}
	return ok(d), nil
}

func (c *call) updateDatabase() (reply, error) {
	return c.order(c.entry("database.update.order", "database", "advisories"), func(ctx context.Context) (int64, error) {
		return c.s.Actions.UpdateDatabase(ctx, c.who.Actor)
	})
}
