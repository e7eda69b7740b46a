package scan

import (
	"fmt"
	"time"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/gate"
	"github.com/seawall/seawall/scan/advisory"
	"github.com/seawall/seawall/scan/report/vex"
)

// Rules are what an inventory is judged by.
type Rules struct {
	Database *advisory.DB
	Policy   *gate.Policy
	// Suppressions beside those of the policy: ignore files.
	Suppressions []finding.Suppression
	// VEX are documents of which each statement holds for some images and not for others.
	VEX []*vex.Document
	// Baseline are former results: what they hold does not count again.
	Baseline []finding.Result
	// BaselineName says where the baseline is written, for reports.
	BaselineName string
}

// Evaluate matches an inventory against the database and asks the gate. It fails only on a damaged database.
func Evaluate(inv finding.Inventory, tool string, rules *Rules, now time.Time) (finding.Result, error) {
	matches, err := rules.Database.Match(&inv, now)
	if err != nil {
		return finding.Result{}, fmt.Errorf("matching %s: %w", inv.Image.Ref, err)
	}
	inv.Gaps = append(inv.Gaps, matches.Gaps...)
	r := finding.Result{
		Tool: tool, ScannedAt: now.UTC(), Inventory: inv, Findings: matches.Findings, Coverage: matches.Coverage,
		Database: rules.Database.Info().Database,
	}
	s := rules.Suppressions
	for _, d := range rules.VEX {
		s = append(s[:len(s):len(s)], d.For(&inv)...)
	}
	if rules.Baseline != nil {
		s = append(s[:len(s):len(s)], gate.Baseline(rules.Baseline, &inv.Image, rules.BaselineName)...)
	}
	r = gate.Apply(&r, append(s[:len(s):len(s)], rules.Policy.Suppressions...), now)
	r.Upgrades = advisory.Upgrades(r.Findings, inv.Image.BaseName())
	verdict := gate.Decide(&r, rules.Policy, s, now)
	r.Verdict = &verdict
	return r, nil
}
