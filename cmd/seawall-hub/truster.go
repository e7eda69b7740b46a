package main

import (
	"context"
	"fmt"
	"slices"
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
	within, err := t.within(ctx, repository, digest)
	if err != nil {
		return out, err
	}
	subject := trust.Subject{Repository: repository, Digest: digest, Within: within}
	report, err := trust.Verify(ctx, t.shelf, subject, policyOf(rule), now)
	if err != nil {
		return out, err
	}
	for _, s := range report.Signatures {
		switch {
		case !s.Verified:
		case s.Kind == trust.KindAttestation:
			out.Attestations = append(out.Attestations, s.Predicate)
		default:
			out.Signers = append(out.Signers, s.By...)
		}
	}
	slices.Sort(out.Signers)
	slices.Sort(out.Attestations)
	out.Signers, out.Attestations = slices.Compact(out.Signers), slices.Compact(out.Attestations)
	for _, r := range report.Requirements {
		if !r.Met {
			out.Missing = append(out.Missing, catalog.Reason{Source: "trust", Rule: string(r.Kind) + "." + r.Name,
				Message: fmt.Sprintf("%s %q is missing: %s", r.Kind, r.Name, r.Reason), Decision: finding.NotEvaluated})
		}
	}
	return out, nil
}

// policyOf turns the administrator's form into trust's.
func policyOf(rule *catalog.TrustRule) trust.Policy {
	var p trust.Policy
	for i := range rule.Signers {
		p.Signers = append(p.Signers, signerOf(&rule.Signers[i]))
	}
	for i := range rule.Attestations {
		a := &rule.Attestations[i]
		p.Attestations = append(p.Attestations, trust.Attestation{Predicate: a.Predicate, Signer: signerOf(&a.Signer),
			Builder: a.Builder, MaxAge: trust.Duration(a.MaxAge)})
	}
	return p
}

func signerOf(s *catalog.Signer) trust.Signer {
	out := trust.Signer{Name: s.Name, Keys: s.Keys}
	if k := s.Keyless; k != nil {
		out.Keyless = &trust.Keyless{Issuer: k.Issuer, Identity: k.Identity, Root: k.Root}
	}
	if n := s.Notation; n != nil {
		out.Notation = &trust.Notation{Certificates: n.Certificates, Identities: n.Identities}
	}
	return out
}
