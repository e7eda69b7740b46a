package api

import (
	"slices"
	"strings"

	"github.com/seawall/seawall/auth"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
)

func (s *Server) overviewRoutes() []route {
	return []route{
		{method: "GET", path: "/overview", need: somewhere(auth.ImageList), handle: (*call).overview},
		{method: "GET", path: "/trend", need: somewhere(auth.ImageList), handle: (*call).trend},
	}
}

func (c *call) overview() (reply, error) {
	if err := c.query().err(); err != nil {
		return nil, err
	}
	if !c.seesAll() {
		o, err := c.ownOverview()
		return tagged(o), err
	}
	o, err := c.s.Catalog.Overview(c.ctx(), c.now)
	if err != nil {
		return nil, err
	}
	return tagged(fill(o)), nil
}

// fill makes empty lists of those that are nil.
func fill(o catalog.Overview) catalog.Overview {
	if o.Attention == nil {
		o.Attention = []catalog.Attention{}
	}
	if o.Trend == nil {
		o.Trend = []catalog.TrendPoint{}
	}
	if o.ByStatus == nil {
		o.ByStatus = map[catalog.Status]int{}
	}
	return o
}

// ownOverview adds up what the caller may see. Counts are sums over repositories: a finding of two counts twice there,
// as it does for who sees everything, because a finding's identity begins with its repository.
func (c *call) ownOverview() (catalog.Overview, error) {
	o := fill(catalog.Overview{})
	err := c.eachRepository("", func(r *catalog.Repository) {
		o.Repositories++
		o.Images += r.Images
		o.Size += r.Size
		addCounts(&o.Counts, r.Counts)
		for status, n := range r.ByStatus {
			o.ByStatus[status] += n
		}
	})
	if err != nil {
		return o, err
	}
	o.Attention = attention(&o)
	return o, nil
}

// eachRepository hands every repository that the caller may see to yield.
func (c *call) eachRepository(search string, yield func(*catalog.Repository)) error {
	for cursor := ""; ; {
		p, err := c.s.Catalog.Repositories(c.ctx(), search, "name", cursor, maxLimit)
		if err != nil {
			return err
		}
		for i := range p.Items {
			if c.sees(p.Items[i].Name) {
				yield(&p.Items[i])
			}
		}
		if cursor = p.Next; cursor == "" {
			return nil
		}
	}
}

func addCounts(to *finding.Counts, c finding.Counts) {
	to.Critical += c.Critical
	to.High += c.High
	to.Medium += c.Medium
	to.Low += c.Low
	to.Negligible += c.Negligible
	to.Unknown += c.Unknown
}

// attention is what follows from the sums alone.
func attention(o *catalog.Overview) []catalog.Attention {
	all := []catalog.Attention{
		{Kind: "rejected", Title: "Rejected images", Count: o.ByStatus[catalog.Rejected], Severity: finding.SeverityCritical, Link: "/images?status=rejected"},
		{Kind: "critical", Title: "Critical findings", Count: o.Counts.Critical, Severity: finding.SeverityCritical, Link: "/findings?severity=critical&state=open"},
		{Kind: "quarantined", Title: "Quarantined images", Count: o.ByStatus[catalog.Quarantined], Severity: finding.SeverityHigh, Link: "/images?status=quarantined"},
	}
	return slices.DeleteFunc(all, func(a catalog.Attention) bool { return a.Count == 0 })
}

var trendTable = table[catalog.TrendPoint]{"trend", []column[catalog.TrendPoint]{
	{"day", func(p *catalog.TrendPoint) any { return p.Day }},
	{"critical", func(p *catalog.TrendPoint) any { return p.Counts.Critical }},
	{"high", func(p *catalog.TrendPoint) any { return p.Counts.High }},
	{"medium", func(p *catalog.TrendPoint) any { return p.Counts.Medium }},
	{"low", func(p *catalog.TrendPoint) any { return p.Counts.Low }},
	{"negligible", func(p *catalog.TrendPoint) any { return p.Counts.Negligible }},
	{"unknown", func(p *catalog.TrendPoint) any { return p.Counts.Unknown }},
	{"new", func(p *catalog.TrendPoint) any { return p.New }},
	{"fixed", func(p *catalog.TrendPoint) any { return p.Fixed }},
	{"images", func(p *catalog.TrendPoint) any { return p.Images }},
}}

func (c *call) trend() (reply, error) {
	q := c.query()
	repository, days := q.text("repository"), int(q.number("days", 90, 1, 730))
	if err := q.err(); err != nil {
		return nil, err
	}
	return listing(c, trendTable, span{}, func(span) (List[catalog.TrendPoint], error) {
		points, err := c.trendPoints(repository, days)
		return all(points), err
	})
}

func (c *call) trendPoints(repository string, days int) ([]catalog.TrendPoint, error) {
	switch {
	case repository != "" && !c.sees(repository):
		return nil, errUnseen
	case repository == "" && !c.seesAll():
		return c.ownTrend(days)
	}
	return c.s.Catalog.Trend(c.ctx(), repository, days)
}

// maxTrends bounds how many repositories are added up for a caller who does not see all.
const maxTrends = 500

// ownTrend adds up the trends of the repositories that the caller may see, the first maxTrends of them by name.
func (c *call) ownTrend(days int) ([]catalog.TrendPoint, error) {
	names := []string{}
	if err := c.eachRepository("", func(r *catalog.Repository) { names = append(names, r.Name) }); err != nil {
		return nil, err
	}
	byDay := map[string]catalog.TrendPoint{}
	for _, name := range names[:min(len(names), maxTrends)] {
		points, err := c.s.Catalog.Trend(c.ctx(), name, days)
		if err != nil {
			return nil, err
		}
		for _, p := range points {
			byDay[p.Day] = addPoint(byDay[p.Day], p)
		}
	}
	sum := make([]catalog.TrendPoint, 0, len(byDay))
	for _, p := range byDay {
		sum = append(sum, p)
	}
	slices.SortFunc(sum, func(a, b catalog.TrendPoint) int { return strings.Compare(a.Day, b.Day) })
	return sum, nil
}

func addPoint(a, b catalog.TrendPoint) catalog.TrendPoint {
	addCounts(&a.Counts, b.Counts)
	return catalog.TrendPoint{Day: b.Day, Counts: a.Counts, New: a.New + b.New, Fixed: a.Fixed + b.Fixed, Images: a.Images + b.Images}
}
