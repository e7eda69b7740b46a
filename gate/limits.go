package gate

import (
	"fmt"

	"github.com/seawall/seawall/finding"
)

// tally counts findings and keeps their ids by severity.
type tally struct {
	counts finding.Counts
	ids    map[finding.Severity][]string
}

func (t *tally) add(f *finding.Finding) {
	t.counts.Add(f.Severity)
	if t.ids == nil {
		t.ids = map[finding.Severity][]string{}
	}
	t.ids[f.Severity] = append(t.ids[f.Severity], f.ID)
}

// total is the sum of both.
func (t *tally) total(other *tally) finding.Counts {
	sum := t.counts
	for _, s := range finding.Severities {
		for range other.counts.Of(s) {
			sum.Add(s)
		}
	}
	return sum
}

// limits compares the counts with the limits, severity by severity, highest first.
func limits(c *trial) []finding.Reason {
	var out []finding.Reason
	for _, s := range finding.Severities {
		out = append(out, c.limit(&c.own, s, "", finding.Fail)...)
		out = append(out, c.limit(&c.base, s, " in the base image", finding.Warn)...)
	}
	return out
}

// limit gives the reason for one severity; worst is what exceeding the maximum leads to.
func (c *trial) limit(t *tally, s finding.Severity, where string, worst finding.Decision) []finding.Reason {
	n := t.counts.Of(s)
	reason := finding.Reason{Decision: worst, Rule: "max." + s.String(), IDs: some(t.ids[s])}
	limit := c.policy.Max.Of(s)
	if !limit.exceeded(n) {
		limit = c.policy.Warn.Of(s)
		reason.Decision, reason.Rule = finding.Warn, "warn."+s.String()
	}
	if !limit.exceeded(n) {
		return nil
	}
	reason.Message = number(n, s.String()+" finding") + where
	switch {
	case limit > 0:
		reason.Message += fmt.Sprintf(", %d allowed", int(limit))
	case reason.Decision == finding.Fail:
		reason.Message += ", none allowed"
	}
	return []finding.Reason{reason}
}
