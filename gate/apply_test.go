package gate_test

import (
	"strings"
	"testing"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/gate"
)

// full is a suppression that every source may make.
func full(source finding.SuppressionSource) finding.Suppression {
	return finding.Suppression{
		Source: source, ID: "CVE-2026-2000", Reason: "not reachable", Owner: "team-a",
		Expires: now.AddDate(0, 1, 0), Origin: string(source),
	}
}

// Of any two sources, the one that stands first in the table is reported, in whatever order they come.
func TestApplyFollowsPrecedence(t *testing.T) {
	r := with(finding.SeverityLow, 1)
	for i, a := range finding.Precedence {
		for j, b := range finding.Precedence {
			marked := gate.Apply(&r, []finding.Suppression{full(a.Source), full(b.Source)}, now)
			want := finding.Precedence[min(i, j)].Source
			if got := marked.Findings[0].Suppressed; got == nil || got.Source != want {
				t.Errorf("%s and %s: %v is reported; want %s", a.Source, b.Source, got, want)
			}
		}
	}
}

func TestApplyDropsMarksAndKeepsItsInput(t *testing.T) {
	r := with(finding.SeverityLow, 2)
	was := full(finding.SourceHub)
	r.Findings[1].Suppressed = &was
	marked := gate.Apply(&r, []finding.Suppression{full(finding.SourceVEX)}, now)
	if marked.Findings[0].Suppressed == nil || marked.Findings[1].Suppressed != nil {
		t.Error("the marks are not those of the suppressions given")
	}
	if r.Findings[0].Suppressed != nil || r.Findings[1].Suppressed == nil {
		t.Error("the input was changed")
	}
}

func TestExpiredSuppressionIsTold(t *testing.T) {
	r := with(finding.SeverityHigh, 1)
	s := full(finding.SourceGate)
	s.ID, s.Expires, s.Origin = r.Findings[0].ID, now, "gate.yaml:12"
	unrelated := s
	unrelated.ID = "CVE-1999-0001"
	v := gate.Decide(&r, nil, []finding.Suppression{s, s, unrelated}, now)
	if v.Decision != finding.Fail || len(v.Reasons) != 2 {
		t.Fatalf("%+v", v)
	}
	const want = "the suppression of CVE-2026-4000 (gate.yaml:12, owner team-a) expired on 2026-11-20 and no longer applies"
	if got := v.Reasons[1]; got.Rule != "suppressions.expired" || got.Decision != finding.Pass || got.Message != want {
		t.Errorf("%+v", got)
	}
}

// A line of an ignore file cannot wave an exploited finding through: the verdict says that it tried.
func TestTooWeakSuppressionIsTold(t *testing.T) {
	r := with(finding.SeverityHigh, 3)
	r.Findings[0].KEV = &finding.KEV{}
	r.Findings[1].State = finding.StateMalware
	s := full(finding.SourceIgnore)
	s.ID, s.Package, s.Origin = "*", r.Findings[0].Package.Name, ".seawallignore:3"
	v := gate.Decide(&r, nil, []finding.Suppression{s}, now)
	told := 0
	for _, reason := range v.Reasons {
		if reason.Rule == "suppressions.too-weak" {
			told++
			if reason.Decision != finding.Pass || !strings.Contains(reason.Message, ".seawallignore:3") {
				t.Errorf("%+v", reason)
			}
		}
	}
	if v.Decision != finding.Fail || v.Suppressed != 1 || told != 1 {
		t.Errorf("%s with %d suppressed, told %d times: %+v", v.Decision, v.Suppressed, told, v.Reasons)
	}
	s.Source = finding.SourceHub
	for _, reason := range gate.Decide(&r, nil, []finding.Suppression{s}, now).Reasons {
		if reason.Rule == "suppressions.too-weak" {
			t.Errorf("told of one that covers: %+v", reason)
		}
	}
}

// What the table asks for is asked of every suppression, whoever made it.
func TestIncompleteSuppressionIsRefused(t *testing.T) {
	r := with(finding.SeverityHigh, 1)
	s := full(finding.SourceHub)
	s.ID, s.Owner = r.Findings[0].ID, ""
	v := gate.Decide(&r, nil, []finding.Suppression{s}, now)
	if v.Decision != finding.Fail || v.Suppressed != 0 || v.Reasons[1].Rule != "suppressions.refused" {
		t.Errorf("%+v", v)
	}
	if !strings.Contains(v.Reasons[1].Message, "needs an owner") {
		t.Error(v.Reasons[1].Message)
	}
}

func TestSecretsAndChecksAreSetAside(t *testing.T) {
	r := secret(finding.SeverityHigh)
	r.Inventory.Checks = check(finding.SeverityHigh).Inventory.Checks
	p := parse(t, "secrets: {fail: low}\nchecks: {fail: low}")
	s := []finding.Suppression{
		{Source: finding.SourceIgnore, ID: "aws-access-key", Path: "app/**"},
		{Source: finding.SourceIgnore, ID: "SW-IMG-001"},
	}
	if v := gate.Decide(&r, p, s, now); v.Decision != finding.Pass || v.Suppressed != 2 {
		t.Errorf("%+v", v)
	}
}

// Only what has an owner may undo the gate file: an ignore file comes with the code.
func TestDeniedPackagesNeedAnOwnedException(t *testing.T) {
	r := clean()
	for _, rule := range finding.Precedence {
		for _, id := range []string{"packages.deny", "*"} {
			s := full(rule.Source)
			s.ID, s.Package = id, "openssl"
			v := gate.Decide(&r, parse(t, "packages: {deny: [openssl]}"), []finding.Suppression{s}, now)
			if want := rule.NeedsOwner && id != "*"; (v.Decision == finding.Pass) != want {
				t.Errorf("%s with id %s: %s", rule.Source, id, v.Decision)
			}
		}
	}
}
