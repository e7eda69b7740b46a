package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/intake"
	"github.com/seawall/seawall/trust"
)

// truster verifies what is attached to images, by the rules that administrators made.
type truster struct {
	shelf shelf
	// within lists the indexes of a repository that list a digest: their signatures cover it.
	within func(ctx context.Context, repository, digest string) ([]string, error)
}

// Verify applies a rule. Without one it still lists nothing as verified: nobody said whom to trust.
func (t *truster) Verify(ctx context.Context, repository, digest string, rule *catalog.TrustRule, now time.Time) (intake.TrustReport, error) {
	var out intake.TrustReport
	if rule == nil {
		return out, nil
	}
	report, err := t.report(ctx, repository, digest, rule, now)
	if err != nil {
		return out, err
	}
	out.Signers, out.Attestations = report.Signers(), report.Predicates()
	for _, r := range report.Requirements {
		if !r.Met {
			out.Missing = append(out.Missing, catalog.Reason{Source: "trust", Rule: string(r.Kind) + "." + r.Name,
				Message: fmt.Sprintf("%s %q is missing: %s", r.Kind, r.Name, r.Reason), Decision: finding.NotEvaluated})
		}
	}
	return out, nil
}

// report verifies everything that is attached to the image and to the indexes around it.
func (t *truster) report(ctx context.Context, repository, digest string, rule *catalog.TrustRule, now time.Time) (trust.Report, error) {
	within, err := t.within(ctx, repository, digest)
	if err != nil {
		return trust.Report{}, err
	}
	policy, err := policyOf(rule)
	if err != nil {
		return trust.Report{}, err
	}
	subject := trust.Subject{Repository: repository, Digest: digest, Within: within}
	return trust.Verify(ctx, t.shelf, subject, policy, now)
}

// policyOf turns the administrator's form into trust's, which has the same JSON.
func policyOf(rule *catalog.TrustRule) (trust.Policy, error) {
	text, err := json.Marshal(rule)
	if err != nil {
		return trust.Policy{}, err
	}
	return trust.ParsePolicy(text)
}
