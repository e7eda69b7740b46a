package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// refer notes a manifest among the referrers of its subject, which need not exist.
func (r *Registry) refer(ctx context.Context, m Manifest, d digest.Digest) error {
	if m.Subject == "" {
		return nil
	}
	entry, err := json.Marshal(v1.Descriptor{MediaType: m.MediaType, Digest: d, Size: m.Length, ArtifactType: m.ArtifactType, Annotations: m.Annotations})
	if err != nil {
		return fmt.Errorf("describing referrer %s: %w", d, err)
	}
	if err := r.store.PutContent(ctx, referrerPath(m.Repository, digest.Digest(m.Subject), d), entry); err != nil {
		return fmt.Errorf("noting referrer %s of %s: %w", d, m.Subject, err)
	}
	return nil
}

// unrefer takes a manifest from among the referrers of its subject.
func (r *Registry) unrefer(ctx context.Context, repo string, d digest.Digest) error {
	m, err := r.readManifest(ctx, repo, linkManifests, d)
	if err != nil || m.Subject == "" {
		return err
	}
	return r.unlink(ctx, referrerPath(repo, digest.Digest(m.Subject), d))
}

// getReferrers answers GET: distribution specification, section "Listing Referrers". Long listings go on by Link.
func (r *Registry) getReferrers(w http.ResponseWriter, q *http.Request, t target) error {
	subject, err := parseDigest(t.ref)
	if err != nil {
		return err
	}
	ctx, err := r.hooks.Authorize(q, []Need{{t.repo, Pull}})
	if err != nil {
		return err
	}
	query := q.URL.Query()
	n, err := r.pageSize(query)
	if err != nil {
		return err
	}
	kind := query.Get("artifactType")
	page, more, err := r.referrersPage(ctx, t.repo, subject, kind, query.Get("last"), max(n, 1))
	if err != nil {
		return err
	}
	if kind != "" {
		w.Header().Set("OCI-Filters-Applied", "artifactType")
	}
	if more {
		next := url.Values{"last": {string(page[len(page)-1].Digest)}, "n": {strconv.Itoa(n)}}
		if kind != "" {
			next.Set("artifactType", kind)
		}
		link(w, q, next)
	}
	return writeJSON(w, q, v1.MediaTypeImageIndex, v1.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageIndex, Manifests: page})
}

// Referrers are the manifests that refer to a digest, by their digests, all or those of one artifact type.
func (r *Registry) Referrers(ctx context.Context, repo, subject, artifactType string) ([]v1.Descriptor, error) {
	d, err := parseDigest(subject)
	if err != nil {
		return nil, err
	}
	if !ValidName(repo) {
		return nil, errName(repo)
	}
	page, _, err := r.referrersPage(ctx, repo, d, artifactType, "", maxReferrers)
	return page, err
}

// maxReferrers bounds what the hub itself reads of one subject.
const maxReferrers = 100_000

// referrersSize bounds an answer, which clients take for a manifest.
const referrersSize = 3 << 20

func (r *Registry) referrersPage(ctx context.Context, repo string, subject digest.Digest, kind, last string, n int) (page []v1.Descriptor, more bool, err error) {
	names, err := r.list(ctx, referrersPath(repo, subject))
	if err != nil {
		return nil, false, fmt.Errorf("listing referrers of %s in %s: %w", subject, repo, err)
	}
	page = []v1.Descriptor{}
	size := 0
	for _, name := range names {
		if name <= strings.Replace(last, ":", "-", 1) {
			continue
		}
		p, err := r.store.GetContent(ctx, referrersPath(repo, subject)+"/"+name)
		if isMissing(err) {
			continue // deleted since it was listed
		}
		var d v1.Descriptor
		if err != nil || json.Unmarshal(p, &d) != nil {
			return nil, false, fmt.Errorf("reading referrer %s of %s in %s: %w", name, subject, repo, err)
		}
		if kind != "" && d.ArtifactType != kind {
			continue
		}
		if size += len(p); len(page) == n || (size > referrersSize && len(page) > 0 && n != maxReferrers) {
			return page, true, nil
		}
		page = append(page, d)
	}
	return page, false, nil
}

// list gives the names in a directory, sorted; none where it does not exist.
func (r *Registry) list(ctx context.Context, path string) ([]string, error) {
	full, err := r.store.List(ctx, path)
	if isMissing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(full))
	for _, f := range full {
		names = append(names, lastElement(f))
	}
	slices.Sort(names)
	return names, nil
}
