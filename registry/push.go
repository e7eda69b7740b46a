package registry

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
)

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
		MediaType: m.MediaType, ArtifactType: m.ArtifactType, Subject: m.Subject, Runs: m.Runs}
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
	m.Size = m.Length
	for i, b := range m.Blobs {
		size, err := r.present(ctx, m.Repository, linkBlobs, digest.Digest(b), "blob")
		if err != nil {
			return err
		}
		m.BlobSizes[i] = size // what is there counts, not what the manifest says
		m.Size += size
	}
	for _, c := range m.Children {
		if _, err := r.present(ctx, m.Repository, linkManifests, digest.Digest(c.Digest), "manifest"); err != nil {
			return err
		}
	}
	return r.look(ctx, m)
}

// look reads what the configuration says, and whether there is anything to run.
func (r *Registry) look(ctx context.Context, m *Manifest) error {
	if m.Config == "" {
		return nil
	}
	p, err := r.readSmall(ctx, digest.Digest(m.Config))
	if err != nil {
		return err
	}
	if isImageConfig(m.ConfigType) {
		m.describe(p)
	}
	m.Runs, err = r.runs(ctx, m, p, p != nil)
	return err
}

// present gives the size of what the repository must have.
func (r *Registry) present(ctx context.Context, repo, what string, d digest.Digest, name string) (size int64, err error) {
	ok, err := r.linked(ctx, repo, what, d)
	if err == nil && ok {
		size, err = r.blobSize(ctx, d)
		if ok = err == nil; isMissing(err) {
			err = nil
		}
	}
	if err == nil && !ok {
		return 0, errManifestBlob(name, string(d))
	}
	return size, err
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
