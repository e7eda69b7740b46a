package trust

import (
	"bytes"
	"crypto"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"time"

	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/signature"
)

// logRoot is a trusted root: certificate authorities, logs, timestamping authorities.
type logRoot = root.TrustedRoot

// maxRoot bounds a trusted root, in bytes.
const maxRoot = 1 << 20

func parseRoot(text string) (*logRoot, error) {
	if text == "" {
		return nil, errors.New("no trusted root is given: sigstore's trusted_root.json")
	}
	if len(text) > maxRoot {
		return nil, fmt.Errorf("a trusted root of %d bytes: at most %d are allowed", len(text), maxRoot)
	}
	r, err := guarded(func() (*root.TrustedRoot, error) { return root.NewTrustedRootFromJSON([]byte(text)) })
	if err != nil {
		return nil, fmt.Errorf("reading the trusted root: %w", err)
	}
	return r, nil
}

// keyless is a Keyless, ready to be applied.
type keyless struct {
	Keyless
	root             *logRoot
	verifier         *verify.Verifier
	issuer, identity *regexp.Regexp
}

func compileKeyless(k *Keyless) (*keyless, error) {
	if k.Issuer == "" || k.Identity == "" {
		return nil, errors.New("keyless needs an issuer and an identity")
	}
	c := &keyless{Keyless: *k}
	var err error
	if c.issuer, err = pattern(k.Issuer, false); err != nil {
		return nil, fmt.Errorf("issuer: %w", err)
	}
	if c.identity, err = pattern(k.Identity, false); err != nil {
		return nil, fmt.Errorf("identity: %w", err)
	}
	if c.root, err = parseRoot(k.Root); err != nil {
		return nil, err
	}
	if len(c.root.FulcioCertificateAuthorities()) == 0 {
		return nil, errors.New("the trusted root names no certificate authority")
	}
	c.verifier, err = verify.NewVerifier(c.root, rootOptions(c.root)...)
	return c, err
}

// rootOptions demands what the root can prove: an entry in a log if it names one, a certificate log's timestamp if it
// names one, and always a time from a log or an authority.
func rootOptions(r *logRoot) []verify.VerifierOption {
	options := []verify.VerifierOption{verify.WithObserverTimestamps(1), verify.WithoutStatementPredicate()}
	if len(r.RekorLogs()) > 0 {
		options = append(options, verify.WithTransparencyLog(1))
	}
	if len(r.CTLogs()) > 0 {
		options = append(options, verify.WithSignedCertificateTimestamps(1))
	}
	return options
}

// checkKeyless lets sigstore-go decide; only if it refuses, diagnose looks for the reason.
func (r *run) checkKeyless(e *evidence, s *signer) *Problem {
	c, k := e.cosign, s.keyless
	if c.cert == nil {
		return problem(UnknownKey, "made with a key, not with a certificate of %s", s.name)
	}
	res, err := k.verifier.Verify(c.bundle, verify.NewPolicy(c.artifact(), verify.WithoutIdentitiesUnsafe()))
	if err != nil {
		return k.diagnose(c, err)
	}
	if len(res.VerifiedTimestamps) > 0 {
		at := res.VerifiedTimestamps[0].Timestamp.UTC()
		if at.After(r.now.Add(future)) {
			return problem(Expired, "it was signed in the future, at %s", at.Format(time.RFC3339))
		}
		e.Time = at
	}
	return k.checkIdentity(res.Signature.Certificate)
}

func (k *keyless) checkIdentity(c *certificate.Summary) *Problem {
	if c == nil {
		return problem(WrongIdentity, "it has no certificate")
	}
	if !k.issuer.MatchString(c.Issuer) {
		return problem(WrongIssuer, "signed by %s, for whom %s vouches, not %s", orNobody(c.SubjectAlternativeName), orNobody(c.Issuer), k.Issuer)
	}
	if !k.identity.MatchString(c.SubjectAlternativeName) {
		return problem(WrongIdentity, "signed by %s, not by %s", orNobody(c.SubjectAlternativeName), k.Identity)
	}
	return nil
}

// artifact tells sigstore-go what was signed. Whether that is the image is for checkContent.
func (c *cosignEvidence) artifact() verify.ArtifactPolicyOption {
	switch {
	case c.image != nil:
		return verify.WithArtifactDigest("sha256", c.image)
	case c.bundle.GetMessageSignature() != nil:
		return verify.WithArtifact(bytes.NewReader(c.message))
	}
	return verify.WithoutArtifactUnsafe()
}

// diagnose finds the first step at which a signature with a certificate fails. It decides nothing: err has.
func (k *keyless) diagnose(c *cosignEvidence, err error) *Problem {
	from, to := c.cert.NotBefore, c.cert.NotAfter
	if !c.signedByCertificate() {
		return problem(Forged, "the certificate's key did not make this signature: altered, or forged")
	}
	if _, e := verify.VerifyLeafCertificate(from, c.cert, k.root); e != nil {
		return problem(Untrusted, "no certificate authority of the trusted root issued the certificate")
	}
	at := c.logTime()
	if !at.IsZero() && (at.Before(from) || at.After(to)) {
		return problem(Expired, "signed at %s, outside the certificate's time, %s to %s", at.Format(time.RFC3339), from.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339))
	}
	if len(k.root.RekorLogs()) > 0 {
		if _, e := verify.VerifyTlogEntry(c.bundle, k.root, 1, true); e != nil {
			return problem(NotInLog, "no log of the trusted root proves it: %v", e)
		}
	}
	stamps, _, e := verify.VerifySignedTimestamp(c.bundle, k.root)
	if e != nil {
		return problem(Malformed, "the timestamps: %v", e)
	}
	for _, t := range stamps {
		if t.Time.Before(from) || t.Time.After(to) {
			return problem(Expired, "signed at %s, outside the certificate's time, %s to %s", t.Time.UTC().Format(time.RFC3339), from.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339))
		}
	}
	if len(stamps) == 0 && at.IsZero() {
		return problem(NotInLog, "neither a log nor a timestamping authority of the trusted root says when it was made")
	}
	return problem(NotInLog, "%v", err)
}

// signedByCertificate reports whether the certificate's key made the signature.
func (c *cosignEvidence) signedByCertificate() bool {
	if c.message != nil {
		return fits(c.cert.PublicKey, c.message, c.signature)
	}
	content, err := c.bundle.SignatureContent()
	if err != nil {
		return false
	}
	material, err := c.bundle.VerificationContent()
	if err != nil {
		return false
	}
	return verify.VerifySignatureWithArtifactDigests(content, material, &root.BaseTrustedMaterial{},
		[]verify.ArtifactDigest{{Algorithm: "sha256", Digest: c.image}}) == nil
}

// checkLog demands a log's proof of what a key has signed, where the signer is given a root.
func (s *signer) checkLog(e *evidence, k publicKey) *Problem {
	if s.log == nil {
		return nil
	}
	if e.cosign.bundle == nil {
		return problem(NotInLog, "it has no entry of a log")
	}
	material := &keyMaterial{TrustedRoot: s.log, key: keyVerifier{k.key}}
	if _, err := verify.VerifyTlogEntry(e.cosign.bundle, material, 1, true); err != nil {
		return problem(NotInLog, "no log of the trusted root proves it: %v", err)
	}
	if at := e.cosign.logTime(); !at.IsZero() {
		e.Time = at
	}
	return nil
}

// keyMaterial is a trusted root that knows one key.
type keyMaterial struct {
	*root.TrustedRoot
	key keyVerifier
}

func (m *keyMaterial) PublicKeyVerifier(string) (root.TimeConstrainedVerifier, error) {
	return m.key, nil
}

// keyVerifier is a public key in sigstore's manner.
type keyVerifier struct{ key crypto.PublicKey }

func (keyVerifier) ValidAtTime(time.Time) bool { return true }

func (v keyVerifier) PublicKey(...signature.PublicKeyOption) (crypto.PublicKey, error) {
	return v.key, nil
}

func (v keyVerifier) VerifySignature(sig, message io.Reader, _ ...signature.VerifyOption) error {
	s, err := io.ReadAll(sig)
	if err != nil {
		return err
	}
	m, err := io.ReadAll(message)
	if err != nil {
		return err
	}
	if !fits(v.key, m, s) {
		return errors.New("the key did not make this signature")
	}
	return nil
}

// fingerprint is the SHA-256 of a certificate, in hexadecimal.
func fingerprint(raw []byte) string { return hex.EncodeToString(sha256Of(raw)) }
