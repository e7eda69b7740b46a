package gate_test

import (
	"testing"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/gate"
)

var decisions = []finding.Decision{finding.Pass, finding.Warn, finding.NotEvaluated, finding.Fail}

func rank(d finding.Decision) int {
	for i, have := range decisions {
		if have == d {
			return i
		}
	}
	return -1
}

func TestWorst(t *testing.T) {
	for i, a := range decisions {
		for j, b := range decisions {
			if got, want := gate.Worst(a, b), decisions[max(i, j)]; got != want {
				t.Errorf("Worst(%s, %s) = %s; want %s", a, b, got, want)
			}
		}
	}
	if got := gate.Worst(); got != finding.Pass {
		t.Errorf("Worst() = %s", got)
	}
	if got := gate.Worst("", finding.Pass); got != finding.NotEvaluated {
		t.Errorf("a decision that nobody made joins to %s", got)
	}
}

func TestExitCode(t *testing.T) {
	for _, c := range []struct {
		d           finding.Decision
		warnAsError bool
		want        int
	}{
		{finding.Pass, false, 0},
		{finding.Pass, true, 0},
		{finding.Fail, false, 1},
		{finding.Fail, true, 1},
		{finding.Warn, false, 0},
		{finding.Warn, true, 2},
		{finding.NotEvaluated, false, 3},
		{finding.NotEvaluated, true, 3},
		{"", false, 3},
		{"something", true, 3},
	} {
		if got := gate.ExitCode(c.d, c.warnAsError); got != c.want {
			t.Errorf("ExitCode(%q, %v) = %d; want %d", c.d, c.warnAsError, got, c.want)
		}
	}
}
