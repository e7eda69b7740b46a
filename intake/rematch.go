package intake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/notify"
)

// Rematched sums up a match of all images against a new database.
type Rematched struct {
	Comparison Comparison
	Images     int // digests that a change concerns
	Decided    int // images, in each of their repositories, that were decided anew
	Failed     int
	Moved      int           // of them to another status
	Took       time.Duration // until results were written and notifications raised
}

// Rematch brings all images up to date with the current advisory database. Nothing is pulled or unpacked: the index
// tells which packages the database says something else about, and only the images that hold one of them are decided
// anew, those first that are newly affected by the worst. It tells who is newly affected, one notification for each
// advisory, as soon as the index knows it.
//
// A rematch that is interrupted is run again whole: what was done is found done, and is told of in the end.
func (s *Service) Rematch(ctx context.Context, progress func(string)) (Rematched, error) {
	if progress == nil {
		progress = func(string) {}
	}
	start := s.now()
	last, err := s.lastSettled(ctx)
	if err != nil {
		return Rematched{}, err
	}
	target := s.Judge.Database().Digest
	if last.Digest == target {
		return Rematched{}, nil
	}
	r := &rematch{s: s, start: start, target: target, progress: progress, news: newNews(), changes: map[string][]*Change{}}
	if err := r.plan(ctx, last.Digest); err != nil {
		return r.sum, err
	}
	if err := r.tellFirst(ctx); err != nil {
		return r.sum, err
	}
	if err := r.apply(ctx); err != nil {
		return r.sum, err
	}
	for _, e := range slices.Concat(heldEvents(r.held, s.link), r.news.events(target, "later", s.now(), s.link)) {
		s.Notify(e)
	}
	if s.Judge.Database().Digest != target {
		return r.sum, s.databaseChanged(ctx) // again, from what was accepted last
	}
	if s.Index != nil {
		if err := s.Index.Accept(ctx, r.sum.Comparison); err != nil {
			return r.sum, fmt.Errorf("keeping what the database said: %w", err)
		}
	}
	r.sum.Took = s.now().Sub(start)
	s.Log.InfoContext(ctx, "matched all images against a new advisory database",
		slog.Int("images", r.sum.Images), slog.Int("decided", r.sum.Decided), slog.Int("failed", r.sum.Failed),
		slog.Duration("took", r.sum.Took))
	return r.sum, s.settle(ctx, settled{Digest: target, At: start})
}

// rematch is one run.
type rematch struct {
	s        *Service
	start    time.Time
	target   string // digest of the database
	progress func(string)
	// changes are those of each image's packages, by digest. all: every image is concerned, and what changed is found by
	// comparing results.
	changes map[string][]*Change
	all     bool

	mu   sync.Mutex
	sum  Rematched
	news *news
	told *news          // before anything was decided
	held []notify.Event // of images that became held
	done int
	// parents are the repositories and the digests in them whose indexes are to be settled.
	parents map[string][]string
}

// plan finds the images that are concerned.
func (r *rematch) plan(ctx context.Context, settled string) error {
	r.progress("comparing what is known about packages")
	if err := r.compare(ctx, settled); err != nil {
		return err
	}
	// What could not be evaluated before, perhaps can be now, though nothing is known against its packages.
	for _, status := range []catalog.Status{catalog.Quarantined, catalog.Received} {
		q := catalog.Images{Kind: catalog.KindImage, Status: status}
		err := r.s.each(ctx, q, func(m *catalog.Manifest) error {
			if _, there := r.changes[m.Digest]; !there {
				r.changes[m.Digest] = nil
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("listing the images that are %s: %w", status, err)
		}
	}
	r.sum.Images = len(r.changes)
	return nil
}

// compare asks the index; without one, or where it compares with another database than all images were matched
// against, every image is concerned or what is new is found by comparing results.
func (r *rematch) compare(ctx context.Context, settled string) error {
	if r.s.Index == nil {
		return r.everything(ctx)
	}
	sum, err := r.s.Index.Compare(ctx, func(c Change) error {
		for _, d := range c.Digests {
			r.changes[d] = append(r.changes[d], &c)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("asking the index of inventories: %w", err)
	}
	r.sum.Comparison = sum
	r.all = sum.From == "" || sum.From != settled
	return nil
}

func (r *rematch) everything(ctx context.Context) error {
	r.all = true
	err := r.s.each(ctx, catalog.Images{Kind: catalog.KindImage}, func(m *catalog.Manifest) error {
		r.changes[m.Digest] = nil
		return nil
	})
	if err != nil {
		return fmt.Errorf("listing the images: %w", err)
	}
	return nil
}

// waiting is how many images are matched for each worker: most of their time they wait for their commit, which they
// share.
const waiting = 3

// apply decides about every image that is concerned. A failure of one image is counted and has the image matched by a
// job of its own; it does not keep the others waiting.
func (r *rematch) apply(ctx context.Context) error {
	r.parents = map[string][]string{}
	queue := make(chan string)
	var workers sync.WaitGroup
	for range r.s.Workers * waiting {
		workers.Go(func() {
			for digest := range queue {
				r.digest(ctx, digest)
			}
		})
	}
	for _, digest := range r.order() {
		if ctx.Err() != nil {
			break
		}
		queue <- digest
	}
	close(queue)
	workers.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for repository, digests := range r.parents {
		if err := r.s.settleIndexesOf(ctx, repository, digests...); err != nil {
			return err
		}
	}
	return nil
}

// order puts those first that the worst is new for.
func (r *rematch) order() []string {
	worst := func(digest string) (w finding.Severity) {
		for _, c := range r.changes[digest] {
			for i := range c.Added {
				w = max(w, c.Added[i].Severity)
			}
		}
		return w
	}
	byRank := make([][]string, len(finding.Severities))
	for digest := range r.changes {
		w := worst(digest)
		byRank[w] = append(byRank[w], digest)
	}
	slices.Reverse(byRank)
	return slices.Concat(byRank...)
}

// digest decides about one image in all its repositories. Its inventory is read once.
func (r *rematch) digest(ctx context.Context, digest string) {
	images, err := r.s.Catalog.Locate(ctx, digest)
	if err != nil {
		r.failed(ctx, "", digest, err)
		return
	}
	read := sync.OnceValues(func() (finding.Inventory, error) { return r.s.Catalog.Inventory(ctx, digest, r.s.Analyser) })
	for i := range images {
		m := &images[i]
		if m.Digest != digest || m.Kind != catalog.KindImage || !m.Deleted.IsZero() {
			continue
		}
		if err := r.image(ctx, m, read); err != nil {
			r.failed(ctx, m.Repository, digest, err)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done++; r.done%100 == 0 {
		r.progress(fmt.Sprintf("%d of %d images", r.done, r.sum.Images))
	}
}

func (r *rematch) image(ctx context.Context, m *catalog.Manifest, read func() (finding.Inventory, error)) error {
	changes := r.changes[m.Digest]
	done := m.Scan != nil && m.Scan.Database.Digest == r.target // by a pull or a scan meanwhile, or before an interruption
	compare := r.all || slices.ContainsFunc(changes, func(c *Change) bool { return c.New })
	if done && (r.all || len(changes) == 0) {
		return nil // what was found before is not known any more
	}
	var before *finding.Result
	if compare && !done {
		if old, err := r.s.Catalog.Result(ctx, m.Repository, m.Digest); err == nil {
			before = &old
		} else if !gone(err) {
			return err
		}
	}
	var after *finding.Result
	if done {
		stored, err := r.s.Catalog.Result(ctx, m.Repository, m.Digest)
		if err != nil {
			return err
		}
		after = &stored
	} else {
		d, err := r.decide(ctx, m, read)
		if err != nil || d == nil {
			return err
		}
		after = d.Result
	}
	r.note(m, before, after, changes)
	return nil
}

// calm is how long referrers wait to be attached anew: meanwhile the other images are matched, which is more urgent.
const calm = time.Minute

// decide matches and stores; nil where there is nothing to match yet.
func (r *rematch) decide(ctx context.Context, m *catalog.Manifest, read func() (finding.Inventory, error)) (*catalog.Decided, error) {
	inv, err := read()
	if gone(err) {
		return nil, r.s.enqueue(ctx, KindScan, m.Repository, m.Digest, idle)
	}
	if err != nil {
		return nil, err
	}
	d, err := r.s.evaluate(ctx, m, inv, false)
	if err != nil {
		return nil, err
	}
	if err := r.s.store(ctx, m, d); err != nil {
		return nil, err
	}
	e, held := r.s.becameHeld(m, d)
	r.mu.Lock()
	if held {
		r.held = append(r.held, e)
	}
	r.sum.Decided++
	if d.Status != m.Status {
		r.sum.Moved++
		r.parents[m.Repository] = append(r.parents[m.Repository], m.Digest)
	}
	r.mu.Unlock()
	return d, r.s.follow(ctx, m, d, calm)
}

// failed has an image that could not be decided matched by a job of its own, which is retried and seen.
func (r *rematch) failed(ctx context.Context, repository, digest string, fault error) {
	if ctx.Err() != nil {
		return
	}
	r.s.Log.ErrorContext(ctx, "matching an image against a new advisory database",
		slog.String("repository", repository), slog.String("digest", digest), slog.Any("error", fault))
	r.mu.Lock()
	r.sum.Failed++
	r.mu.Unlock()
	if repository == "" {
		return
	}
	if err := r.s.enqueue(ctx, KindMatch, repository, digest, later); err != nil && !errors.Is(err, context.Canceled) {
		r.s.Log.ErrorContext(ctx, "ordering a match", slog.String("digest", digest), slog.Any("error", err))
	}
}
