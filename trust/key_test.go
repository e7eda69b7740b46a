package trust

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	godigest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

var allForms = []Form{FormBundle, FormLegacy}

func TestSignedWithKey(t *testing.T) {
	for _, a := range []Algorithm{ECDSA, P384, Ed25519, RSA} {
		k, _ := newKey(t, a)
		for _, form := range allForms {
			f := newFake()
			s := f.image(t, "team/app", "one")
			_, err := k.Sign(context.Background(), f, s, Options{Form: form})
			must(t, err)
			rep := verified(t, f, s, Policy{Signers: []Signer{keySigner(t, "release", k)}})
			wantMet(t, rep)
			if got := rep.Signatures[0]; got.KeyID != k.ID() || got.Form != form || got.Kind != KindSignature {
				t.Errorf("%s %s: %s", a, form, indent(got))
			}
		}
	}
}

// bundleOf signs the image and returns the bundle, detached.
func bundleOf(t *testing.T, k *Key, f *fake, s Subject) *bundleJSON {
	t.Helper()
	_, err := k.Sign(context.Background(), f, s, Options{})
	must(t, err)
	var b bundleJSON
	must(t, json.Unmarshal(f.layerOf(t, s), &b))
	f.referrers = map[string][]Descriptor{}
	return &b
}

func flip(t *testing.T, text string) string {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(text)
	must(t, err)
	raw[len(raw)-1] ^= 1
	return base64.StdEncoding.EncodeToString(raw)
}

// TestHostileBundles: each way to cheat with a bundle has its own reason.
func TestHostileBundles(t *testing.T) {
	k, _ := newKey(t, ECDSA)
	other, _ := newKey(t, ECDSA)
	for _, tc := range []struct {
		name string
		want Code
		edit func(b *bundleJSON, other *bundleJSON) []byte
	}{
		{"signature altered", Forged, func(b, _ *bundleJSON) []byte {
			b.Envelope.Signatures[0].Sig = flip(t, b.Envelope.Signatures[0].Sig)
			return toJSON(t, b)
		}},
		{"payload swapped", Forged, func(b, o *bundleJSON) []byte {
			b.Envelope.Payload = o.Envelope.Payload
			return toJSON(t, b)
		}},
		{"bundle of another image", WrongDigest, func(_, o *bundleJSON) []byte { return toJSON(t, o) }},
		{"cut off", Malformed, func(b, _ *bundleJSON) []byte { raw := toJSON(t, b); return raw[:len(raw)/2] }},
		{"empty", Malformed, func(_, _ *bundleJSON) []byte { return nil }},
		{"no signature", Malformed, func(b, _ *bundleJSON) []byte {
			b.Envelope.Signatures = nil
			return toJSON(t, b)
		}},
		{"two signatures", Malformed, func(b, _ *bundleJSON) []byte {
			b.Envelope.Signatures = append(b.Envelope.Signatures, b.Envelope.Signatures[0])
			return toJSON(t, b)
		}},
		{"other payload type", Malformed, func(b, _ *bundleJSON) []byte {
			b.Envelope.PayloadType = "text/plain"
			return toJSON(t, b)
		}},
		{"unknown version", Malformed, func(b, _ *bundleJSON) []byte {
			b.MediaType = "application/vnd.dev.sigstore.bundle.v9.9+json"
			return toJSON(t, b)
		}},
		{"huge", TooLarge, func(b, _ *bundleJSON) []byte { return append(toJSON(t, b), bytes.Repeat([]byte(" "), 33<<20)...) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFake()
			s := f.image(t, "team/app", "one")
			b := bundleOf(t, k, f, s)
			o := bundleOf(t, k, f, f.image(t, "team/app", "two"))
			f.attached(t, s, typeBundleV03, typeBundleV03, tc.edit(b, o))
			wantCode(t, verified(t, f, s, Policy{Signers: []Signer{keySigner(t, "release", k)}}), tc.want)
		})
	}
	t.Run("another's key", func(t *testing.T) {
		f := newFake()
		s := f.image(t, "team/app", "one")
		_, err := other.Sign(context.Background(), f, s, Options{})
		must(t, err)
		wantCode(t, verified(t, f, s, Policy{Signers: []Signer{keySigner(t, "release", k)}}), UnknownKey)
	})
	t.Run("another's key under our name", func(t *testing.T) {
		f := newFake()
		s := f.image(t, "team/app", "one")
		b := bundleOf(t, other, f, s)
		b.Material.PublicKey.Hint = k.hint()
		f.attached(t, s, typeBundleV03, typeBundleV03, toJSON(t, b))
		wantCode(t, verified(t, f, s, Policy{Signers: []Signer{keySigner(t, "release", k)}}), Forged)
	})
}

// TestHostileLegacy: the same for tags.
func TestHostileLegacy(t *testing.T) {
	k, _ := newKey(t, ECDSA)
	signed := func(t *testing.T) (*fake, Subject) {
		f := newFake()
		s := f.image(t, "team/app", "one")
		_, err := k.Sign(context.Background(), f, s, Options{Form: FormLegacy})
		must(t, err)
		return f, s
	}
	edit := func(t *testing.T, f *fake, s Subject, change func(*ocispec.Manifest)) {
		at := s.Repository + "@" + fixedTag(s.Digest, suffixSig)
		var m ocispec.Manifest
		must(t, json.Unmarshal(f.manifests[at].raw, &m))
		change(&m)
		f.manifests[at] = fakeManifest{ocispec.MediaTypeImageManifest, toJSON(t, m)}
	}
	p := Policy{Signers: []Signer{keySigner(t, "release", k)}}

	t.Run("moved to another image", func(t *testing.T) {
		f, s := signed(t)
		two := f.image(t, "team/app", "two")
		f.manifests["team/app@"+fixedTag(two.Digest, suffixSig)] = f.manifests["team/app@"+fixedTag(s.Digest, suffixSig)]
		wantCode(t, verified(t, f, two, p), WrongDigest)
	})
	t.Run("moved to another repository", func(t *testing.T) {
		f, s := signed(t)
		tag := fixedTag(s.Digest, suffixSig)
		there := f.image(t, "prod/app", "one")
		f.manifests["prod/app@"+tag] = f.manifests["team/app@"+tag]
		wantMet(t, verified(t, f, there, p))
		strict := p
		strict.SameRepository = true
		wantCode(t, verified(t, f, there, strict), WrongRepository)
		wantMet(t, verified(t, f, s, strict))
	})
	t.Run("payload swapped", func(t *testing.T) {
		f, s := signed(t)
		edit(t, f, s, func(m *ocispec.Manifest) {
			payload := []byte(strings.Replace(string(f.blobs[m.Layers[0].Digest.String()]), "team/app", "team/web", 1))
			d := godigest.FromBytes(payload)
			f.blobs[d.String()] = payload
			m.Layers[0].Digest, m.Layers[0].Size = d, int64(len(payload))
		})
		wantCode(t, verified(t, f, s, p), UnknownKey)
	})
	t.Run("no signature", func(t *testing.T) {
		f, s := signed(t)
		edit(t, f, s, func(m *ocispec.Manifest) { m.Layers[0].Annotations = nil })
		wantCode(t, verified(t, f, s, p), Malformed)
	})
	t.Run("unknown layer", func(t *testing.T) {
		f, s := signed(t)
		edit(t, f, s, func(m *ocispec.Manifest) { m.Layers[0].MediaType = "text/plain" })
		wantCode(t, verified(t, f, s, p), Malformed)
	})
	t.Run("certificate that is none", func(t *testing.T) {
		f, s := signed(t)
		edit(t, f, s, func(m *ocispec.Manifest) { m.Layers[0].Annotations[annotCert] = "no PEM" })
		wantCode(t, verified(t, f, s, p), Malformed)
	})
	t.Run("log entry that is none", func(t *testing.T) {
		f, s := signed(t)
		edit(t, f, s, func(m *ocispec.Manifest) { m.Layers[0].Annotations[annotBundle] = `{"Payload":{"body":"e30="}}` })
		wantCode(t, verified(t, f, s, p), Malformed)
	})
	t.Run("blob cut off", func(t *testing.T) {
		f, s := signed(t)
		f.blob = func(digest string) ([]byte, error) {
			g := *f
			g.blob = nil
			b, err := g.Blob(context.Background(), "", digest, 1<<20)
			return b[:len(b)/2], err
		}
		wantCode(t, verified(t, f, s, p), Malformed)
	})
	t.Run("blob longer than it says", func(t *testing.T) {
		f, s := signed(t)
		f.blob = func(string) ([]byte, error) { return make([]byte, 2<<20), nil }
		wantCode(t, verified(t, f, s, p), TooLarge)
	})
	t.Run("blob gone", func(t *testing.T) {
		f, s := signed(t)
		f.blob = func(string) ([]byte, error) { return nil, errors.New("gone") }
		wantCode(t, verified(t, f, s, p), Unreachable)
	})
	t.Run("manifest that is none", func(t *testing.T) {
		f, s := signed(t)
		f.manifests[s.Repository+"@"+fixedTag(s.Digest, suffixSig)] = fakeManifest{"", []byte("{")}
		wantCode(t, verified(t, f, s, p), Malformed)
	})
}

func TestManySignatures(t *testing.T) {
	k, _ := newKey(t, Ed25519)
	f := newFake()
	s := f.image(t, "team/app", "one")
	for i := range 12 {
		f.attached(t, s, typeBundleV03, typeBundleV03, fmt.Appendf(nil, "{%d", i))
	}
	_, err := k.Sign(context.Background(), f, s, Options{})
	must(t, err)
	v, err := Compile(Policy{Signers: []Signer{keySigner(t, "release", k)}})
	must(t, err)
	rep, err := v.WithLimits(Limits{Manifests: 10}).Verify(context.Background(), f, s, stamp)
	must(t, err)
	if rep.Met || len(rep.Signatures) != 10 || len(rep.Notes) != 1 || !strings.Contains(rep.Notes[0], "not looked at") {
		t.Errorf("the limit is not told: %s", indent(rep))
	}
	rep, err = v.Verify(context.Background(), f, s, stamp)
	must(t, err)
	wantMet(t, rep)
}

// TestAltered: a referrer's manifest that does not have its digest.
func TestAltered(t *testing.T) {
	k, _ := newKey(t, Ed25519)
	f := newFake()
	s := f.image(t, "team/app", "one")
	digest, err := k.Sign(context.Background(), f, s, Options{})
	must(t, err)
	m := f.manifests["team/app@"+digest]
	m.raw = append(bytes.Clone(m.raw), ' ')
	f.manifests["team/app@"+digest] = m
	wantCode(t, verified(t, f, s, Policy{Signers: []Signer{keySigner(t, "release", k)}}), Malformed)
}

// TestWithin: the signature of an index counts for the images that it lists, and for no others.
func TestWithin(t *testing.T) {
	k, _ := newKey(t, Ed25519)
	f := newFake()
	s, stranger := f.image(t, "team/app", "one"), f.image(t, "team/app", "two")
	raw := toJSON(t, ocispec.Index{MediaType: ocispec.MediaTypeImageIndex, Manifests: []Descriptor{{Digest: godigest.Digest(s.Digest)}}})
	index := Subject{Repository: "team/app", Digest: godigest.FromBytes(raw).String()}
	must(t, f.PushManifest(context.Background(), "team/app", index.Digest, ocispec.MediaTypeImageIndex, raw))
	_, err := k.Sign(context.Background(), f, index, Options{})
	must(t, err)
	p := Policy{Signers: []Signer{keySigner(t, "release", k)}}
	if verified(t, f, s, p).Met {
		t.Error("met without looking at the index")
	}
	s.Within, stranger.Within = []string{index.Digest}, []string{index.Digest}
	wantMet(t, verified(t, f, s, p))
	if rep := verified(t, f, stranger, p); rep.Met || len(rep.Notes) != 1 {
		t.Errorf("met by an index that does not list the image: %s", indent(rep))
	}
}

// TestAttestationIsNoSignature: who attests something has not signed, and the other way round.
func TestAttestationIsNoSignature(t *testing.T) {
	k, _ := newKey(t, Ed25519)
	signer := keySigner(t, "release", k)
	for _, form := range allForms {
		f := newFake()
		s := f.image(t, "team/app", "one")
		_, err := k.Attest(context.Background(), f, s, "https://example.com/x", []byte(`{}`), Options{Form: form})
		must(t, err)
		if verified(t, f, s, Policy{Signers: []Signer{signer}}).Met {
			t.Errorf("%s: an attestation counts as a signature", form)
		}
		p := Policy{Attestations: []Attestation{{Predicate: "https://example.com/x", Signer: signer}}}
		wantMet(t, verified(t, f, s, p))
		two := f.image(t, "team/app", "two")
		_, err = k.Sign(context.Background(), f, two, Options{Form: form})
		must(t, err)
		if verified(t, f, two, p).Met {
			t.Errorf("%s: a signature counts as an attestation", form)
		}
	}
}

func TestReplace(t *testing.T) {
	k, _ := newKey(t, Ed25519)
	other, _ := newKey(t, Ed25519)
	f := newFake()
	s := f.image(t, "team/app", "one")
	attest := func(by *Key, kind string, replace bool) {
		_, err := by.Attest(context.Background(), f, s, kind, fmt.Appendf(nil, `{"n":%d}`, len(f.blobs)), Options{Replace: replace, Labels: map[string]string{"print": "x", annotKey: "not taken"}})
		must(t, err)
	}
	attest(k, "https://example.com/verdict", true)
	attest(k, "https://example.com/other", true)
	attest(other, "https://example.com/verdict", true)
	attest(k, "https://example.com/verdict", true)
	if n := len(f.referrers[s.Repository+"@"+s.Digest]); n != 3 {
		t.Errorf("%d referrers, want 3: the older one of this key and type goes, no other", n)
	}
	list, err := k.Attested(context.Background(), f, s, "https://example.com/verdict")
	must(t, err)
	if len(list) != 1 || list[0].Annotations["print"] != "x" {
		t.Errorf("got %s", indent(list))
	}
	signer := keySigner(t, "hub", k)
	rep := verified(t, f, s, Policy{Attestations: []Attestation{{Predicate: "https://example.com/verdict", Signer: signer}, {Predicate: "https://example.com/other", Signer: signer}}})
	wantMet(t, rep)
	if got := rep.Predicates(); len(got) != 2 || len(rep.Signers()) != 0 {
		t.Errorf("predicates %q, signers %q", got, rep.Signers())
	}
}
