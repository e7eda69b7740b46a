package trust

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/notaryproject/notation-core-go/signature"
	_ "github.com/notaryproject/notation-core-go/signature/cose" // registers its envelope
	_ "github.com/notaryproject/notation-core-go/signature/jws"
	nx509 "github.com/notaryproject/notation-core-go/x509"
	"github.com/notaryproject/tspclient-go"
)

const (
	mediaJWS        = "application/jose+json"
	mediaCOSE       = "application/cose"
	payloadNotation = "application/vnd.cncf.notary.payload.v1+json"
)

// notation is a Notation, ready to be applied.
type notation struct {
	Notation
	certificates []*x509.Certificate
	timestamps   *x509.CertPool // nil: none are trusted
	identities   []subjectName  // nil: anybody
}

func compileNotation(n *Notation) (*notation, error) {
	c := &notation{Notation: *n}
	var err error
	if c.certificates, err = certificates(n.Certificates); err != nil {
		return nil, err
	}
	if len(c.certificates) == 0 {
		return nil, errors.New("notation needs certificates")
	}
	if len(n.Timestamps) > 0 {
		roots, err := certificates(n.Timestamps)
		if err != nil {
			return nil, fmt.Errorf("timestamps: %w", err)
		}
		c.timestamps = x509.NewCertPool()
		for _, r := range roots {
			c.timestamps.AddCert(r)
		}
	}
	c.identities, err = identities(n.Identities)
	return c, err
}

// identities parses trusted identities (Notary Project, trust-store-trust-policy.md).
func identities(texts []string) ([]subjectName, error) {
	if len(texts) == 0 {
		return nil, errors.New("notation needs identities: \"x509.subject: C=…, ST=…, O=…\", or \"*\"")
	}
	var all []subjectName
	for _, text := range texts {
		if text == "*" {
			if len(texts) > 1 {
				return nil, errors.New("the identity * stands alone")
			}
			return nil, nil
		}
		kind, value, _ := strings.Cut(text, ":")
		if kind != "x509.subject" {
			return nil, fmt.Errorf("identity %q: want \"x509.subject: C=…, ST=…, O=…\", or \"*\"", text)
		}
		name, err := parseSubject(value)
		if err != nil {
			return nil, fmt.Errorf("identity %q: %w", text, err)
		}
		all = append(all, name)
	}
	return all, nil
}

// notationEvidence is a signature of the Notary Project's.
type notationEvidence struct {
	media    string
	envelope signature.Envelope
	content  *signature.EnvelopeContent // as it says of itself
	target   Descriptor
}

// readNotation reads an envelope without trusting it (Notary Project, signature-specification.md).
func readNotation(media string, content []byte) (*evidence, error) {
	if media != mediaJWS && media != mediaCOSE {
		return nil, fmt.Errorf("an envelope of the unknown type %q", media)
	}
	n := &notationEvidence{media: media}
	var err error
	if n.envelope, err = signature.ParseEnvelope(media, content); err != nil {
		return nil, fmt.Errorf("the envelope: %w", err)
	}
	if n.content, err = n.envelope.Content(); err != nil {
		return nil, fmt.Errorf("the envelope: %w", err)
	}
	if t := n.content.Payload.ContentType; t != payloadNotation {
		return nil, fmt.Errorf("the envelope holds %q: want %s", t, payloadNotation)
	}
	var payload struct {
		Target Descriptor `json:"targetArtifact"`
	}
	if err := json.Unmarshal(n.content.Payload.Content, &payload); err != nil {
		return nil, fmt.Errorf("the envelope's payload: %w", err)
	}
	n.target = payload.Target
	e := &evidence{Signature: Signature{Form: FormNotation, Kind: KindSignature, Time: n.content.SignerInfo.SignedAttributes.SigningTime.UTC()}, notation: n}
	if chain := n.content.SignerInfo.CertificateChain; len(chain) > 0 {
		e.Identity, e.KeyID = clean(chain[0].Subject.String()), KeyID(chain[0].PublicKey)
	}
	return e, nil
}

// checkNotation applies the checks of the Notary Project's strict level, except for revocation, which would ask the
// network: integrity, authenticity, trusted identity, expiry, authentic timestamp, and then the target.
func (r *run) checkNotation(ctx context.Context, e *evidence, s *signer) *Problem {
	n := e.notation
	content, err := n.envelope.Verify()
	if err != nil {
		return integrityProblem(err)
	}
	info := &content.SignerInfo
	if p := supported(info); p != nil {
		return p
	}
	if _, err := signature.VerifyAuthenticity(info, s.notation.certificates); err != nil {
		return problem(Untrusted, "signed by %s, whose certificate leads to none that %s trusts", e.Identity, s.name)
	}
	if p := s.notation.checkIdentity(info.CertificateChain[0]); p != nil {
		return p
	}
	if x := info.SignedAttributes.Expiry; !x.IsZero() && !r.now.Before(x) {
		return problem(Expired, "the signature expired at %s", x.UTC().Format(time.RFC3339))
	}
	if p := s.notation.checkTime(ctx, info, r.now); p != nil {
		return p
	}
	return r.checkTarget(ctx, e)
}

// integrityProblem tells what does not hold together from what is unusual.
func integrityProblem(err error) *Problem {
	var integrity *signature.SignatureIntegrityError
	if errors.As(err, &integrity) {
		return problem(Forged, "the certificate's key did not make this signature: altered, or forged")
	}
	return problem(Malformed, "%v", err)
}

// supported refuses what asks for a plugin, or for another trust store than the policy has.
func supported(info *signature.SignerInfo) *Problem {
	if scheme := info.SignedAttributes.SigningScheme; scheme != signature.SigningSchemeX509 {
		return problem(Unsupported, "the signing scheme %s needs a trust store of signing authorities, which is not done here", scheme)
	}
	for _, a := range info.SignedAttributes.ExtendedAttributes {
		if a.Critical {
			return problem(Unsupported, "it demands that %v is understood, which asks for a plugin", a.Key)
		}
	}
	return nil
}

func (n *notation) checkIdentity(leaf *x509.Certificate) *Problem {
	if n.identities == nil {
		return nil
	}
	name, err := parseSubject(leaf.Subject.String())
	if err != nil {
		return problem(WrongIdentity, "the certificate's subject: %v", err)
	}
	for _, want := range n.identities {
		if want.within(name) {
			return nil
		}
	}
	return problem(WrongIdentity, "signed by %s, not by %s", leaf.Subject, strings.Join(n.Identities, " or "))
}

// checkTime demands that the certificates are valid: now, or, if they are not any more, at the time that a trusted
// authority has stamped.
func (n *notation) checkTime(ctx context.Context, info *signature.SignerInfo, now time.Time) *Problem {
	p := within(info.CertificateChain, now, now)
	if p == nil || n.timestamps == nil || len(info.UnsignedAttributes.TimestampSignature) == 0 {
		return p
	}
	stamp, err := n.stamped(ctx, info)
	if err != nil {
		return problem(Expired, "%s; and its timestamp does not help: %v", p.Text, err)
	}
	return within(info.CertificateChain, stamp.Value.Add(-stamp.Accuracy), stamp.Value.Add(stamp.Accuracy))
}

func within(chain []*x509.Certificate, from, to time.Time) *Problem {
	for _, c := range chain {
		if from.Before(c.NotBefore) {
			return problem(Expired, "the certificate of %s is not valid before %s", c.Subject, c.NotBefore.UTC().Format(time.RFC3339))
		}
		if to.After(c.NotAfter) {
			return problem(Expired, "the certificate of %s expired at %s", c.Subject, c.NotAfter.UTC().Format(time.RFC3339))
		}
	}
	return nil
}

// stamped verifies a timestamp over the signature (RFC 3161).
func (n *notation) stamped(ctx context.Context, info *signature.SignerInfo) (*tspclient.Timestamp, error) {
	token, err := tspclient.ParseSignedToken(info.UnsignedAttributes.TimestampSignature)
	if err != nil {
		return nil, err
	}
	tst, err := token.Info()
	if err != nil {
		return nil, err
	}
	stamp, err := tst.Validate(info.Signature)
	if err != nil {
		return nil, err
	}
	chain, err := token.Verify(ctx, x509.VerifyOptions{CurrentTime: stamp.Value, Roots: n.timestamps})
	if err != nil {
		return nil, err
	}
	return stamp, nx509.ValidateTimestampingCertChain(chain)
}

// checkTarget holds the signed descriptor against the image's.
func (r *run) checkTarget(ctx context.Context, e *evidence) *Problem {
	target := e.notation.target
	if target.Digest.String() != e.Subject {
		return problem(WrongDigest, "a valid signature of another image: it signs %s, not %s", target.Digest, e.Subject)
	}
	raw, mediaType, err := r.manifest(ctx, e.Subject)
	if err != nil {
		return problem(Unreachable, "the image's manifest could not be read: %v", err)
	}
	if target.Size != int64(len(raw)) || target.MediaType != mediaType {
		return problem(WrongDigest, "it signs %s of %d bytes, the image is %s of %d", target.MediaType, target.Size, mediaType, len(raw))
	}
	return nil
}
