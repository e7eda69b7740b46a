package trust

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

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
