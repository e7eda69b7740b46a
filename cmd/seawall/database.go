package main

import (
	"context"
	"time"

	"github.com/seawall/seawall/scan/advisory"
	"github.com/seawall/seawall/scan/advisory/feed"
)

// compiler joins package feed, which fetches advisories, to package advisory, which compiles them.
type compiler struct{ tempDir string }

// Build is feed.Database's.
func (c compiler) Build(ctx context.Context, path string, builtAt time.Time, sources func() []feed.Source, fill func(feed.Sink) error) error {
	b := advisory.NewBuilder(advisory.Options{TempDir: c.tempDir})
	defer b.Close()
	if err := fill(b); err != nil {
		return err
	}
	meta := advisory.Meta{BuiltAt: builtAt}
	for _, s := range sources() {
		meta.Sources = append(meta.Sources, advisory.Source(s))
	}
	_, err := b.WriteFile(ctx, path, meta)
	return err
}

// Sign is feed.Database's.
func (c compiler) Sign(path, key string) error { return advisory.Sign(path, key) }

// Verify is feed.Database's.
func (c compiler) Verify(path string, trusted []string) (string, error) {
	return advisory.Verify(path, trusted)
}

// Inspect is feed.Database's.
func (c compiler) Inspect(path string) (feed.Info, error) {
	if _, err := advisory.Verify(path, nil); err != nil {
		return feed.Info{}, err
	}
	db, err := advisory.Open(path)
	if err != nil {
		return feed.Info{}, err
	}
	defer db.Close()
	info := db.Info()
	out := feed.Info{
		Digest: info.Digest, BuiltAt: info.BuiltAt, Schema: advisory.FormatVersion, Records: info.Records, Size: info.Size,
	}
	for _, e := range info.Ecosystems {
		out.Ecosystems = append(out.Ecosystems, feed.Count(e))
		if e.Newest.After(out.Newest) {
			out.Newest = e.Newest
		}
	}
	for _, s := range info.Sources {
		out.Sources = append(out.Sources, feed.Source(s))
	}
	return out, nil
}
