package api

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seawall/seawall/auth"
	"github.com/seawall/seawall/catalog"
)

func (s *Server) reportRoutes() []route {
	return []route{
		{method: "GET", path: "/reports/outdated", need: somewhere(auth.ImageList), handle: (*call).outdated},
		{method: "GET", path: "/reports/outdated.csv", need: somewhere(auth.ImageList), handle: (*call).outdatedCSV},
	}
}

// Why an image is out of date.
const (
	BaseBehind   = "base-behind"
	TooOld       = "age"
	FixAvailable = "fix-available"
	NeverScanned = "not-scanned"
	EndOfLife    = "end-of-life"
)

var reasons = []string{BaseBehind, TooOld, FixAvailable, NeverScanned, EndOfLife}

// defaultOutdated is the age of an image from which it is out of date, where no setting says otherwise.
const defaultOutdated = 90 * 24 * time.Hour

var outdatedTable = table[Outdated]{"outdated", []column[Outdated]{
	{"repository", func(o *Outdated) any { return o.Repository }},
	{"digest", func(o *Outdated) any { return o.Digest }},
	{"tags", func(o *Outdated) any { return o.Tags }},
	{"reasons", func(o *Outdated) any {
		s := make([]string, len(o.Reasons))
		for i, r := range o.Reasons {
			s[i] = r.Kind
		}
		return s
	}},
	{"created", func(o *Outdated) any { return o.Created }},
	{"pushed", func(o *Outdated) any { return o.Pushed }},
	{"scanned", func(o *Outdated) any { return o.Scanned }},
	{"base", func(o *Outdated) any { return o.BaseName }},
	{"fixable", func(o *Outdated) any { return o.Fixable }},
	{"critical", func(o *Outdated) any { return o.Counts.Critical }},
	{"high", func(o *Outdated) any { return o.Counts.High }},
}}

func (c *call) outdated() (reply, error) {
	q := c.query()
	repository, reason := q.text("repository"), oneOf(q, "reason", reasons...)
	if err := q.err(); err != nil {
		return nil, err
	}
	found, err := c.outdatedImages(repository, reason)
	if err != nil {
		return nil, err
	}
	return listing(c, outdatedTable, span{}, func(span) (List[Outdated], error) { return all(found), nil })
}

func (c *call) outdatedCSV() (reply, error) {
	u := *c.r.URL
	v := u.Query()
	v.Set("format", "csv")
	u.RawQuery = v.Encode()
	c.r.URL = &u
	return c.outdated()
}

// maxReport bounds the images that one report looks at.
const maxReport = 200_000

// outdatedImages looks at every tagged image that the caller may see; those without a tag are on their way out anyway.
func (c *call) outdatedImages(repository, reason string) ([]Outdated, error) {
	settings, _, err := c.loadSettings()
	if err != nil {
		return nil, err
	}
	after := cmp.Or(time.Duration(settings.OutdatedAfter), defaultOutdated)
	tagged := false
	images, at := []catalog.Manifest{}, span{limit: maxLimit}
	for len(images) < maxReport {
		p, err := c.manifests(catalog.Images{Repository: repository, Kind: catalog.KindImage, Untagged: &tagged, Sort: "name"}, at)
		if err != nil {
			return nil, err
		}
		images = append(images, p.Items...)
		if at.cursor = p.Next; at.cursor == "" {
			break
		}
	}
	found := OutdatedOf(images, after, c.now)
	if reason != "" {
		found = slices.DeleteFunc(found, func(o Outdated) bool {
			return !slices.ContainsFunc(o.Reasons, func(r OutdatedReason) bool { return r.Kind == reason })
		})
	}
	return found, nil
}

// OutdatedOf tells which of the images are out of date at now, those with most reasons first.
func OutdatedOf(images []catalog.Manifest, after time.Duration, now time.Time) []Outdated {
	bases := newestBases(images)
	found := []Outdated{}
	for i := range images {
		m := &images[i]
		if why := outdatedBecause(m, bases, after, now); len(why) > 0 {
			e := evaluation(m)
			found = append(found, Outdated{Repository: m.Repository, Digest: m.Digest, Tags: m.Tags, Created: m.Created, Pushed: m.Pushed,
				Scanned: e.Scanned, BaseName: e.BaseName, Fixable: e.Fixable, Counts: e.Counts, Reasons: why})
		}
	}
	slices.SortStableFunc(found, func(a, b Outdated) int {
		return cmp.Or(cmp.Compare(len(b.Reasons), len(a.Reasons)), cmp.Compare(b.Counts.Critical, a.Counts.Critical),
			strings.Compare(a.Repository, b.Repository), strings.Compare(a.Digest, b.Digest))
	})
	return found
}

// base is a base image as the newest image that was built on it names it.
type base struct {
	digest string
	built  time.Time
}

// newestBases is, by name and platform of the base, the digest on which the newest image was built: what is known
// without asking another registry.
func newestBases(images []catalog.Manifest) map[string]base {
	newest := map[string]base{}
	for i := range images {
		m := &images[i]
		e := evaluation(m)
		if e.BaseName == "" || e.BaseDigest == "" {
			continue
		}
		built := cmp.Or(m.Created, m.Pushed)
		if key := e.BaseName + " " + m.Platform; built.After(newest[key].built) {
			newest[key] = base{e.BaseDigest, built}
		}
	}
	return newest
}

func outdatedBecause(m *catalog.Manifest, bases map[string]base, after time.Duration, now time.Time) []OutdatedReason {
	why := []OutdatedReason{}
	add := func(kind, format string, args ...any) {
		why = append(why, OutdatedReason{kind, fmt.Sprintf(format, args...)})
	}
	e := evaluation(m)
	if b, known := bases[e.BaseName+" "+m.Platform]; known && e.BaseDigest != "" && b.digest != e.BaseDigest {
		add(BaseBehind, "another image was built on a newer %s: %s", e.BaseName, b.digest)
	}
	if created := cmp.Or(m.Created, m.Pushed); now.Sub(created) > after {
		add(TooOld, "built %d days ago", int(now.Sub(created).Hours()/24))
	}
	if e.Fixable > 0 {
		add(FixAvailable, "%d findings have a fix", e.Fixable)
	}
	if m.Scan == nil || e.Scanned.IsZero() {
		add(NeverScanned, "never scanned")
	}
	if e.EndOfLife != "" && e.EndOfLife <= now.Format(time.DateOnly) {
		add(EndOfLife, "%s gets no advisories since %s", e.Distro, e.EndOfLife)
	}
	return why
}
