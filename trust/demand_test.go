package trust

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

const (
	slsaV1  = `{"buildDefinition":{},"runDetails":{"builder":{"id":"https://builder.example/v1"},"metadata":{"finishedOn":"2026-01-02T03:04:05Z"}}}`
	slsaV02 = `{"builder":{"id":"https://builder.example/v1"},"metadata":{"buildFinishedOn":"2026-01-02T03:04:05Z"}}`
	vuln    = `{"scanner":{"result":{}},"metadata":{"scanFinishedOn":"2026-01-02T03:04:05Z"}}`
	cdx     = `{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"timestamp":"2026-01-02T03:04:05Z"}}`
	spdx    = `{"spdxVersion":"SPDX-2.3","creationInfo":{"created":"2026-01-02T03:04:05Z"}}`
)

func TestDemands(t *testing.T) {
	k, _ := newKey(t, ECDSA)
	day := Duration(24 * time.Hour)
	for _, tc := range []struct {
		name            string
		kind, predicate string
		demand          Attestation
		reason          string // "" is met
		at              time.Duration
	}{
		{name: "CycloneDX", kind: "https://cyclonedx.org/bom", predicate: cdx, demand: Attestation{Predicate: PredicateSBOM}},
		{name: "CycloneDX with its version", kind: "https://cyclonedx.org/bom/v1.6", predicate: cdx, demand: Attestation{Predicate: PredicateSBOM}},
		{name: "SPDX", kind: "https://spdx.dev/Document", predicate: spdx, demand: Attestation{Predicate: PredicateSBOM, MaxAge: day}, at: time.Hour},
		{name: "SPDX as text", kind: "https://spdx.dev/Document", predicate: `"SPDXVersion: SPDX-2.3\n"`, demand: Attestation{Predicate: PredicateSBOM}},
		{name: "SPDX 3", kind: "https://spdx.dev/Document/v3.0", predicate: `{"@context":"x","@graph":[]}`, demand: Attestation{Predicate: PredicateSBOM}},
		{name: "empty SBOM", kind: "https://spdx.dev/Document", predicate: `{}`, demand: Attestation{Predicate: PredicateSBOM}, reason: "empty"},
		{name: "SBOM that is none", kind: "https://cyclonedx.org/bomb", predicate: cdx, demand: Attestation{Predicate: PredicateSBOM}, reason: "no attestation"},
		{name: "provenance v1", kind: "https://slsa.dev/provenance/v1", predicate: slsaV1,
			demand: Attestation{Predicate: PredicateProvenance, Builder: "https://builder.example/v1", MaxAge: day}, at: time.Hour},
		{name: "provenance v0.2", kind: "https://slsa.dev/provenance/v0.2", predicate: slsaV02,
			demand: Attestation{Predicate: PredicateProvenance, Builder: "https://builder.example/*", MaxAge: day}, at: time.Hour},
		{name: "exact type", kind: "https://slsa.dev/provenance/v1", predicate: slsaV1,
			demand: Attestation{Predicate: "https://slsa.dev/provenance/v1", Builder: `/https://builder\.example/v[0-9]/`}},
		{name: "another builder", kind: "https://slsa.dev/provenance/v1", predicate: slsaV1,
			demand: Attestation{Predicate: PredicateProvenance, Builder: "https://builder.example"}, reason: "built by https://builder.example/v1, not by https://builder.example"},
		{name: "part of an expression", kind: "https://slsa.dev/provenance/v1", predicate: slsaV1,
			demand: Attestation{Predicate: PredicateProvenance, Builder: `/builder\.example/`}, reason: "not by"},
		{name: "no builder", kind: "https://slsa.dev/provenance/v1", predicate: `{}`,
			demand: Attestation{Predicate: PredicateProvenance, Builder: "*x"}, reason: "nobody who is named"},
		{name: "scan", kind: "https://cosign.sigstore.dev/attestation/vuln/v1", predicate: vuln, demand: Attestation{Predicate: PredicateScan, MaxAge: day}, at: time.Hour},
		{name: "old scan", kind: "https://cosign.sigstore.dev/attestation/vuln/v1", predicate: vuln, demand: Attestation{Predicate: PredicateScan, MaxAge: day}, at: 25 * time.Hour, reason: "25h0m0s old"},
		{name: "scan of the future", kind: "https://cosign.sigstore.dev/attestation/vuln/v1", predicate: vuln, demand: Attestation{Predicate: PredicateScan, MaxAge: day}, at: -time.Hour, reason: "in the future"},
		{name: "scan without a time", kind: "https://cosign.sigstore.dev/attestation/vuln/v1", predicate: `{}`, demand: Attestation{Predicate: PredicateScan, MaxAge: day}, reason: "does not say when"},
		{name: "scan of no form", kind: "https://cosign.sigstore.dev/attestation/vuln/v1", predicate: `[1]`, demand: Attestation{Predicate: PredicateScan, MaxAge: day}, reason: "does not say when"},
		{name: "something else", kind: "https://example.com/x", predicate: `{}`, demand: Attestation{Predicate: PredicateScan}, reason: "no attestation"},
		{name: "own type", kind: "https://example.com/x", predicate: `{}`, demand: Attestation{Predicate: "https://example.com/x"}},
	} {
		for _, form := range allForms {
			t.Run(tc.name+"/"+string(form), func(t *testing.T) {
				f := newFake()
				s := f.image(t, "team/app", "one")
				_, err := k.Attest(context.Background(), f, s, tc.kind, []byte(tc.predicate), Options{Form: form})
				must(t, err)
				tc.demand.Signer = keySigner(t, "release", k)
				q := verifiedAt(t, f, s, Policy{Attestations: []Attestation{tc.demand}}, stamp.Add(tc.at)).Requirements[0]
				if q.Met != (tc.reason == "") || !strings.Contains(q.Reason, tc.reason) {
					t.Errorf("met %v: %s; want %q", q.Met, q.Reason, tc.reason)
				}
			})
		}
	}
}

// TestNewestCounts: an old scan does not spoil a fresh one.
func TestNewestCounts(t *testing.T) {
	k, _ := newKey(t, ECDSA)
	f := newFake()
	s := f.image(t, "team/app", "one")
	for _, day := range []int{1, 20, 2} {
		p := fmt.Sprintf(`{"metadata":{"scanFinishedOn":"2026-01-%02dT00:00:00Z"}}`, day)
		_, err := k.Attest(context.Background(), f, s, "https://cosign.sigstore.dev/attestation/vuln/v1", []byte(p), Options{})
		must(t, err)
	}
	a := Attestation{Predicate: PredicateScan, MaxAge: Duration(24 * time.Hour), Signer: keySigner(t, "release", k)}
	wantMet(t, verifiedAt(t, f, s, Policy{Attestations: []Attestation{a}}, time.Date(2026, 1, 20, 12, 0, 0, 0, time.UTC)))
}

// TestTwoSigners: every entry must be met, by any of its keys.
func TestTwoSigners(t *testing.T) {
	a, _ := newKey(t, ECDSA)
	b, _ := newKey(t, Ed25519)
	c, _ := newKey(t, Ed25519)
	both := keySigner(t, "a or b", a)
	both.Keys = append(both.Keys, keySigner(t, "", b).Keys...)
	p := Policy{Signers: []Signer{both, keySigner(t, "c", c)}}
	f := newFake()
	s := f.image(t, "team/app", "one")
	_, err := b.Sign(context.Background(), f, s, Options{})
	must(t, err)
	rep := verified(t, f, s, p)
	if rep.Met || !rep.Requirements[0].Met || rep.Requirements[1].Met {
		t.Errorf("got %s", indent(rep))
	}
	_, err = c.Sign(context.Background(), f, s, Options{Form: FormLegacy})
	must(t, err)
	wantMet(t, verified(t, f, s, p))
}

func TestNothingSigned(t *testing.T) {
	k, _ := newKey(t, ECDSA)
	f := newFake()
	s := f.image(t, "team/app", "one")
	rep := verified(t, f, s, Policy{Signers: []Signer{keySigner(t, "release", k)}})
	if rep.Met || rep.Requirements[0].Reason != "no signature was found" {
		t.Errorf("got %s", indent(rep))
	}
	wantMet(t, verified(t, f, s, Policy{}))
	if _, err := Verify(context.Background(), f, Subject{Repository: "team/app", Digest: "sha256:abc"}, Policy{}, stamp); err == nil {
		t.Error("a digest that is none was taken")
	}
}
