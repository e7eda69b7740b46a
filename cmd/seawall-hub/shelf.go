package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/auth"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/registry"
	"github.com/seawall/seawall/trust"
)

// shelf is the hub's registry as package trust reads and writes it: as the hub itself.
type shelf struct {
	registry *registry.Registry
	// tags are the catalog's: they move before the registry's own, and before the job runs that looks at a signature.
	tags interface {
		Tag(ctx context.Context, repository, name string) (catalog.Tag, error)
	}
}

// itself is the hub as a principal, for what follows by itself. part names the part of it in audit records.
func itself(part string) auth.Principal {
	grant := auth.Grant{Subject: "system:" + part, Role: auth.RoleOwner, Scope: auth.Everything}
	return auth.Principal{Actor: audit.System(part), Grants: []auth.Grant{grant}}
}

func missing(err error) error {
	if errors.Is(err, registry.ErrNotFound) {
		return fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	return err
}

func (s shelf) Referrers(ctx context.Context, repository, digest, artifactType string) ([]trust.Descriptor, error) {
	all, err := s.registry.Referrers(ctx, repository, digest, artifactType)
	return all, missing(err)
}

func (s shelf) Manifest(ctx context.Context, repository, reference string) (mediaType string, content []byte, err error) {
	if registry.ValidTag(reference) {
		tag, err := s.tags.Tag(ctx, repository, reference)
		if errors.Is(err, catalog.ErrNotFound) {
			err = fmt.Errorf("%w: %w", fs.ErrNotExist, err)
		}
		if err != nil {
			return "", nil, err
		}
		reference = tag.Digest
	}
	content, mediaType, _, err = s.registry.Manifest(ctx, repository, reference)
	return mediaType, content, missing(err)
}

func (s shelf) Blob(ctx context.Context, repository, digest string, limit int64) ([]byte, error) {
	r, _, err := s.registry.Blob(ctx, repository, digest)
	if err != nil {
		return nil, missing(err)
	}
	defer r.Close()
	return io.ReadAll(io.LimitReader(r, limit+1))
}

func (s shelf) PushBlob(ctx context.Context, repository, digest string, content []byte) error {
	return s.registry.PutBlob(ctx, repository, digest, bytes.NewReader(content))
}

func (s shelf) PushManifest(ctx context.Context, repository, reference, mediaType string, content []byte) error {
	if registry.ValidTag(reference) {
		_, err := s.registry.PutManifest(ctx, repository, mediaType, content, reference)
		return err
	}
	_, err := s.registry.PutManifestAs(ctx, repository, reference, mediaType, content)
	return err
}

// DeleteManifest deletes for good: what the hub attached is made anew where it is wanted.
func (s shelf) DeleteManifest(ctx context.Context, repository, digest string) error {
	if err := s.registry.Delete(ctx, repository, digest); err != nil {
		return missing(err)
	}
	return s.registry.Purge(ctx, repository, digest)
}
