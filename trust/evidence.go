package trust

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protodsse "github.com/sigstore/protobuf-specs/gen/pb-go/dsse"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
)

// evidence is a signature that was read. Until it is judged, one of cosign and notation is set, unless it is broken: then
// its problem is known.
type evidence struct {
	Signature
	cosign   *cosignEvidence
	notation *notationEvidence
	broken   bool

	by map[*signer]bool // who verified it

	facts     facts      // of an attestation
	statement *statement // of an attestation, or of a signature in a bundle
	simple    *simple    // of a legacy signature
}

// cosignEvidence is a signature of Cosign's in any form.
type cosignEvidence struct {
	// message is what was signed: a payload, or DSSE's encoding of one. It is nil in a bundle that signs a digest
	// only, the digest of the image's manifest: then the digest is in image.
	message   []byte
	signature []byte
	image     []byte // SHA-256
	hint      string // of the key, as the signature has it
	cert      *x509.Certificate
	bundle    *bundle.Bundle // for certificates and logs; nil where there is neither
}

// readBundle reads a sigstore bundle (sigstore/protobuf-specs, sigstore_bundle.proto).
func readBundle(content []byte) (*evidence, error) {
	b := &bundle.Bundle{}
	if err := b.UnmarshalJSON(content); err != nil {
		return nil, fmt.Errorf("the bundle: %w", err)
	}
	e := &evidence{Signature: Signature{Form: FormBundle, Kind: KindSignature}, cosign: &cosignEvidence{bundle: b}}
	if err := e.cosign.material(); err != nil {
		return nil, err
	}
	e.describe()
	if m := b.GetMessageSignature(); m != nil {
		if m.MessageDigest.GetAlgorithm() != protocommon.HashAlgorithm_SHA2_256 {
			return nil, errors.New("the bundle signs a digest that is no SHA-256")
		}
		e.cosign.image, e.cosign.signature = m.MessageDigest.GetDigest(), m.GetSignature()
		return e, nil
	}
	d := b.GetDsseEnvelope()
	if len(d.GetSignatures()) != 1 || d.GetPayloadType() != payloadInToto {
		return nil, fmt.Errorf("the envelope has %d signatures over %q: want one over %s", len(d.GetSignatures()), d.GetPayloadType(), payloadInToto)
	}
	e.cosign.message, e.cosign.signature = preAuth(d.GetPayloadType(), d.GetPayload()), d.GetSignatures()[0].GetSig()
	return e, e.addStatement(d.GetPayload())
}

// material reads the certificate or the hint of a bundle.
func (c *cosignEvidence) material() error {
	content, err := c.bundle.VerificationContent()
	if err != nil {
		return fmt.Errorf("the bundle: %w", err)
	}
	if k := content.PublicKey(); k != nil {
		c.hint = k.Hint()
	}
	c.cert = content.Certificate()
	return nil
}

func (e *evidence) addStatement(payload []byte) error {
	s, err := parseStatement(payload)
	if err != nil {
		return err
	}
	e.statement, e.facts = s, factsOf(s)
	s.Predicate = nil
	if s.PredicateType != predicateSign {
		e.Kind, e.Predicate = KindAttestation, clean(s.PredicateType)
		e.Time = e.facts.at
	}
	if isProvenance(s.PredicateType) {
		e.Builder = clean(e.facts.builder)
	}
	return nil
}

// describe fills in who is said to have signed.
func (e *evidence) describe() {
	c := e.cosign
	if c.cert == nil {
		e.KeyID = hintID(c.hint)
		return
	}
	if s, err := certificate.SummarizeCertificate(c.cert); err == nil {
		e.Identity, e.Issuer = clean(s.SubjectAlternativeName), clean(s.Issuer)
	}
	e.KeyID = KeyID(c.cert.PublicKey)
}

// hintID shows a hint as a key id: Cosign writes the SHA-256 of the key in base64.
func hintID(hint string) string {
	if raw, err := base64.StdEncoding.DecodeString(hint); err == nil && len(raw) == 32 {
		return hex.EncodeToString(raw)
	}
	return clean(hint)
}

// readSimple reads a legacy signature: the payload is the layer, the rest is in annotations.
func readSimple(form Form, payload []byte, annotations map[string]string) (*evidence, error) {
	sig, err := base64.StdEncoding.DecodeString(annotations[annotSignature])
	if err != nil || len(sig) == 0 {
		return nil, errors.New("the layer has no signature in its annotations")
	}
	e := &evidence{Signature: Signature{Form: form, Kind: KindSignature}, cosign: &cosignEvidence{message: payload, signature: sig}}
	if e.simple, err = parseSimple(payload); err != nil {
		return nil, err
	}
	e.Repository = clean(e.simple.repository())
	digest := sha256Of(payload)
	content := &protobundle.Bundle_MessageSignature{MessageSignature: &protocommon.MessageSignature{
		MessageDigest: &protocommon.HashOutput{Algorithm: protocommon.HashAlgorithm_SHA2_256, Digest: digest}, Signature: sig}}
	return e, e.fromAnnotations(annotations, &protobundle.Bundle{Content: content})
}

// readEnvelope reads a legacy attestation: the layer is the envelope.
func readEnvelope(form Form, content []byte, annotations map[string]string) (*evidence, error) {
	env, payload, sig, err := parseEnvelope(content)
	if err != nil {
		return nil, err
	}
	e := &evidence{Signature: Signature{Form: form, Kind: KindAttestation},
		cosign: &cosignEvidence{message: preAuth(env.PayloadType, payload), signature: sig, hint: env.Signatures[0].KeyID}}
	if err := e.addStatement(payload); err != nil {
		return nil, err
	}
	dsse := &protobundle.Bundle_DsseEnvelope{DsseEnvelope: &protodsse.Envelope{PayloadType: env.PayloadType, Payload: payload,
		Signatures: []*protodsse.Signature{{Sig: sig, Keyid: env.Signatures[0].KeyID}}}}
	return e, e.fromAnnotations(annotations, &protobundle.Bundle{Content: dsse})
}

// fromAnnotations completes a bundle with what Cosign's legacy forms keep in annotations. Where there is neither
// certificate nor log entry, no bundle is needed.
func (e *evidence) fromAnnotations(annotations map[string]string, b *protobundle.Bundle) error {
	c := e.cosign
	material := &protobundle.VerificationMaterial{Content: &protobundle.VerificationMaterial_PublicKey{
		PublicKey: &protocommon.PublicKeyIdentifier{Hint: c.hint}}}
	if text := annotations[annotCert]; text != "" {
		block, _ := pem.Decode([]byte(text))
		if block == nil {
			return errors.New("the certificate is not in PEM")
		}
		var err error
		if c.cert, err = x509.ParseCertificate(block.Bytes); err != nil {
			return fmt.Errorf("the certificate: %w", err)
		}
		material.Content = &protobundle.VerificationMaterial_X509CertificateChain{X509CertificateChain: &protocommon.X509CertificateChain{
			Certificates: []*protocommon.X509Certificate{{RawBytes: block.Bytes}}}}
	}
	e.describe()
	if err := logEntry(annotations[annotBundle], material); err != nil {
		return err
	}
	if err := stampEntry(annotations[annotTimestamp], material); err != nil {
		return err
	}
	if c.cert == nil && len(material.TlogEntries) == 0 {
		return nil
	}
	b.MediaType, b.VerificationMaterial = "application/vnd.dev.sigstore.bundle+json;version=0.1", material
	var err error
	if c.bundle, err = bundle.NewBundle(b); err != nil {
		return fmt.Errorf("the annotations: %w", err)
	}
	return nil
}

// logEntry reads Cosign's annotation with Rekor's answer.
func logEntry(text string, to *protobundle.VerificationMaterial) error {
	if text == "" {
		return nil
	}
	var a struct {
		SignedEntryTimestamp []byte
		Payload              struct {
			Body           []byte `json:"body"`
			IntegratedTime int64  `json:"integratedTime"`
			LogIndex       int64  `json:"logIndex"`
			LogID          string `json:"logID"`
		}
	}
	var kind struct {
		Kind       string `json:"kind"`
		APIVersion string `json:"apiVersion"`
	}
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		return fmt.Errorf("the log entry: %w", err)
	}
	if err := json.Unmarshal(a.Payload.Body, &kind); err != nil {
		return fmt.Errorf("the log entry's body: %w", err)
	}
	id, err := hex.DecodeString(a.Payload.LogID)
	if err != nil {
		return fmt.Errorf("the log's id: %w", err)
	}
	to.TlogEntries = append(to.TlogEntries, &protorekor.TransparencyLogEntry{
		LogIndex:          a.Payload.LogIndex,
		LogId:             &protocommon.LogId{KeyId: id},
		KindVersion:       &protorekor.KindVersion{Kind: kind.Kind, Version: kind.APIVersion},
		IntegratedTime:    a.Payload.IntegratedTime,
		InclusionPromise:  &protorekor.InclusionPromise{SignedEntryTimestamp: a.SignedEntryTimestamp},
		CanonicalizedBody: a.Payload.Body,
	})
	return nil
}

// stampEntry reads Cosign's annotation with a timestamping authority's answer.
func stampEntry(text string, to *protobundle.VerificationMaterial) error {
	if text == "" {
		return nil
	}
	var a struct{ SignedRFC3161Timestamp []byte }
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		return fmt.Errorf("the timestamp: %w", err)
	}
	to.TimestampVerificationData = &protobundle.TimestampVerificationData{
		Rfc3161Timestamps: []*protocommon.RFC3161SignedTimestamp{{SignedTimestamp: a.SignedRFC3161Timestamp}}}
	return nil
}

// logTime is the time at which a log says that it took the signature in; it is proved only if the log is.
func (c *cosignEvidence) logTime() time.Time {
	if c.bundle == nil {
		return time.Time{}
	}
	for _, entry := range c.bundle.GetVerificationMaterial().GetTlogEntries() {
		if entry.GetIntegratedTime() > 0 {
			return time.Unix(entry.GetIntegratedTime(), 0).UTC()
		}
	}
	return time.Time{}
}
