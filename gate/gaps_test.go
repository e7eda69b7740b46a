package gate_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/gate"
)

// The scan reports a gap where it sees it, for each ecosystem and sometimes twice; a person wants one sentence.
func TestGapsAreToldOnce(t *testing.T) {
	const starter = "only the 40 built-in advisories were consulted"
	r := change(func(r *finding.Result) {
		r.Database.Starter = true
		r.Coverage = []finding.Coverage{
			{Ecosystem: "Debian:12", Gap: finding.GapStarterOnly, Detail: starter},
			{Ecosystem: "npm", Gap: finding.GapStarterOnly, Detail: starter},
		}
		r.Inventory.Gaps = []finding.Gap{
			{Kind: finding.GapStarterOnly, Where: "npm", Detail: starter},
			{Kind: finding.GapUnreadable, Where: "a/b.jar", Detail: "a/b.jar does not parse"},
			{Kind: finding.GapUnreadable, Where: "c/d.jar", Detail: "c/d.jar ends early"},
		}
		r.Inventory.Distro.EndOfLife = "2020-01-01"
	})
	var got []string
	for _, reason := range gate.Decide(&r, nil, nil, now).Reasons {
		got = append(got, string(reason.Decision)+" "+reason.Rule+" "+reason.Message)
	}
	want := []string{
		"not-evaluated gaps.unreadable a/b.jar does not parse (and 1 more like it)",
		"not-evaluated gaps.end-of-life debian 12 gets no advisories since 2020-01-01",
		"not-evaluated gaps.starter-only npm, Debian:12: " + starter,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// One gap in many places is one reason of bounded length.
func TestGapsAreBounded(t *testing.T) {
	r := clean()
	for range 10_000 {
		where := strings.Repeat("x", 300)
		r.Inventory.Gaps = append(r.Inventory.Gaps, finding.Gap{Kind: finding.GapUnreadable, Where: where, Detail: where + where})
	}
	v := gate.Decide(&r, nil, nil, now)
	if len(v.Reasons) != 1 || len(v.Reasons[0].Message) > 1000 {
		t.Errorf("%d reasons of %d bytes", len(v.Reasons), len(v.Reasons[0].Message))
	}
}
