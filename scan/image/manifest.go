package image

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// descriptor points at content. Source: OCI image specification 1.1, descriptor.md.
type descriptor struct {
	MediaType    string            `json:"mediaType"`
	Digest       string            `json:"digest"`
	Size         int64             `json:"size"`
	URLs         []string          `json:"urls"`
	Annotations  map[string]string `json:"annotations"`
	Platform     *platform         `json:"platform"`
	ArtifactType string            `json:"artifactType"`
}

// manifest is an image manifest or an index, of OCI or Docker schema 2: one has Config and Layers, the other Manifests.
type manifest struct {
	SchemaVersion int                 `json:"schemaVersion"`
	MediaType     string              `json:"mediaType"`
	ArtifactType  string              `json:"artifactType"`
	Config        *descriptor         `json:"config"`
	Layers        listed[descriptor]  `json:"layers"`
	Manifests     *listed[descriptor] `json:"manifests"`
	FSLayers      json.RawMessage     `json:"fsLayers"` // schema 1
}

func (m *manifest) isIndex() bool { return m.Manifests != nil }

// parseManifest reads either kind. What claims to be both is refused: two readers could see two images in it
// (CVE-2021-41190).
func parseManifest(raw []byte) (*manifest, error) {
	var m manifest
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, fmt.Errorf("parsing the manifest: %w", err)
	}
	switch {
	case m.FSLayers != nil || m.SchemaVersion == 1 || strings.Contains(m.MediaType, "distribution.manifest.v1+"):
		return nil, errors.New("a Docker schema 1 manifest, which has no verifiable layers: push the image again with a current tool")
	case m.isIndex() && (m.Config != nil || m.Layers != nil):
		return nil, errors.New("the manifest is an index and an image at once")
	case m.isIndex() && isImageType(m.MediaType) || m.Config != nil && isIndexType(m.MediaType):
		return nil, fmt.Errorf("the manifest's content contradicts its media type %.100q", m.MediaType)
	case !m.isIndex() && m.Config == nil:
		return nil, fmt.Errorf("%w: the manifest has neither config nor manifests", ErrNotImage)
	}
	return &m, nil
}

func isIndexType(t string) bool {
	return t == "application/vnd.oci.image.index.v1+json" ||
		t == "application/vnd.docker.distribution.manifest.list.v2+json"
}

func isImageType(t string) bool {
	return t == "application/vnd.oci.image.manifest.v1+json" ||
		t == "application/vnd.docker.distribution.manifest.v2+json"
}

const configType = "application/vnd.oci.image.config.v1+json"

// isImageConfig accepts an image's configuration and what old tools call one.
func isImageConfig(t string) bool {
	switch t {
	case configType, "application/vnd.docker.container.image.v1+json",
		"application/octet-stream", "text/html", "":
		return true
	}
	return false
}

// isAttachment knows the members of an index that are no images: BuildKit's attestations, artifacts.
// Source: BuildKit, docs/attestations/attestation-storage.md.
func (d *descriptor) isAttachment() bool {
	if d.Annotations["vnd.docker.reference.type"] != "" {
		return true
	}
	return d.Platform != nil && d.Platform.OS == "unknown" && d.Platform.Architecture == "unknown"
}

// isForeign knows the layers that are fetched from elsewhere.
// Source: OCI image specification 1.1, layer.md, Non-Distributable Layers.
func (d *descriptor) isForeign() bool {
	return strings.Contains(d.MediaType, ".foreign.") || strings.Contains(d.MediaType, ".nondistributable.")
}

// name is what an archive calls a member of its index.
func (d *descriptor) name() string {
	if n := d.Annotations["io.containerd.image.name"]; n != "" {
		return n
	}
	return d.Annotations["org.opencontainers.image.ref.name"]
}
