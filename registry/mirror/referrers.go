package mirror

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/seawall/seawall/registry"
)

// sidecars are the endings of tags that Cosign keeps signatures, attestations and SBOMs under: sha256-<hex>.sig.
var sidecars = []string{".sig", ".att", ".sbom"}

// referring stores what refers to a manifest: by the referrers API (distribution specification 1.1, "Listing
// Referrers"), by the tag that stands in for it, and by Cosign's tags. What of it cannot be read is noted, not fatal:
// the image is what was asked for.
func (j *copying) referring(ctx context.Context, subject digest.Digest, depth int) error {
	list, err := j.from.referrers(ctx, subject)
	if err != nil {
		return j.unless(ctx, fmt.Sprintf("what refers to %s", subject), err)
	}
	if most := j.client.Limits.Referrers; len(list) > most {
		j.note(fmt.Sprintf("%d manifests refer to %s: the first %d are copied", len(list), subject, most))
		list = list[:most]
	}
	for i := range list {
		if err := j.referrer(ctx, string(list[i].Digest), depth); err != nil {
			return err
		}
	}
	for _, ending := range sidecars {
		tag := strings.Replace(string(subject), ":", "-", 1) + ending
		if err := j.sidecar(ctx, tag, depth); err != nil {
			return err
		}
	}
	return nil
}

// referrer stores one manifest that refers to another, and what refers to it in turn.
func (j *copying) referrer(ctx context.Context, ref string, depth int) error {
	if depth >= j.client.Limits.Depth {
		j.note("what refers to " + ref + " is nested too deeply")
		return nil
	}
	doc, err := j.document(ctx, digest.Digest(ref))
	if err != nil {
		return j.unless(ctx, ref, err)
	}
	before := j.count()
	if err := j.tree(ctx, doc, depth+1, false); err != nil {
		return j.unless(ctx, ref, err)
	}
	j.step(func(r *Result, _ *Progress) { r.Referrers += r.Manifests - before })
	return nil
}

func (j *copying) count() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.result.Manifests
}

// sidecar stores one of Cosign's tags where the source has it and it differs.
func (j *copying) sidecar(ctx context.Context, tag string, depth int) error {
	d, err := j.from.head(ctx, tag)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return j.unless(ctx, tag, err)
	}
	there, err := j.has(ctx, tag)
	if err != nil || there != "" && there == d {
		return err
	}
	doc, err := j.from.manifest(ctx, tag)
	if err != nil {
		return j.unless(ctx, tag, err)
	}
	if err := j.tree(ctx, doc, depth+1, true, tag); err != nil {
		return j.unless(ctx, tag, err)
	}
	j.step(func(r *Result, _ *Progress) { r.Referrers++ })
	return nil
}

// unless notes an error about what refers to the image where trying again would not help. Other errors fail the copy,
// which is then tried again as a whole, or an image would stay without its signatures.
func (j *copying) unless(ctx context.Context, what string, err error) error {
	var refused *registry.Refused
	if ctx.Err() != nil || !Permanent(err) && !errors.As(err, &refused) {
		return err
	}
	j.note(what + " is left out: " + bounded(err.Error()))
	return nil
}

var acceptIndex = http.Header{"Accept": {typeIndex}}

// referrers lists what refers to a manifest.
func (r *remote) referrers(ctx context.Context, subject digest.Digest) ([]v1.Descriptor, error) {
	if !r.bare {
		p, h, err := r.read(ctx, "/referrers/"+string(subject), acceptIndex, r.client.Limits.Manifest)
		if err == nil && strings.HasPrefix(h.Get("Content-Type"), typeIndex) {
			return r.listed(p)
		}
		if err != nil && !Permanent(err) {
			return nil, err
		}
		r.bare = true
	}
	tag := strings.Replace(string(subject), ":", "-", 1)
	if _, err := r.head(ctx, tag); err != nil {
		if errors.Is(err, ErrNotFound) {
			return nil, nil
		}
		return nil, err
	}
	p, _, err := r.read(ctx, "/manifests/"+tag, acceptIndex, r.client.Limits.Manifest)
	if err != nil {
		return nil, err
	}
	return r.listed(p)
}

func (r *remote) listed(p []byte) ([]v1.Descriptor, error) {
	var index v1.Index
	if err := json.Unmarshal(p, &index); err != nil {
		return nil, fmt.Errorf("%w: the list of referrers is no index", ErrContent)
	}
	for i := range index.Manifests {
		if err := checkDescriptor(&index.Manifests[i]); err != nil {
			return nil, err
		}
	}
	return slices.CompactFunc(index.Manifests, func(a, b v1.Descriptor) bool { return a.Digest == b.Digest }), nil
}
