package intake_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/intake"
)

func verdict(d finding.Decision, reasons ...finding.Reason) *finding.Result {
	return &finding.Result{Verdict: &finding.Verdict{Decision: d, Reasons: reasons}}
}

func TestDecide(t *testing.T) {
	missing := intake.TrustReport{Missing: []catalog.Reason{{Rule: "signers", Message: "no signature by release"}}}
	tooMany := finding.Reason{Decision: finding.Fail, Rule: "max.critical", Message: "2 critical findings"}
	windows := finding.Reason{Decision: finding.NotEvaluated, Rule: "gaps.unsupported-os", Message: "images for windows are not evaluated"}
	expired := finding.Reason{Decision: finding.Pass, Rule: "suppressions", Message: "an exception ran out"}
	release := &catalog.Override{Status: catalog.Released, By: "bob", Reason: "hotfix"}
	reject := &catalog.Override{Status: catalog.Rejected, By: "bob", Reason: "leaked key"}
	ended := &catalog.Override{Status: catalog.Released, By: "bob", Reason: "hotfix", Expires: start}
	holds := &catalog.Override{Status: catalog.Released, By: "bob", Reason: "hotfix", Expires: start.Add(1)}
	for _, c := range []struct {
		name              string
		facts             intake.Facts
		status, effective catalog.Status
		reasons           string
	}{
		{"never scanned", intake.Facts{}, catalog.Received, catalog.Received, "scan:not evaluated: not scanned yet"},
		{"pass", intake.Facts{Result: verdict(finding.Pass)}, catalog.Released, catalog.Released, ""},
		{"a notice is no reason", intake.Facts{Result: verdict(finding.Pass, expired)}, catalog.Released, catalog.Released, ""},
		{"warn", intake.Facts{Result: verdict(finding.Warn)}, catalog.Released, catalog.Released, ""},
		{"fail", intake.Facts{Result: verdict(finding.Fail, tooMany)}, catalog.Rejected, catalog.Rejected, "gate:2 critical findings"},
		{"not evaluated", intake.Facts{Result: verdict(finding.NotEvaluated, windows)}, catalog.Quarantined, catalog.Quarantined,
			"gate:images for windows are not evaluated"},
		{"a decision that nobody knows", intake.Facts{Result: verdict("fine")}, catalog.Quarantined, catalog.Quarantined, ""},
		{"a result without verdict", intake.Facts{Result: &finding.Result{}}, catalog.Received, catalog.Received, "scan:not evaluated: not scanned yet"},
		{"scan failed", intake.Facts{Failure: "no config"}, catalog.Quarantined, catalog.Quarantined, "scan:not evaluated: no config"},
		{"scan failed after a pass", intake.Facts{Failure: "no config", Result: verdict(finding.Pass)}, catalog.Quarantined, catalog.Quarantined,
			"scan:not evaluated: no config"},
		{"scan failed after a fail", intake.Facts{Failure: "no config", Result: verdict(finding.Fail, tooMany)}, catalog.Rejected, catalog.Rejected,
			"scan:not evaluated: no config|gate:2 critical findings"},
		{"pass but not signed", intake.Facts{Result: verdict(finding.Pass), Trust: missing}, catalog.Quarantined, catalog.Quarantined,
			"trust:no signature by release"},
		{"fail and not signed", intake.Facts{Result: verdict(finding.Fail, tooMany), Trust: missing}, catalog.Rejected, catalog.Rejected,
			"gate:2 critical findings|trust:no signature by release"},
		{"trust not found out", intake.Facts{Result: verdict(finding.Pass), TrustFailure: "storage away"}, catalog.Quarantined, catalog.Quarantined,
			"trust:signatures could not be verified: storage away"},
		{"not scanned and not signed", intake.Facts{Trust: missing}, catalog.Received, catalog.Received,
			"scan:not evaluated: not scanned yet|trust:no signature by release"},
		{"released by hand", intake.Facts{Result: verdict(finding.Fail, tooMany), Override: release}, catalog.Rejected, catalog.Released,
			"person:released by bob: hotfix|gate:2 critical findings"},
		{"rejected by hand", intake.Facts{Result: verdict(finding.Pass), Override: reject}, catalog.Released, catalog.Rejected,
			"person:rejected by bob: leaked key"},
		{"by hand, not ended yet", intake.Facts{Result: verdict(finding.Fail), Override: holds}, catalog.Rejected, catalog.Released,
			"person:released by bob: hotfix"},
		{"by hand, ended", intake.Facts{Result: verdict(finding.Fail), Override: ended}, catalog.Rejected, catalog.Rejected, ""},
	} {
		o := intake.Decide(c.facts, start)
		var reasons []string
		for _, r := range o.Reasons {
			reasons = append(reasons, r.Source+":"+r.Message)
		}
		got := []string{string(o.Status), string(o.Effective), strings.Join(reasons, "|")}
		if diff := cmp.Diff([]string{string(c.status), string(c.effective), c.reasons}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		m := catalog.Manifest{Status: o.Status, Override: c.facts.Override}
		if m.EffectiveStatus(start) != o.Effective {
			t.Errorf("%s: the catalog takes %s for the status that counts", c.name, m.EffectiveStatus(start))
		}
	}
}

func TestWorst(t *testing.T) {
	for _, c := range []struct {
		children []catalog.Status
		want     catalog.Status
	}{
		{nil, catalog.NotScanned},
		{[]catalog.Status{catalog.NotScanned, catalog.Released}, catalog.Released},
		{[]catalog.Status{catalog.Released, catalog.Received}, catalog.Received},
		{[]catalog.Status{catalog.Quarantined, catalog.Received, catalog.Released}, catalog.Quarantined},
		{[]catalog.Status{catalog.Quarantined, catalog.Rejected, catalog.Released}, catalog.Rejected},
	} {
		if got := intake.Worst(c.children); got != c.want {
			t.Errorf("Worst(%v) = %s; want %s", c.children, got, c.want)
		}
	}
}

func TestHeld(t *testing.T) {
	reason := func(m string) catalog.Reason { return catalog.Reason{Message: m} }
	for _, c := range []struct {
		status  catalog.Status
		reasons []catalog.Reason
		console string
		want    string
	}{
		{catalog.Received, nil, "", "held: it is being scanned, try again in a moment"},
		{catalog.Rejected, nil, "", "held: rejected"},
		{catalog.Rejected, []catalog.Reason{reason("2 critical findings")}, "https://hub.example",
			"held: 2 critical findings; see https://hub.example/images/team%2Fapp/sha256:a"},
		{catalog.Rejected, []catalog.Reason{reason("a"), reason("b"), reason("c"), reason("d"), reason("e")}, "", "held: a; b; c; and 2 more reasons"},
		{catalog.Rejected, []catalog.Reason{reason("a\x1b[31m\nb")}, "", "held: a [31m b"},
	} {
		if got := intake.Held(c.status, c.reasons, c.console, "team/app", "sha256:a"); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	if long := intake.Held(catalog.Rejected, []catalog.Reason{reason(strings.Repeat("é", 500))}, "", "a", "b"); len(long) > 300 {
		t.Errorf("%d bytes", len(long))
	}
}
