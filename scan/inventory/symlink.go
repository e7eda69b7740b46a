package inventory

import (
	"cmp"
	"slices"
	"strings"

	"github.com/seawall/seawall/finding"
)

// A layer may write below a directory that is a symbolic link, of its own or of a layer below: "lib/x" where lib leads
// to usr/lib. Links of its own are followed as the entries come; those of lower layers by Merge, for which a Layer
// keeps its links and the directories that it writes below without bringing them (an entry for the directory itself
// would replace the link: OCI image specification, "Applying Changesets").
const (
	// maxSymlinks bounds the links of one layer that are kept, maxDirs the directories that are remembered.
	maxSymlinks = 100_000
	maxDirs     = 4_000_000
	// maxDepth is how deep a directory may lie and still be followed, in path elements.
	maxDepth = 32
	// maxHops is how many links one path may lead through, as in Linux: path_resolution(7).
	maxHops = 40
	// maxElements bounds the elements that are looked at for one path, those of link targets among them.
	maxElements = 256
)

// follow returns where p lies inside the root when the links above its last element are followed: ".." of a target does
// not leave the root. A path that leads nowhere (a ring of links, too many elements) is returned as it is.
func follow(p string, link func(string) (target string, ok bool)) string {
	start, ok := firstLink(p, link)
	if !ok {
		return p
	}
	at, rest, hops := parentOf(p[:start]), p[len(parentOf(p[:start])):], 0
	for range maxElements {
		elem, tail, more := strings.Cut(rest, "/")
		if !more {
			return join(at, elem)
		}
		rest = tail
		switch elem {
		case "", ".":
			continue
		case "..":
			at = parentOf(at)
			continue
		}
		next := join(at, elem)
		target, ok := link(next)
		if !ok {
			at = next
			continue
		}
		if hops++; hops > maxHops || len(target) > maxPath {
			return p
		}
		if strings.HasPrefix(target, "/") {
			at = ""
		}
		rest = target + "/" + rest
	}
	return p
}

// firstLink returns the length of the shortest prefix of p that is a link and not all of p.
func firstLink(p string, link func(string) (string, bool)) (end int, ok bool) {
	for range maxDepth {
		i := strings.IndexByte(p[end:], '/')
		if i < 0 {
			return 0, false
		}
		end += i
		if _, ok := link(p[:end]); ok {
			return end, true
		}
		end++
	}
	return 0, false
}

// followAll is follow for all of p, its last element too.
func followAll(p string, link func(string) (string, bool)) string {
	return parentOf(follow(p+"/.", link))
}

func parentOf(p string) string { return p[:max(strings.LastIndexByte(p, '/'), 0)] }

func join(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}

// dirs knows the directories and symbolic links of a layer while its entries come.
type dirs struct {
	links map[string]string
	// known holds the marks of the directories that have an entry, or stand in through.
	known   map[uint64]struct{}
	through []uint64
	// last is the directory of the entry before, lastAt where it lies: entries mostly come directory by directory.
	last, lastAt string
	fresh        bool // whether last counts
	tooMany      bool
	hash         []byte
}

func newDirs() dirs { return dirs{links: map[string]string{}, known: map[uint64]struct{}{}} }

// place returns where an entry named p lies, and notes that something is written in the directory above.
func (d *dirs) place(p string) string {
	dir := parentOf(p)
	if !d.fresh || dir != d.last {
		d.last, d.lastAt, d.fresh = dir, dir, true
		if len(d.links) > 0 {
			d.lastAt = parentOf(follow(p, d.link))
		}
		d.passThrough(d.lastAt)
	}
	if d.lastAt == dir {
		return p
	}
	return join(d.lastAt, p[len(dir)+1:])
}

func (d *dirs) link(p string) (string, bool) {
	target, ok := d.links[p]
	return target, ok
}

// passThrough notes dir and those above it, as far as the layer has not brought them.
func (d *dirs) passThrough(dir string) {
	for dir = upTo(dir, maxDepth); dir != ""; dir = parentOf(dir) {
		var m uint64
		m, d.hash = hashPath(d.hash, dir)
		if _, ok := d.known[m]; ok || !d.know(m) {
			return
		}
		d.through = append(d.through, m)
	}
}

// upTo returns the first n elements of p.
func upTo(p string, n int) string {
	end := 0
	for range n {
		i := strings.IndexByte(p[end:], '/')
		if i < 0 {
			return p
		}
		end += i + 1
	}
	return p[:end-1]
}

// know remembers a directory by its mark.
func (d *dirs) know(m uint64) bool {
	if len(d.known) >= maxDirs {
		d.tooMany = true
		return false
	}
	d.known[m] = struct{}{}
	return true
}

// replaced takes in that e stands at its path from now on.
func (d *dirs) replaced(e *Entry) {
	if e.Kind == Symlink && e.Linkname != "" {
		d.links[e.Path] = e.Linkname
		d.fresh = false
	} else if _, ok := d.links[e.Path]; ok {
		delete(d.links, e.Path)
		d.fresh = false
	}
}

// symlinks returns the links that may lead to a directory, by path: of those inside the layer it is known.
func (w *Writer) symlinks(paths PathSet) []Link {
	d := &w.dirs
	var list []Link
	for p, target := range d.links {
		if len(p) > maxPath || len(target) > maxPath {
			continue
		}
		at := followAll(p, d.link)
		var mark uint64
		mark, d.hash = hashPath(d.hash, at)
		if _, ring := d.links[at]; !ring && paths.find(mark)&(1<<replaces) == 0 {
			list = append(list, Link{p, target})
		}
	}
	slices.SortFunc(list, func(a, b Link) int { return cmp.Compare(a.Path, b.Path) })
	if len(list) > maxSymlinks {
		list = list[:maxSymlinks]
		d.tooMany = true
	}
	if d.tooMany {
		w.gap(finding.GapTooLarge, "", "too many directories and symbolic links in one layer: paths through some links are taken as they are")
	}
	return list
}

// through returns the directories that the layer writes below without an entry for them.
func (d *dirs) throughSet(paths PathSet) PathSet {
	kept := d.through[:0]
	for _, m := range d.through {
		if paths.find(m)&(1<<replaces|1<<makesDir) == 0 {
			kept = append(kept, m)
		}
	}
	return newPathSet(kept)
}
