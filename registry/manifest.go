package registry

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
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
