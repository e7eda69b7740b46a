package registry

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/opencontainers/go-digest"
)

// deleteManifest answers DELETE: of a tag, or of a manifest with all its tags. Distribution specification, sections
// "Deleting tags" and "Deleting Manifests".
func (r *Registry) deleteManifest(w http.ResponseWriter, q *http.Request, t target) error {
	if err := checkReference(t.ref); err != nil {
		return err
	}
	ctx, err := r.hooks.Authorize(q, []Need{{t.repo, Delete}})
	if err != nil {
		return err
	}
	if strings.Contains(t.ref, ":") {
		err = r.Delete(ctx, t.repo, t.ref)
	} else {
		err = r.Untag(ctx, t.repo, t.ref)
	}
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusAccepted)
	return nil
}

// Untag removes a tag. What it pointed at stays.
func (r *Registry) Untag(ctx context.Context, repo, tag string) error {
	if !ValidTag(tag) {
		return errTag(tag)
	}
	defer r.tags.lock(repo + ":" + tag)()
	d, err := r.resolve(ctx, repo, tag)
	if err != nil {
		return err
	}
	if err := r.hooks.Untagged(ctx, repo, tag, string(d)); err != nil {
		return err
	}
	return r.unlink(ctx, tagPath(repo, tag))
}

// Delete deletes a manifest and its tags. Its content stays until it is purged and collected: Restore brings it back.
func (r *Registry) Delete(ctx context.Context, repo, manifest string) error {
	d, err := parseDigest(manifest)
	if err != nil {
		return err
	}
	mediaType, err := r.manifestType(ctx, repo, d)
	if err != nil {
		return err
	}
	if err := r.hooks.Deleted(ctx, repo, manifest); err != nil {
		return err
	}
	if err := r.untagAll(ctx, repo, d); err != nil {
		return err
	}
	if err := r.unrefer(ctx, repo, d); err != nil {
		return err
	}
	if err := r.store.PutContent(ctx, linkPath(repo, linkDeleted, d), []byte(mediaType)); err != nil {
		return fmt.Errorf("deleting manifest %s of %s: %w", d, repo, err)
	}
	return r.unlink(ctx, linkPath(repo, linkManifests, d))
}

func (r *Registry) untagAll(ctx context.Context, repo string, d digest.Digest) error {
	tags, err := r.Tags(ctx, repo)
	if err != nil {
		return err
	}
	for _, tag := range tags {
		if err := r.untagIf(ctx, repo, tag, d); err != nil {
			return err
		}
	}
	return nil
}

func (r *Registry) untagIf(ctx context.Context, repo, tag string, d digest.Digest) error {
	defer r.tags.lock(repo + ":" + tag)()
	if to, err := r.resolve(ctx, repo, tag); err != nil || to != d {
		return nil
	}
	return r.unlink(ctx, tagPath(repo, tag))
}

// Restore brings a deleted manifest back, without its tags. The catalog is told as of a push.
func (r *Registry) Restore(ctx context.Context, repo, manifest string) error {
	d, err := parseDigest(manifest)
	if err != nil {
		return err
	}
	mediaType, err := r.readLink(ctx, repo, linkDeleted, d)
	if isMissing(err) {
		return errManifestUnknown(manifest)
	}
	if err != nil {
		return err
	}
	p, err := r.manifestBytes(ctx, d)
	if err != nil {
		return err
	}
	if err := r.relink(ctx, repo, p, mediaType); err != nil {
		return err
	}
	_, err = r.storeManifest(ctx, repo, d, nil, mediaType, p)
	return err
}

// relink links the blobs that a manifest names and that are stored; what is missing is found out by who asks next.
func (r *Registry) relink(ctx context.Context, repo string, p []byte, mediaType string) error {
	m, err := parseManifest(p, mediaType)
	if err != nil {
		return err
	}
	for _, b := range m.Blobs {
		d := digest.Digest(b)
		ok, err := r.linked(ctx, repo, linkBlobs, d)
		if err != nil {
			return err
		}
		if ok {
			continue
		}
		if size, err := r.blobSize(ctx, d); err == nil {
			if err := r.linkBlob(ctx, repo, d, size); err != nil {
				return err
			}
		}
	}
	return nil
}

// Purge forgets a deleted manifest: the next collection may take its content.
func (r *Registry) Purge(ctx context.Context, repo, manifest string) error {
	d, err := parseDigest(manifest)
	if err != nil {
		return err
	}
	return r.unlink(ctx, linkPath(repo, linkDeleted, d))
}
