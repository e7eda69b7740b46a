package inventory

import (
	"context"
	"maps"
	"path"
	"slices"

	"github.com/seawall/seawall/finding"
)

// use gives a file that has been read to all who wanted it.
func (w *Writer) use(ctx context.Context, f *file, e *Entry, want wants) {
	if want.exec && w.a.o.Executables {
		w.executable(f, e)
	}
	if f.r == nil {
		return
	}
	if want.exec && f.elf && w.a.o.Packages {
		w.parse(ctx, &binaryParser, f)
	}
	if want.parser != nil {
		w.parse(ctx, want.parser, f)
		w.keepRPM(f)
	}
	if want.parser == &rpmLogParser {
		w.rpmLogs[f.path] = true
	}
	if want.secret {
		w.secrets(ctx, f)
	}
}

// secrets runs the caller's detector as a parser, so that its panics are caught too.
func (w *Writer) secrets(ctx context.Context, f *file) {
	var found []finding.Secret
	p := parser{name: "secrets", bytes: true, trusted: true, run: func(context.Context, *file) (parsed, error) {
		found = w.a.o.Secrets(f.path, f.data)
		return parsed{}, nil
	}}
	w.parse(ctx, &p, f)
	if len(found) > 0 {
		w.at(f.path).secrets = found
	}
}

// dropHeaders drops packages that are not there but for a text about them.
func (w *Writer) dropHeaders(paths PathSet) {
	for _, r := range w.results {
		if len(r.beside) > 0 && !slices.ContainsFunc(r.beside, func(p string) bool {
			var mark uint64
			mark, w.hash = hashPath(w.hash, p)
			return paths.find(mark)&(1<<replaces) != 0
		}) {
			r.packages = nil
		}
	}
}

// resolveLinks gives hard links what their targets gave, and returns those whose target is not in this layer.
func (w *Writer) resolveLinks(paths PathSet) (outside []Link) {
	for _, l := range w.links {
		var mark uint64
		mark, w.hash = hashPath(w.hash, l.Target)
		target := w.results[l.Target]
		wanted := w.a.parserFor(l.Path) != nil
		if target != nil {
			w.copyResult(l.Path, target, wanted)
		}
		switch inside := paths.find(mark)&(1<<replaces) != 0; {
		case target == nil && !inside:
			outside = append(outside, Link{clip(l.Path, maxPath), clip(l.Target, maxPath)})
		case wanted && !target.read() && w.a.parserFor(l.Target) == nil:
			// The bytes went by under a name that nobody wanted.
			w.gap(finding.GapUnreadable, l.Path, "a hard link to "+l.Target+", which was not read")
		}
	}
	return outside
}

// read reports whether a parser took something from the file.
func (r *result) read() bool { return r != nil && (r.packages != nil || r.linked != nil) }

// copyResult repeats at path what depends on the content alone; wanted says whether anybody would parse it there.
func (w *Writer) copyResult(p string, from *result, wanted bool) {
	to := w.at(p)
	if from.exec != nil {
		x := *from.exec
		x.Path = p
		to.exec = &x
	}
	if !wanted {
		return
	}
	for _, x := range slices.Concat(from.packages, from.linked) {
		w.add(p, x)
	}
}

// collect flattens the results, sorted, so that the same layer always gives the same bytes.
func (w *Writer) collect() Layer {
	l := Layer{Scanned: w.a.o.Scanned()}
	for _, p := range slices.Sorted(maps.Keys(w.results)) {
		r := w.results[p]
		l.Packages = append(l.Packages, r.packages...)
		l.Secrets = append(l.Secrets, r.secrets...)
		if r.exec != nil {
			l.Executables = append(l.Executables, *r.exec)
		}
		if r.release != nil {
			l.Releases = append(l.Releases, *r.release)
		}
		l.Facts.collect(p, r)
	}
	return l
}

func (f *Facts) collect(p string, r *result) {
	fact := PathFact{Path: p, Mode: r.mode}
	if r.setuid {
		f.Setuid = append(f.Setuid, fact)
	}
	if r.worldWritable {
		f.WorldWritable = append(f.WorldWritable, fact)
	}
	if r.interesting {
		f.Paths = append(f.Paths, fact)
	}
	for _, account := range r.emptyPasswords {
		f.EmptyPasswords = append(f.EmptyPasswords, PathFact{Path: p, Mode: r.mode, Detail: account})
	}
}

// resolveLicences gives dpkg packages the licences of their copyright files. A package that an upper layer merely
// lists again keeps what Merge finds below.
func (w *Writer) resolveLicences() {
	byName := map[string][]string{}
	for p, r := range w.results {
		if r.licences != nil {
			byName[path.Base(path.Dir(p))] = r.licences
		}
	}
	if len(byName) == 0 {
		return
	}
	for _, r := range w.results {
		for i := range r.packages {
			if p := &r.packages[i]; p.Type == typeDeb && p.Licenses == nil {
				p.Licenses = byName[p.Name]
			}
		}
	}
}
