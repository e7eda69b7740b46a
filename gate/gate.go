// Package gate decides whether an image may ship: findings and facts in, verdict out. The CI gate, the registry and
// the admission webhook all ask Decide.
//
// It promises one answer for the same input, everywhere: no clock, no file, no network, no state. A rule can only make
// a decision weightier, in the order pass, warn, not evaluated, fail, so that the order of rules does not matter, one
// more finding never improves a decision and a part that was not evaluated never passes unless the gate file says so.
// It leaves out how findings are made and who enforces the verdict.
package gate

import (
	"cmp"
	"slices"
	"time"

	"github.com/seawall/seawall/finding"
)

// Decide judges r by p (nil: Default) at the time now. The suppressions of p and those in s are applied; marks that r
// brings along are not trusted. A nil r is an image that was never scanned: it is not evaluated.
//
// The decision is the weightiest of the reasons', see Worst; reasons come with the weightiest first.
func Decide(r *finding.Result, p *Policy, s []finding.Suppression, now time.Time) finding.Verdict {
	if p == nil {
		p = Default()
	}
	v := finding.Verdict{Policy: p.Name, PolicyDigest: p.Digest, DecidedAt: now}
	if r == nil {
		v.Reasons = []finding.Reason{{
			Decision: finding.NotEvaluated, Rule: gapRule(finding.GapNotScanned), Message: "the image was not scanned",
		}}
	} else {
		c := newTrial(r, p, s, now)
		for _, rule := range rules {
			v.Reasons = append(v.Reasons, rule(c)...)
		}
		v.Counts, v.Suppressed, v.SetApart = c.own.total(&c.base), c.suppressed, c.setApart
	}
	slices.SortStableFunc(v.Reasons, func(a, b finding.Reason) int { return cmp.Compare(rank(b.Decision), rank(a.Decision)) })
	v.Decision = finding.Pass
	for _, reason := range v.Reasons {
		v.Decision = Worst(v.Decision, reason.Decision)
	}
	return v
}

// rules are all rules of the gate, in the order of reasons that weigh the same.
var rules = []func(*trial) []finding.Reason{
	malware, exploited, predicted, limits, secrets, checks, deniedPackages, licences, baseImages,
	scanAge, gaps, expired, refused, tooWeak,
}

// trial is one image before the gate: what the rules look at.
type trial struct {
	result *finding.Result // marked
	policy *Policy
	now    time.Time
	index  *index // suppressions that hold

	// counting are the findings that are neither suppressed nor set apart. own and base count them, base only those
	// that scope "own" keeps from failing.
	counting             []*finding.Finding
	own, base            tally
	suppressed, setApart int

	refused, expired []finding.Suppression
}

func newTrial(r *finding.Result, p *Policy, s []finding.Suppression, now time.Time) *trial {
	all := slices.Concat(p.Suppressions, s)
	live, expired, refused := sift(all, now)
	index := newIndex(live, now)
	marked := mark(r, index)
	c := &trial{result: &marked, policy: p, now: now, index: index, refused: refused}
	for i := range marked.Findings {
		c.count(&marked.Findings[i])
	}
	for i := range marked.Inventory.Secrets {
		c.suppressed += one(marked.Inventory.Secrets[i].Suppressed != nil)
	}
	for i := range marked.Inventory.Checks {
		c.suppressed += one(marked.Inventory.Checks[i].Suppressed != nil)
	}
	c.expired = c.missed(expired)
	return c
}

func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// count sorts one finding into suppressed, set apart, own or base.
func (c *trial) count(f *finding.Finding) {
	switch {
	case f.Suppressed != nil:
		c.suppressed++
	case c.policy.setsApart(f):
		c.setApart++
	default:
		c.counting = append(c.counting, f)
		if c.policy.Scope == ScopeOwn && f.Layer != nil && f.Layer.Base {
			c.base.add(f)
		} else {
			c.own.add(f)
		}
	}
}
