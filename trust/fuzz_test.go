package trust

import (
	"context"
	"strings"
	"testing"
	"time"

	godigest "github.com/opencontainers/go-digest"
)

// FuzzSignature gives Verify arbitrary content in every form: it never panics, and never calls it verified.
func FuzzSignature(f *testing.F) {
	k, _ := newKey(f, Ed25519)
	v := newSigstore(f)
	n := newNotary(f, stamp.Add(-time.Hour), stamp.Add(time.Hour))
	reg := newFake()
	other := reg.image(f, "team/app", "another")
	_, err := k.Sign(context.Background(), reg, other, Options{})
	must(f, err)
	f.Add(uint8(0), reg.layerOf(f, other), "")
	reg.referrers = map[string][]Descriptor{}
	n.sign(f, reg, other, NotationOptions{})
	f.Add(uint8(1), reg.layerOf(f, other), "")
	reg.referrers = map[string][]Descriptor{}
	n.sign(f, reg, other, NotationOptions{COSE: true})
	f.Add(uint8(2), reg.layerOf(f, other), "")
	f.Add(uint8(3), []byte(`{"critical":{"identity":{"docker-reference":"a"},"image":{"docker-manifest-digest":"sha256:0"},"type":"cosign container image signature"}}`), `{"SignedEntryTimestamp":"AA==","Payload":{"body":"e30=","integratedTime":1,"logIndex":0,"logID":"00"}}`)
	f.Add(uint8(4), []byte(`{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[{"sig":"AA=="}]}`), "")
	policy := Policy{Signers: append([]Signer{keySigner(f, "key", k)}, append(v.policy(f, true).Signers, n.policy("*").Signers...)...)}
	policy.Attestations = []Attestation{{Predicate: PredicateSBOM, Signer: policy.Signers[0]}, {Predicate: PredicateSBOM, Signer: policy.Signers[1]}}
	compiled, err := Compile(policy)
	must(f, err)
	cert := pemOf(v.identity(f, someone, issuer, ecKey(f)))

	f.Fuzz(func(t *testing.T, form uint8, content []byte, annotation string) {
		reg := newFake()
		s := reg.image(t, "team/app", "one")
		attachAny(t, reg, s, form, content, annotation, cert)
		rep, err := compiled.Verify(context.Background(), reg, s, stamp)
		if err != nil || rep.Met || len(rep.Signatures) != 1 || rep.Signatures[0].Verified || len(rep.Signatures[0].Problems) == 0 {
			t.Errorf("%v: %s", err, indent(rep))
		}
		for _, p := range rep.Signatures[0].Problems {
			if strings.ContainsAny(p.Text, "\n\r\x1b") {
				t.Errorf("control characters in %q", p.Text)
			}
		}
	})
}

func attachAny(t testing.TB, reg *fake, s Subject, form uint8, content []byte, annotation, cert string) {
	t.Helper()
	annotations := map[string]string{annotSignature: "AAAA", annotBundle: annotation}
	if form%2 == 0 {
		annotations[annotCert] = cert
	}
	switch form % 5 {
	case 0:
		reg.attached(t, s, typeBundleV03, typeBundleV03, content)
	case 1:
		reg.attached(t, s, typeNotation, mediaJWS, content)
	case 2:
		reg.attached(t, s, typeNotation, mediaCOSE, content)
	case 3:
		_, err := appendLayer(context.Background(), reg, s, suffixSig, Descriptor{MediaType: payloadSimple, Annotations: annotations}, content)
		must(t, err)
	case 4:
		_, err := appendLayer(context.Background(), reg, s, suffixAtt, Descriptor{MediaType: mediaEnvelope, Annotations: annotations}, content)
		must(t, err)
	}
}

// FuzzManifest gives Verify an arbitrary manifest of signatures.
func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"layers":[{"mediaType":"application/vnd.dev.cosign.simplesigning.v1+json","digest":"sha256:0","size":-1}]}`))
	f.Add([]byte(`{"artifactType":"application/vnd.cncf.notary.signature","layers":[{}]}`))
	k, _ := newKey(f, Ed25519)
	compiled, err := Compile(Policy{Signers: []Signer{keySigner(f, "key", k)}})
	must(f, err)
	f.Fuzz(func(t *testing.T, raw []byte) {
		reg := newFake()
		s := reg.image(t, "team/app", "one")
		reg.manifests["team/app@"+fixedTag(s.Digest, suffixSig)] = fakeManifest{"", raw}
		d := godigest.FromBytes(raw)
		reg.manifests["team/app@"+d.String()] = fakeManifest{"", raw}
		reg.referrers["team/app@"+s.Digest] = []Descriptor{{Digest: d, Size: int64(len(raw))}, {Digest: godigest.Digest(raw), ArtifactType: typeNotation}}
		reg.manifests["team/app@"+string(raw)] = fakeManifest{"", raw}
		rep, err := compiled.Verify(context.Background(), reg, s, stamp)
		if err != nil || rep.Met {
			t.Errorf("%v: %s", err, indent(rep))
		}
	})
}

func FuzzPolicy(f *testing.F) {
	f.Add([]byte(`{"signers":[{"keyless":{"issuer":"i","identity":"/a/","root":"{}"}}]}`))
	f.Add([]byte("signers:\n- notation: {certificates: [x], identities: ['x509.subject: C=US, ST=WA, O=X']}\n"))
	f.Fuzz(func(_ *testing.T, data []byte) { _, _ = ParsePolicy(data) })
}

func FuzzPrivateKey(f *testing.F) {
	_, raw := newKey(f, Ed25519)
	sealed, err := MarshalPrivateKey(raw, nil)
	must(f, err)
	f.Add(sealed)
	f.Fuzz(func(_ *testing.T, text []byte) {
		if !Encrypted(text) { // unsealing takes a tenth of a second
			_, _ = ParsePrivateKey(text, nil)
		}
	})
}

func FuzzSubject(f *testing.F) {
	f.Add(`C=US, ST=WA, O=Example\, Inc`)
	f.Fuzz(func(t *testing.T, text string) {
		if n, err := parseSubject(text); err == nil && !n.within(n) {
			t.Errorf("%q does not have its own parts", text)
		}
	})
}
