package mirror

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/seawall/seawall/registry"
)

// Rule says where repositories are copied from.
type Rule struct {
	// Pattern is over repository names: "hub/**". What follows its fixed part is appended to Source.
	Pattern string
	// Source is the remote prefix: "docker.io/library".
	Source     string
	Credential Credential
	CA         []byte
	Insecure   bool
	Platforms  []string
}

// Remote is the source of one repository: with pattern "hub/**" and source "docker.io", "hub/library/alpine" is
// "docker.io/library/alpine". A pattern without wildcards names one repository, whose source is Source itself.
func (r *Rule) Remote(repository string) (string, error) {
	fixed := fixedPart(r.Pattern)
	rest, ok := strings.CutPrefix(repository, fixed)
	if !ok || fixed == r.Pattern && rest != "" {
		return "", fmt.Errorf("the pattern %q does not match %s", r.Pattern, repository)
	}
	source := strings.TrimSuffix(r.Source, "/")
	if rest == "" {
		return source, nil
	}
	return source + "/" + rest, nil
}

// Tagged is the source of one tag of a remote repository.
func (r *Rule) Tagged(remote, tag string) Source {
	return Source{Ref: remote + ":" + tag, Credential: r.Credential, CA: r.CA, Insecure: r.Insecure, Platforms: r.Platforms}
}

// fixedPart is what comes before the first path element with a wildcard.
func fixedPart(pattern string) string {
	pattern = strings.TrimPrefix(pattern, "/")
	wild := strings.IndexAny(pattern, `*?[\`)
	if wild < 0 {
		return pattern
	}
	return pattern[:strings.LastIndexByte(pattern[:wild], '/')+1]
}

// source of a reference in a repository: a tag or a digest.
func (r *Rule) source(repository, reference string) (Source, error) {
	remote, err := r.Remote(repository)
	if err != nil {
		return Source{}, err
	}
	ref := remote + ":" + reference
	if strings.Contains(reference, ":") {
		ref = remote + "@" + reference
	}
	return Source{Ref: ref, Credential: r.Credential, CA: r.CA, Insecure: r.Insecure, Platforms: r.Platforms}, nil
}

// FetcherConfig says how a Fetcher works. Client, Sink and Rules are needed.
type FetcherConfig struct {
	Client *Client
	Sink   Sink
	// Rules is the rule by which a repository is fetched on a pull, nil where it is not.
	Rules func(ctx context.Context, repository string) (*Rule, error)
	// As prepares the context in which a copy is stored: who stores it, and that it came from origin. nil: as it is.
	As func(ctx context.Context, origin string) context.Context
	// Fresh is how long a tag is served without asking the source whether it moved: 5 minutes.
	Fresh time.Duration
	// Wait bounds how long one pull waits; the copy goes on: 10 minutes.
	Wait time.Duration
	// Longest bounds one copy: 2 hours.
	Longest time.Duration
	// Copies bounds how many copies run at once: 8. Others wait.
	Copies int
}

// Fetcher brings what is pulled and not there.
type Fetcher struct {
	FetcherConfig
	flights singleflight.Group
	slots   chan struct{}
	mu      sync.Mutex
	known   map[string]answer // by repository and reference
}

// answer is what the source said of a reference, until it is asked again.
type answer struct {
	until time.Time
	err   error
}

const (
	// How long an error holds before the source is asked again.
	errorHolds = 20 * time.Second
	// How many references are remembered.
	maxKnown = 20_000
)

// NewFetcher returns a Fetcher.
func NewFetcher(c FetcherConfig) *Fetcher {
	if c.As == nil {
		c.As = func(ctx context.Context, _ string) context.Context { return ctx }
	}
	if c.Fresh <= 0 {
		c.Fresh = 5 * time.Minute
	}
	if c.Wait <= 0 {
		c.Wait = 10 * time.Minute
	}
	if c.Longest <= 0 {
		c.Longest = 2 * time.Hour
	}
	if c.Copies <= 0 {
		c.Copies = 8
	}
	return &Fetcher{FetcherConfig: c, slots: make(chan struct{}, c.Copies), known: map[string]answer{}}
}

// ErrFetching says that the copy takes longer than a pull waits: try again later.
var ErrFetching = errors.New("the image is still being copied from its source: try again in a few minutes")

// Fetch sees to it that a reference is there, and that a tag is what the source has now. It returns nil where there is
// no rule for the repository, and where the source fails but an older copy is there. Pulls of one reference share one
// copy, which goes on when they end.
func (f *Fetcher) Fetch(ctx context.Context, repository, reference string) error {
	rule, err := f.Rules(ctx, repository)
	if err != nil || rule == nil {
		return err
	}
	isDigest := strings.Contains(reference, ":")
	if !isDigest && !registry.ValidTag(reference) {
		return nil // the registry says what is wrong with it
	}
	there, err := f.there(ctx, repository, reference)
	if err != nil || there && isDigest {
		return err
	}
	key := repository + "\x00" + reference
	if a, ok := f.recall(key); ok && (there || a.err != nil) {
		return a.unless(there)
	}
	return f.wait(ctx, key, there, func(ctx context.Context) error { return f.fetch(ctx, rule, repository, reference) })
}

// unless passes over an error where an older copy can be served.
func (a answer) unless(there bool) error {
	if there {
		return nil
	}
	return a.err
}

func (f *Fetcher) there(ctx context.Context, repository, reference string) (bool, error) {
	_, _, _, err := f.Sink.Manifest(ctx, repository, reference)
	if errors.Is(err, registry.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// wait joins the copy that is under way, or begins it.
func (f *Fetcher) wait(ctx context.Context, key string, there bool, fetch func(context.Context) error) error {
	done := f.flights.DoChan(key, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), f.Longest)
		defer cancel()
		err := f.inTurn(ctx, fetch)
		f.remember(key, err)
		if err != nil && there {
			f.Client.Log.WarnContext(ctx, "an older copy is served, its source fails", slog.String("image", strings.ReplaceAll(key, "\x00", ":")), slog.Any("error", err))
		}
		return nil, err
	})
	patience := time.NewTimer(f.Wait)
	defer patience.Stop()
	select {
	case r := <-done:
		return answer{err: r.Err}.unless(there)
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-patience.C:
		return answer{err: ErrFetching}.unless(there)
	}
}

func (f *Fetcher) inTurn(ctx context.Context, fetch func(context.Context) error) error {
	select {
	case f.slots <- struct{}{}:
		defer func() { <-f.slots }()
		return fetch(ctx)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// fetch asks the source first and copies only what changed.
func (f *Fetcher) fetch(ctx context.Context, rule *Rule, repository, reference string) error {
	src, err := rule.source(repository, reference)
	if err != nil {
		return err
	}
	from, err := f.Client.dial(ctx, &src)
	if err != nil {
		return err
	}
	if same, err := f.same(ctx, from, repository, reference); same || err != nil {
		return err
	}
	_, err = f.Client.copyFrom(f.As(ctx, src.Ref), f.Sink, from, &src, Dest{Repository: repository}, nil)
	return err
}

// same reports whether a tag here is what the source has.
func (f *Fetcher) same(ctx context.Context, from *remote, repository, reference string) (bool, error) {
	if from.tag == "" {
		return false, nil
	}
	d, err := from.head(ctx, from.tag)
	if err != nil || d == "" {
		if Permanent(err) { // the copy says why
			err = nil
		}
		return false, err
	}
	from.now = d
	_, _, here, err := f.Sink.Manifest(ctx, repository, reference)
	if errors.Is(err, registry.ErrNotFound) {
		return false, nil
	}
	return here == string(d), err
}

func (f *Fetcher) recall(key string) (answer, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a, ok := f.known[key]
	return a, ok && f.Client.Now().Before(a.until)
}

// remember keeps what became of a fetch: for as long as a tag is fresh, or as the source asked for.
func (f *Fetcher) remember(key string, err error) {
	holds := f.Fresh
	var limited *LimitedError
	switch {
	case errors.As(err, &limited):
		holds = min(max(limited.After, errorHolds), 15*time.Minute)
	case err != nil:
		holds = errorHolds
	}
	now := f.Client.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.known) >= maxKnown {
		for k, a := range f.known {
			if !now.Before(a.until) {
				delete(f.known, k)
			}
		}
	}
	if len(f.known) >= maxKnown {
		clear(f.known) // asking again is the worst that follows
	}
	f.known[key] = answer{now.Add(holds), err}
}
