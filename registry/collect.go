package registry

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"time"

	"github.com/opencontainers/go-digest"
)

// Collected says what a collection did.
type Collected struct {
	Blobs   int   `json:"blobs"`   // that were removed
	Bytes   int64 `json:"bytes"`   // that they had
	Links   int   `json:"links"`   // of blobs that nothing named, removed from repositories
	Uploads int   `json:"uploads"` // that were abandoned
	Kept    int   `json:"kept"`    // blobs that are in use
}

// Collect removes what nothing names any more and what nobody touched for the time of grace, while pushes go on.
//
// What is in use: every manifest that a repository has or has deleted softly, every blob that such a manifest names,
// and every blob that was linked within the grace. Nothing in use is removed, whoever pushes at the same time, here or
// in another process on the same storage:
//
//  1. A marker says that a collection runs. Then everything in use is noted.
//  2. What is not in use is moved aside, into the trash, where it is still found by readers.
//  3. What was linked since is noted, and moved back, with its links, if it was moved aside.
//  4. The trash is emptied and the marker removed.
//
// A push links first and then looks, while the marker is there, whether what it linked is in its place; so either the
// push sees that it is gone and fails, or step 3 sees the link. Package documentation: docs/registry.md.
func (r *Registry) Collect(ctx context.Context, grace time.Duration) (Collected, error) {
	r.collects.Lock()
	defer r.collects.Unlock()
	c := &collection{r: r, before: time.Now().Add(-grace), used: map[digest.Digest]bool{}}
	if err := r.recover(ctx); err != nil {
		return c.done, err
	}
	if err := r.store.PutContent(ctx, markerPath, []byte(time.Now().UTC().Format(time.RFC3339))); err != nil {
		return c.done, fmt.Errorf("beginning collection: %w", err)
	}
	err := c.run(ctx)
	// Whatever is left aside after an error goes back, even where the caller gave up.
	if rerr := r.recover(context.WithoutCancel(ctx)); err == nil {
		err = rerr
	}
	return c.done, err
}

type collection struct {
	r      *Registry
	before time.Time              // what is younger stays
	used   map[digest.Digest]bool // blobs and manifests that stay
	done   Collected
}

func (c *collection) run(ctx context.Context) error {
	if err := c.mark(ctx, c.sweepRepository); err != nil {
		return err
	}
	aside, err := c.setAside(ctx)
	if err != nil {
		return err
	}
	if err := c.mark(ctx, c.mend); err != nil {
		return err
	}
	for repo, err := range c.r.repositories(ctx, ofOurs) {
		if err == nil {
			err = c.dropAside(ctx, repo)
		}
		if err != nil {
			return err
		}
	}
	return c.empty(ctx, aside)
}

// mark notes what every repository uses, and hands each on with what its own manifests name.
func (c *collection) mark(ctx context.Context, then func(ctx context.Context, repo string, named map[digest.Digest]bool) error) error {
	for repo, err := range c.r.repositories(ctx, ofOurs) {
		if err != nil {
			return err
		}
		named := map[digest.Digest]bool{}
		for _, what := range []string{linkManifests, linkDeleted} {
			if err := c.markManifests(ctx, repo, what, named); err != nil {
				return err
			}
		}
		if err := then(ctx, repo, named); err != nil {
			return err
		}
	}
	return nil
}

// markManifests notes the manifests of one repository, and what those name that were not read before.
func (c *collection) markManifests(ctx context.Context, repo, what string, named map[digest.Digest]bool) error {
	for d, err := range c.r.links(ctx, repo, what) {
		if err != nil {
			return err
		}
		c.used[d] = true
		m, err := c.r.readManifest(ctx, repo, what, d)
		if isGone(err) {
			continue // deleted since it was listed
		}
		if err != nil {
			return fmt.Errorf("collecting: %w", err)
		}
		for _, b := range m.Blobs {
			named[digest.Digest(b)] = true
			c.used[digest.Digest(b)] = true
		}
	}
	return nil
}

// sweepRepository removes the links of blobs that no manifest of the repository names, and abandoned uploads. Links
// that are young stay, and keep what they link.
func (c *collection) sweepRepository(ctx context.Context, repo string, named map[digest.Digest]bool) error {
	for d, err := range c.r.links(ctx, repo, linkBlobs) {
		if err != nil {
			return err
		}
		if named[d] {
			continue
		}
		path := linkPath(repo, linkBlobs, d)
		old, err := c.old(ctx, path)
		if err != nil {
			return err
		}
		if !old {
			c.used[d] = true
			continue
		}
		if err := c.unlinkAside(ctx, repo, d); err != nil {
			return err
		}
	}
	return c.sweepUploads(ctx, repo)
}

// unlinkAside takes a link away, but leaves it where readers still find it.
func (c *collection) unlinkAside(ctx context.Context, repo string, d digest.Digest) error {
	if err := c.r.store.PutContent(ctx, linkPath(repo, linkAside, d), nil); err != nil {
		return fmt.Errorf("collecting link of %s in %s: %w", d, repo, err)
	}
	return c.r.unlink(ctx, linkPath(repo, linkBlobs, d))
}

// dropAside removes the links that were taken away, and counts those that were not made again.
func (c *collection) dropAside(ctx context.Context, repo string) error {
	for d, err := range c.r.links(ctx, repo, linkAside) {
		if err != nil {
			return err
		}
		if again, err := c.r.linked(ctx, repo, linkBlobs, d); err != nil {
			return err
		} else if !again {
			c.done.Links++
		}
		if err := c.r.unlink(ctx, linkPath(repo, linkAside, d)); err != nil {
			return err
		}
	}
	return nil
}

func (c *collection) old(ctx context.Context, path string) (bool, error) {
	info, err := c.r.store.Stat(ctx, path)
	if isMissing(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("collecting: %w", err)
	}
	return info.ModTime().Before(c.before), nil
}

// sweepUploads removes uploads that nobody went on with for the grace, and at least for a day.
func (c *collection) sweepUploads(ctx context.Context, repo string) error {
	ids, err := c.r.list(ctx, uploadsPath(repo))
	if err != nil {
		return fmt.Errorf("collecting uploads of %s: %w", repo, err)
	}
	limit := c.before
	if day := time.Now().Add(-24 * time.Hour); day.Before(limit) {
		limit = day
	}
	for _, id := range ids {
		started, ok := uploadStarted(id)
		if !ok || !started.Before(limit) || c.r.uploads.inMemory(id) {
			continue
		}
		if old, err := c.old(ctx, uploadPath(repo, id)); err != nil || !old {
			if err != nil {
				return err
			}
			continue
		}
		if err := c.r.unlink(ctx, uploadsPath(repo)+"/"+id); err != nil {
			return err
		}
		c.done.Uploads++
	}
	return nil
}

func (u *uploads) inMemory(id string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.open[id] != nil
}

// setAside moves what is not used into the trash.
func (c *collection) setAside(ctx context.Context) (aside []digest.Digest, err error) {
	for d, err := range c.r.stored(ctx, "/blobs") {
		if err != nil {
			return aside, err
		}
		if c.used[d] {
			c.done.Kept++
			continue
		}
		old, err := c.old(ctx, blobPath(d))
		if err != nil {
			return aside, err
		}
		if !old {
			c.done.Kept++
			continue
		}
		if err := c.r.store.Move(ctx, blobPath(d), trashPath(d)); isMissing(err) {
			continue
		} else if err != nil {
			return aside, fmt.Errorf("collecting blob %s: %w", d, err)
		}
		aside = append(aside, d)
	}
	return aside, nil
}

// mend gives back what the repository's manifests name and a push may have found before it was taken: blobs that were
// moved aside, and their links.
func (c *collection) mend(ctx context.Context, repo string, named map[digest.Digest]bool) error {
	for d := range named {
		if err := c.r.untrash(ctx, d); err != nil {
			return err
		}
		if err := c.r.mendLink(ctx, repo, d); err != nil {
			return err
		}
	}
	for d, err := range c.r.links(ctx, repo, linkBlobs) {
		if err != nil {
			return err
		}
		c.used[d] = true
		if err := c.r.untrash(ctx, d); err != nil {
			return err
		}
	}
	for _, what := range []string{linkManifests, linkDeleted} {
		for d, err := range c.r.links(ctx, repo, what) {
			if err != nil {
				return err
			}
			c.used[d] = true
			if err := c.r.untrash(ctx, d); err != nil {
				return err
			}
		}
	}
	return nil
}

// mendLink makes the link of a stored blob if it is missing.
func (r *Registry) mendLink(ctx context.Context, repo string, d digest.Digest) error {
	ok, err := r.linked(ctx, repo, linkBlobs, d)
	if err != nil || ok {
		return err
	}
	size, err := r.blobSize(ctx, d)
	if isMissing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return r.linkBlob(ctx, repo, d, size)
}

// empty removes from the trash what this collection moved there and nothing uses.
func (c *collection) empty(ctx context.Context, aside []digest.Digest) error {
	for _, d := range aside {
		if c.used[d] {
			continue // given back
		}
		info, err := c.r.store.Stat(ctx, trashPath(d))
		if isMissing(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("collecting blob %s: %w", d, err)
		}
		if err := c.r.unlink(ctx, trashPath(d)); err != nil {
			return err
		}
		c.r.parsed.forget(d)
		c.done.Blobs++
		c.done.Bytes += info.Size()
	}
	c.r.log.InfoContext(ctx, "collected", slog.Int("blobs", c.done.Blobs), slog.Int64("bytes", c.done.Bytes), slog.Int("kept", c.done.Kept))
	return nil
}

// recover gives back everything that a collection that did not end had set aside, and takes its marker away.
func (r *Registry) recover(ctx context.Context) error {
	if _, err := r.store.Stat(ctx, markerPath); isMissing(err) {
		return nil
	} else if err != nil {
		return fmt.Errorf("looking for an interrupted collection: %w", err)
	}
	for d, err := range r.stored(ctx, "/trash") {
		if err == nil {
			err = r.untrash(ctx, d)
		}
		if err != nil {
			return err
		}
	}
	for repo, err := range r.repositories(ctx, ofOurs) {
		if err == nil {
			err = r.relinkAside(ctx, repo)
		}
		if err != nil {
			return err
		}
	}
	return r.unlink(ctx, markerPath)
}

func (r *Registry) relinkAside(ctx context.Context, repo string) error {
	for d, err := range r.links(ctx, repo, linkAside) {
		if err != nil {
			return err
		}
		if err := r.mendLink(ctx, repo, d); err != nil {
			return err
		}
		if err := r.unlink(ctx, linkPath(repo, linkAside, d)); err != nil {
			return err
		}
	}
	return nil
}

// untrash moves a blob back if it was set aside. One that came anew in the meantime is as good.
func (r *Registry) untrash(ctx context.Context, d digest.Digest) error {
	if err := r.store.Move(ctx, trashPath(d), blobPath(d)); err != nil && !isMissing(err) {
		return fmt.Errorf("giving blob %s back: %w", d, err)
	}
	return nil
}

// afterCollection looks, while a collection runs, whether all that a manifest names is still in its place after the
// manifest was linked. Links that were taken meanwhile are made again; what is gone fails the push.
func (r *Registry) afterCollection(ctx context.Context, m *Manifest, d digest.Digest, p []byte) error {
	if _, err := r.store.Stat(ctx, markerPath); isMissing(err) {
		return nil
	}
	if _, err := r.blobSize(ctx, d); isMissing(err) {
		if err := r.store.PutContent(ctx, blobPath(d), p); err != nil {
			return fmt.Errorf("storing manifest %s: %w", d, err)
		}
	} else if err != nil {
		return err
	}
	for _, b := range m.Blobs {
		size, err := r.blobSize(ctx, digest.Digest(b))
		if isMissing(err) {
			r.unlink(ctx, linkPath(m.Repository, linkManifests, d))
			return errManifestBlob("blob", b)
		}
		if err != nil {
			return err
		}
		if err := r.linkBlob(ctx, m.Repository, digest.Digest(b), size); err != nil {
			return err
		}
	}
	return nil
}

// stored are the digests of the files below /blobs or /trash.
func (r *Registry) stored(ctx context.Context, root string) iter.Seq2[digest.Digest, error] {
	return func(yield func(digest.Digest, error) bool) {
		for _, a := range []digest.Algorithm{digest.SHA256, digest.SHA512} {
			dirs, err := r.list(ctx, root+"/"+string(a))
			if err != nil {
				yield("", fmt.Errorf("listing %s: %w", root, err))
				return
			}
			for _, dir := range dirs {
				names, err := r.list(ctx, root+"/"+string(a)+"/"+dir)
				if err != nil {
					yield("", fmt.Errorf("listing %s: %w", root, err))
					return
				}
				for _, name := range names {
					if d, ok := digestOfPath(string(a), name); ok && !yield(d, nil) {
						return
					}
				}
			}
		}
	}
}
