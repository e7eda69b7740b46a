package trust

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"regexp"
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

// Verifier is a policy, ready to be applied. It may be used concurrently.
type Verifier struct {
	policy       Policy
	limits       Limits
	signers      []*signer
	attestations []demand
}

// demand is an Attestation with its signer.
type demand struct {
	Attestation
	signer  *signer
	builder *regexp.Regexp // nil: any
}

// signer is a Signer whose keys, roots and certificates are parsed. One of keys, keyless and notation is set.
type signer struct {
	name     string
	keys     []publicKey
	log      *logRoot // with keys: where entries must be; may be nil
	keyless  *keyless
	notation *notation
}

// publicKey is a key with its id.
type publicKey struct {
	id  string
	key crypto.PublicKey
}

// Compile checks a policy and prepares it. Limits are the defaults: see WithLimits.
func Compile(p Policy) (*Verifier, error) {
	v := &Verifier{policy: p, limits: Limits{}.withDefaults()}
	for i := range p.Signers {
		s, err := compileSigner(&p.Signers[i])
		if err != nil {
			return nil, fmt.Errorf("signer %d %q: %w", i+1, p.Signers[i].Name, err)
		}
		v.signers = append(v.signers, s)
	}
	for i := range p.Attestations {
		d, err := compileDemand(&p.Attestations[i])
		if err != nil {
			return nil, fmt.Errorf("attestation %d %q: %w", i+1, p.Attestations[i].Predicate, err)
		}
		v.attestations = append(v.attestations, d)
	}
	return v, nil
}

// WithLimits is the same policy with other limits.
func (v *Verifier) WithLimits(l Limits) *Verifier {
	w := *v
	w.limits = l.withDefaults()
	return &w
}

func compileDemand(a *Attestation) (demand, error) {
	d := demand{Attestation: *a}
	if a.Predicate == "" {
		return d, errors.New("no predicate: give a predicate type, sbom, provenance or vulnerability-scan")
	}
	if a.Builder != "" {
		if a.Predicate != PredicateProvenance && !isProvenance(a.Predicate) {
			return d, errors.New("a builder is asked for, but the predicate is no provenance")
		}
		re, err := pattern(a.Builder, true)
		if err != nil {
			return d, fmt.Errorf("builder: %w", err)
		}
		d.builder = re
	}
	s, err := compileSigner(&a.Signer)
	if err == nil && s.notation != nil {
		err = errors.New("attestations are signed with keys or keyless: the Notary Project has none")
	}
	if err != nil {
		return d, fmt.Errorf("signer: %w", err)
	}
	d.signer = s
	return d, nil
}

func compileSigner(s *Signer) (*signer, error) {
	if err := oneOf(s); err != nil {
		return nil, err
	}
	c := &signer{name: s.Name}
	var err error
	switch {
	case s.Keyless != nil:
		c.keyless, err = compileKeyless(s.Keyless)
	case s.Notation != nil:
		c.notation, err = compileNotation(s.Notation)
	default:
		err = c.addKeys(s)
	}
	if c.name == "" {
		c.name = c.describe()
	}
	return c, err
}

func oneOf(s *Signer) error {
	n := 0
	for _, set := range []bool{len(s.Keys) > 0, s.Keyless != nil, s.Notation != nil} {
		if set {
			n++
		}
	}
	if n != 1 {
		return errors.New("exactly one of keys, keyless and notation must be given")
	}
	if s.Root != "" && len(s.Keys) == 0 {
		return errors.New("root goes with keys; keyless has its own")
	}
	return nil
}

func (s *signer) addKeys(from *Signer) error {
	for _, text := range from.Keys {
		keys, err := ParsePublicKeys([]byte(text))
		if err != nil {
			return err
		}
		for _, k := range keys {
			s.keys = append(s.keys, publicKey{id: KeyID(k), key: k})
		}
	}
	if from.Root == "" {
		return nil
	}
	root, err := parseRoot(from.Root)
	if err == nil && len(root.RekorLogs()) == 0 {
		err = errors.New("the trusted root names no transparency log")
	}
	s.log = root
	return err
}

// describe names a signer that has no name.
func (s *signer) describe() string {
	switch {
	case s.keyless != nil:
		return s.keyless.Identity
	case s.notation != nil:
		return "notation"
	case len(s.keys) > 0:
		return "key " + shortID(s.keys[0].id)
	}
	return ""
}

func shortID(id string) string { return id[:min(16, len(id))] }

// pattern compiles what is exact or, between slashes, a regular expression for the whole; with stars, * is anything.
func pattern(text string, stars bool) (*regexp.Regexp, error) {
	expr := regexp.QuoteMeta(text)
	if inner, ok := strings.CutPrefix(text, "/"); ok && strings.HasSuffix(inner, "/") {
		expr = strings.TrimSuffix(inner, "/")
		if _, err := regexp.Compile(expr); err != nil {
			return nil, err
		}
	} else if stars {
		expr = strings.ReplaceAll(expr, `\*`, ".*")
	}
	return regexp.Compile(`^(?s:` + expr + `)$`)
}

// certificates parses every certificate of PEM texts, of which there must be one.
func certificates(texts []string) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for _, text := range texts {
		found := false
		for rest := []byte(text); ; {
			var block *pem.Block
			if block, rest = pem.Decode(rest); block == nil {
				break
			}
			if block.Type != "CERTIFICATE" {
				return nil, fmt.Errorf("%s where a certificate was expected", block.Type)
			}
			c, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, fmt.Errorf("reading a certificate: %w", err)
			}
			all, found = append(all, c), true
		}
		if !found {
			return nil, errors.New("no certificate in PEM was found")
		}
	}
	return all, nil
}
