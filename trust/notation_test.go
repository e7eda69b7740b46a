package trust

import (
	"context"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	notationgo "github.com/notaryproject/notation-go"
	notationsigner "github.com/notaryproject/notation-go/signer"
	"github.com/notaryproject/notation-go/verifier"
	"github.com/notaryproject/notation-go/verifier/trustpolicy"
	"github.com/notaryproject/notation-go/verifier/truststore"
	godigest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// notary is an authority of the Notary Project with one signing certificate, valid from from to to.
type notary struct {
	root, leaf *x509.Certificate
	key        crypto.Signer
}

func newNotary(t testing.TB, from, to time.Time) *notary {
	t.Helper()
	rootKey, key := ecKey(t), ecKey(t)
	subject := func(name string) pkix.Name {
		return pkix.Name{Country: []string{"US"}, Province: []string{"WA"}, Organization: []string{"Example"}, CommonName: name}
	}
	root := certify(t, &x509.Certificate{Subject: subject("root"), IsCA: true, BasicConstraintsValid: true, NotBefore: from, NotAfter: to,
		KeyUsage: x509.KeyUsageCertSign}, nil, rootKey, rootKey)
	leaf := certify(t, &x509.Certificate{Subject: subject("app"), NotBefore: from, NotAfter: to,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}}, root, key, rootKey)
	return &notary{root: root, leaf: leaf, key: key}
}

func pemOf(c ...*x509.Certificate) string {
	var b strings.Builder
	for _, x := range c {
		b.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: x.Raw}))
	}
	return b.String()
}

func (n *notary) chain() []byte { return []byte(pemOf(n.leaf, n.root)) }

func (n *notary) policy(identities ...string) Policy {
	return Policy{Signers: []Signer{{Name: "notary", Notation: &Notation{Certificates: []string{pemOf(n.root)}, Identities: identities}}}}
}

func (n *notary) sign(t testing.TB, f *fake, s Subject, o NotationOptions) {
	t.Helper()
	if o.Now.IsZero() {
		o.Now = stamp
	}
	_, err := SignNotation(context.Background(), f, s, n.key, n.chain(), o)
	must(t, err)
}

const exampleName = "x509.subject: C=US, ST=WA, O=Example"

func TestNotation(t *testing.T) {
	n := newNotary(t, stamp.AddDate(0, 0, -1), stamp.AddDate(0, 0, 1))
	other := newNotary(t, stamp.AddDate(0, 0, -1), stamp.AddDate(0, 0, 1))
	for _, tc := range []struct {
		name   string
		want   Code
		policy Policy
		sign   NotationOptions
		at     time.Duration
	}{
		{name: "right", policy: n.policy(exampleName)},
		{name: "anybody", policy: n.policy("*")},
		{name: "one of two", policy: n.policy("x509.subject: C=DE, ST=BE, O=Other", exampleName+", CN=app")},
		{name: "somebody else", want: WrongIdentity, policy: n.policy("x509.subject: C=US, ST=WA, O=Example, CN=web")},
		{name: "another authority", want: Untrusted, policy: other.policy("*")},
		{name: "certificate over", want: Expired, policy: n.policy("*"), at: 25 * time.Hour},
		{name: "certificate not yet valid", want: Expired, policy: n.policy("*"), at: -25 * time.Hour},
		{name: "signature over", want: Expired, policy: n.policy("*"), sign: NotationOptions{Expires: stamp.Add(time.Hour)}, at: 2 * time.Hour},
		{name: "signature not over", policy: n.policy("*"), sign: NotationOptions{Expires: stamp.Add(time.Hour)}, at: 30 * time.Minute},
	} {
		for _, cose := range []bool{false, true} {
			f := newFake()
			s := f.image(t, "team/app", "one")
			tc.sign.COSE = cose
			n.sign(t, f, s, tc.sign)
			rep := verifiedAt(t, f, s, tc.policy, stamp.Add(tc.at))
			t.Run(tc.name, func(t *testing.T) {
				if tc.want == "" {
					wantMet(t, rep)
				} else {
					wantCode(t, rep, tc.want)
				}
			})
		}
	}
}

func TestHostileNotation(t *testing.T) {
	n := newNotary(t, stamp.AddDate(0, 0, -1), stamp.AddDate(0, 0, 1))
	signed := func(t *testing.T, cose bool) (*fake, Subject, []byte) {
		f := newFake()
		s := f.image(t, "team/app", "one")
		n.sign(t, f, s, NotationOptions{COSE: cose})
		layer := f.layerOf(t, s)
		f.referrers = map[string][]Descriptor{}
		return f, s, layer
	}
	p := n.policy(exampleName)
	jws := func(edit func(map[string]any)) func([]byte) []byte {
		return func(layer []byte) []byte {
			var e map[string]any
			must(t, json.Unmarshal(layer, &e))
			edit(e)
			return toJSON(t, e)
		}
	}
	for _, tc := range []struct {
		name string
		want Code
		cose bool
		edit func([]byte) []byte
	}{
		{name: "cut off", want: Malformed, edit: func(b []byte) []byte { return b[:len(b)/2] }},
		{name: "cut off", want: Malformed, cose: true, edit: func(b []byte) []byte { return b[:len(b)/2] }},
		{name: "empty", want: Malformed, edit: func([]byte) []byte { return nil }},
		{name: "signature altered", want: Forged, edit: jws(func(e map[string]any) {
			sig, err := base64.RawURLEncoding.DecodeString(e["signature"].(string))
			must(t, err)
			sig[3] ^= 1
			e["signature"] = base64.RawURLEncoding.EncodeToString(sig)
		})},
		{name: "signature altered", want: Forged, cose: true, edit: func(b []byte) []byte { b = append([]byte{}, b...); b[len(b)-1] ^= 1; return b }},
		{name: "payload swapped", want: Forged, edit: jws(func(e map[string]any) {
			payload, err := base64.RawURLEncoding.DecodeString(e["payload"].(string))
			must(t, err)
			e["payload"] = base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(payload), "sha256:", "sha256:0", 1)))
		})},
		{name: "no certificates", want: Malformed, edit: jws(func(e map[string]any) { delete(e["header"].(map[string]any), "x5c") })},
		{name: "huge", want: TooLarge, edit: func(b []byte) []byte { return append(b, make([]byte, 2<<20)...) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, s, layer := signed(t, tc.cose)
			media := mediaJWS
			if tc.cose {
				media = mediaCOSE
			}
			f.attached(t, s, typeNotation, media, tc.edit(layer))
			wantCode(t, verifiedStamp(t, f, s, p), tc.want)
		})
	}
	t.Run("of another image", func(t *testing.T) {
		f, _, layer := signed(t, false)
		two := f.image(t, "team/app", "two")
		f.attached(t, two, typeNotation, mediaJWS, layer)
		wantCode(t, verifiedStamp(t, f, two, p), WrongDigest)
	})
	t.Run("of another size", func(t *testing.T) {
		f := newFake()
		s := f.image(t, "team/app", "one")
		target := Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: godigest.Digest(s.Digest), Size: 7}
		layer, err := sealNotation(context.Background(), mediaJWS, target, n.key, []*x509.Certificate{n.leaf, n.root}, NotationOptions{Now: stamp})
		must(t, err)
		f.attached(t, s, typeNotation, mediaJWS, layer)
		wantCode(t, verifiedStamp(t, f, s, p), WrongDigest)
	})
	t.Run("asked of Cosign keys only", func(t *testing.T) {
		f := newFake()
		s := f.image(t, "team/app", "one")
		n.sign(t, f, s, NotationOptions{})
		k, _ := newKey(t, ECDSA)
		rep := verifiedStamp(t, f, s, Policy{Signers: []Signer{keySigner(t, "release", k)}})
		if rep.Met || rep.Signatures[0].Problems[0].Code != NotAsked {
			t.Errorf("got %s", indent(rep))
		}
	})
}

// store is notation-go's trust store, in memory.
type store struct{ certs []*x509.Certificate }

func (s store) GetCertificates(context.Context, truststore.Type, string) ([]*x509.Certificate, error) {
	return s.certs, nil
}

// judge is notation-go's own verifier at its strict level, without revocation.
func judge(t *testing.T, n *notary, identity string) notationgo.Verifier {
	t.Helper()
	doc := &trustpolicy.Document{Version: "1.0", TrustPolicies: []trustpolicy.TrustPolicy{{Name: "all", RegistryScopes: []string{"*"},
		SignatureVerification: trustpolicy.SignatureVerification{VerificationLevel: "strict", Override: map[trustpolicy.ValidationType]trustpolicy.ValidationAction{trustpolicy.TypeRevocation: trustpolicy.ActionSkip}},
		TrustStores:           []string{"ca:all"}, TrustedIdentities: []string{identity}}}}
	v, err := verifier.New(doc, store{[]*x509.Certificate{n.root}}, nil)
	must(t, err)
	return v
}

// TestNotationAgrees: notation-go accepts what we sign and we accept what it signs; it refuses what we refuse.
func TestNotationAgrees(t *testing.T) {
	now := time.Now()
	n := newNotary(t, now.Add(-time.Hour), now.Add(time.Hour))
	over := newNotary(t, now.Add(-2*time.Hour), now.Add(-time.Hour))
	stranger := newNotary(t, now.Add(-time.Hour), now.Add(time.Hour))
	for _, media := range []string{mediaJWS, mediaCOSE} {
		for _, tc := range []struct {
			name     string
			by       *notary
			trusted  *notary
			identity string
			tamper   bool
			other    bool
			want     bool
		}{
			{name: "right", by: n, trusted: n, identity: exampleName, want: true},
			{name: "anybody", by: n, trusted: n, identity: "*", want: true},
			{name: "somebody else", by: n, trusted: n, identity: "x509.subject: C=US, ST=WA, O=Other"},
			{name: "untrusted", by: n, trusted: stranger, identity: "*"},
			{name: "over", by: over, trusted: over, identity: "*"},
			{name: "altered", by: n, trusted: n, identity: "*", tamper: true},
			{name: "another image", by: n, trusted: n, identity: "*", other: true},
		} {
			t.Run(media+"/"+tc.name, func(t *testing.T) {
				f := newFake()
				s := f.image(t, "team/app", "one")
				desc := Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: godigest.Digest(s.Digest),
					Size: int64(len(f.manifests[s.Repository+"@"+s.Digest].raw))}
				signedAt := tc.by.leaf.NotBefore.Add(time.Minute)
				ours, err := sealNotation(context.Background(), media, desc, tc.by.key, []*x509.Certificate{tc.by.leaf, tc.by.root}, NotationOptions{Now: signedAt})
				must(t, err)
				theirs := ours
				if tc.by != over { // notation-go does not sign with a certificate that is over
					maker, err := notationsigner.New(tc.by.key, []*x509.Certificate{tc.by.leaf, tc.by.root})
					must(t, err)
					theirs, _, err = maker.Sign(context.Background(), desc, notationgo.SignerSignOptions{SignatureMediaType: media})
					must(t, err)
				}
				for _, layer := range [][]byte{ours, theirs} {
					if tc.tamper {
						layer = []byte(strings.Replace(string(layer), string(layer[20:40]), string(layer[21:41]), 1))
					}
					if tc.other {
						s = f.image(t, "team/app", "two")
						desc.Digest = godigest.Digest(s.Digest)
					}
					f.referrers = map[string][]Descriptor{}
					f.attached(t, s, typeNotation, media, layer)
					rep := verifiedAt(t, f, s, tc.trusted.policy(tc.identity), now)
					_, err := judge(t, tc.trusted, tc.identity).Verify(context.Background(), desc, layer,
						notationgo.VerifierVerifyOptions{ArtifactReference: "registry.example/team/app@" + s.Digest, SignatureMediaType: media})
					if rep.Met != tc.want || (err == nil) != tc.want {
						t.Errorf("we say %v, notation-go says %v, want %v\n%s", rep.Met, err, tc.want, indent(rep.Signatures))
					}
				}
			})
		}
	}
}

func TestParseSubject(t *testing.T) {
	for text, want := range map[string]string{
		"C=US, ST=WA, O=Example":           "US WA Example",
		"c=US,S=WA,O=Example":              "US WA Example",
		`C=US,ST=WA,O=Example\, Inc`:       "US WA Example, Inc",
		`C=US,ST=WA,O=a\2cb`:               "US WA a,b",
		"C=US, ST=WA":                      "",
		"C=US, ST=WA, O=Example, O=Other":  "",
		"C=US, ST=WA, O=Example+OU=X":      "",
		"C=US, ST=WA, O=#0c0158":           "",
		"C=US, ST=WA, O=Example, nonsense": "",
		`C=US,ST=WA,O=a\`:                  "",
		"":                                 "",
	} {
		n, err := parseSubject(text)
		got := ""
		if err == nil {
			got = n["C"] + " " + n["ST"] + " " + n["O"]
		}
		if got != want {
			t.Errorf("%q: got %q (%v), want %q", text, got, err, want)
		}
	}
}
