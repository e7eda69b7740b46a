package trust

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Policy says what must be proved of an image: every entry of Signers and of Attestations. An empty policy demands
// nothing, and everything meets it.
type Policy struct {
	Signers      []Signer      `json:"signers,omitempty" yaml:"signers"`
	Attestations []Attestation `json:"attestations,omitempty" yaml:"attestations"`
	// SameRepository refuses a signature that says it was made for another repository. Without it an image may be
	// copied together with its signatures.
	SameRepository bool `json:"sameRepository,omitempty" yaml:"sameRepository"`
}

// Signer is one who must have signed, by any of its keys or identities. Exactly one of Keys, Keyless and Notation is set.
type Signer struct {
	Name string `json:"name" yaml:"name"`
	// Keys are public keys in PEM.
	Keys     []string  `json:"keys,omitempty" yaml:"keys"`
	Keyless  *Keyless  `json:"keyless,omitempty" yaml:"keyless"`
	Notation *Notation `json:"notation,omitempty" yaml:"notation"`
	// Root, with Keys, is a trusted root in sigstore's JSON: what the keys sign must be in its log.
	Root string `json:"root,omitempty" yaml:"root"`
}

// Keyless is an identity of a certificate that Fulcio, or a private authority in its manner, has issued.
type Keyless struct {
	// Issuer and Identity are exact, or a regular expression for the whole of it between slashes.
	Issuer   string `json:"issuer" yaml:"issuer"`
	Identity string `json:"identity" yaml:"identity"`
	// Root is a trusted root in sigstore's JSON. Logs and authorities that it names must vouch for the signature: with
	// transparency logs in it, an entry in one of them; with certificate logs, a timestamp of one.
	Root string `json:"root" yaml:"root"`
}

// Notation is a Notary Project trust store.
type Notation struct {
	// Certificates are roots, or signing certificates themselves, in PEM.
	Certificates []string `json:"certificates" yaml:"certificates"`
	// Identities are "x509.subject: C=…, ST=…, O=…", whose parts the signing certificate must have, or "*".
	Identities []string `json:"identities" yaml:"identities"`
	// Timestamps are roots of timestamping authorities, in PEM: what one of them has stamped stays valid when the
	// certificate's time is over.
	Timestamps []string `json:"timestamps,omitempty" yaml:"timestamps"`
}

// Attestation is a statement that is required, signed as Signer says.
type Attestation struct {
	// Predicate is the predicate type, or one of PredicateSBOM, PredicateProvenance, PredicateScan.
	Predicate string `json:"predicate" yaml:"predicate"`
	Signer    Signer `json:"signer" yaml:"signer"`
	// Builder, for provenance, is the builder's id: exact, with * for anything, or a regular expression between slashes.
	Builder string `json:"builder,omitempty" yaml:"builder"`
	// MaxAge bounds the age by the time that the predicate gives; 0 is any.
	MaxAge Duration `json:"maxAge,omitempty" yaml:"maxAge"`
}

// Short names for Attestation.Predicate: any predicate type that is one.
const (
	PredicateSBOM       = "sbom"
	PredicateProvenance = "provenance"
	PredicateScan       = "vulnerability-scan"
)

// Duration is a length of time that is written as text: "36h", "30d".
type Duration time.Duration

// MarshalText writes hours, minutes and seconds.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads Go's form, or whole days.
func (d *Duration) UnmarshalText(b []byte) error {
	if days, ok := strings.CutSuffix(string(b), "d"); ok {
		n, err := strconv.Atoi(days)
		if err != nil || n < 0 || n > 36500 {
			return fmt.Errorf("%q is no number of days", b)
		}
		*d = Duration(time.Duration(n) * 24 * time.Hour)
		return nil
	}
	v, err := time.ParseDuration(string(b))
	if err == nil && v < 0 {
		err = fmt.Errorf("%s is negative", b)
	}
	*d = Duration(v)
	return err
}

// maxPolicy bounds a policy, in bytes: trusted roots are tens of KiB each.
const maxPolicy = 4 << 20

// ParsePolicy reads a policy in JSON or YAML, and checks all of it. An unknown field is an error. The form is that of the
// hub's rules, so that a rule's JSON is a policy.
func ParsePolicy(data []byte) (Policy, error) {
	p, err := DecodePolicy(data)
	if err != nil {
		return p, err
	}
	_, err = Compile(p)
	return p, err
}

// DecodePolicy reads a policy without looking at its keys, roots and certificates: Compile does.
func DecodePolicy(data []byte) (Policy, error) {
	var p Policy
	if len(data) > maxPolicy {
		return p, fmt.Errorf("a trust policy of %d bytes: at most %d are allowed", len(data), maxPolicy)
	}
	if err := decodePolicy(data, &p); err != nil {
		return p, fmt.Errorf("reading the trust policy: %w", err)
	}
	return p, nil
}

func decodePolicy(data []byte, p *Policy) error {
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		d := json.NewDecoder(bytes.NewReader(data))
		d.DisallowUnknownFields()
		return d.Decode(p)
	}
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	return d.Decode(p)
}
