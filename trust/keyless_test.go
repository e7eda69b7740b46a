package trust

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"google.golang.org/protobuf/encoding/protojson"
)

const (
	someone = "ci@example.com"
	issuer  = "https://issuer.example"
)

func (v *sigstore) policy(t testing.TB, logs bool) Policy {
	return Policy{Signers: []Signer{{Name: "ci", Keyless: &Keyless{Issuer: issuer, Identity: someone, Root: v.root(t, logs)}}}}
}

// bundle is a signature of an image, made by who at a time, relative to now.
func (v *sigstore) bundle(t testing.TB, digest, who, by string, at time.Duration) *protobundle.Bundle {
	t.Helper()
	st, err := newStatement(Subject{Digest: digest}, predicateSign, nil)
	must(t, err)
	return v.attest(t, toJSON(t, st), who, by, stamp.Add(at))
}

func (f *fake) attachBundle(t testing.TB, s Subject, b *protobundle.Bundle) {
	t.Helper()
	raw, err := protojson.Marshal(b)
	must(t, err)
	f.attached(t, s, typeBundleV03, typeBundleV03, raw)
}

func TestKeyless(t *testing.T) {
	ours, theirs := newSigstore(t), newSigstore(t)
	for _, tc := range []struct {
		name string
		want Code // "" is verified
		from *sigstore
		who  string
		by   string
		at   time.Duration
		logs bool
		edit func(*protobundle.Bundle)
	}{
		{name: "right", from: ours, logs: true},
		{name: "right, by a timestamping authority alone", from: ours, edit: func(b *protobundle.Bundle) { b.VerificationMaterial.TlogEntries = nil }},
		{name: "somebody else", want: WrongIdentity, from: ours, who: "eve@example.com", logs: true},
		{name: "another's word", want: WrongIssuer, from: ours, by: "https://eve.example", logs: true},
		{name: "another authority", want: Untrusted, from: theirs, logs: true},
		{name: "signed after the certificate's time", want: Expired, from: ours, at: 2 * time.Hour, logs: true},
		{name: "signed before the certificate's time", want: Expired, from: ours, at: -2 * time.Hour, logs: true},
		{name: "no log entry", want: NotInLog, from: ours, logs: true, edit: func(b *protobundle.Bundle) { b.VerificationMaterial.TlogEntries = nil }},
		{name: "no time at all", want: NotInLog, from: ours, edit: func(b *protobundle.Bundle) {
			b.VerificationMaterial.TlogEntries, b.VerificationMaterial.TimestampVerificationData = nil, nil
		}},
		{name: "signature altered", want: Forged, from: ours, logs: true, edit: func(b *protobundle.Bundle) { b.GetDsseEnvelope().Signatures[0].Sig[8] ^= 1 }},
		{name: "payload altered", want: Forged, from: ours, logs: true, edit: func(b *protobundle.Bundle) {
			e := b.GetDsseEnvelope()
			e.Payload = []byte(strings.Replace(string(e.Payload), "sha256", "SHA256", 1))
		}},
		{name: "log time altered", want: NotInLog, from: ours, logs: true, edit: func(b *protobundle.Bundle) {
			b.VerificationMaterial.TlogEntries[0].IntegratedTime -= 60
		}},
		{name: "log entry of another", want: NotInLog, from: ours, logs: true, edit: func(b *protobundle.Bundle) {
			o := ours.bundle(t, "sha256:"+strings.Repeat("0", 64), someone, issuer, 5*time.Minute)
			b.VerificationMaterial.TlogEntries = o.VerificationMaterial.TlogEntries
		}},
		{name: "another's log", want: NotInLog, from: ours, logs: true, edit: func(b *protobundle.Bundle) {
			o := theirs.bundle(t, "sha256:"+strings.Repeat("0", 64), someone, issuer, 5*time.Minute)
			b.VerificationMaterial.TlogEntries = o.VerificationMaterial.TlogEntries
		}},
		{name: "no certificate", want: UnknownKey, from: ours, logs: true, edit: func(b *protobundle.Bundle) {
			b.VerificationMaterial.Content = &protobundle.VerificationMaterial_PublicKey{PublicKey: &protocommon.PublicKeyIdentifier{Hint: "x"}}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFake()
			s := f.image(t, "team/app", "one")
			if tc.who == "" {
				tc.who = someone
			}
			if tc.by == "" {
				tc.by = issuer
			}
			if tc.at == 0 {
				tc.at = 5 * time.Minute
			}
			b := tc.from.bundle(t, s.Digest, tc.who, tc.by, tc.at)
			if tc.edit != nil {
				tc.edit(b)
			}
			f.attachBundle(t, s, b)
			rep := verifiedAt(t, f, s, ours.policy(t, tc.logs), stamp.Add(time.Hour))
			if tc.want != "" {
				wantCode(t, rep, tc.want)
				return
			}
			wantMet(t, rep)
			if got := rep.Signatures[0]; got.Identity != someone || got.Issuer != issuer || got.Time.IsZero() {
				t.Errorf("got %s", indent(got))
			}
		})
	}
}

// TestKeylessOtherImage: a bundle that is right, on another image.
func TestKeylessOtherImage(t *testing.T) {
	v := newSigstore(t)
	f := newFake()
	s, two := f.image(t, "team/app", "one"), f.image(t, "team/app", "two")
	f.attachBundle(t, s, v.bundle(t, two.Digest, someone, issuer, 5*time.Minute))
	wantCode(t, verifiedStamp(t, f, s, v.policy(t, true)), WrongDigest)
}

// TestKeylessPatterns: an expression holds for the whole name, not for a part of it.
func TestKeylessPatterns(t *testing.T) {
	v := newSigstore(t)
	f := newFake()
	s := f.image(t, "team/app", "one")
	f.attachBundle(t, s, v.bundle(t, s.Digest, "ci@example.com.evil.example", issuer, 5*time.Minute))
	for identity, want := range map[string]bool{
		`/.*@example\.com/`:   false,
		`/.*@example\.com.*/`: true,
		`ci@example.com`:      false,
		`/ci@example.com|x/`:  false,
	} {
		p := Policy{Signers: []Signer{{Keyless: &Keyless{Issuer: "/https://.*/", Identity: identity, Root: v.root(t, true)}}}}
		if got := verifiedStamp(t, f, s, p).Met; got != want {
			t.Errorf("%s: %v", identity, got)
		}
	}
}

// legacyKeyless stores a signature with a certificate as Cosign does under a tag.
func legacyKeyless(t *testing.T, v *sigstore, f *fake, s Subject) {
	t.Helper()
	var p simple
	p.Critical.Identity.Reference, p.Critical.Image.Digest, p.Critical.Type = s.Repository, s.Digest, simpleTypeName
	payload := toJSON(t, p)
	key := ecKey(t)
	cert := v.identity(t, someone, issuer, key)
	sig, err := key.Sign(rand.Reader, sha256Of(payload), crypto.SHA256)
	must(t, err)
	entry := v.messageEntry(t, payload, sig, verifierText("CERTIFICATE", cert.Raw), stamp.Add(time.Minute))
	set := entry.InclusionPromise.SignedEntryTimestamp
	log := map[string]any{"SignedEntryTimestamp": set, "Payload": map[string]any{"body": base64.StdEncoding.EncodeToString(entry.CanonicalizedBody),
		"integratedTime": entry.IntegratedTime, "logIndex": entry.LogIndex, "logID": hex.EncodeToString(entry.LogId.KeyId)}}
	_, err = appendLayer(context.Background(), f, s, suffixSig, Descriptor{MediaType: payloadSimple, Annotations: map[string]string{
		annotSignature: base64.StdEncoding.EncodeToString(sig),
		annotCert:      string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})),
		annotBundle:    string(toJSON(t, log)),
	}}, payload)
	must(t, err)
}

func TestKeylessLegacy(t *testing.T) {
	v := newSigstore(t)
	f := newFake()
	s := f.image(t, "team/app", "one")
	legacyKeyless(t, v, f, s)
	rep := verifiedStamp(t, f, s, v.policy(t, true))
	wantMet(t, rep)
	if got := rep.Signatures[0]; got.Form != FormLegacy || got.Identity != someone || got.Repository != "team/app" {
		t.Errorf("got %s", indent(got))
	}
	two := f.image(t, "team/app", "two")
	f.manifests["team/app@"+fixedTag(two.Digest, suffixSig)] = f.manifests["team/app@"+fixedTag(s.Digest, suffixSig)]
	wantCode(t, verifiedStamp(t, f, two, v.policy(t, true)), WrongDigest)
}

func verifiedStamp(t testing.TB, f *fake, s Subject, p Policy) Report {
	t.Helper()
	return verifiedAt(t, f, s, p, stamp.Add(time.Hour))
}

// TestKeyInLog: a signer with keys and a root demands the log's proof.
func TestKeyInLog(t *testing.T) {
	v := newSigstore(t)
	k, _ := newKey(t, ECDSA)
	f := newFake()
	s := f.image(t, "team/app", "one")
	_, err := k.Sign(context.Background(), f, s, Options{})
	must(t, err)
	signer := keySigner(t, "release", k)
	signer.Root = v.root(t, true)
	p := Policy{Signers: []Signer{signer}}
	wantCode(t, verifiedStamp(t, f, s, p), NotInLog)

	b := &protobundle.Bundle{}
	must(t, protojson.Unmarshal(f.layerOf(t, s), b))
	der, err := x509.MarshalPKIXPublicKey(k.Public())
	must(t, err)
	b.VerificationMaterial.TlogEntries = []*protorekor.TransparencyLogEntry{v.envelopeEntry(t, b.GetDsseEnvelope(), verifierText("PUBLIC KEY", der), stamp)}
	f.referrers = map[string][]Descriptor{}
	f.attachBundle(t, s, b)
	rep := verifiedStamp(t, f, s, p)
	wantMet(t, rep)
	if !rep.Signatures[0].Time.Equal(stamp) {
		t.Errorf("the time is %s, not the log's", rep.Signatures[0].Time)
	}
}

// TestPublicRoot verifies a provenance bundle of sigstore's public instance, which ships with sigstore-go. It is about a
// package, so its signature holds and its digest does not.
func TestPublicRoot(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/sigstore/sigstore-go").Output()
	if err != nil {
		t.Skip("the go command does not find sigstore-go's examples")
	}
	dir := filepath.Join(strings.TrimSpace(string(out)), "examples")
	content, err := os.ReadFile(filepath.Join(dir, "bundle-provenance.json"))
	must(t, err)
	rootText, err := os.ReadFile(filepath.Join(dir, "trusted-root-public-good.json"))
	must(t, err)
	f := newFake()
	s := f.image(t, "team/app", "one")
	f.attached(t, s, typeBundleV03, typeBundleV03, content)
	keyless := &Keyless{Issuer: "https://token.actions.githubusercontent.com", Identity: `/https://github\.com/sigstore/.*/`, Root: string(rootText)}
	rep := verifiedStamp(t, f, s, Policy{Attestations: []Attestation{{Predicate: PredicateProvenance, Signer: Signer{Name: "actions", Keyless: keyless}}}})
	wantCode(t, rep, WrongDigest)
	keyless.Identity = "https://github.com/somebody/else"
	rep = verifiedStamp(t, f, s, Policy{Attestations: []Attestation{{Predicate: PredicateProvenance, Signer: Signer{Name: "actions", Keyless: keyless}}}})
	wantCode(t, rep, WrongIdentity)
}

// TestKeylessLegacyAttestation: an envelope under a tag, with its certificate, log entry or timestamp in annotations.
func TestKeylessLegacyAttestation(t *testing.T) {
	v := newSigstore(t)
	for _, logs := range []bool{true, false} {
		f := newFake()
		s, two := f.image(t, "team/app", "one"), f.image(t, "team/app", "two")
		st, err := newStatement(s, "https://slsa.dev/provenance/v1", []byte(slsaV1))
		must(t, err)
		b := v.attest(t, toJSON(t, st), someone, issuer, stamp.Add(time.Minute))
		d := b.GetDsseEnvelope()
		layer := toJSON(t, envelope{PayloadType: d.PayloadType, Payload: base64.StdEncoding.EncodeToString(d.Payload),
			Signatures: []envelopeSign{{Sig: base64.StdEncoding.EncodeToString(d.Signatures[0].Sig)}}})
		annotations := map[string]string{annotCert: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: b.VerificationMaterial.GetCertificate().RawBytes}))}
		if entry := b.VerificationMaterial.TlogEntries[0]; logs {
			annotations[annotBundle] = string(toJSON(t, map[string]any{"SignedEntryTimestamp": entry.InclusionPromise.SignedEntryTimestamp,
				"Payload": map[string]any{"body": entry.CanonicalizedBody, "integratedTime": entry.IntegratedTime, "logIndex": 0, "logID": hex.EncodeToString(entry.LogId.KeyId)}}))
		} else {
			annotations[annotTimestamp] = string(toJSON(t, map[string][]byte{"SignedRFC3161Timestamp": b.VerificationMaterial.TimestampVerificationData.Rfc3161Timestamps[0].SignedTimestamp}))
		}
		for _, image := range []Subject{s, two} {
			_, err := appendLayer(context.Background(), f, image, suffixAtt, Descriptor{MediaType: mediaEnvelope, Annotations: annotations}, layer)
			must(t, err)
		}
		p := Policy{Attestations: []Attestation{{Predicate: PredicateProvenance, Builder: "https://builder.example/v1", Signer: v.policy(t, logs).Signers[0]}}}
		wantMet(t, verifiedStamp(t, f, s, p))
		wantCode(t, verifiedStamp(t, f, two, p), WrongDigest)
	}
}
