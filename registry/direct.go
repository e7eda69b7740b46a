package registry

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"

	"github.com/opencontainers/go-digest"
)

// The hub reads and writes by these methods, without HTTP. They ask no hook for permission and hold nothing back, but
// tell the hooks what changed, as the protocol does.

// Manifest reads a manifest by tag or digest.
func (r *Registry) Manifest(ctx context.Context, repo, ref string) (p []byte, mediaType, manifest string, err error) {
	if err := checkReference(ref); err != nil {
		return nil, "", "", err
	}
	d, err := r.resolve(ctx, repo, ref)
	if err != nil {
		return nil, "", "", err
	}
	if mediaType, err = r.manifestType(ctx, repo, d); err != nil {
		return nil, "", "", err
	}
	if p, err = r.manifestBytes(ctx, d); err != nil {
		return nil, "", "", err
	}
	return bytes.Clone(p), mediaType, string(d), nil
}

// Describe says what a manifest says, as Hooks.Pushed has it.
func (r *Registry) Describe(ctx context.Context, repo, ref string) (Manifest, error) {
	p, mediaType, d, err := r.Manifest(ctx, repo, ref)
	if err != nil {
		return Manifest{}, err
	}
	m, err := parseManifest(p, mediaType)
	if err != nil {
		return m, err
	}
	m.Repository, m.Digest = repo, d
	if err := r.look(ctx, &m); err != nil && !isGone(err) {
		return m, err
	}
	return m, nil
}

// Manifests are the digests of all manifests in a repository that are not deleted.
func (r *Registry) Manifests(ctx context.Context, repo string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for d, err := range r.links(ctx, repo, linkManifests) {
			if !yield(string(d), err) {
				return
			}
		}
	}
}

// Blob opens a blob of a repository and tells its size.
func (r *Registry) Blob(ctx context.Context, repo, blob string) (io.ReadSeekCloser, int64, error) {
	d, err := parseDigest(blob)
	if err != nil {
		return nil, 0, err
	}
	ok, err := r.linked(ctx, repo, linkBlobs, d)
	if err != nil {
		return nil, 0, err
	}
	if !ok {
		return nil, 0, errBlobUnknown(blob)
	}
	return r.openBlob(ctx, d)
}

// HasBlob says whether a repository has a blob, so that an import need not bring it again.
func (r *Registry) HasBlob(ctx context.Context, repo, blob string) (bool, error) {
	d, err := parseDigest(blob)
	if err != nil {
		return false, err
	}
	_, err = r.present(ctx, repo, linkBlobs, d, "blob")
	if isGone(err) {
		return false, nil
	}
	return err == nil, err
}

// PutBlob stores a blob, which must have the digest.
func (r *Registry) PutBlob(ctx context.Context, repo, blob string, content io.Reader) error {
	d, err := parseDigest(blob)
	if err != nil {
		return err
	}
	if !ValidName(repo) {
		return errName(repo)
	}
	up, err := r.uploads.start(ctx, repo, d.Algorithm())
	if err != nil {
		return err
	}
	if _, err = up.write(content, r.limits.Blob); err == nil {
		err = r.commit(ctx, up, d)
	}
	if err != nil {
		return r.abandon(ctx, up, err)
	}
	return nil
}

// PutManifest stores a manifest under its SHA-256 and the tags. Everything that it names must be there.
func (r *Registry) PutManifest(ctx context.Context, repo, mediaType string, p []byte, tags ...string) (Manifest, error) {
	return r.PutManifestAs(ctx, repo, string(digest.FromBytes(p)), mediaType, p, tags...)
}

// PutManifestAs stores a manifest under a digest that was given from elsewhere, which it must have.
func (r *Registry) PutManifestAs(ctx context.Context, repo, manifest, mediaType string, p []byte, tags ...string) (Manifest, error) {
	if !ValidName(repo) {
		return Manifest{}, errName(repo)
	}
	if int64(len(p)) > r.limits.Manifest {
		return Manifest{}, errTooLarge("MANIFEST_INVALID", fmt.Sprintf("a manifest has at most %d bytes", r.limits.Manifest))
	}
	for _, tag := range tags {
		if !ValidTag(tag) {
			return Manifest{}, errTag(tag)
		}
	}
	d, err := digestOf(manifest, p)
	if err != nil {
		return Manifest{}, err
	}
	return r.storeManifest(ctx, repo, d, tags, mediaType, p)
}

// Usage is what the storage holds.
type Usage struct {
	Blobs int   `json:"blobs"`
	Bytes int64 `json:"bytes"` // of the content; sealed files are a little larger
}

// Usage counts what the storage holds. It reads the whole listing: for a report, not for a page.
func (r *Registry) Usage(ctx context.Context) (Usage, error) {
	var u Usage
	for d, err := range r.stored(ctx, "/blobs") {
		if err != nil {
			return u, err
		}
		size, err := r.blobSize(ctx, d)
		if isMissing(err) {
			continue
		}
		if err != nil {
			return u, err
		}
		u.Blobs++
		u.Bytes += size
	}
	return u, nil
}
