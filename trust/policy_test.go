package trust

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seawall/seawall/catalog"
)

func TestParsePolicy(t *testing.T) {
	k, _ := newKey(t, ECDSA)
	pub := strings.TrimSpace(keySigner(t, "", k).Keys[0])
	n := newNotary(t, stamp, stamp.Add(time.Hour))
	for _, tc := range []struct{ name, text, err string }{
		{"YAML", "signers:\n- name: release\n  keys:\n  - |\n    " + strings.ReplaceAll(pub, "\n", "\n    ") + "\n", ""},
		{"empty", "{}", ""},
		{"unknown field in YAML", "signer: []\n", "signer"},
		{"unknown field in JSON", `{"signer":[]}`, "signer"},
		{"no signer", `{"signers":[{"name":"x"}]}`, "exactly one"},
		{"two kinds", `{"signers":[{"keys":["x"],"notation":{"certificates":[],"identities":[]}}]}`, "exactly one"},
		{"no PEM", `{"signers":[{"keys":["x"]}]}`, "no public key"},
		{"private key", `{"signers":[{"keys":["-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----"]}]}`, "EC PRIVATE KEY where a public key"},
		{"no root", `{"signers":[{"keyless":{"issuer":"i","identity":"a"}}]}`, "no trusted root"},
		{"no identity", `{"signers":[{"keyless":{"issuer":"i"}}]}`, "identity"},
		{"bad expression", `{"signers":[{"keyless":{"issuer":"/(/","identity":"a","root":"{}"}}]}`, "issuer"},
		{"bad root", `{"signers":[{"keyless":{"issuer":"i","identity":"a","root":"{}"}}]}`, "trusted root"},
		{"no certificates", `{"signers":[{"notation":{"identities":["*"]}}]}`, "certificates"},
		{"no identities", string(toJSON(t, Policy{Signers: n.policy().Signers})), "identities"},
		{"bad identity", string(toJSON(t, Policy{Signers: n.policy("x509.subject: CN=x").Signers})), "C is missing"},
		{"star and more", string(toJSON(t, Policy{Signers: n.policy("*", exampleName).Signers})), "alone"},
		{"attestation without a predicate", string(toJSON(t, Policy{Attestations: []Attestation{{Signer: keySigner(t, "", k)}}})), "no predicate"},
		{"attestation in Notation", string(toJSON(t, Policy{Attestations: []Attestation{{Predicate: "sbom", Signer: n.policy("*").Signers[0]}}})), "has none"},
		{"builder without provenance", string(toJSON(t, Policy{Attestations: []Attestation{{Predicate: "sbom", Builder: "x", Signer: keySigner(t, "", k)}}})), "no provenance"},
		{"bad age", `{"attestations":[{"predicate":"sbom","maxAge":"soon"}]}`, "soon"},
		{"negative age", `{"attestations":[{"predicate":"sbom","maxAge":"-1h"}]}`, "negative"},
		{"huge", strings.Repeat(" ", maxPolicy+1), "at most"},
	} {
		_, err := ParsePolicy([]byte(tc.text))
		switch {
		case tc.err == "" && err != nil:
			t.Errorf("%s: %v", tc.name, err)
		case tc.err != "" && (err == nil || !strings.Contains(err.Error(), tc.err)):
			t.Errorf("%s: got %v, want %q", tc.name, err, tc.err)
		}
	}
}

// TestRuleIsPolicy: the JSON of an administrator's rule is a policy, with nothing lost.
func TestRuleIsPolicy(t *testing.T) {
	k, _ := newKey(t, ECDSA)
	v := newSigstore(t)
	n := newNotary(t, stamp, stamp.Add(time.Hour))
	pub := keySigner(t, "", k).Keys
	rule := catalog.TrustRule{
		Signers: []catalog.Signer{{Name: "a", Keys: pub}, {Name: "b", Keyless: &catalog.Keyless{Issuer: issuer, Identity: someone, Root: v.root(t, true)}},
			{Name: "c", Notation: &catalog.Notation{Certificates: []string{pemOf(n.root)}, Identities: []string{"*"}}}},
		Attestations: []catalog.Attestation{{Predicate: PredicateProvenance, Signer: catalog.Signer{Name: "a", Keys: pub}, Builder: "x*", MaxAge: catalog.Duration(36 * time.Hour)},
			{Predicate: PredicateScan, Signer: catalog.Signer{Name: "a", Keys: pub}, MaxAge: catalog.Duration(30 * 24 * time.Hour)}},
	}
	got, err := ParsePolicy(toJSON(t, rule))
	must(t, err)
	want := Policy{
		Signers: []Signer{{Name: "a", Keys: pub}, {Name: "b", Keyless: &Keyless{Issuer: issuer, Identity: someone, Root: v.root(t, true)}},
			{Name: "c", Notation: &Notation{Certificates: []string{pemOf(n.root)}, Identities: []string{"*"}}}},
		Attestations: []Attestation{{Predicate: PredicateProvenance, Signer: Signer{Name: "a", Keys: pub}, Builder: "x*", MaxAge: Duration(36 * time.Hour)},
			{Predicate: PredicateScan, Signer: Signer{Name: "a", Keys: pub}, MaxAge: Duration(30 * 24 * time.Hour)}},
	}
	// Trusted roots are written with random spaces by the library, so that nobody compares them.
	got.Signers[1].Keyless.Root, want.Signers[1].Keyless.Root = "", ""
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	var back catalog.TrustRule
	must(t, json.Unmarshal(toJSON(t, got), &back))
}

// TestDocumentedPolicy: the example in the documentation is read.
func TestDocumentedPolicy(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "docs", "trust.md"))
	must(t, err)
	_, text, _ := strings.Cut(string(page), "```yaml\n")
	text, _, found := strings.Cut(text, "```")
	p, err := DecodePolicy([]byte(text))
	if err != nil || !found || len(p.Signers) != 3 || len(p.Attestations) != 3 || !p.SameRepository || time.Duration(p.Attestations[2].MaxAge) != 7*24*time.Hour {
		t.Errorf("%v: %s", err, indent(p))
	}
}
