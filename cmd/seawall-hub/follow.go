package main

import (
	"context"
	"errors"
	"time"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/registry"
	"github.com/seawall/seawall/state"
)

// followed is the state as intake sees it: what intake deletes, by retention, the registry deletes as well. The state
// comes first, since it decides what is served; a registry that did not follow is caught up with when the image is purged.
type followed struct {
	*state.DB
	registry func() *registry.Registry
}

type fromRegistry struct{}

// begun marks what the registry itself began: it needs not be told.
func begun(ctx context.Context) context.Context { return context.WithValue(ctx, fromRegistry{}, true) }

func beganInRegistry(ctx context.Context) bool { return ctx.Value(fromRegistry{}) != nil }

func (f followed) DeleteManifest(ctx context.Context, repository, digest string, at time.Time, by ...audit.Entry) error {
	if err := f.DB.DeleteManifest(ctx, repository, digest, at, by...); err != nil || beganInRegistry(ctx) {
		return err
	}
	return absent(f.registry().Delete(begun(ctx), repository, digest))
}

func (f followed) PurgeManifest(ctx context.Context, repository, digest string, by ...audit.Entry) error {
	if err := f.DB.PurgeManifest(ctx, repository, digest, by...); err != nil || beganInRegistry(ctx) {
		return err
	}
	ctx = begun(ctx)
	return errors.Join(absent(f.registry().Delete(ctx, repository, digest)), absent(f.registry().Purge(ctx, repository, digest)))
}

// absent takes what is not there for deleted.
func absent(err error) error {
	if errors.Is(err, registry.ErrNotFound) || errors.Is(err, catalog.ErrNotFound) {
		return nil
	}
	return err
}
