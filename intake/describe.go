package intake

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seawall/seawall/catalog"
)

// maxManifest bounds a manifest, in bytes, and maxNamed what it may name. The registry's own limit is 4 MiB.
const (
	maxManifest = 4 << 20
	maxNamed    = 10_000
)

// configTypes are the media types of configurations with which an engine runs what the layers hold. Whatever has
// another one is an artifact: no engine unpacks it as an image.
// Sources: OCI image specification 1.1, media-types.md; Docker image manifest version 2, schema 2.
var configTypes = []string{
	"application/vnd.oci.image.config.v1+json",
	"application/vnd.docker.container.image.v1+json",
}

var indexTypes = []string{
	"application/vnd.oci.image.index.v1+json",
	"application/vnd.docker.distribution.manifest.list.v2+json",
}

type manifestDoc struct {
	MediaType    string       `json:"mediaType"`
	ArtifactType string       `json:"artifactType"`
	Config       *descriptor  `json:"config"`
	Layers       []descriptor `json:"layers"`
	Manifests    []descriptor `json:"manifests"`
	Subject      *descriptor  `json:"subject"`
}

type descriptor struct {
	MediaType string `json:"mediaType"`
	Digest    string `json:"digest"`
	Size      int64  `json:"size"`
}

// Describe reads from a manifest's bytes what it is: Kind, MediaType, ArtifactType, Subject, Size, Config, Blobs and
// Children. mediaType is the one under which it was pushed. Whether an image runs is told by its configuration's media
// type, as engines do, so that what runs is never taken for an artifact that needs no scan.
func Describe(mediaType string, body []byte) (catalog.Manifest, error) {
	if len(body) > maxManifest {
		return catalog.Manifest{}, fmt.Errorf("reading the manifest: %d bytes, at most %d are allowed", len(body), maxManifest)
	}
	var doc manifestDoc
	if err := json.Unmarshal(body, &doc); err != nil {
		return catalog.Manifest{}, fmt.Errorf("reading the manifest: %w", err)
	}
	if len(doc.Layers) > maxNamed || len(doc.Manifests) > maxNamed {
		return catalog.Manifest{}, fmt.Errorf("reading the manifest: it names more than %d blobs or manifests", maxNamed)
	}
	mediaType, _, _ = strings.Cut(mediaType, ";")
	m := catalog.Manifest{MediaType: strings.TrimSpace(mediaType), ArtifactType: doc.ArtifactType, Size: int64(len(body)), Kind: doc.kind()}
	if m.MediaType == "" {
		m.MediaType = doc.MediaType
	}
	if doc.Subject != nil {
		m.Subject = doc.Subject.Digest
	}
	blobs := doc.Layers
	if c := doc.Config; c != nil {
		blobs = append([]descriptor{*c}, blobs...)
		if m.Kind == catalog.KindImage {
			m.Config = c.Digest
		} else if m.ArtifactType == "" {
			m.ArtifactType = c.MediaType
		}
	}
	seen := map[string]bool{}
	for _, d := range blobs {
		if d.Size < 0 || m.Size+d.Size < m.Size {
			return catalog.Manifest{}, errors.New("reading the manifest: the sizes that it states make no sense")
		}
		if m.Size += d.Size; !seen[d.Digest] {
			seen[d.Digest] = true
			m.Blobs = append(m.Blobs, d.Digest)
		}
	}
	for _, d := range doc.Manifests {
		m.Children = append(m.Children, d.Digest)
	}
	return m, nil
}

func (d *manifestDoc) kind() catalog.Kind {
	switch {
	case d.Config != nil && slices.Contains(configTypes, d.Config.MediaType):
		return catalog.KindImage
	case slices.Contains(indexTypes, d.MediaType) || d.Config == nil && d.Manifests != nil:
		return catalog.KindIndex
	}
	return catalog.KindArtifact
}

// maxConfig bounds an image's configuration, in bytes.
const maxConfig = 8 << 20

// DescribeConfig reads from an image's configuration what it is for and when it was built: Platform and Created. One
// that cannot be read leaves both empty: the scan will say what is wrong with it.
func DescribeConfig(m *catalog.Manifest, config []byte) {
	var doc struct {
		OS, Architecture, Variant string
		Created                   time.Time
	}
	if len(config) > maxConfig || json.Unmarshal(config, &doc) != nil || doc.OS == "" {
		return
	}
	m.Platform = clip(strings.TrimRight(doc.OS+"/"+doc.Architecture+"/"+doc.Variant, "/"), 100)
	m.Created = doc.Created.UTC()
}
