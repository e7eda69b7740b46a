package image

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
)

// layout is an OCI image layout over a store.
// Source: OCI image specification 1.1, image-layout.md.
type layout struct{ store store }

// blobName is safe for a checked digest only.
func blobName(digest string) string { return "blobs/" + strings.Replace(digest, ":", "/", 1) }

func (l layout) metadata(_ context.Context, d descriptor, limit int64) ([]byte, error) {
	if err := checkDigest(d.Digest); err != nil {
		return nil, err
	}
	raw, err := readAll(l.store, blobName(d.Digest), limit)
	if err != nil {
		return nil, err
	}
	return raw, verifyBytes(raw, d.Digest)
}

func (l layout) layer(d descriptor) (Blob, error) { return l.store.blob(blobName(d.Digest)) }

func (l layout) has(d descriptor) bool {
	_, err := l.store.blob(blobName(d.Digest))
	return err == nil
}

// openLayout resolves index.json.
func openLayout(ctx context.Context, st store, r *resolver) ([]*Image, error) {
	raw, err := readAll(st, "index.json", r.lim.MaxMetadata)
	if err != nil {
		return nil, err
	}
	var index struct {
		Manifests listed[descriptor] `json:"manifests"`
	}
	if err := json.Unmarshal(raw, &index); err != nil {
		return nil, fmt.Errorf("parsing index.json: %w", err)
	}
	if len(index.Manifests) == 0 {
		return nil, fmt.Errorf("%w: index.json lists no manifest: %w", ErrNotImage, fs.ErrNotExist)
	}
	r.content = layout{st}
	return r.images(ctx, index.Manifests)
}
