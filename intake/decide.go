package intake

import (
	"fmt"
	"time"

	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
)

// Facts are what a decision about an image follows from.
type Facts struct {
	// Result is the newest result, nil where there is none.
	Result *finding.Result
	// Failure says why the last attempt to scan failed, "" where it did not.
	Failure string
	// Trust is what was verified, and TrustFailure why it could not be.
	Trust        TrustReport
	TrustFailure string
	Override     *catalog.Override
}

// Outcome is a decision about an image.
type Outcome struct {
	// Status follows from what was found. Effective is the one that counts: a person's, while it holds.
	Status, Effective catalog.Status
	// Reasons say why, a person's first.
	Reasons []catalog.Reason
}

// Decide says what becomes of an image at now. It is the only place that does.
//
// A pass or a warning releases. A fail rejects. Whatever could not be looked at, and whatever is asked for and not
// proved, quarantines: the image may be fine, but nobody knows. Failing weighs more than not knowing.
func Decide(f Facts, now time.Time) Outcome {
	var o Outcome
	o.Status = decideVerdict(&f, &o.Reasons)
	if f.TrustFailure != "" {
		o.Reasons = append(o.Reasons, catalog.Reason{
			Source: "trust", Message: "signatures could not be verified: " + f.TrustFailure, Decision: finding.NotEvaluated,
		})
	}
	for _, r := range f.Trust.Missing {
		r.Source = "trust"
		if r.Decision == "" {
			r.Decision = finding.NotEvaluated
		}
		o.Reasons = append(o.Reasons, r)
	}
	if o.Status == catalog.Released && (len(f.Trust.Missing) > 0 || f.TrustFailure != "") {
		o.Status = catalog.Quarantined
	}
	o.Effective = o.Status
	if p := f.Override; p != nil && (p.Expires.IsZero() || now.Before(p.Expires)) {
		o.Effective = p.Status
		o.Reasons = append([]catalog.Reason{{
			Source: "person", Message: fmt.Sprintf("%s by %s: %s", p.Status, p.By, p.Reason),
		}}, o.Reasons...)
	}
	return o
}

// decideVerdict is Decide without trust and without a person.
func decideVerdict(f *Facts, reasons *[]catalog.Reason) catalog.Status {
	add := func(source, rule string, d finding.Decision, message string) {
		*reasons = append(*reasons, catalog.Reason{Source: source, Rule: rule, Message: message, Decision: d})
	}
	if f.Failure != "" {
		add("scan", "", finding.NotEvaluated, "not evaluated: "+f.Failure)
	}
	if f.Result == nil || f.Result.Verdict == nil {
		if f.Failure == "" {
			add("scan", "", finding.NotEvaluated, "not evaluated: not scanned yet")
			return catalog.Received
		}
		return catalog.Quarantined
	}
	status := statusOf(f.Result.Verdict.Decision)
	for _, r := range f.Result.Verdict.Reasons {
		if r.Decision != finding.Pass {
			add("gate", r.Rule, r.Decision, r.Message)
		}
	}
	if status == catalog.Released && f.Failure != "" {
		status = catalog.Quarantined
	}
	return status
}

// statusOf: an unknown decision is none.
func statusOf(d finding.Decision) catalog.Status {
	switch d {
	case finding.Pass, finding.Warn:
		return catalog.Released
	case finding.Fail:
		return catalog.Rejected
	}
	return catalog.Quarantined
}

// weight orders statuses, the worst highest.
var weight = map[catalog.Status]int{
	catalog.NotScanned: 0, catalog.Released: 1, catalog.Received: 2, catalog.Quarantined: 3, catalog.Rejected: 4,
}

// Worst is the status of an index whose children have these: that of the worst, NotScanned where there is none.
func Worst(children []catalog.Status) catalog.Status {
	worst := catalog.NotScanned
	for _, s := range children {
		if weight[s] > weight[worst] {
			worst = s
		}
	}
	return worst
}
