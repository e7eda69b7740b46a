package inventory

import (
	"context"
	"fmt"
	"time"

	"github.com/seawall/seawall/finding"
)

// parser reads packages, or what else tells about them, from one kind of file.
type parser struct {
	name string
	// where, when not nil, tells whether a file of the right name lies where it counts.
	where func(path string) bool
	// max is the largest file in bytes, 0 for Limits.File. bytes: the parser wants it in memory as file.data.
	max   int64
	bytes bool
	// trusted parsers are ours: linear in their input and stopped by it, so they run without a watch.
	trusted bool
	run     func(ctx context.Context, f *file) (parsed, error)
}

// parsed is what a parser found in a file.
type parsed struct {
	packages []Package
	beside   []string  // see result
	linked   []Package // see result
	claims   []claim
	release  *Release
	licences []string
	accounts []string // with an empty password
	gaps     []finding.Gap
}

// claim says that a distribution package installed a path.
type claim struct {
	owner string
	paths []string
}

func (p *parser) wants(path string) bool { return p.where == nil || p.where(path) }

// parse runs p on f. Whatever goes wrong is a gap.
func (w *Writer) parse(ctx context.Context, p *parser, f *file) {
	if p.max > 0 && f.size > p.max {
		w.gap(finding.GapTooLarge, f.path, fmt.Sprintf("%s: %d bytes, the limit is %d", p.name, f.size, p.max))
		return
	}
	if p.bytes {
		if err := w.spool.load(f); err != nil {
			w.gap(finding.GapUnreadable, f.path, fmt.Sprintf("%s: %v", p.name, err))
			return
		}
	}
	got, err := w.watched(ctx, p, f)
	if err != nil {
		w.gap(finding.GapUnreadable, f.path, fmt.Sprintf("%s: %v", p.name, err))
	}
	w.take(f.path, got)
}

// watched runs a parser under recover and, unless it is trusted, under a time limit. A parser that overruns keeps the
// buffers that it holds; the goroutine ends with the process, which the sandbox bounds.
func (w *Writer) watched(ctx context.Context, p *parser, f *file) (parsed, error) {
	if p.trusted {
		return recovered(ctx, p, f)
	}
	limit := w.a.o.Limits.FileTime
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	type answer struct {
		parsed
		err error
	}
	done := make(chan answer, 1)
	go func() {
		got, err := recovered(ctx, p, f)
		done <- answer{got, err}
	}()
	select {
	case a := <-done:
		return a.parsed, a.err
	case <-ctx.Done():
	}
	// It may have seen the end of ctx itself: give it a moment to return.
	select {
	case a := <-done:
		return a.parsed, a.err
	case <-time.After(time.Second):
		w.spool.abandon()
		return parsed{}, fmt.Errorf("not done within %v", limit)
	}
}

func recovered(ctx context.Context, p *parser, f *file) (got parsed, err error) {
	defer func() {
		if x := recover(); x != nil {
			got, err = parsed{}, fmt.Errorf("damaged beyond reading: %v", x)
		}
	}()
	return p.run(ctx, f)
}

// take enters what a parser found at path.
func (w *Writer) take(path string, got parsed) {
	for _, x := range got.packages {
		w.add(path, x)
	}
	for _, g := range got.gaps {
		w.gap(g.Kind, path, g.Detail)
	}
	for _, c := range got.claims {
		if !w.claims.add(c) {
			w.gap(finding.GapTooLarge, path, "too many files of packages: the owners of some are not known")
			break
		}
	}
	if got.linked != nil && w.linked < w.a.o.Limits.Packages {
		w.linked++
		w.at(path).linked = got.linked
	}
	if got.release == nil && got.licences == nil && got.accounts == nil && got.beside == nil {
		return
	}
	r := w.at(path)
	r.release, r.licences, r.emptyPasswords, r.beside = got.release, got.licences, got.accounts, got.beside
}
