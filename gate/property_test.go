package gate_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/gate"
)

const rounds = 3000

// anyFinding makes a finding with any mark that a rule looks at.
func anyFinding(rnd *rand.Rand) finding.Finding {
	f := vulnerability(finding.Severities[rnd.IntN(len(finding.Severities))], rnd.IntN(40))
	f.State = finding.States[rnd.IntN(len(finding.States))]
	if f.State != finding.StateFixed {
		f.Fixed = ""
	}
	for _, mark := range []func(*finding.Finding){inBase, headers, exploit} {
		if rnd.IntN(4) == 0 {
			mark(&f)
		}
	}
	if rnd.IntN(3) == 0 {
		f.EPSS = &finding.EPSS{Score: rnd.Float64()}
	}
	return f
}

func anyGap(rnd *rand.Rand) finding.Gap {
	places := []string{"", "npm", "Debian:12", "opt/app/x.jar"}
	return finding.Gap{
		Kind: finding.GapKinds[rnd.IntN(len(finding.GapKinds))], Where: places[rnd.IntN(len(places))], Detail: "it did not parse",
	}
}

// anyResult makes a result with up to 30 findings, often without any gap.
func anyResult(rnd *rand.Rand) finding.Result {
	r := clean()
	for range rnd.IntN(30) {
		r.Findings = append(r.Findings, anyFinding(rnd))
	}
	for range max(0, rnd.IntN(5)-2) {
		r.Inventory.Gaps = append(r.Inventory.Gaps, anyGap(rnd))
	}
	return r
}

func anyPolicy(rnd *rand.Rand) *gate.Policy {
	p := gate.Default()
	for _, l := range []*gate.Limit{&p.Max.Critical, &p.Max.High, &p.Max.Medium, &p.Max.Unknown, &p.Warn.Medium, &p.Warn.Low} {
		*l = gate.Limit(rnd.IntN(8) - 1)
	}
	p.IgnoreUnfixed = rnd.IntN(2) == 0
	p.Scope = []gate.Scope{gate.ScopeAll, gate.ScopeOwn}[rnd.IntN(2)]
	p.KEV = []gate.Action{gate.ActionFail, gate.ActionWarn, gate.ActionIgnore}[rnd.IntN(3)]
	p.KernelHeaders = []gate.KernelHeaders{gate.KernelHeadersCount, gate.KernelHeadersIgnore}[rnd.IntN(2)]
	p.EPSS = gate.Probabilities{Fail: rnd.Float64(), Warn: rnd.Float64()}
	for _, rules := range []*[]gate.GapRule{&p.Gaps.Stop, &p.Gaps.Warn, &p.Gaps.Ignore} {
		if rnd.IntN(3) == 0 {
			g := anyGap(rnd)
			*rules = append(*rules, gate.GapRule{Kind: g.Kind, Where: g.Where})
		}
	}
	return p
}

func anySuppression(rnd *rand.Rand, r *finding.Result) finding.Suppression {
	s := finding.Suppression{
		Source: finding.Precedence[rnd.IntN(len(finding.Precedence))].Source,
		ID:     "CVE-0000-0000", Owner: "team-a", Reason: "not reachable", Expires: now.AddDate(0, 0, rnd.IntN(9)-2),
	}
	if len(r.Findings) > 0 {
		s.ID = r.Findings[rnd.IntN(len(r.Findings))].ID
	}
	if rnd.IntN(5) == 0 {
		s.ID, s.Package = "*", "openssl"
	}
	return s
}

func TestMoreFindingsNeverImprove(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	for range rounds {
		r, p := anyResult(rnd), anyPolicy(rnd)
		s := []finding.Suppression{anySuppression(rnd, &r)}
		before := gate.Decide(&r, p, s, now).Decision
		r.Findings = append(r.Findings, anyFinding(rnd))
		if after := gate.Decide(&r, p, s, now).Decision; rank(after) < rank(before) {
			t.Fatalf("%s became %s by one more finding\n%+v\n%+v", before, after, p, r.Findings)
		}
	}
}

func TestSuppressionsNeverWorsen(t *testing.T) {
	rnd := rand.New(rand.NewPCG(2, 2))
	improved := 0
	for range rounds {
		r, p := anyResult(rnd), anyPolicy(rnd)
		before := gate.Decide(&r, p, nil, now).Decision
		after := gate.Decide(&r, p, []finding.Suppression{anySuppression(rnd, &r), anySuppression(rnd, &r)}, now).Decision
		if rank(after) > rank(before) {
			t.Fatalf("%s became %s by a suppression\n%+v\n%+v", before, after, p, r.Findings)
		}
		if after != before {
			improved++
		}
	}
	if improved == 0 {
		t.Error("no suppression changed any decision: the test tests nothing")
	}
}

// No suppression turns a gap into a pass, and no gap a decision into a lighter one.
func TestGapsNeverBecomePasses(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 3))
	for range rounds {
		r, p := anyResult(rnd), anyPolicy(rnd)
		before := gate.Decide(&r, p, nil, now).Decision
		r.Inventory.Gaps = append(r.Inventory.Gaps, anyGap(rnd))
		after := gate.Decide(&r, p, nil, now).Decision
		if rank(after) < rank(before) {
			t.Fatalf("%s became %s by one more gap\n%+v", before, after, r.Inventory.Gaps)
		}
		everything := []finding.Suppression{{
			Source: finding.SourceHub, ID: "*", Package: "**", Owner: "a", Reason: "b", Expires: now.AddDate(1, 0, 0),
		}}
		stopped := gate.Decide(&r, gate.Default(), everything, now)
		if stops(&r) && rank(stopped.Decision) < rank(finding.NotEvaluated) {
			t.Fatalf("%s in spite of %+v", stopped.Decision, r.Inventory.Gaps)
		}
	}
}

// stops reports whether r has a gap that stops by default.
func stops(r *finding.Result) bool {
	return slices.ContainsFunc(r.Inventory.Gaps, func(g finding.Gap) bool { return g.Kind != finding.GapUnparsedVersion })
}

func TestDecideIsPure(t *testing.T) {
	rnd := rand.New(rand.NewPCG(4, 4))
	for range 200 {
		r, p := anyResult(rnd), anyPolicy(rnd)
		s := []finding.Suppression{anySuppression(rnd, &r), anySuppression(rnd, &r), anySuppression(rnd, &r)}
		first := gate.Decide(&r, p, s, now)
		marked := gate.Apply(&r, s, now)
		for i := range r.Findings {
			if r.Findings[i].Suppressed != nil {
				t.Fatal("Apply or Decide changed its input")
			}
		}
		// Marks that a result brings along change nothing.
		if diff := cmp.Diff(first, gate.Decide(&marked, p, s, now)); diff != "" {
			t.Fatal(diff)
		}
		slices.Reverse(r.Findings)
		if again := gate.Decide(&r, p, s, now); again.Decision != first.Decision || again.Counts != first.Counts {
			t.Fatal("the order of findings matters")
		}
	}
}
