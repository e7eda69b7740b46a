package finding_test

import (
	"encoding/json"
	"testing"

	"github.com/seawall/seawall/finding"
)

func TestParseSeverity(t *testing.T) {
	for name, want := range map[string]finding.Severity{
		"critical":    finding.SeverityCritical,
		"HIGH":        finding.SeverityHigh,
		"Important":   finding.SeverityHigh,
		"medium":      finding.SeverityMedium,
		"moderate":    finding.SeverityMedium,
		"Low":         finding.SeverityLow,
		"negligible":  finding.SeverityNegligible,
		"none":        finding.SeverityNegligible,
		"unimportant": finding.SeverityNegligible,
		"unknown":     finding.SeverityUnknown,
		"":            finding.SeverityUnknown,
	} {
		got, err := finding.ParseSeverity(name)
		if err != nil || got != want {
			t.Errorf("ParseSeverity(%q) = %v, %v; want %v", name, got, err, want)
		}
	}
	if _, err := finding.ParseSeverity("severe"); err == nil {
		t.Error("ParseSeverity accepts a name that nobody uses")
	}
}

func TestSeverityOrder(t *testing.T) {
	for i, s := range finding.Severities[1:] {
		if above := finding.Severities[i]; s >= above {
			t.Errorf("%v stands after %v, but is not lower", s, above)
		}
	}
}

func TestSeverityOfScore(t *testing.T) {
	for _, c := range []struct {
		score float64
		want  finding.Severity
	}{
		{0, finding.SeverityNegligible},
		{0.1, finding.SeverityLow},
		{3.9, finding.SeverityLow},
		{4, finding.SeverityMedium},
		{6.9, finding.SeverityMedium},
		{7, finding.SeverityHigh},
		{8.9, finding.SeverityHigh},
		{9, finding.SeverityCritical},
		{10, finding.SeverityCritical},
	} {
		if got := finding.SeverityOfScore(c.score); got != c.want {
			t.Errorf("SeverityOfScore(%v) = %v; want %v", c.score, got, c.want)
		}
	}
}

func TestSeverityJSON(t *testing.T) {
	for _, s := range finding.Severities {
		b, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var back finding.Severity
		if err := json.Unmarshal(b, &back); err != nil || back != s {
			t.Errorf("%s came back as %v, %v", b, back, err)
		}
	}
	if got := finding.Severity(99).String(); got != "unknown" {
		t.Errorf("a severity that does not exist is called %q", got)
	}
}

func TestCounts(t *testing.T) {
	var c finding.Counts
	for i, s := range finding.Severities {
		for range i + 1 {
			c.Add(s)
		}
	}
	for i, s := range finding.Severities {
		if got := c.Of(s); got != i+1 {
			t.Errorf("Of(%v) = %d; want %d", s, got, i+1)
		}
	}
	if c.Total() != 21 {
		t.Errorf("Total() = %d; want 21", c.Total())
	}
}
