// Package database joins feed, which fetches advisories, to advisory, which compiles and opens them.
//
// It promises that whoever opens a directory gets the database that is in place there, or the starter set, and never a
// damaged one. It leaves out when to update.
package database

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/seawall/seawall/scan/advisory"
	"github.com/seawall/seawall/scan/advisory/feed"
)

// Compiler is feed's Database, by package advisory.
type Compiler struct {
	// TempDir takes temporary files; "" means the system's.
	TempDir string
}

// Build is feed.Database's.
func (c Compiler) Build(ctx context.Context, path string, builtAt time.Time, sources func() []feed.Source, fill func(feed.Sink) error) error {
	b := advisory.NewBuilder(advisory.Options{TempDir: c.TempDir})
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
func (c Compiler) Sign(path, key string) error { return advisory.Sign(path, key) }

// Verify is feed.Database's.
func (c Compiler) Verify(path string, trusted []string) (string, error) {
	return advisory.Verify(path, trusted)
}

// Inspect is feed.Database's.
func (c Compiler) Inspect(path string) (feed.Info, error) {
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

// Open opens the database in dir, or the starter set where there is none. Where keys are trusted, reports name
// the one that signed it; a database that was built here needs no signature.
func Open(dir string) (*advisory.DB, error) {
	db, err := advisory.Open(feed.DatabasePath(dir))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return advisory.Starter()
	case err != nil:
		return nil, fmt.Errorf("%w (run `seawall db update`, or remove %s to go on with the starter set)", err, dir)
	}
	keys, err := feed.TrustedKeys(dir)
	if err != nil {
		db.Close()
		return nil, err
	}
	if len(keys) > 0 {
		_ = db.SignedBy(keys)
	}
	return db, nil
}
