package registry

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/go-digest"
)

// getManifest answers GET and HEAD: distribution specification, section "Pulling manifests".
func (r *Registry) getManifest(w http.ResponseWriter, q *http.Request, t target) error {
	if err := checkReference(t.ref); err != nil {
		return err
	}
	ctx, err := r.hooks.Authorize(q, []Need{{t.repo, Pull}})
	if err != nil {
		return err
	}
	d, err := r.resolve(ctx, t.repo, t.ref)
	if err != nil {
		return err
	}
	mediaType, err := r.manifestType(ctx, t.repo, d)
	if err != nil {
		return err
	}
	if err := r.served(r.hooks.ServeManifest(ctx, t.repo, string(d)), errManifestUnknown(t.ref)); err != nil {
		return err
	}
	return r.sendManifest(ctx, w, q, t.repo, d, mediaType)
}

func (r *Registry) sendManifest(ctx context.Context, w http.ResponseWriter, q *http.Request, repo string, d digest.Digest, mediaType string) error {
	p, err := r.manifestBytes(ctx, d)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", mediaType)
	h.Set("Content-Length", strconv.Itoa(len(p)))
	h.Set("Docker-Content-Digest", string(d))
	h.Set("Etag", `"`+string(d)+`"`)
	if matches(q.Header.Get("If-None-Match"), string(d)) {
		h.Del("Content-Length")
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	if q.Method == http.MethodHead {
		w.WriteHeader(http.StatusOK)
		return nil
	}
	r.hooks.Pulled(ctx, repo, string(d))
	w.Write(p) // the client has gone where this fails
	return nil
}

func matches(header, d string) bool {
	for tag := range strings.SplitSeq(header, ",") {
		if strings.Trim(strings.TrimPrefix(strings.TrimSpace(tag), "W/"), `"`) == d {
			return true
		}
	}
	return false
}

// checkReference refuses what is neither tag nor digest.
func checkReference(ref string) error {
	if strings.Contains(ref, ":") {
		_, err := parseDigest(ref)
		return err
	}
	if !ValidTag(ref) {
		return errTag(ref)
	}
	return nil
}

// resolve finds the digest that a tag points at; a digest is its own.
func (r *Registry) resolve(ctx context.Context, repo, ref string) (digest.Digest, error) {
	if strings.Contains(ref, ":") {
		return parseDigest(ref)
	}
	p, err := r.store.GetContent(ctx, tagPath(repo, ref))
	if isMissing(err) {
		return "", errManifestUnknown(ref)
	}
	if err != nil {
		return "", fmt.Errorf("reading tag %s of %s: %w", ref, repo, err)
	}
	return parseDigest(string(p))
}

// manifestType is the media type that a manifest was stored with: the proof that the repository has it.
func (r *Registry) manifestType(ctx context.Context, repo string, d digest.Digest) (string, error) {
	t, err := r.readLink(ctx, repo, linkManifests, d)
	if isMissing(err) {
		return "", errManifestUnknown(string(d))
	}
	return t, err
}

// manifestBytes reads a manifest, from memory if it was read before.
func (r *Registry) manifestBytes(ctx context.Context, d digest.Digest) ([]byte, error) {
	if p, ok := r.parsed.get(d); ok {
		return p, nil
	}
	c, size, err := r.openBlob(ctx, d)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if size > r.limits.Manifest {
		return nil, fmt.Errorf("reading manifest %s: it has %d bytes", d, size)
	}
	p, err := io.ReadAll(io.LimitReader(c, size))
	if err != nil {
		return nil, fmt.Errorf("reading manifest %s: %w", d, err)
	}
	if d.Algorithm().FromBytes(p) != d {
		return nil, fmt.Errorf("reading manifest %s: what is stored has another digest", d)
	}
	r.parsed.put(d, p)
	return p, nil
}

// putManifest answers PUT: distribution specification, section "Pushing manifests". By digest, the query may name tags.
func (r *Registry) putManifest(w http.ResponseWriter, q *http.Request, t target) error {
	if err := checkReference(t.ref); err != nil {
		return err
	}
	ctx, err := r.hooks.Authorize(q, []Need{{t.repo, Push}})
	if err != nil {
		return err
	}
	p, err := io.ReadAll(io.LimitReader(q.Body, r.limits.Manifest+1))
	if err != nil {
		return &Error{Status: http.StatusBadRequest, Code: "MANIFEST_INVALID", Message: "the body ended before its end", cause: err}
	}
	if int64(len(p)) > r.limits.Manifest {
		return errTooLarge("MANIFEST_INVALID", fmt.Sprintf("a manifest has at most %d bytes", r.limits.Manifest))
	}
	d, tags, err := namesOf(t.ref, q, p)
	if err != nil {
		return err
	}
	m, err := r.storeManifest(ctx, t.repo, d, tags, q.Header.Get("Content-Type"), p)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Location", "/v2/"+t.repo+"/manifests/"+string(d))
	h.Set("Docker-Content-Digest", string(d))
	if m.Subject != "" {
		h.Set("OCI-Subject", m.Subject)
	}
	if strings.Contains(t.ref, ":") {
		for _, tag := range m.Tags {
			h.Add("OCI-Tag", tag)
		}
	}
	w.WriteHeader(http.StatusCreated)
	return nil
}

// namesOf settles under which digest and which tags a manifest is stored.
func namesOf(ref string, q *http.Request, p []byte) (digest.Digest, []string, error) {
	query := q.URL.Query()
	if !strings.Contains(ref, ":") {
		d, err := digestOf(query.Get("digest"), p)
		return d, []string{ref}, err
	}
	d, err := digestOf(ref, p)
	if err != nil {
		return "", nil, err
	}
	tags := query["tag"]
	if len(tags) > 100 {
		return "", nil, errTag("a push names at most 100 tags")
	}
	for _, tag := range tags {
		if !ValidTag(tag) {
			return "", nil, errTag(tag)
		}
	}
	return d, tags, nil
}

// digestOf compares content with the digest that it shall have; "" is the SHA-256 that it has.
func digestOf(want string, p []byte) (digest.Digest, error) {
	if want == "" {
		return digest.FromBytes(p), nil
	}
	d, err := parseDigest(want)
	if err != nil {
		return "", err
	}
	if d.Algorithm().FromBytes(p) != d {
		return "", errDigest("the manifest has another digest", want)
	}
	return d, nil
}

// storeManifest checks, stores, tells and tags, in this order: what is not acknowledged is at most stored, and then
// found by its digest alone.
func (r *Registry) storeManifest(ctx context.Context, repo string, d digest.Digest, tags []string, contentType string, p []byte) (Manifest, error) {
	m, err := parseManifest(p, contentType)
	if err != nil {
		return m, err
	}
	tags = slices.Compact(slices.Sorted(slices.Values(tags))) // in order, so that nobody waits for each other
	m.Repository, m.Digest, m.Tags = repo, string(d), tags
	if err := r.complete(ctx, &m); err != nil {
		return m, err
	}
	for _, tag := range tags {
		defer r.tags.lock(repo + ":" + tag)() // so that the catalog and the storage see pushes in one order
	}
	if err := r.mayPut(ctx, m); err != nil {
		return m, err
	}
	if err := r.keepManifest(ctx, m, d, p); err != nil {
		return m, err
	}
	if err := r.hooks.Pushed(ctx, m); err != nil {
		return m, err
	}
	for _, tag := range tags {
		if err := r.store.PutContent(ctx, tagPath(repo, tag), []byte(d)); err != nil {
			return m, fmt.Errorf("tagging %s as %s:%s: %w", d, repo, tag, err)
		}
	}
	return m, nil
}

func (r *Registry) mayPut(ctx context.Context, m Manifest) error {
	put := Put{Repository: m.Repository, Digest: m.Digest, Size: m.Length, Manifest: true, Tags: m.Tags,
		MediaType: m.MediaType, ArtifactType: m.ArtifactType, Subject: m.Subject}
	for _, tag := range m.Tags {
		old, err := r.resolve(ctx, m.Repository, tag)
		if err == nil && string(old) != m.Digest {
			put.Moves = append(put.Moves, tag)
		}
	}
	return r.hooks.BeforePut(ctx, put)
}

// keepManifest stores the manifest, its link, and its entry among the referrers of its subject.
func (r *Registry) keepManifest(ctx context.Context, m Manifest, d digest.Digest, p []byte) error {
	if _, err := r.blobSize(ctx, d); isMissing(err) {
		if err := r.store.PutContent(ctx, blobPath(d), p); err != nil {
			return fmt.Errorf("storing manifest %s: %w", d, err)
		}
	} else if err != nil {
		return err
	}
	if err := r.store.PutContent(ctx, linkPath(m.Repository, linkManifests, d), []byte(m.MediaType)); err != nil {
		return fmt.Errorf("linking manifest %s into %s: %w", d, m.Repository, err)
	}
	if err := r.afterCollection(ctx, &m, d, p); err != nil {
		return err
	}
	// A manifest that was deleted and is pushed again is no longer deleted.
	if err := r.unlink(ctx, linkPath(m.Repository, linkDeleted, d)); err != nil {
		return err
	}
	r.parsed.put(d, p)
	return r.refer(ctx, m, d)
}

// complete checks that all that the manifest names is in the repository, and reads what an image's configuration says.
func (r *Registry) complete(ctx context.Context, m *Manifest) error {
	for _, b := range m.Blobs {
		if err := r.present(ctx, m.Repository, linkBlobs, digest.Digest(b), "blob"); err != nil {
			return err
		}
	}
	for _, c := range m.Children {
		if err := r.present(ctx, m.Repository, linkManifests, digest.Digest(c.Digest), "manifest"); err != nil {
			return err
		}
	}
	if m.Config == "" || !isImageConfig(m.ConfigType) {
		return nil
	}
	p, err := r.readSmall(ctx, digest.Digest(m.Config))
	if err != nil {
		return err
	}
	m.describe(p)
	return nil
}

func (r *Registry) present(ctx context.Context, repo, what string, d digest.Digest, name string) error {
	ok, err := r.linked(ctx, repo, what, d)
	if err == nil && ok {
		_, err = r.blobSize(ctx, d)
		if ok = err == nil; isMissing(err) {
			err = nil
		}
	}
	if err == nil && !ok {
		return errManifestBlob(name, string(d))
	}
	return err
}

// readSmall reads a blob that describes something; of larger ones nothing is read.
func (r *Registry) readSmall(ctx context.Context, d digest.Digest) ([]byte, error) {
	c, size, err := r.openBlob(ctx, d)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if size > r.limits.Manifest {
		return nil, nil
	}
	p, err := io.ReadAll(io.LimitReader(c, size))
	if err != nil {
		return nil, fmt.Errorf("reading blob %s: %w", d, err)
	}
	return p, nil
}

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

// manifests reads all manifests of one kind of link in a repository.
func (r *Registry) manifests(ctx context.Context, repo, what string) iter.Seq2[Manifest, error] {
	return func(yield func(Manifest, error) bool) {
		for d, err := range r.links(ctx, repo, what) {
			var m Manifest
			if err == nil {
				m, err = r.readManifest(ctx, repo, what, d)
			}
			if isGone(err) {
				continue // deleted since it was listed
			}
			if !yield(m, err) || err != nil {
				return
			}
		}
	}
}

func (r *Registry) readManifest(ctx context.Context, repo, what string, d digest.Digest) (Manifest, error) {
	mediaType, err := r.readLink(ctx, repo, what, d)
	if err != nil {
		return Manifest{}, err
	}
	p, err := r.manifestBytes(ctx, d)
	if err != nil {
		return Manifest{}, err
	}
	m, err := parseManifest(bytes.Clone(p), mediaType)
	m.Repository, m.Digest = repo, string(d)
	return m, err
}
