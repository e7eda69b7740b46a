package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/opencontainers/go-digest"
)

// getBlob answers GET and HEAD of a blob: distribution specification, section "Pulling blobs".
func (r *Registry) getBlob(w http.ResponseWriter, q *http.Request, t target) error {
	d, err := parseDigest(t.ref)
	if err != nil {
		return err
	}
	ctx, err := r.hooks.Authorize(q, []Need{{t.repo, Pull}})
	if err != nil {
		return err
	}
	if err := r.blobServed(ctx, t.repo, d); err != nil {
		return err
	}
	c, _, err := r.openBlob(ctx, d)
	if err != nil {
		return err
	}
	defer c.Close()
	r.places.note(d, t.repo)
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Docker-Content-Digest", string(d))
	h.Set("Etag", `"`+string(d)+`"`)
	h.Set("Cache-Control", "private, max-age=31536000")
	// ServeContent answers ranges and conditions, and sends files of a directory by sendfile.
	http.ServeContent(asPieces(w, c), q, "", time.Time{}, c)
	return nil
}

// blobServed says whether the repository has the blob and the hooks let it out.
func (r *Registry) blobServed(ctx context.Context, repo string, d digest.Digest) error {
	ok, err := r.linked(ctx, repo, linkBlobs, d)
	if err == nil && !ok {
		ok, err = r.linked(ctx, repo, linkAside, d)
	}
	if err == nil && !ok {
		// Once more: the link may have come back between the two.
		ok, err = r.linked(ctx, repo, linkBlobs, d)
	}
	if err != nil {
		return err
	}
	if !ok {
		return errBlobUnknown(string(d))
	}
	return r.served(r.hooks.ServeBlob(ctx, repo, string(d)), errBlobUnknown(string(d)))
}

// deleteBlob takes a blob out of the repository. What a manifest still names is kept, or the image would be broken.
func (r *Registry) deleteBlob(w http.ResponseWriter, q *http.Request, t target) error {
	d, err := parseDigest(t.ref)
	if err != nil {
		return err
	}
	ctx, err := r.hooks.Authorize(q, []Need{{t.repo, Delete}})
	if err != nil {
		return err
	}
	if err := r.DeleteBlob(ctx, t.repo, string(d)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusAccepted)
	return nil
}

// DeleteBlob takes a blob out of a repository. It refuses while a manifest of the repository names it.
func (r *Registry) DeleteBlob(ctx context.Context, repo, blob string) error {
	d, err := parseDigest(blob)
	if err != nil {
		return err
	}
	ok, err := r.linked(ctx, repo, linkBlobs, d)
	if err != nil {
		return err
	}
	if !ok {
		return errBlobUnknown(blob)
	}
	holder, err := r.holder(ctx, repo, blob)
	if err != nil {
		return err
	}
	if holder != "" {
		return errUnsupported("the blob is part of " + holder + ": delete that first")
	}
	return r.unlink(ctx, linkPath(repo, linkBlobs, d))
}

// holder finds a manifest of the repository that names the blob.
func (r *Registry) holder(ctx context.Context, repo, blob string) (string, error) {
	for m, err := range r.manifests(ctx, repo, linkManifests) {
		if err != nil {
			return "", err
		}
		for _, b := range m.Blobs {
			if b == blob {
				return m.Digest, nil
			}
		}
	}
	return "", nil
}

// Links: small files whose presence says that a repository has a blob or a manifest. A blob's holds its size, a
// manifest's its media type.

func (r *Registry) linked(ctx context.Context, repo, what string, d digest.Digest) (bool, error) {
	_, err := r.readLink(ctx, repo, what, d)
	if isMissing(err) {
		return false, nil
	}
	return err == nil, err
}

func (r *Registry) readLink(ctx context.Context, repo, what string, d digest.Digest) (string, error) {
	p, err := r.store.GetContent(ctx, linkPath(repo, what, d))
	if err != nil {
		return "", fmt.Errorf("reading link of %s in %s: %w", d, repo, err)
	}
	return string(p), nil
}

func (r *Registry) linkBlob(ctx context.Context, repo string, d digest.Digest, size int64) error {
	path := linkPath(repo, linkBlobs, d)
	if err := r.store.PutContent(ctx, path, strconv.AppendInt(nil, size, 10)); err != nil {
		return fmt.Errorf("linking blob %s into %s: %w", d, repo, err)
	}
	r.places.note(d, repo)
	return nil
}

func (r *Registry) unlink(ctx context.Context, path string) error {
	if err := r.store.Delete(ctx, path); err != nil && !isMissing(err) {
		return fmt.Errorf("removing link %s: %w", path, err)
	}
	return nil
}

// served turns what the hooks said about content into the answer to it.
func (r *Registry) served(err error, unknown *Error) error {
	if errors.Is(err, ErrGone) {
		return unknown
	}
	return err
}
