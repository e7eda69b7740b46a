package trust

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

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
