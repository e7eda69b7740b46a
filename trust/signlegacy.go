package trust

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	godigest "github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

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
	old := *st // Cosign reads the older type everywhere, the newer one only in bundles
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
