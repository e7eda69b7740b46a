package advisory

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/seawall/seawall/finding"
)

// coverage says, per ecosystem of the inventory, what the database could say at all. A Coverage has room for the
// weightiest reason; the others come as gaps.
func (mt *matcher) coverage(now time.Time) (out []finding.Coverage, gaps []finding.Gap) {
	type count struct{ packages, ofOS int }
	counts := map[string]*count{}
	for i := range mt.inv.Packages {
		p := &mt.inv.Packages[i]
		if p.OwnedBy != "" {
			continue
		}
		eco := cmp.Or(ecosystemOf(p, &mt.inv.Distro), p.Type, "unknown")
		if counts[eco] == nil {
			counts[eco] = &count{}
		}
		counts[eco].packages++
		if isOSType(p.Type) {
			counts[eco].ofOS++
		}
	}
	for eco, n := range counts {
		c := finding.Coverage{Ecosystem: eco, Packages: n.packages}
		for _, e := range mt.ecosystems(eco) {
			c.Records += e.records
			c.Newest = later(c.Newest, e.newest)
		}
		found := mt.gapsOf(&c, n.ofOS > 0, now)
		if len(found) > 0 {
			c.Gap, c.Detail = found[0].Kind, found[0].Detail
			gaps = append(gaps, found[1:]...)
		}
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b finding.Coverage) int { return cmp.Compare(a.Ecosystem, b.Ecosystem) })
	gaps = append(gaps, mt.gaps...)
	slices.SortStableFunc(gaps, func(a, b finding.Gap) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Where, b.Where), cmp.Compare(a.Detail, b.Detail))
	})
	return out, gaps
}

// gapsOf lists what is wrong with an ecosystem's coverage, the weightiest first.
func (mt *matcher) gapsOf(c *finding.Coverage, os bool, now time.Time) (out []finding.Gap) {
	add := func(k finding.GapKind, format string, args ...any) {
		out = append(out, finding.Gap{Kind: k, Where: c.Ecosystem, Detail: fmt.Sprintf(format, args...)})
	}
	d := &mt.inv.Distro
	starter := mt.db.h.flags&flagStarter != 0
	switch {
	case os && isOSType(c.Ecosystem):
		add(finding.GapUnknownDistro, "%d packages of a distribution that is not known (os-release: %q)", c.Packages, cmp.Or(d.Name, d.ID))
	case starter:
		add(finding.GapStarterOnly, "only the %d built-in advisories were consulted: run `seawall db update`", mt.db.h.records)
	case c.Records == 0 && os:
		add(finding.GapNoData, "the database holds no advisory for %s", c.Ecosystem)
	case c.Records == 0:
		add(finding.GapNoData, "the database holds no advisory for packages of %s", c.Ecosystem)
	}
	if os && ended(d.EndOfLife, now) {
		add(finding.GapEndOfLife, "%s has had no advisories since %s: new vulnerabilities are not listed", cmp.Or(d.Name, c.Ecosystem), d.EndOfLife)
	}
	return out
}

// ended: the day has passed.
func ended(day string, now time.Time) bool {
	t, err := time.Parse(time.DateOnly, day)
	return err == nil && !now.Before(t.AddDate(0, 0, 1))
}
