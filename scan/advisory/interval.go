package advisory

import (
	"slices"
	"sort"

	"github.com/seawall/seawall/scan/advisory/record"
	"github.com/seawall/seawall/scan/advisory/version"
)

// Affected versions are kept as intervals of positions. The versions that the advisories of a package name are
// sorted once, when the database is built; version r of that list has position 2r+1, and every version between
// r-1 and r has position 2r. So one binary search places an installed version, and then each advisory is decided
// by comparing integers.

// interval is half-open: lo <= position < hi. hi 0 means without end.
type interval struct{ lo, hi uint32 }

func (i interval) has(pos uint32) bool { return i.lo <= pos && (i.hi == 0 || pos < i.hi) }

func anyHas(ivs []interval, pos uint32) bool {
	for _, i := range ivs {
		if i.has(pos) {
			return true
		}
	}
	return false
}

func atRank(r int) uint32    { return uint32(2*r + 1) }
func afterRank(r int) uint32 { return uint32(2*r + 2) }

// ranks places versions among sorted ones.
type ranks struct {
	sorted []version.Version
	texts  []string // as written; the first of those that compare equal
}

// newRanks sorts the versions and drops those that compare equal to an earlier one.
func newRanks(parsed map[string]version.Version) ranks {
	texts := make([]string, 0, len(parsed))
	for t := range parsed {
		texts = append(texts, t)
	}
	sort.Slice(texts, func(i, j int) bool {
		if c := parsed[texts[i]].Compare(parsed[texts[j]]); c != 0 {
			return c < 0
		}
		return shorter(texts[i], texts[j])
	})
	texts = slices.CompactFunc(texts, func(a, b string) bool { return parsed[a].Compare(parsed[b]) == 0 })
	r := ranks{texts: texts, sorted: make([]version.Version, len(texts))}
	for i, t := range texts {
		r.sorted[i] = parsed[t]
	}
	return r
}

func shorter(a, b string) bool {
	if len(a) != len(b) {
		return len(a) < len(b)
	}
	return a < b
}

func (r ranks) position(v version.Version) uint32 {
	i, found := slices.BinarySearchFunc(r.sorted, v, version.Version.Compare)
	if found {
		return atRank(i)
	}
	return uint32(2 * i)
}

// step is an event of a range as a position; every version from it on is affected, or not.
type step struct {
	pos   uint32
	opens bool
}

// compile turns a range's events into intervals by OSV's algorithm (schema, section "Evaluation"): events sorted
// by version, each deciding for the versions from it on. place gives an event's version a rank.
func compile(events []record.Event, place func(string) int) []interval {
	var steps []step
	limit, limited := uint32(0), false
	for _, e := range events {
		switch {
		case e.Introduced == "0":
			steps = append(steps, step{0, true})
		case e.Introduced != "":
			steps = append(steps, step{atRank(place(e.Introduced)), true})
		case e.Fixed != "":
			steps = append(steps, step{atRank(place(e.Fixed)), false})
		case e.LastAffected != "":
			steps = append(steps, step{afterRank(place(e.LastAffected)), false})
		case e.Limit == "*":
			limited, limit = true, 0
		case e.Limit != "":
			// Several limits: below any of them is enough, so the highest counts.
			if at := atRank(place(e.Limit)); !limited || limit != 0 {
				limited, limit = true, max(limit, at)
			}
		}
	}
	// Stable: at one version, events count in the order in which they are written.
	sort.SliceStable(steps, func(i, j int) bool { return steps[i].pos < steps[j].pos })
	return clip(walk(steps), limit)
}

func walk(steps []step) []interval {
	var out []interval
	open, lo := false, uint32(0)
	for _, s := range steps {
		switch {
		case s.opens && !open:
			open, lo = true, s.pos
		case !s.opens && open:
			if open = false; s.pos > lo {
				out = append(out, interval{lo, s.pos})
			}
		}
	}
	if open {
		out = append(out, interval{lo, 0})
	}
	return out
}

func clip(ivs []interval, limit uint32) []interval {
	if limit == 0 {
		return ivs
	}
	var out []interval
	for _, i := range ivs {
		if i.lo >= limit {
			continue
		}
		if i.hi == 0 || i.hi > limit {
			i.hi = limit
		}
		out = append(out, i)
	}
	return out
}

// join sorts intervals and merges those that touch.
func join(ivs []interval) []interval {
	sort.Slice(ivs, func(i, j int) bool { return ivs[i].lo < ivs[j].lo })
	out := ivs[:0]
	for _, i := range ivs {
		last := len(out) - 1
		switch {
		case last < 0 || out[last].hi != 0 && out[last].hi < i.lo:
			out = append(out, i)
		case out[last].hi != 0 && (i.hi == 0 || i.hi > out[last].hi):
			out[last].hi = i.hi
		}
	}
	return out
}
