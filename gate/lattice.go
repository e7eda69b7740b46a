package gate

import "github.com/seawall/seawall/finding"

// order is the order of decisions, lightest first. What fails is known to be bad whatever else could not be looked at,
// so fail outweighs not-evaluated; what was not looked at may be bad, so not-evaluated outweighs warn.
var order = []finding.Decision{finding.Pass, finding.Warn, finding.NotEvaluated, finding.Fail}

func rank(d finding.Decision) int {
	for i, have := range order {
		if d == have {
			return i
		}
	}
	return rank(finding.NotEvaluated) // a decision that nobody made is no pass
}

// Worst returns the weightiest of decisions, pass for none: pass, warn, not-evaluated, fail in rising order. It joins
// reasons into a verdict, and the verdicts of an index's platforms into one.
func Worst(decisions ...finding.Decision) finding.Decision {
	worst := 0
	for _, d := range decisions {
		worst = max(worst, rank(d))
	}
	return order[worst]
}

// ExitCode is the exit code of `seawall gate`: 0 pass, 1 fail, 2 warn where warnAsError asks for it (else 0), 3 not
// evaluated and for every decision that is unknown. 4, for wrong usage or input, is the command's own.
func ExitCode(d finding.Decision, warnAsError bool) int {
	switch {
	case d == finding.Pass, d == finding.Warn && !warnAsError:
		return 0
	case d == finding.Fail:
		return 1
	case d == finding.Warn:
		return 2
	}
	return 3
}
