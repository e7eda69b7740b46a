package inventory

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/seawall/seawall/finding"
)

// Analyser turns layers into Layers. It holds nothing that changes: several Writers may work at once.
type Analyser struct {
	o Options
	// byName is asked before byExt.
	byName map[string]*parser
	byExt  map[string][]*parser
}

// NewAnalyser returns an Analyser for what o asks for.
func NewAnalyser(o Options) *Analyser {
	o.Limits = o.Limits.withDefaults()
	a := &Analyser{o: o, byName: map[string]*parser{}}
	if o.Packages {
		a.byName, a.byExt = packageParsers()
		for _, p := range releaseFiles {
			a.byName[path.Base(p)] = &releaseParser
		}
	}
	if o.Interesting != nil {
		a.byName["shadow"], a.byName["passwd"] = &accountsParser, &accountsParser
	}
	return a
}

// Start begins a layer. The Writer is for one goroutine.
func (a *Analyser) Start() *Writer {
	return &Writer{
		a:       a,
		claims:  newClaims(),
		dirs:    newDirs(),
		kept:    map[string]kept{},
		rpmLogs: map[string]bool{},
		results: map[string]*result{},
		spool:   spool{memory: a.o.Limits.MemoryFile, dir: a.o.TempDir},
	}
}

// A Writer reads the entries of one layer.
type Writer struct {
	a     *Analyser
	marks []uint64
	hash  []byte // scratch of hashPath
	head  [headSize]byte
	spool spool
	// results by path: a later entry for the same path replaces the earlier one.
	results  map[string]*result
	links    []Link
	dirs     dirs
	kept     map[string]kept // see keepRPM
	rpmLogs  map[string]bool // paths of logs with content
	claims   claims
	packages int // in results, ever
	linked   int // results with packages for links
	entries  int
	gaps     []finding.Gap
	gapCount int // counted also when over the limit
	finished bool
}

// result is what one path gave.
type result struct {
	packages                           []Package
	linked                             []Package // what hard links to the path hold, nil where nobody read it for them
	beside                             []string  // packages only count if the layer has a file at one of these paths
	exec                               *finding.Executable
	secrets                            []finding.Secret
	release                            *Release
	licences                           []string // of the dpkg package in whose copyright file they stand
	mode                               uint32
	setuid, worldWritable, interesting bool
	emptyPasswords                     []string
}

// at returns the result for path p, to be filled in.
func (w *Writer) at(p string) *result {
	r := w.results[p]
	if r == nil {
		r = &result{}
		w.results[p] = r
	}
	return r
}

// Visit takes in one entry. Entries of the same layer come in the order of the tar; a later entry for the same path
// replaces the earlier one. An error means that ctx ended or that the content could not be read, and that the layer
// cannot be finished: damage inside a file is a gap instead.
func (w *Writer) Visit(ctx context.Context, e *Entry) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("reading layer: %w", err)
	}
	if !w.admit(e) {
		return nil
	}
	named := e.Path
	e = w.placed(e)
	switch e.Kind {
	case Whiteout:
		w.mark(e.Path, replaces)
		return nil
	case Opaque:
		w.mark(e.Path, hidesBelow)
		return nil
	case Dir:
		w.dirs.know(w.mark(e.Path, makesDir))
	default:
		w.mark(e.Path, replaces)
	}
	w.dirs.replaced(e)
	delete(w.rpmLogs, e.Path)
	delete(w.results, e.Path)
	w.note(e)
	switch e.Kind {
	case File:
		return w.denied(e, w.file(ctx, e, named))
	case Hardlink:
		w.links = append(w.links, Link{Path: e.Path, Target: e.Linkname})
	}
	return nil
}

// placed returns e as it lies in the tree, where symbolic links of the layer lead it elsewhere than its name says.
func (w *Writer) placed(e *Entry) *Entry {
	at, target := w.dirs.place(e.Path), e.Linkname
	switch e.Kind {
	case Hardlink:
		if target != "" {
			target = w.dirs.place(target)
		}
	case Opaque:
		w.dirs.passThrough(at)
	}
	if at == e.Path && target == e.Linkname {
		return e
	}
	moved := *e
	moved.Path, moved.Linkname = at, target
	return &moved
}

// admit counts the entry and refuses what has no place in a tree.
func (w *Writer) admit(e *Entry) bool {
	w.entries++
	if w.entries > w.a.o.Limits.Entries {
		if w.entries == w.a.o.Limits.Entries+1 {
			w.gap(finding.GapTooLarge, "", fmt.Sprintf("more than %d entries in one layer: the rest was not looked at", w.a.o.Limits.Entries))
		}
		return false
	}
	if e.Path == "" || e.Path == "." {
		if e.Kind == Opaque { // the whole root
			w.mark("", hidesBelow)
		}
		return false
	}
	return true
}

func (w *Writer) mark(p string, do effect) (mark uint64) {
	mark, w.hash = hashPath(w.hash, p)
	w.marks = append(w.marks, mark|uint64(do))
	return mark
}

// Finish ends the layer. The Writer cannot be used afterwards.
func (w *Writer) Finish(ctx context.Context) (Layer, error) {
	if w.finished {
		return Layer{}, errors.New("finishing layer: already finished")
	}
	w.finished = true
	defer w.spool.close()
	defer w.closeKept()
	if err := ctx.Err(); err != nil {
		return Layer{}, fmt.Errorf("finishing layer: %w", err)
	}
	w.resolveRPMLogs(ctx)
	paths := newPathSet(w.marks)
	w.dropHeaders(paths)
	outside := w.resolveLinks(paths)
	w.resolveOwners()
	w.resolveLicences()
	l := w.collect()
	l.Symlinks, l.Through = w.symlinks(paths), w.dirs.throughSet(paths)
	l.Links, l.Paths, l.Gaps = outside, paths, w.gaps
	return l, nil
}

// gap records that something was not evaluated.
func (w *Writer) gap(kind finding.GapKind, where, detail string) {
	w.gapCount++
	switch {
	case w.gapCount < w.a.o.Limits.Gaps:
		w.gaps = append(w.gaps, finding.Gap{Kind: kind, Where: clip(where, 4096), Detail: clip(detail, 300)})
	case w.gapCount == w.a.o.Limits.Gaps:
		w.gaps = append(w.gaps, finding.Gap{Kind: finding.GapTooLarge, Detail: "more gaps than are listed"})
	}
}

// add records a package that was read from file p.
func (w *Writer) add(p string, x Package) {
	if w.packages >= w.a.o.Limits.Packages {
		if w.packages == w.a.o.Limits.Packages {
			w.packages++
			w.gap(finding.GapTooLarge, p, fmt.Sprintf("more than %d packages in one layer: the rest is not listed", w.a.o.Limits.Packages))
		}
		return
	}
	if len(x.Name) > maxName || len(x.Version) > maxName {
		w.gap(finding.GapTooLarge, p, fmt.Sprintf("a name or version of more than %d bytes: %s", maxName, clip(x.Name, 40)))
		return
	}
	if x = tidy(x); x.Name == "" {
		return
	}
	w.packages++
	x.Path = p
	r := w.at(p)
	r.packages = append(r.packages, x)
}

// maxName bounds names and versions, in bytes: they go into URLs, keys and reports.
const maxName = 1024

// tidy bounds the other texts of a package.
func tidy(p Package) Package {
	for _, s := range []*string{&p.Name, &p.Version, &p.SourceName, &p.SourceVersion, &p.Arch, &p.Modularity} {
		*s = clip(strings.TrimSpace(*s), maxName)
	}
	return p
}

// clip cuts s to at most n bytes and replaces what is not UTF-8, so that it survives JSON unchanged.
func clip(s string, n int) string {
	if len(s) > n {
		s = s[:n]
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
