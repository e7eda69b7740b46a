package trust

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	godigest "github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Key signs. The private key may be anywhere: it is asked for signatures only.
type Key struct {
	signer crypto.Signer
	id     string
}

// NewKey takes a signer whose public key is one that ParsePublicKeys takes.
func NewKey(signer crypto.Signer) (*Key, error) {
	if err := checkPublicKey(signer.Public()); err != nil {
		return nil, fmt.Errorf("the signing key: %w", err)
	}
	return &Key{signer: signer, id: KeyID(signer.Public())}, nil
}

// ID is the KeyID of the public key.
func (k *Key) ID() string { return k.id }

// Public is the public key.
func (k *Key) Public() crypto.PublicKey { return k.signer.Public() }

// sign signs a message as Cosign verifies with a key: ECDSA and RSA (PKCS #1 v1.5) with SHA-256 whatever the key's size,
// Ed25519 plain.
func (k *Key) sign(message []byte) ([]byte, error) {
	if _, ok := k.signer.Public().(ed25519.PublicKey); ok {
		return k.signer.Sign(rand.Reader, message, crypto.Hash(0))
	}
	return k.signer.Sign(rand.Reader, sha256Of(message), crypto.SHA256)
}

// Options of Sign and Attest.
type Options struct {
	// Form is FormBundle or FormLegacy; "" is FormBundle.
	Form Form
	// Reference is what a legacy signature says that it was made for; "" is the subject's repository.
	Reference string
	// Annotations go into a legacy signature's payload.
	Annotations map[string]string
	// Now is the time that is written beside the signature; zero leaves it out.
	Now time.Time
	// Labels are annotations of a bundle's manifest: not signed, for whoever lists the referrers.
	Labels map[string]string
	// Replace removes older attestations of this key and predicate type, in bundles, if the Sink is a Deleter.
	Replace bool
}

// Sign signs an image and attaches the signature. It returns the digest of the manifest that holds it.
func (k *Key) Sign(ctx context.Context, to Sink, s Subject, o Options) (string, error) {
	if o.Form == FormLegacy {
		return k.signLegacy(ctx, to, s, o)
	}
	st, err := newStatement(s, predicateSign, nil)
	if err != nil {
		return "", err
	}
	return k.attach(ctx, to, s, st, o)
}

// Attest attaches a signed statement about an image: predicate is JSON of the predicate type. It returns the digest of
// the manifest that holds it.
func (k *Key) Attest(ctx context.Context, to Sink, s Subject, predicateType string, predicate []byte, o Options) (string, error) {
	if !json.Valid(predicate) {
		return "", errors.New("the predicate is no JSON")
	}
	st, err := newStatement(s, predicateType, predicate)
	if err != nil {
		return "", err
	}
	return k.attach(ctx, to, s, st, o)
}

func newStatement(s Subject, predicateType string, predicate []byte) (*statement, error) {
	algorithm, value, _ := strings.Cut(s.Digest, ":")
	if godigest.Digest(s.Digest).Validate() != nil || algorithm != "sha256" {
		return nil, fmt.Errorf("the image's digest %q is no SHA-256", s.Digest)
	}
	if predicateType == "" {
		return nil, errors.New("no predicate type is given")
	}
	// Cosign reads the older type everywhere, the newer only in bundles.
	return &statement{Type: statementV1, Subject: []resource{{Digest: map[string]string{algorithm: value}}},
		PredicateType: predicateType, Predicate: predicate}, nil
}

func (k *Key) attach(ctx context.Context, to Sink, s Subject, st *statement, o Options) (string, error) {
	switch o.Form {
	case FormBundle, "":
		return k.attachBundle(ctx, to, s, st, o)
	case FormLegacy:
		return k.attestLegacy(ctx, to, s, st)
	}
	return "", fmt.Errorf("unknown form %q: want %s or %s", o.Form, FormBundle, FormLegacy)
}

// bundleJSON is a sigstore bundle v0.3 with a key (sigstore/protobuf-specs, sigstore_bundle.proto).
type bundleJSON struct {
	MediaType string `json:"mediaType"`
	Material  struct {
		PublicKey struct {
			Hint string `json:"hint"`
		} `json:"publicKey"`
	} `json:"verificationMaterial"`
	Envelope envelope `json:"dsseEnvelope"`
}

func (k *Key) envelope(st *statement) (envelope, error) {
	payload, err := json.Marshal(st)
	if err != nil {
		return envelope{}, fmt.Errorf("writing the statement: %w", err)
	}
	sig, err := k.sign(preAuth(payloadInToto, payload))
	if err != nil {
		return envelope{}, fmt.Errorf("signing: %w", err)
	}
	return envelope{PayloadType: payloadInToto, Payload: base64.StdEncoding.EncodeToString(payload),
		Signatures: []envelopeSign{{Sig: base64.StdEncoding.EncodeToString(sig)}}}, nil
}

// hint is the key id as Cosign writes it.
func (k *Key) hint() string {
	raw, _ := hex.DecodeString(k.id)
	return base64.StdEncoding.EncodeToString(raw)
}

func (k *Key) attachBundle(ctx context.Context, to Sink, s Subject, st *statement, o Options) (string, error) {
	b := bundleJSON{MediaType: typeBundleV03}
	b.Material.PublicKey.Hint = k.hint()
	var err error
	if b.Envelope, err = k.envelope(st); err != nil {
		return "", err
	}
	content, err := json.Marshal(b)
	if err != nil {
		return "", fmt.Errorf("writing the bundle: %w", err)
	}
	annotations := map[string]string{
		"dev.sigstore.bundle.content": "dsse-envelope",
		annotPredicate:                st.PredicateType,
		annotKey:                      k.id,
	}
	for name, value := range o.Labels {
		if _, taken := annotations[name]; !taken {
			annotations[name] = value
		}
	}
	if !o.Now.IsZero() {
		annotations[ocispec.AnnotationCreated] = o.Now.UTC().Format(time.RFC3339)
	}
	digest, err := pushReferrer(ctx, to, s, referrer{artifactType: typeBundleV03, config: ocispec.MediaTypeEmptyJSON,
		layer: Descriptor{MediaType: typeBundleV03}, content: content, annotations: annotations})
	if err == nil && o.Replace {
		err = k.removeOlder(ctx, to, s, st.PredicateType, digest)
	}
	return digest, err
}

// annotPredicate is Cosign's annotation of a bundle's manifest; annotKey names the key that made the bundle, so that its
// owner finds what a newer one replaces.
const (
	annotPredicate = "dev.sigstore.bundle.predicateType"
	annotKey       = "dev.seawall.key-id"
)

// Attested lists the bundles of this key and predicate type at an image, by what their annotations say: they are not
// verified.
func (k *Key) Attested(ctx context.Context, from Source, s Subject, predicateType string) ([]Descriptor, error) {
	list, err := from.Referrers(ctx, s.Repository, s.Digest, typeBundleV03)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("listing the referrers of %s: %w", s.Digest, err)
	}
	return slices.DeleteFunc(list, func(d Descriptor) bool {
		return d.Annotations[annotKey] != k.id || d.Annotations[annotPredicate] != predicateType
	}), nil
}

// removeOlder removes bundles of this key and predicate type other than keep.
func (k *Key) removeOlder(ctx context.Context, to Sink, s Subject, predicateType, keep string) error {
	del, ok := to.(Deleter)
	if !ok {
		return nil
	}
	list, err := k.Attested(ctx, to, s, predicateType)
	if err != nil {
		return err
	}
	for _, d := range list {
		if d.Digest.String() == keep {
			continue
		}
		if err := del.DeleteManifest(ctx, s.Repository, d.Digest.String()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing the older attestation %s: %w", d.Digest, err)
		}
	}
	return nil
}

// signLegacy appends to the tag sha256-….sig. Two who sign at once may lose one signature: the form has no way around.
func (k *Key) signLegacy(ctx context.Context, to Sink, s Subject, o Options) (string, error) {
	p := simple{Optional: map[string]any{}}
	for name, value := range o.Annotations {
		p.Optional[name] = value
	}
	if len(p.Optional) == 0 {
		p.Optional = nil
	}
	p.Critical.Identity.Reference, p.Critical.Image.Digest, p.Critical.Type = o.Reference, s.Digest, simpleTypeName
	if o.Reference == "" {
		p.Critical.Identity.Reference = s.Repository
	}
	payload, err := json.Marshal(p)
	if err != nil {
		return "", fmt.Errorf("writing the payload: %w", err)
	}
	sig, err := k.sign(payload)
	if err != nil {
		return "", fmt.Errorf("signing: %w", err)
	}
	return appendLayer(ctx, to, s, suffixSig, Descriptor{MediaType: payloadSimple,
		Annotations: map[string]string{annotSignature: base64.StdEncoding.EncodeToString(sig)}}, payload)
}

func (k *Key) attestLegacy(ctx context.Context, to Sink, s Subject, st *statement) (string, error) {
	if st.PredicateType == predicateSign {
		return "", errors.New("this predicate type is a signature's: sign instead")
	}
	old := *st
	old.Type = statementV01
	e, err := k.envelope(&old)
	if err != nil {
		return "", err
	}
	content, err := json.Marshal(e)
	if err != nil {
		return "", fmt.Errorf("writing the envelope: %w", err)
	}
	return appendLayer(ctx, to, s, suffixAtt, Descriptor{MediaType: mediaEnvelope,
		Annotations: map[string]string{annotSignature: "", "predicateType": st.PredicateType}}, content)
}

// referrer is a manifest with one layer that refers to an image.
type referrer struct {
	artifactType, config string
	layer                Descriptor
	content              []byte
	annotations          map[string]string
}

func pushReferrer(ctx context.Context, to Sink, s Subject, r referrer) (string, error) {
	mediaType, raw, err := to.Manifest(ctx, s.Repository, s.Digest)
	if err != nil {
		return "", fmt.Errorf("reading the image's manifest: %w", err)
	}
	layer, err := pushBlob(ctx, to, s.Repository, r.layer, r.content)
	if err != nil {
		return "", err
	}
	config, err := pushBlob(ctx, to, s.Repository, Descriptor{MediaType: r.config}, []byte("{}"))
	if err != nil {
		return "", err
	}
	m := ocispec.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, ArtifactType: r.artifactType,
		Config: config, Layers: []Descriptor{layer}, Annotations: r.annotations,
		Subject: &Descriptor{MediaType: mediaType, Digest: godigest.Digest(s.Digest), Size: int64(len(raw))}}
	return pushManifest(ctx, to, s.Repository, "", &m)
}

func pushBlob(ctx context.Context, to Sink, repository string, d Descriptor, content []byte) (Descriptor, error) {
	d.Digest, d.Size = godigest.FromBytes(content), int64(len(content))
	if err := to.PushBlob(ctx, repository, d.Digest.String(), content); err != nil {
		return d, fmt.Errorf("storing the signature: %w", err)
	}
	return d, nil
}

// pushManifest stores a manifest under a tag, or under its digest if the tag is "".
func pushManifest(ctx context.Context, to Sink, repository, tag string, m *ocispec.Manifest) (string, error) {
	raw, err := json.Marshal(m)
	if err != nil {
		return "", fmt.Errorf("writing the signature's manifest: %w", err)
	}
	digest := godigest.FromBytes(raw).String()
	if tag == "" {
		tag = digest
	}
	if err := to.PushManifest(ctx, repository, tag, m.MediaType, raw); err != nil {
		return "", fmt.Errorf("storing the signature's manifest: %w", err)
	}
	return digest, nil
}

// legacyConfig is the configuration that the legacy forms carry; its diff ids are the layers' own digests.
type legacyConfig struct {
	Architecture string         `json:"architecture"`
	Created      string         `json:"created"`
	OS           string         `json:"os"`
	RootFS       ocispec.RootFS `json:"rootfs"`
	Config       struct{}       `json:"config"`
}

// appendLayer adds a layer to the manifest at a tag that is derived from the image's digest.
func appendLayer(ctx context.Context, to Sink, s Subject, suffix string, layer Descriptor, content []byte) (string, error) {
	if err := godigest.Digest(s.Digest).Validate(); err != nil {
		return "", fmt.Errorf("the image's digest %q: %w", s.Digest, err)
	}
	tag := fixedTag(s.Digest, suffix)
	m := ocispec.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest}
	_, raw, err := to.Manifest(ctx, s.Repository, tag)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return "", fmt.Errorf("reading the signatures at tag %s: %w", tag, err)
	default:
		if err := json.Unmarshal(raw, &m); err != nil {
			return "", fmt.Errorf("reading the signatures at tag %s: %w", tag, err)
		}
	}
	if layer, err = pushBlob(ctx, to, s.Repository, layer, content); err != nil {
		return "", err
	}
	m.Layers = append(m.Layers, layer)
	config := legacyConfig{Created: "0001-01-01T00:00:00Z", RootFS: ocispec.RootFS{Type: "layers"}}
	for _, l := range m.Layers {
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, l.Digest)
	}
	text, err := json.Marshal(config)
	if err != nil {
		return "", fmt.Errorf("writing the signature's configuration: %w", err)
	}
	if m.Config, err = pushBlob(ctx, to, s.Repository, Descriptor{MediaType: ocispec.MediaTypeImageConfig}, text); err != nil {
		return "", err
	}
	return pushManifest(ctx, to, s.Repository, tag, &m)
}
