package gate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seawall/seawall/finding"
)

// GapRules say what a part that was not evaluated leads to: Stop to not-evaluated, Warn to a warning, Ignore to
// nothing. An entry that names a place outweighs one that does not; among equals Stop outweighs Warn, and Warn Ignore.
// What no entry names stops, but for two kinds that warn: a version that does not parse, and packages without data
// for whose kind nobody publishes advisories ("generic").
type GapRules struct {
	Stop   []GapRule `json:"stop,omitempty"`
	Warn   []GapRule `json:"warn,omitempty"`
	Ignore []GapRule `json:"ignore,omitempty"`
}

// GapRule names gaps: a kind, and with Where only those in places that match: a shell pattern, "**" crossing slashes,
// over a path, an ecosystem or a diff id. In a gate file: "no-data" or "unreadable:opt/app/test/**".
type GapRule struct {
	Kind  finding.GapKind
	Where string
}

// MarshalText writes kind or kind:where.
func (g GapRule) MarshalText() ([]byte, error) {
	if g.Where == "" {
		return []byte(g.Kind), nil
	}
	return []byte(string(g.Kind) + ":" + g.Where), nil
}

// UnmarshalText reads what MarshalText writes.
func (g *GapRule) UnmarshalText(text []byte) error {
	kind, where, placed := strings.Cut(string(text), ":")
	if !slices.Contains(finding.GapKinds, finding.GapKind(kind)) {
		return oneOf(kind, textsOf(finding.GapKinds))
	}
	if placed && where == "" {
		return fmt.Errorf("%q: nothing follows the colon", clip(string(text)))
	}
	g.Kind, g.Where = finding.GapKind(kind), where
	return finding.ValidPattern(where)
}

func (g *GapRule) names(gap *finding.Gap) bool {
	return g.Kind == gap.Kind && (g.Where == "" || finding.MatchPath(g.Where, gap.Where))
}

// decision is what gap leads to. covered: someone publishes advisories for the kind of package that it is about.
func (g *GapRules) decision(gap *finding.Gap, covered bool) finding.Decision {
	for _, placed := range []bool{true, false} {
		for _, list := range []struct {
			rules    []GapRule
			decision finding.Decision
		}{{g.Stop, finding.NotEvaluated}, {g.Warn, finding.Warn}, {g.Ignore, finding.Pass}} {
			for i := range list.rules {
				r := &list.rules[i]
				if (r.Where != "") == placed && r.names(gap) && (placed || covered || list.decision != finding.NotEvaluated) {
					return list.decision
				}
			}
		}
	}
	if gap.Kind == finding.GapUnparsedVersion || !covered {
		return finding.Warn
	}
	return finding.NotEvaluated
}

func gapRule(kind finding.GapKind) string { return "gaps." + string(kind) }

// gaps gives one reason for each kind of gap and what it leads to.
func gaps(c *trial) []finding.Reason {
	var out []finding.Reason
	all := c.gaps()
	for _, kind := range kinds(all) {
		for _, d := range []finding.Decision{finding.NotEvaluated, finding.Warn} {
			var some []finding.Gap
			for _, gap := range all {
				if gap.Kind == kind && c.policy.Gaps.decision(&gap, c.covered(&gap)) == d {
					some = append(some, gap)
				}
			}
			if len(some) > 0 {
				out = append(out, finding.Reason{Decision: d, Rule: gapRule(kind), Message: sentence(some)})
			}
		}
	}
	return out
}

// kinds returns the kinds of gaps that are there, in the order of finding.GapKinds and then of appearance: a kind that
// is not known here, from a newer report, counts too.
func kinds(gaps []finding.Gap) []finding.GapKind {
	order := slices.Clone(finding.GapKinds)
	for i := range gaps {
		if !slices.Contains(order, gaps[i].Kind) {
			order = append(order, gaps[i].Kind)
		}
	}
	return order
}

// covered reports whether advisories are published for what a no-data gap is about: some package has it as its
// ecosystem. A package whose kind has none is listed under its type.
func (c *trial) covered(gap *finding.Gap) bool {
	if gap.Kind != finding.GapNoData {
		return true
	}
	types := false
	for i := range c.result.Inventory.Packages {
		p := &c.result.Inventory.Packages[i]
		if p.Ecosystem == gap.Where {
			return true
		}
		types = types || p.Ecosystem == "" && p.Type == gap.Where
	}
	return !types
}

// sentence tells about gaps of one kind: the first in full, with all places where the others say the same.
func sentence(gaps []finding.Gap) string {
	detail := plain(gaps[0].Detail)
	if detail == "" {
		detail = strings.ReplaceAll(string(gaps[0].Kind), "-", " ")
	}
	var places []string
	others := 0
	for _, g := range gaps {
		switch {
		case g.Detail != gaps[0].Detail:
			others++
		case g.Where != "":
			places = append(places, g.Where)
		}
	}
	if len(places) > 0 && (len(places) > 1 || !strings.Contains(detail, plain(places[0]))) {
		detail = list(places) + ": " + detail
	}
	if others > 0 {
		detail += fmt.Sprintf(" (and %d more like it)", others)
	}
	return detail
}

// gaps returns all gaps of the image, each once: those that the scan reported, and those that only show here, against
// the gate file and the clock, unless the scan has reported that kind.
func (c *trial) gaps() []finding.Gap {
	all := slices.Clone(c.result.Inventory.Gaps)
	for i := range c.result.Coverage {
		if v := &c.result.Coverage[i]; v.Gap != "" {
			all = append(all, finding.Gap{Kind: v.Gap, Where: v.Ecosystem, Detail: v.Detail})
		}
	}
	for _, g := range slices.Concat(c.notScanned(), c.database(), c.endOfLife()) {
		if !slices.ContainsFunc(all, func(known finding.Gap) bool { return known.Kind == g.Kind }) || g.Where != "" {
			all = append(all, g)
		}
	}
	return once(all)
}

// once keeps the first gap of each kind and place. A kind without a place is about the whole image.
func once(gaps []finding.Gap) []finding.Gap {
	type place struct {
		kind  finding.GapKind
		where string
	}
	seen := map[place]bool{}
	out := gaps[:0]
	for _, g := range gaps {
		if p := (place{g.Kind, g.Where}); !seen[p] {
			seen[p] = true
			out = append(out, g)
		}
	}
	return out
}

// notScanned lists what the gate asks about and the scan did not look for.
func (c *trial) notScanned() []finding.Gap {
	scanned, p := c.result.Inventory.Scanned, c.policy
	var out []finding.Gap
	for _, q := range []struct {
		asked, looked bool
		what          string
	}{
		{true, scanned.Packages, "packages"},
		{p.Secrets.Fail != Never, scanned.Secrets, "secrets"},
		{p.Checks.Fail != Never || len(p.Checks.Deny) > 0, scanned.Checks, "configuration checks"},
	} {
		if q.asked && !q.looked {
			out = append(out, finding.Gap{Kind: finding.GapNotScanned, Where: q.what, Detail: q.what + " were not looked for"})
		}
	}
	return out
}

// database lists what is wrong with the advisories that were consulted, and with an image that has nothing to look up.
func (c *trial) database() []finding.Gap {
	r := c.result
	gap := func(kind finding.GapKind, detail string) []finding.Gap {
		return []finding.Gap{{Kind: kind, Detail: detail}}
	}
	switch {
	case len(r.Inventory.Packages) == 0:
		return gap(finding.GapNothingFound, "no package was found")
	case r.Database.Starter:
		return gap(finding.GapStarterOnly, "only the built-in starter advisories were consulted: run seawall db update")
	case r.Database.Digest == "":
		return gap(finding.GapDatabaseMismatch, "no advisory database was consulted: run seawall db update")
	case len(r.Coverage) == 0:
		return gap(finding.GapNoData, "the report does not say which ecosystems were covered")
	}
	if problem := tooOld(r.Database.BuiltAt, c.policy.MaxDatabaseAge, c.now); problem != "" {
		return gap(finding.GapStaleDatabase, "the advisory database "+problem)
	}
	return nil
}

// endOfLife is about what time has brought since the scan: a distribution release whose support has ended.
func (c *trial) endOfLife() []finding.Gap {
	d := &c.result.Inventory.Distro
	if d.EndOfLife == "" || c.now.UTC().Format(time.DateOnly) <= d.EndOfLife {
		return nil
	}
	detail := fmt.Sprintf("%s %s gets no advisories since %s", d.ID, d.VersionID, d.EndOfLife)
	return []finding.Gap{{Kind: finding.GapEndOfLife, Detail: detail}}
}

// scanAge is about the age of the scan itself.
func scanAge(c *trial) []finding.Reason {
	problem := tooOld(c.result.ScannedAt, c.policy.MaxScanAge, c.now)
	if problem == "" {
		return nil
	}
	return []finding.Reason{{Decision: finding.NotEvaluated, Rule: "maxScanAge", Message: "the scan " + problem}}
}

// clockSkew is how far in the future a time may lie without being taken for wrong.
const clockSkew = time.Hour

// tooOld says what is wrong with the age of something made at t, "" for nothing.
func tooOld(t time.Time, limit Age, now time.Time) string {
	switch age := now.Sub(t); {
	case limit == 0:
		return ""
	case t.IsZero():
		return "has no date, and the gate limits its age to " + limit.String()
	case age < -clockSkew:
		return "is dated in the future: " + t.UTC().Format(time.RFC3339)
	case age > time.Duration(limit):
		return fmt.Sprintf("is %s old, %s allowed", rounded(age), limit)
	}
	return ""
}

// rounded is age in whole days, or hours below two days.
func rounded(age time.Duration) string {
	if days := Age(age) / Day; days >= 2 {
		return (days * Day).String()
	}
	return fmt.Sprintf("%dh", int64(age/time.Hour))
}
