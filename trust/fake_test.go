package trust

import (
	"context"
	"crypto"
	"encoding/json"
	"fmt"
	"io/fs"
	"testing"
	"time"

	godigest "github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// fake is a registry in memory. Fields may be changed to make it lie.
type fake struct {
	manifests map[string]fakeManifest // by repository and tag or digest
	blobs     map[string][]byte
	referrers map[string][]Descriptor // by repository and subject
	blob      func(digest string) ([]byte, error)
}

type fakeManifest struct {
	mediaType string
	raw       []byte
}

func newFake() *fake {
	return &fake{manifests: map[string]fakeManifest{}, blobs: map[string][]byte{}, referrers: map[string][]Descriptor{}}
}

func (f *fake) Referrers(_ context.Context, repository, digest, artifactType string) ([]Descriptor, error) {
	var all []Descriptor
	for _, d := range f.referrers[repository+"@"+digest] {
		if artifactType == "" || d.ArtifactType == artifactType {
			all = append(all, d)
		}
	}
	return all, nil
}

func (f *fake) Manifest(_ context.Context, repository, reference string) (string, []byte, error) {
	m, ok := f.manifests[repository+"@"+reference]
	if !ok {
		return "", nil, fmt.Errorf("%s: %w", reference, fs.ErrNotExist)
	}
	return m.mediaType, m.raw, nil
}

func (f *fake) Blob(_ context.Context, _, digest string, limit int64) ([]byte, error) {
	if f.blob != nil {
		return f.blob(digest)
	}
	b, ok := f.blobs[digest]
	if !ok {
		return nil, fmt.Errorf("%s: %w", digest, fs.ErrNotExist)
	}
	return b[:min(int64(len(b)), limit+1)], nil
}

func (f *fake) PushBlob(_ context.Context, _, digest string, content []byte) error {
	f.blobs[digest] = content
	return nil
}

func (f *fake) PushManifest(_ context.Context, repository, reference, mediaType string, raw []byte) error {
	digest := godigest.FromBytes(raw)
	for _, at := range []string{reference, digest.String()} {
		f.manifests[repository+"@"+at] = fakeManifest{mediaType, raw}
	}
	var m ocispec.Manifest
	if err := json.Unmarshal(raw, &m); err != nil || m.Subject == nil {
		return err
	}
	kind := m.ArtifactType
	if kind == "" {
		kind = m.Config.MediaType
	}
	at := repository + "@" + m.Subject.Digest.String()
	f.referrers[at] = append(f.referrers[at], Descriptor{MediaType: mediaType, Digest: digest, Size: int64(len(raw)), ArtifactType: kind, Annotations: m.Annotations})
	return nil
}

func (f *fake) DeleteManifest(_ context.Context, repository, digest string) error {
	delete(f.manifests, repository+"@"+digest)
	for at, list := range f.referrers {
		var keep []Descriptor
		for _, d := range list {
			if d.Digest.String() != digest {
				keep = append(keep, d)
			}
		}
		f.referrers[at] = keep
	}
	return nil
}

// image stores an image that is told apart by its text.
func (f *fake) image(t testing.TB, repository, text string) Subject {
	t.Helper()
	m := ocispec.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
		Config: Descriptor{MediaType: ocispec.MediaTypeImageConfig, Digest: godigest.FromString(text), Size: 1}}
	raw := toJSON(t, m)
	digest := godigest.FromBytes(raw).String()
	f.manifests[repository+"@"+digest] = fakeManifest{m.MediaType, raw}
	return Subject{Repository: repository, Digest: digest}
}

// attached stores content as a referrer of the image.
func (f *fake) attached(t testing.TB, s Subject, artifactType, layerType string, content []byte) {
	t.Helper()
	_, err := pushReferrer(context.Background(), f, s, referrer{artifactType: artifactType, config: ocispec.MediaTypeEmptyJSON,
		layer: Descriptor{MediaType: layerType}, content: content})
	must(t, err)
}

// layerOf returns the only layer of the only referrer of the image.
func (f *fake) layerOf(t testing.TB, s Subject) []byte {
	t.Helper()
	list := f.referrers[s.Repository+"@"+s.Digest]
	if len(list) != 1 {
		t.Fatalf("%d referrers, want one", len(list))
	}
	var m ocispec.Manifest
	must(t, json.Unmarshal(f.manifests[s.Repository+"@"+list[0].Digest.String()].raw, &m))
	return f.blobs[m.Layers[0].Digest.String()]
}

func toJSON(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	must(t, err)
	return b
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newKey(t testing.TB, a Algorithm) (*Key, crypto.Signer) {
	t.Helper()
	raw, err := GenerateKey(a)
	must(t, err)
	k, err := NewKey(raw)
	must(t, err)
	return k, raw
}

func keySigner(t testing.TB, name string, k *Key) Signer {
	t.Helper()
	pub, err := MarshalPublicKey(k.Public())
	must(t, err)
	return Signer{Name: name, Keys: []string{string(pub)}}
}

func verified(t testing.TB, f *fake, s Subject, p Policy) Report {
	t.Helper()
	return verifiedAt(t, f, s, p, time.Now())
}

func verifiedAt(t testing.TB, f *fake, s Subject, p Policy, now time.Time) Report {
	t.Helper()
	rep, err := Verify(context.Background(), f, s, p, now)
	must(t, err)
	return rep
}

// wantCode checks that the report's only signature is refused for one reason, and that the requirement says so too.
func wantCode(t testing.TB, rep Report, code Code) {
	t.Helper()
	if rep.Met || len(rep.Signatures) != 1 || rep.Signatures[0].Verified || len(rep.Signatures[0].Problems) != 1 {
		t.Fatalf("want one signature, refused as %s:\n%s", code, indent(rep))
	}
	p := rep.Signatures[0].Problems[0]
	if p.Code != code || p.Text == "" {
		t.Errorf("refused as %s (%s), want %s", p.Code, p.Text, code)
	}
	if rep.Requirements[0].Met || rep.Requirements[0].Reason != p.Text {
		t.Errorf("the requirement says %q, the signature %q", rep.Requirements[0].Reason, p.Text)
	}
}

func wantMet(t testing.TB, rep Report) {
	t.Helper()
	if !rep.Met {
		t.Errorf("not met:\n%s", indent(rep))
	}
}

func indent(v any) string {
	b, _ := json.MarshalIndent(v, "", "  ")
	return string(b)
}
