package mirror

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/seawall/seawall/registry"
)

// Copy copies an image, an index or an artifact with what refers to it. progress may be nil; it is called from several
// goroutines, one at a time, and must not block. What is interrupted is taken up where it ended by the next Copy: blobs
// that are there are not fetched again.
func (c *Client) Copy(ctx context.Context, sink Sink, src Source, dst Dest, progress func(Progress)) (Result, error) {
	if !registry.ValidName(dst.Repository) {
		return Result{}, fmt.Errorf("%w: there can be no repository %q", ErrName, dst.Repository)
	}
	if dst.Tag != "" && !registry.ValidTag(dst.Tag) {
		return Result{}, fmt.Errorf("%w: there can be no tag %q", ErrName, dst.Tag)
	}
	from, err := c.dial(ctx, &src)
	if err != nil {
		return Result{}, err
	}
	return c.copyFrom(ctx, sink, from, &src, dst, progress)
}

func (c *Client) copyFrom(ctx context.Context, sink Sink, from *remote, src *Source, dst Dest, progress func(Progress)) (Result, error) {
	j := &copying{client: c, sink: sink, from: from, repo: dst.Repository, bare: src.Bare, progress: progress, done: map[digest.Digest]bool{}}
	top, err := j.start(ctx)
	if err != nil {
		return j.result, err
	}
	j.result.Origin = from.repo.Name() + originTag(from.tag) + "@" + string(top.digest)
	if top, err = j.choose(ctx, top, src.Platforms); err != nil {
		return j.result, err
	}
	tag := dst.Tag
	if tag == "" {
		tag = from.tag
	}
	j.result.Digest, j.result.MediaType, j.result.Tag = string(top.digest), top.mediaType, tag
	return j.result, j.top(ctx, top, tag)
}

// start reads the manifest that was asked for. A tag is asked for by HEAD first: where it is what is here, nothing else
// needs to be read, and registries that count pulls do not count it.
func (j *copying) start(ctx context.Context) (*document, error) {
	if j.from.digest != "" {
		return j.document(ctx, digest.Digest(j.from.digest))
	}
	if j.from.now == "" {
		d, err := j.from.head(ctx, j.from.tag)
		if err != nil && !Permanent(err) { // else GET says why, or some know no HEAD
			return nil, err
		}
		j.from.now = d
	}
	if there, err := j.has(ctx, string(j.from.now)); err != nil || there != "" {
		if err != nil {
			return nil, err
		}
		return j.document(ctx, there)
	}
	return j.from.manifest(ctx, j.from.tag)
}

func originTag(tag string) string {
	if tag == "" {
		return ""
	}
	return ":" + tag
}

// copying is one copy.
type copying struct {
	client   *Client
	sink     Sink
	from     *remote
	repo     string
	bare     bool
	progress func(Progress)

	mu     sync.Mutex
	result Result
	at     Progress
	done   map[digest.Digest]bool // manifests that this copy has dealt with
	told   time.Time              // when progress was last told
}

// step changes the counts and tells of it.
func (j *copying) step(change func(*Result, *Progress)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	change(&j.result, &j.at)
	j.tell()
}

func (j *copying) tell() {
	if j.told = j.client.Now(); j.progress != nil {
		j.progress(j.at)
	}
}

// tellEvery bounds how often progress is told of bytes alone.
const tellEvery = 500 * time.Millisecond

// fetched counts bytes.
func (j *copying) fetched(n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.result.Bytes += int64(n)
	j.at.Bytes += int64(n)
	if j.client.Now().Sub(j.told) >= tellEvery {
		j.tell()
	}
}

// note says what is left out, within bounds.
func (j *copying) note(text string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.result.Notes) < 20 {
		j.result.Notes = append(j.result.Notes, text)
	}
}

// choose narrows an index to platforms.
func (j *copying) choose(ctx context.Context, top *document, platforms []string) (*document, error) {
	if !top.index || len(platforms) == 0 {
		return top, nil
	}
	keep, err := pick(top, platforms)
	switch {
	case err != nil:
		return nil, err
	case len(keep) == 1:
		return j.from.manifest(ctx, string(keep[0].Digest))
	case len(keep) == len(top.body.Manifests):
		return top, nil
	}
	return reduce(top, keep)
}

// top stores the manifest that was asked for, and then the tag.
func (j *copying) top(ctx context.Context, d *document, tag string) error {
	there, err := j.has(ctx, tag)
	if err != nil {
		return err
	}
	if tag != "" && there == d.digest {
		j.result.Unchanged = true
		tag = ""
	}
	var tags []string
	if tag != "" {
		tags = []string{tag}
	}
	return j.tree(ctx, d, 0, false, tags...)
}

// has is the digest that a reference has in the sink, "" where it has none.
func (j *copying) has(ctx context.Context, ref string) (digest.Digest, error) {
	if ref == "" {
		return "", nil
	}
	_, _, d, err := j.sink.Manifest(ctx, j.repo, ref)
	if errors.Is(err, registry.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("looking for %s in %s: %w", ref, j.repo, err)
	}
	return digest.Digest(d), nil
}

// begin notes that a manifest is dealt with, and reports false where it already was.
func (j *copying) begin(d digest.Digest) (bool, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.done[d] {
		return false, nil
	}
	if len(j.done) >= j.client.Limits.Manifests {
		return false, fmt.Errorf("%w: more than %d manifests", ErrContent, j.client.Limits.Manifests)
	}
	j.done[d] = true
	return true, nil
}

// tree stores a manifest with everything below it and everything that refers to it. What refers comes first: whoever
// judges the image then finds its signatures. attached says that it is itself something that a builder attached, to which
// nothing refers.
func (j *copying) tree(ctx context.Context, d *document, depth int, attached bool, tags ...string) error {
	if depth > j.client.Limits.Depth {
		return fmt.Errorf("%w: indexes within indexes deeper than %d", ErrContent, j.client.Limits.Depth)
	}
	if fresh, err := j.begin(d.digest); err != nil || !fresh && len(tags) == 0 {
		return err
	}
	if err := j.children(ctx, d, depth); err != nil {
		return err
	}
	if !j.bare && !attached {
		if err := j.referring(ctx, d.digest, depth); err != nil {
			return err
		}
	}
	return j.store(ctx, d, tags...)
}

// children stores what an index lists, one after the other: their blobs are fetched side by side.
func (j *copying) children(ctx context.Context, d *document, depth int) error {
	for i := range d.body.Manifests {
		child := &d.body.Manifests[i]
		if !d.index {
			break
		}
		j.step(func(_ *Result, p *Progress) { p.Current = current(child) })
		doc, err := j.document(ctx, child.Digest)
		if err != nil {
			return err
		}
		if err := j.tree(ctx, doc, depth+1, isAttached(child)); err != nil {
			return err
		}
	}
	return nil
}

func isAttached(d *v1.Descriptor) bool {
	return d.Annotations[attestationOf] != "" || platformOf(d.Platform) == "unknown/unknown"
}

func current(d *v1.Descriptor) string {
	if p := platformOf(d.Platform); p != "" && p != "unknown/unknown" {
		return p
	}
	return string(d.Digest)
}

// document is a manifest from the sink, where it is there, else from the source.
func (j *copying) document(ctx context.Context, want digest.Digest) (*document, error) {
	p, mediaType, _, err := j.sink.Manifest(ctx, j.repo, string(want))
	if err == nil {
		return readDocument(want, mediaType, p)
	}
	if !errors.Is(err, registry.ErrNotFound) {
		return nil, fmt.Errorf("looking for %s in %s: %w", want, j.repo, err)
	}
	return j.from.manifest(ctx, string(want))
}

// store stores a manifest after its blobs, unless it is there and no tag has to move.
func (j *copying) store(ctx context.Context, d *document, tags ...string) error {
	if there, err := j.has(ctx, string(d.digest)); err != nil {
		return err
	} else if there != "" && len(tags) == 0 {
		j.step(func(_ *Result, p *Progress) { p.Manifests++ })
		return nil
	}
	if err := j.blobs(ctx, d); err != nil {
		return err
	}
	if _, err := j.sink.PutManifestAs(ctx, j.repo, string(d.digest), d.mediaType, d.bytes, tags...); err != nil {
		return fmt.Errorf("storing manifest %s in %s: %w", d.digest, j.repo, err)
	}
	j.step(func(r *Result, p *Progress) { r.Manifests++; p.Manifests++ })
	return nil
}

func (j *copying) blobs(ctx context.Context, d *document) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(j.client.Parallel)
	for _, b := range d.blobs() {
		if ctx.Err() != nil {
			break
		}
		g.Go(func() error { return j.blob(ctx, &b) })
	}
	return g.Wait()
}

func (j *copying) blob(ctx context.Context, b *v1.Descriptor) error {
	if b.Size > j.client.Limits.Blob {
		return fmt.Errorf("%w: blob %s has %d bytes, at most %d are taken", ErrContent, b.Digest, b.Size, j.client.Limits.Blob)
	}
	there, err := j.sink.HasBlob(ctx, j.repo, string(b.Digest))
	if err != nil {
		return fmt.Errorf("looking for blob %s in %s: %w", b.Digest, j.repo, err)
	}
	if there {
		j.step(func(r *Result, p *Progress) { r.Skipped++; p.Skipped++ })
		return nil
	}
	body := j.from.blob(ctx, b, j.fetched)
	defer body.Close()
	err = j.sink.PutBlob(ctx, j.repo, string(b.Digest), body)
	if body.failed != nil {
		return fmt.Errorf("fetching blob %s of %s: %w", b.Digest, j.from.repo.Name(), body.failed)
	}
	if err != nil {
		return fmt.Errorf("storing blob %s in %s: %w", b.Digest, j.repo, err)
	}
	j.step(func(r *Result, p *Progress) { r.Blobs++; p.Blobs++ })
	return nil
}
