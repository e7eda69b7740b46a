package trust

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/digitorus/timestamp"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protodsse "github.com/sigstore/protobuf-specs/gen/pb-go/dsse"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/sigstore/sigstore-go/pkg/root"
)

var stamp = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// sigstore is a certificate authority, a log in Rekor's manner and a timestamping authority, at the time stamp.
type sigstore struct {
	ca, stamper       *x509.Certificate
	caKey, stamperKey *ecdsa.PrivateKey
	logKey            *ecdsa.PrivateKey
}

func newSigstore(t testing.TB) *sigstore {
	t.Helper()
	v := &sigstore{caKey: ecKey(t), stamperKey: ecKey(t), logKey: ecKey(t)}
	v.ca = certify(t, &x509.Certificate{Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: stamp.AddDate(-1, 0, 0), NotAfter: stamp.AddDate(9, 0, 0), KeyUsage: x509.KeyUsageCertSign}, nil, v.caKey, v.caKey)
	usage, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	must(t, err)
	v.stamper = certify(t, &x509.Certificate{Subject: pkix.Name{CommonName: "stamper"}, KeyUsage: x509.KeyUsageDigitalSignature,
		NotBefore: stamp.AddDate(-1, 0, 0), NotAfter: stamp.AddDate(9, 0, 0), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping},
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: usage}}}, v.ca, v.stamperKey, v.caKey)
	return v
}

func ecKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	return k
}

// certify signs a certificate for key; parent nil is itself.
func certify(t testing.TB, c, parent *x509.Certificate, key, by crypto.Signer) *x509.Certificate {
	t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	must(t, err)
	c.SerialNumber = serial
	if parent == nil {
		parent = c
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), by)
	must(t, err)
	out, err := x509.ParseCertificate(der)
	must(t, err)
	return out
}

// identity is a certificate for ten minutes from stamp on.
func (v *sigstore) identity(t testing.TB, who, by string, key crypto.Signer) *x509.Certificate {
	return certify(t, &x509.Certificate{EmailAddresses: []string{who}, NotBefore: stamp, NotAfter: stamp.Add(10 * time.Minute),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, 1}, Value: []byte(by)}}}, v.ca, key, v.caKey)
}

// root is the trusted root, with or without the log.
func (v *sigstore) root(t testing.TB, logs bool) string {
	t.Helper()
	from, to := stamp.AddDate(-1, 0, 0), stamp.AddDate(9, 0, 0)
	rekor := map[string]*root.TransparencyLog{}
	if logs {
		id := v.logID(t)
		rekor[hex.EncodeToString(id)] = &root.TransparencyLog{BaseURL: "https://log.example", ID: id, ValidityPeriodStart: from, ValidityPeriodEnd: to,
			HashFunc: crypto.SHA256, PublicKey: v.logKey.Public(), SignatureHashFunc: crypto.SHA256}
	}
	r, err := root.NewTrustedRoot(root.TrustedRootMediaType01,
		[]root.CertificateAuthority{&root.FulcioCertificateAuthority{Root: v.ca, ValidityPeriodStart: from, ValidityPeriodEnd: to, URI: "https://authority.example"}}, nil,
		[]root.TimestampingAuthority{&root.SigstoreTimestampingAuthority{Root: v.ca, Leaf: v.stamper, ValidityPeriodStart: from, ValidityPeriodEnd: to, URI: "https://stamper.example"}}, rekor)
	must(t, err)
	text, err := r.MarshalJSON()
	must(t, err)
	return string(text)
}

func (v *sigstore) logID(t testing.TB) []byte {
	der, err := x509.MarshalPKIXPublicKey(v.logKey.Public())
	must(t, err)
	return sha256Of(der)
}

// entry logs a body at a time: the first entry of a log of one.
func (v *sigstore) entry(t testing.TB, kind string, spec any, at time.Time) *protorekor.TransparencyLogEntry {
	t.Helper()
	body := toJSON(t, map[string]any{"apiVersion": "0.0.1", "kind": kind, "spec": spec})
	id := v.logID(t)
	promise := toJSON(t, map[string]any{"body": base64.StdEncoding.EncodeToString(body), "integratedTime": at.Unix(), "logID": hex.EncodeToString(id), "logIndex": 0})
	leaf := sha256Of(append([]byte{0}, body...))
	note := fmt.Sprintf("log.example - 1\n1\n%s\n", base64.StdEncoding.EncodeToString(leaf))
	line := base64.StdEncoding.EncodeToString(append(id[:4:4], v.logSign(t, []byte(note))...))
	return &protorekor.TransparencyLogEntry{
		LogId: &protocommon.LogId{KeyId: id}, KindVersion: &protorekor.KindVersion{Kind: kind, Version: "0.0.1"}, IntegratedTime: at.Unix(),
		InclusionPromise: &protorekor.InclusionPromise{SignedEntryTimestamp: v.logSign(t, promise)},
		InclusionProof: &protorekor.InclusionProof{TreeSize: 1, RootHash: leaf,
			Checkpoint: &protorekor.Checkpoint{Envelope: note + "\n— log.example " + line + "\n"}},
		CanonicalizedBody: body,
	}
}

func (v *sigstore) logSign(t testing.TB, message []byte) []byte {
	sig, err := v.logKey.Sign(rand.Reader, sha256Of(message), crypto.SHA256)
	must(t, err)
	return sig
}

func hashOf(b []byte) map[string]string {
	return map[string]string{"algorithm": "sha256", "value": hex.EncodeToString(sha256Of(b))}
}

// verifierText is a certificate or key as log entries hold it.
func verifierText(kind string, der []byte) string {
	return base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func (v *sigstore) envelopeEntry(t testing.TB, e *protodsse.Envelope, verifier string, at time.Time) *protorekor.TransparencyLogEntry {
	sig := base64.StdEncoding.EncodeToString(e.Signatures[0].Sig)
	return v.entry(t, "dsse", map[string]any{"envelopeHash": hashOf(sha256Of(e.Payload)), "payloadHash": hashOf(e.Payload),
		"signatures": []any{map[string]string{"signature": sig, "verifier": verifier}}}, at)
}

func (v *sigstore) messageEntry(t testing.TB, message, sig []byte, verifier string, at time.Time) *protorekor.TransparencyLogEntry {
	return v.entry(t, "hashedrekord", map[string]any{"data": map[string]any{"hash": hashOf(message)},
		"signature": map[string]any{"content": base64.StdEncoding.EncodeToString(sig), "publicKey": map[string]string{"content": verifier}}}, at)
}

// stamped is a timestamp over a signature.
func (v *sigstore) stamped(t testing.TB, sig []byte, at time.Time) []byte {
	t.Helper()
	ts := timestamp.Timestamp{HashAlgorithm: crypto.SHA256, HashedMessage: sha256Of(sig), Time: at, Policy: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 2},
		AddTSACertificate: true}
	out, err := ts.CreateResponseWithOpts(v.stamper, v.stamperKey, crypto.SHA256)
	must(t, err)
	return out
}

// attest makes a bundle with everything: certificate, log entry, timestamp.
func (v *sigstore) attest(t testing.TB, payload []byte, who, by string, at time.Time) *protobundle.Bundle {
	t.Helper()
	key := ecKey(t)
	cert := v.identity(t, who, by, key)
	sig, err := key.Sign(rand.Reader, sha256Of(preAuth(payloadInToto, payload)), crypto.SHA256)
	must(t, err)
	e := &protodsse.Envelope{PayloadType: payloadInToto, Payload: payload, Signatures: []*protodsse.Signature{{Sig: sig}}}
	return &protobundle.Bundle{MediaType: typeBundleV03, Content: &protobundle.Bundle_DsseEnvelope{DsseEnvelope: e},
		VerificationMaterial: &protobundle.VerificationMaterial{
			Content:     &protobundle.VerificationMaterial_Certificate{Certificate: &protocommon.X509Certificate{RawBytes: cert.Raw}},
			TlogEntries: []*protorekor.TransparencyLogEntry{v.envelopeEntry(t, e, verifierText("CERTIFICATE", cert.Raw), at)},
			TimestampVerificationData: &protobundle.TimestampVerificationData{
				Rfc3161Timestamps: []*protocommon.RFC3161SignedTimestamp{{SignedTimestamp: v.stamped(t, sig, at)}}}}}
}
