package api

import (
	"github.com/seawall/seawall/auth"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
)

const imagePath = "/repositories/{repository}/images/{digest}"

func (s *Server) imageRoutes() []route {
	return []route{
		{method: "GET", path: "/images", need: somewhere(auth.ImageList), handle: (*call).images},
		{method: "GET", path: imagePath, need: onImage(auth.ImageList), handle: (*call).image},
		{method: "DELETE", path: imagePath, need: onImage(auth.ImageDelete), handle: (*call).deleteImage},
		{method: "POST", path: imagePath + "/restore", need: onImage(auth.ImageDelete), handle: (*call).restoreImage},
		{method: "GET", path: imagePath + "/referrers", need: onImage(auth.ImageList), handle: (*call).referrers},
	}
}

var imageTable = table[catalog.Manifest]{"images", []column[catalog.Manifest]{
	{"repository", func(m *catalog.Manifest) any { return m.Repository }},
	{"digest", func(m *catalog.Manifest) any { return m.Digest }},
	{"tags", func(m *catalog.Manifest) any { return m.Tags }},
	{"kind", func(m *catalog.Manifest) any { return string(m.Kind) }},
	{"platform", func(m *catalog.Manifest) any { return m.Platform }},
	{"status", func(m *catalog.Manifest) any { return string(m.Status) }},
	{"decision", func(m *catalog.Manifest) any { return string(evaluation(m).Decision) }},
	{"critical", func(m *catalog.Manifest) any { return evaluation(m).Counts.Critical }},
	{"high", func(m *catalog.Manifest) any { return evaluation(m).Counts.High }},
	{"medium", func(m *catalog.Manifest) any { return evaluation(m).Counts.Medium }},
	{"low", func(m *catalog.Manifest) any { return evaluation(m).Counts.Low }},
	{"secrets", func(m *catalog.Manifest) any { return evaluation(m).Secrets }},
	{"fixable", func(m *catalog.Manifest) any { return evaluation(m).Fixable }},
	{"distro", func(m *catalog.Manifest) any { return evaluation(m).Distro }},
	{"size", func(m *catalog.Manifest) any { return m.Size }},
	{"created", func(m *catalog.Manifest) any { return m.Created }},
	{"pushed", func(m *catalog.Manifest) any { return m.Pushed }},
	{"pushedBy", func(m *catalog.Manifest) any { return m.PushedBy }},
	{"scanned", func(m *catalog.Manifest) any { return evaluation(m).Scanned }},
	{"matched", func(m *catalog.Manifest) any { return evaluation(m).Matched }},
	{"pulls", func(m *catalog.Manifest) any { return m.Pulls }},
}}

// evaluation is the image's, zero where it was never scanned.
func evaluation(m *catalog.Manifest) catalog.Evaluation {
	if m.Scan == nil {
		return catalog.Evaluation{}
	}
	return *m.Scan
}

func (q *query) images() catalog.Images {
	return catalog.Images{
		Repository: q.text("repository"), Search: q.text("search"), Digest: q.text("digest"), Finding: q.text("finding"),
		Kind:     oneOf(q, "kind", catalog.KindImage, catalog.KindIndex, catalog.KindArtifact),
		Status:   oneOf(q, "status", catalog.Received, catalog.Quarantined, catalog.Released, catalog.Rejected, catalog.NotScanned),
		Decision: oneOf(q, "decision", finding.Pass, finding.Warn, finding.Fail, finding.NotEvaluated),
		Untagged: q.flag("untagged"), Deleted: q.is("deleted"),
		Sort: oneOf(q, "sort", "pushed", "name", "verdict", "size"),
	}
}

func (c *call) images() (reply, error) {
	q := c.query()
	want, at := q.images(), q.span()
	if err := q.err(); err != nil {
		return nil, err
	}
	return listing(c, imageTable, at, func(at span) (List[catalog.Manifest], error) { return c.manifests(want, at) })
}

// manifests is one page of the images that the caller may see.
func (c *call) manifests(want catalog.Images, at span) (List[catalog.Manifest], error) {
	if want.Repository != "" && !c.sees(want.Repository) {
		return all[catalog.Manifest](nil), nil
	}
	fetch := func(at span) (catalog.Page[catalog.Manifest], error) {
		want.Cursor, want.Limit = at.cursor, at.limit
		return c.s.Catalog.Manifests(c.ctx(), want)
	}
	if want.Repository == "" && !c.seesAll() {
		return visible(at, func(m *catalog.Manifest) bool { return c.sees(m.Repository) }, fetch)
	}
	p, err := fetch(at)
	return whole(p), err
}

func (c *call) manifest() (catalog.Manifest, error) {
	return c.s.Catalog.Manifest(c.ctx(), c.path("repository"), c.path("digest"))
}

// imageName is how records and events name the image of the path.
func (c *call) imageName() string { return c.path("repository") + "@" + c.path("digest") }

func (c *call) image() (reply, error) {
	m, err := c.manifest()
	if err != nil {
		return nil, err
	}
	return tagged(m), nil
}

func (c *call) deleteImage() (reply, error) {
	defer c.s.edits.take("image " + c.imageName())()
	m, err := c.manifest()
	if err != nil {
		return nil, err
	}
	if err := c.matches(m, false); err != nil {
		return nil, err
	}
	e := c.entry("image.delete", "image", c.imageName())
	if err := c.s.Actions.DeleteImage(c.ctx(), m.Repository, m.Digest, e); err != nil {
		return nil, err
	}
	c.publish("images", c.imageName())
	return done(), nil
}

func (c *call) restoreImage() (reply, error) {
	e := c.entry("image.restore", "image", c.imageName())
	if err := c.s.Actions.RestoreImage(c.ctx(), c.path("repository"), c.path("digest"), e); err != nil {
		return nil, err
	}
	c.publish("images", c.imageName())
	m, err := c.manifest()
	return ok(m), err
}

func (c *call) referrers() (reply, error) {
	q := c.query()
	kind := q.text("artifactType")
	if err := q.err(); err != nil {
		return nil, err
	}
	found, err := c.s.Actions.Referrers(c.ctx(), c.path("repository"), c.path("digest"), kind)
	if err != nil {
		return nil, err
	}
	return ok(all(found)), nil
}
