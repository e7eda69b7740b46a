package trust

import (
	"context"
	"encoding/json"
	"fmt"

	godigest "github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

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
