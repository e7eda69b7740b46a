package mirror

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

const (
	typeIndex       = v1.MediaTypeImageIndex
	typeImage       = v1.MediaTypeImageManifest
	typeDockerList  = "application/vnd.docker.distribution.manifest.list.v2+json"
	typeDockerImage = "application/vnd.docker.distribution.manifest.v2+json"
	typeSchema1     = "application/vnd.docker.distribution.manifest.v1"
)

var acceptManifests = http.Header{"Accept": {strings.Join([]string{typeIndex, typeImage, typeDockerList, typeDockerImage}, ", ")}}

// document is a manifest with what it says.
type document struct {
	digest    digest.Digest
	mediaType string
	bytes     []byte
	index     bool
	body      struct {
		SchemaVersion int             `json:"schemaVersion"`
		MediaType     string          `json:"mediaType"`
		Config        *v1.Descriptor  `json:"config"`
		Layers        []v1.Descriptor `json:"layers"`
		Manifests     []v1.Descriptor `json:"manifests"`
	}
}

// head asks which digest a reference has now; "" where the source does not tell.
func (r *remote) head(ctx context.Context, ref string) (d digest.Digest, err error) {
	err = r.again(ctx, func() error {
		a, err := r.do(ctx, http.MethodHead, "/manifests/"+ref, acceptManifests, http.StatusOK)
		if err != nil {
			return err
		}
		a.Body.Close()
		if d, err = parseDigest(a.Header.Get("Docker-Content-Digest")); err != nil {
			d = ""
		}
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("asking for %s of %s: %w", ref, r.repo.Name(), err)
	}
	return d, nil
}

// manifest reads a manifest by tag or digest. By digest, it is verified.
func (r *remote) manifest(ctx context.Context, ref string) (*document, error) {
	p, h, err := r.read(ctx, "/manifests/"+ref, acceptManifests, r.client.Limits.Manifest)
	if err != nil {
		return nil, fmt.Errorf("reading manifest %s of %s: %w", ref, r.repo.Name(), err)
	}
	want, err := parseDigest(ref)
	if err != nil { // a tag
		want = digest.FromBytes(p)
	}
	d, err := readDocument(want, h.Get("Content-Type"), p)
	if err != nil {
		return nil, fmt.Errorf("reading manifest %s of %s: %w", ref, r.repo.Name(), err)
	}
	return d, nil
}

// readDocument reads a manifest that must have a digest. contentType is what it came with, "" where nothing said.
func readDocument(want digest.Digest, contentType string, p []byte) (*document, error) {
	if want.Algorithm().FromBytes(p) != want {
		return nil, fmt.Errorf("%w: it has another digest", ErrContent)
	}
	d := &document{digest: want, bytes: p}
	if err := json.Unmarshal(p, &d.body); err != nil {
		return nil, fmt.Errorf("%w: it is no manifest: %s", ErrContent, bounded(err.Error()))
	}
	d.mediaType = d.body.MediaType
	if d.mediaType == "" {
		d.mediaType, _, _ = strings.Cut(contentType, ";")
	}
	switch {
	case d.body.SchemaVersion == 1 || strings.HasPrefix(d.mediaType, typeSchema1):
		return nil, fmt.Errorf("%w: it is of Docker's first form (schema 1), which is no longer served: push it anew with a current client", ErrContent)
	case d.mediaType == typeIndex || d.mediaType == typeDockerList:
		d.index = true
	case d.mediaType == typeImage || d.mediaType == typeDockerImage:
	default:
		return nil, fmt.Errorf("%w: %q is no type of manifest that is known", ErrContent, bounded(d.mediaType))
	}
	return d, d.check()
}

// check refuses descriptors that name nothing.
func (d *document) check() error {
	for _, list := range [][]v1.Descriptor{d.body.Layers, d.body.Manifests} {
		for i := range list {
			if err := checkDescriptor(&list[i]); err != nil {
				return err
			}
		}
	}
	if d.body.Config != nil {
		return checkDescriptor(d.body.Config)
	}
	return nil
}

func checkDescriptor(d *v1.Descriptor) error {
	if _, err := parseDigest(string(d.Digest)); err != nil || d.Size < 0 {
		return fmt.Errorf("%w: it names %s", ErrContent, bounded(fmt.Sprintf("%q of %d bytes", d.Digest, d.Size)))
	}
	return nil
}

func parseDigest(s string) (digest.Digest, error) {
	d, err := digest.Parse(s)
	if err == nil && d.Algorithm() != digest.SHA256 && d.Algorithm() != digest.SHA512 {
		err = errors.New("unsupported algorithm")
	}
	return d, err
}

// blobs are the configuration and the layers, each once. What may not be distributed stays where it is.
func (d *document) blobs() []v1.Descriptor {
	var out []v1.Descriptor
	seen := map[digest.Digest]bool{}
	all := d.body.Layers
	if d.body.Config != nil {
		all = append([]v1.Descriptor{*d.body.Config}, all...)
	}
	for _, b := range all {
		if !seen[b.Digest] && !foreign(&b) {
			seen[b.Digest] = true
			out = append(out, b)
		}
	}
	return out
}

func foreign(d *v1.Descriptor) bool {
	return len(d.URLs) > 0 && (strings.Contains(d.MediaType, ".nondistributable.") || strings.Contains(d.MediaType, ".rootfs.foreign."))
}
