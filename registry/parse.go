package registry

import (
	"bytes"
	"encoding/json"
	"mime"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// Media types of manifests that are taken.
const (
	typeImage       = v1.MediaTypeImageManifest
	typeIndex       = v1.MediaTypeImageIndex
	typeDockerImage = "application/vnd.docker.distribution.manifest.v2+json"
	typeDockerList  = "application/vnd.docker.distribution.manifest.list.v2+json"
)

func isIndex(mediaType string) bool { return mediaType == typeIndex || mediaType == typeDockerList }

func isManifest(mediaType string) bool {
	return isIndex(mediaType) || mediaType == typeImage || mediaType == typeDockerImage
}

// body is what the registry reads of a manifest. Both kinds are read by one type, so that a document that claims to be
// both is seen and refused: clients would disagree about what it is.
type body struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType"`
	ArtifactType  string            `json:"artifactType"`
	Config        *v1.Descriptor    `json:"config"`
	Layers        []v1.Descriptor   `json:"layers"`
	Manifests     []v1.Descriptor   `json:"manifests"`
	Subject       *v1.Descriptor    `json:"subject"`
	Annotations   map[string]string `json:"annotations"`
}

// parseManifest reads a manifest that came with a Content-Type ("" where there was none).
func parseManifest(p []byte, contentType string) (Manifest, error) {
	if err := checkKeys(p); err != nil {
		return Manifest{}, err
	}
	var b body
	if err := json.Unmarshal(p, &b); err != nil {
		return Manifest{}, errManifest("the manifest is not what its type says: %v", err)
	}
	mediaType, err := b.mediaType(contentType)
	if err != nil {
		return Manifest{}, err
	}
	b.MediaType = mediaType
	if err := b.check(); err != nil {
		return Manifest{}, err
	}
	return b.manifest(int64(len(p))), nil
}

// keys are what manifests have on their upper level, by their lower-case spelling.
var keys = map[string]string{
	"schemaversion": "schemaVersion", "mediatype": "mediaType", "artifacttype": "artifactType", "config": "config",
	"layers": "layers", "manifests": "manifests", "subject": "subject", "annotations": "annotations",
}

// checkKeys refuses documents whose upper level has a key twice, or in another spelling: readers of JSON differ in
// whether and which they take.
func checkKeys(p []byte) error {
	d := json.NewDecoder(bytes.NewReader(p))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errManifest("the manifest is no JSON object")
	}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return errManifest("the manifest is no JSON: %v", err)
		}
		key, _ := t.(string)
		folded := strings.ToLower(key)
		if known := keys[folded]; seen[folded] || (known != "" && known != key) {
			return errManifest("the manifest has the key %q twice, or in a spelling that is not its own", bounded(key))
		}
		seen[folded] = true
		var skip json.RawMessage
		if err := d.Decode(&skip); err != nil {
			return errManifest("the manifest is no JSON: %v", err)
		}
	}
	return nil
}

// mediaType settles what the manifest is: what its mediaType says, what the request says, or what it looks like.
func (b *body) mediaType(contentType string) (string, error) {
	if contentType != "" {
		t, _, err := mime.ParseMediaType(contentType)
		if err != nil {
			return "", errManifest("the Content-Type %q cannot be read", bounded(contentType))
		}
		contentType = t
	}
	t := b.MediaType
	switch {
	case t == "" && isManifest(contentType):
		t = contentType
	case t == "" && b.Manifests != nil:
		t = typeIndex
	case t == "":
		t = typeImage
	}
	if !isManifest(t) {
		return "", errManifest("manifests of type %q are not taken: %s and %s are, and Docker's", bounded(t), typeImage, typeIndex)
	}
	if contentType != "" && contentType != t {
		return "", errManifest("the manifest says that it is %s, the Content-Type says %s", t, bounded(contentType))
	}
	return t, nil
}

// maxDescriptors bounds what one manifest may make the registry look for.
const maxDescriptors = 4096

func (b *body) check() error {
	switch {
	case b.SchemaVersion != 2:
		return errManifest("schemaVersion must be 2")
	case isIndex(b.MediaType) && (b.Config != nil || b.Layers != nil):
		return errManifest("an index has neither config nor layers")
	case !isIndex(b.MediaType) && b.Manifests != nil:
		return errManifest("an image has no manifests")
	case !isIndex(b.MediaType) && b.Config == nil:
		return errManifest("an image has a config")
	}
	all := b.descriptors()
	if len(all) > maxDescriptors {
		return errManifest("the manifest names %d things, more than %d", len(all), maxDescriptors)
	}
	for _, d := range all {
		if _, err := parseDigest(string(d.Digest)); err != nil {
			return errManifest("a descriptor's digest %q is none", bounded(string(d.Digest)))
		}
		if d.Size < 0 {
			return errManifest("the descriptor of %s has the size %d", d.Digest, d.Size)
		}
	}
	return nil
}

func (b *body) descriptors() []v1.Descriptor {
	out := append(append([]v1.Descriptor{}, b.Layers...), b.Manifests...)
	if b.Config != nil {
		out = append(out, *b.Config)
	}
	if b.Subject != nil {
		out = append(out, *b.Subject)
	}
	return out
}

// manifest says what the document says, without digest and repository.
func (b *body) manifest(length int64) Manifest {
	m := Manifest{
		MediaType:    b.MediaType,
		ArtifactType: b.ArtifactType,
		Index:        isIndex(b.MediaType),
		Size:         length,
		Length:       length,
		Annotations:  b.Annotations,
	}
	if b.Subject != nil {
		m.Subject = string(b.Subject.Digest)
	}
	if b.Config != nil {
		m.Config, m.ConfigType = string(b.Config.Digest), b.Config.MediaType
		if m.ArtifactType == "" {
			m.ArtifactType = b.Config.MediaType
		}
	}
	for _, d := range b.blobs() {
		m.Blobs, m.BlobSizes = append(m.Blobs, string(d.Digest)), append(m.BlobSizes, d.Size)
		m.Size += d.Size
	}
	m.Foreign = slices.ContainsFunc(b.Layers, foreign)
	for _, d := range b.Manifests {
		m.Children = append(m.Children, Child{string(d.Digest), d.MediaType, platform(d.Platform), d.Size})
	}
	return m
}

// blobs are the configuration and the layers that the registry has to keep, each once. Layers that may not be
// distributed are kept elsewhere, at their URLs.
func (b *body) blobs() []v1.Descriptor {
	var out []v1.Descriptor
	seen := map[digest.Digest]bool{}
	add := func(d v1.Descriptor) {
		if !seen[d.Digest] {
			seen[d.Digest] = true
			out = append(out, d)
		}
	}
	if b.Config != nil {
		add(*b.Config)
	}
	for _, d := range b.Layers {
		if !foreign(d) {
			add(d)
		}
	}
	return out
}

func foreign(d v1.Descriptor) bool {
	return len(d.URLs) > 0 && (strings.Contains(d.MediaType, ".nondistributable.") || strings.Contains(d.MediaType, ".rootfs.foreign."))
}

func platform(p *v1.Platform) string {
	if p == nil || p.OS == "" || p.Architecture == "" {
		return ""
	}
	return joinPlatform(p.OS, p.Architecture, p.Variant)
}

func joinPlatform(os, arch, variant string) string {
	if variant != "" {
		return os + "/" + arch + "/" + variant
	}
	return os + "/" + arch
}

// describe adds what an image's configuration says. A configuration of another type says nothing.
func (m *Manifest) describe(config []byte) {
	var c struct {
		OS           string    `json:"os"`
		Architecture string    `json:"architecture"`
		Variant      string    `json:"variant"`
		Created      time.Time `json:"created"`
	}
	if json.Unmarshal(config, &c) != nil {
		return
	}
	m.Created = c.Created.UTC()
	if c.OS != "" && c.Architecture != "" {
		m.Platform = joinPlatform(c.OS, c.Architecture, c.Variant)
	}
}

// isImageConfig says whether a configuration of this type describes an image.
func isImageConfig(mediaType string) bool {
	return mediaType == v1.MediaTypeImageConfig || mediaType == "application/vnd.docker.container.image.v1+json"
}
