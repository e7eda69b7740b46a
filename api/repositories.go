package api

import (
	"github.com/seawall/seawall/auth"
	"github.com/seawall/seawall/catalog"
)

func (s *Server) repositoryRoutes() []route {
	return []route{
		{method: "GET", path: "/repositories", need: somewhere(auth.ImageList), handle: (*call).repositories},
		{method: "GET", path: "/repositories/{repository}", need: onImage(auth.ImageList), handle: (*call).repository},
		{method: "GET", path: "/repositories/{repository}/tags", need: onImage(auth.ImageList), handle: (*call).tags},
		{method: "DELETE", path: "/repositories/{repository}/tags/{tag}", need: onImage(auth.ImageDelete), handle: (*call).deleteTag},
	}
}

var repositoryTable = table[catalog.Repository]{"repositories", []column[catalog.Repository]{
	{"name", func(r *catalog.Repository) any { return r.Name }},
	{"images", func(r *catalog.Repository) any { return r.Images }},
	{"tags", func(r *catalog.Repository) any { return r.Tags }},
	{"size", func(r *catalog.Repository) any { return r.Size }},
	{"pushed", func(r *catalog.Repository) any { return r.Pushed }},
	{"pulled", func(r *catalog.Repository) any { return r.Pulled }},
	{"critical", func(r *catalog.Repository) any { return r.Counts.Critical }},
	{"high", func(r *catalog.Repository) any { return r.Counts.High }},
	{"medium", func(r *catalog.Repository) any { return r.Counts.Medium }},
	{"low", func(r *catalog.Repository) any { return r.Counts.Low }},
	{"rejected", func(r *catalog.Repository) any { return r.ByStatus[catalog.Rejected] }},
	{"quarantined", func(r *catalog.Repository) any { return r.ByStatus[catalog.Quarantined] }},
}}

func (c *call) repositories() (reply, error) {
	q := c.query()
	search, sort, at := q.text("search"), oneOf(q, "sort", "name", "pushed", "verdict"), q.span()
	if err := q.err(); err != nil {
		return nil, err
	}
	fetch := func(at span) (catalog.Page[catalog.Repository], error) {
		return c.s.Catalog.Repositories(c.ctx(), search, sort, at.cursor, at.limit)
	}
	return listing(c, repositoryTable, at, func(at span) (List[catalog.Repository], error) {
		if !c.seesAll() {
			return visible(at, func(r *catalog.Repository) bool { return c.sees(r.Name) }, fetch)
		}
		p, err := fetch(at)
		return whole(p), err
	})
}

func (c *call) repository() (reply, error) {
	r, err := c.s.Catalog.Repository(c.ctx(), c.path("repository"))
	if err != nil {
		return nil, err
	}
	return tagged(r), nil
}

var tagTable = table[catalog.Tag]{"tags", []column[catalog.Tag]{
	{"repository", func(t *catalog.Tag) any { return t.Repository }},
	{"name", func(t *catalog.Tag) any { return t.Name }},
	{"digest", func(t *catalog.Tag) any { return t.Digest }},
	{"updated", func(t *catalog.Tag) any { return t.Updated }},
	{"by", func(t *catalog.Tag) any { return t.By }},
}}

func (c *call) tags() (reply, error) {
	q := c.query()
	at := q.span()
	if err := q.err(); err != nil {
		return nil, err
	}
	return listing(c, tagTable, at, func(at span) (List[catalog.Tag], error) {
		tags, err := c.s.Catalog.Tags(c.ctx(), c.path("repository"), at.cursor, at.limit)
		l := List[catalog.Tag]{Items: append([]catalog.Tag{}, tags...), Total: -1}
		if len(tags) == at.limit {
			l.Next = tags[len(tags)-1].Name
		} else if at.cursor == "" {
			l.Total = len(tags)
		}
		return l, err
	})
}

func (c *call) deleteTag() (reply, error) {
	repository, tag := c.path("repository"), c.path("tag")
	err := c.s.Actions.DeleteTag(c.ctx(), repository, tag, c.entry("tag.delete", "tag", repository+":"+tag))
	if err != nil {
		return nil, err
	}
	c.publish("images", repository)
	return done(), nil
}
