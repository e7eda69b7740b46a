package intake

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/notify"
)

// Outdated is an image that somebody should build or scan again.
type Outdated struct {
	Repository string   `json:"repository"`
	Digest     string   `json:"digest"`
	Tags       []string `json:"tags"`
	Platform   string   `json:"platform,omitempty"`
	// Base is set where a newer base image is known: its name, the digest that was built upon, the newer one, and since
	// when that is known.
	Base *BaseBehind `json:"base,omitempty"`
	// Days is the age of the image, by when it was built, else pushed; set where it is over the limit.
	Days int `json:"days,omitempty"`
	// Fixable counts findings that have a fix.
	Fixable int `json:"fixable,omitempty"`
	// NotScanned: there is no verdict, or the last scan failed, which Error then tells.
	NotScanned bool   `json:"notScanned,omitempty"`
	Error      string `json:"error,omitempty"`
	// EndOfLife is the day on which its distribution ended, where that has passed.
	EndOfLife string `json:"endOfLife,omitempty"`
}

// BaseBehind tells how far a base image is behind.
type BaseBehind struct {
	Name  string    `json:"name"`
	Built string    `json:"built"` // digest
	Newer string    `json:"newer"` // digest
	Since time.Time `json:"since"`
}

// MaxAge is the age over which an image counts as old where nobody says otherwise.
const MaxAge = 180 * 24 * time.Hour

// ListOutdated lists the tagged images that are out of date at now, those with most fixable findings first. An image's
// base is behind where another digest of the same base name is known and newer: because the catalog holds that base
// image itself, as a copy, or because a newer image was built upon it.
func ListOutdated(images []catalog.Manifest, maxAge time.Duration, now time.Time) []Outdated {
	bases := newestBases(images)
	var out []Outdated
	for i := range images {
		m := &images[i]
		if m.Kind != catalog.KindImage || !m.Deleted.IsZero() || len(m.Tags) == 0 {
			continue
		}
		if o := outdated(m, bases, maxAge, now); o != nil {
			out = append(out, *o)
		}
	}
	slices.SortFunc(out, func(a, b Outdated) int {
		return cmp.Or(cmp.Compare(b.Fixable, a.Fixable), cmp.Compare(b.Days, a.Days),
			cmp.Compare(a.Repository, b.Repository), cmp.Compare(a.Digest, b.Digest))
	})
	return out
}

func outdated(m *catalog.Manifest, bases map[baseKey]base, maxAge time.Duration, now time.Time) *Outdated {
	o := Outdated{Repository: m.Repository, Digest: m.Digest, Tags: m.Tags, Platform: m.Platform}
	if age := now.Sub(builtAt(m)); maxAge > 0 && age > maxAge {
		o.Days = int(age / (24 * time.Hour))
	}
	e := m.Scan
	o.NotScanned = e == nil || e.Scanned.IsZero() || e.Error != ""
	if e != nil {
		o.Error, o.Fixable, o.Base = e.Error, e.Fixable, behind(m, bases)
		if end, err := time.Parse(time.DateOnly, e.EndOfLife); err == nil && !now.Before(end.AddDate(0, 0, 1)) {
			o.EndOfLife = e.EndOfLife
		}
	}
	if o.Base == nil && o.Days == 0 && o.Fixable == 0 && !o.NotScanned && o.EndOfLife == "" {
		return nil
	}
	return &o
}

// builtAt is when an image was built. Reproducible builds claim 1970 or 1980: then when it was pushed.
func builtAt(m *catalog.Manifest) time.Time {
	if m.Created.Year() > 2000 && m.Created.Before(m.Pushed) {
		return m.Created
	}
	return m.Pushed
}

// baseKey names a base image: its digests are per platform, where they are not those of an index.
type baseKey struct{ name, platform string }

type base struct {
	digest string
	since  time.Time
}

// newestBases finds, for each base name, the newest digest that is known.
func newestBases(images []catalog.Manifest) map[baseKey]base {
	newest := map[baseKey]base{}
	note := func(name, platform, digest string, since time.Time) {
		key := baseKey{name, platform}
		if have := newest[key]; name != "" && digest != "" && since.After(have.since) {
			newest[key] = base{digest, since}
		}
	}
	for i := range images {
		m := &images[i]
		if !m.Deleted.IsZero() {
			continue
		}
		if m.Scan != nil {
			note(m.Scan.BaseName, m.Platform, m.Scan.BaseDigest, builtAt(m))
		}
	}
	copies(images, func(name, platform, digest string, since time.Time) {
		// A copy in the catalog is the base image itself: it outweighs what others were built upon.
		if have := newest[baseKey{name, platform}]; have.digest != "" && have.digest != digest && since.After(have.since) {
			newest[baseKey{name, platform}] = base{digest, since}
		}
	})
	return newest
}

// copies hands the base images that the catalog holds as copies to f, for each platform that an index lists.
func copies(images []catalog.Manifest, f func(name, platform, digest string, since time.Time)) {
	platforms := map[[2]string]string{}
	for i := range images {
		m := &images[i]
		platforms[[2]string{m.Repository, m.Digest}] = m.Platform
	}
	for i := range images {
		m := &images[i]
		if m.Origin == "" || len(m.Tags) == 0 || !m.Deleted.IsZero() {
			continue
		}
		if m.Kind == catalog.KindImage {
			f(m.Origin, m.Platform, m.Digest, m.Pushed)
		}
		for _, child := range m.Children {
			f(m.Origin, platforms[[2]string{m.Repository, child}], m.Digest, m.Pushed)
		}
	}
}

func behind(m *catalog.Manifest, bases map[baseKey]base) *BaseBehind {
	e := m.Scan
	if e.BaseName == "" || e.BaseDigest == "" {
		return nil
	}
	b := bases[baseKey{e.BaseName, m.Platform}]
	if b.digest == "" || b.digest == e.BaseDigest || !b.since.After(builtAt(m)) {
		return nil
	}
	return &BaseBehind{Name: e.BaseName, Built: e.BaseDigest, Newer: b.digest, Since: b.since}
}

// Outdated lists what is out of date in all repositories, or in those that the pattern names. maxAge 0 is MaxAge.
func (s *Service) Outdated(ctx context.Context, pattern string, maxAge time.Duration) ([]Outdated, error) {
	if maxAge == 0 {
		maxAge = MaxAge
	}
	all, err := s.listed(ctx, catalog.Images{})
	if err != nil {
		return nil, err
	}
	list := ListOutdated(all, maxAge, s.now())
	if pattern != "" {
		list = slices.DeleteFunc(list, func(o Outdated) bool { return !finding.MatchPath(pattern, o.Repository) })
	}
	return list, nil
}

// Report tells how many images are out of date.
func (s *Service) Report(ctx context.Context) error {
	list, err := s.Outdated(ctx, "", 0)
	if err != nil || len(list) == 0 {
		return err
	}
	var n struct{ base, old, fixable, unscanned int }
	for i := range list {
		o := &list[i]
		n.base += one(o.Base != nil)
		n.old += one(o.Days > 0)
		n.fixable += one(o.Fixable > 0)
		n.unscanned += one(o.NotScanned)
	}
	now := s.now()
	s.Notify(notify.Event{
		ID: eventID("report.outdated", now.Format(time.DateOnly)), Time: now, Kind: "report.outdated", Severity: finding.SeverityLow,
		Title: plural(len(list), "image") + " out of date", Link: s.link("/reports/outdated"),
		Text: fmt.Sprintf("%d with a base image that is behind, %d old, %d with findings that have a fix, %d not scanned",
			n.base, n.old, n.fixable, n.unscanned),
		Detail: map[string]string{
			"images": strconv.Itoa(len(list)), "baseBehind": strconv.Itoa(n.base), "old": strconv.Itoa(n.old),
			"fixable": strconv.Itoa(n.fixable), "notScanned": strconv.Itoa(n.unscanned),
		},
	})
	return nil
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}
