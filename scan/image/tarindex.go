package image

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
)

// maxArchiveEntries bounds the index of an image archive: one entry for each layer and a few more.
const maxArchiveEntries = 100_000

// maxArchiveNames bounds the bytes of all their names.
const maxArchiveNames = 16 << 20

// tarIndex knows where the files of a tar are. The files themselves are not read.
type tarIndex struct {
	file    *os.File
	path    string // "" where the file has no name
	entries map[string]tarEntry
	names   int // bytes of names and links in entries
	// rootFS: the tar holds a root file system, and the index is not complete.
	rootFS bool
}

type tarEntry struct {
	offset, size int64
	link         string // another entry's name: layers that are equal may be links
	sparse       bool
}

// indexTar goes over the headers of an uncompressed tar. It stops as soon as it sees a root file system.
func indexTar(ctx context.Context, f *os.File, name string, size int64, lim *Limits) (*tarIndex, error) {
	w := newWindow(f, size)
	tr := tar.NewReader(w)
	x := &tarIndex{file: f, path: name, entries: map[string]tarEntry{}}
	for n := 0; n < maxArchiveEntries; n++ {
		h, err := tr.Next()
		if err == io.EOF {
			break
		}
		if n == 0 && err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNotImage, tarError(err))
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return nil, tarError(err)
		}
		if n%256 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err := x.add(h, w.pos, lim); err != nil {
			return nil, fmt.Errorf("entry %.200q: %w", h.Name, err)
		}
		if x.rootFS {
			return x, nil
		}
	}
	x.rootFS = len(x.entries) > 0 && !x.has("manifest.json") && !x.has("index.json")
	return x, nil
}

func (x *tarIndex) add(h *tar.Header, offset int64, lim *Limits) error {
	name, err := cleanPath(h.Name, lim.MaxPath)
	if err != nil {
		return err
	}
	x.rootFS = isRootName(name)
	if x.names += len(name) + len(h.Linkname); x.names > maxArchiveNames {
		return fmt.Errorf("names in the archive: %w of %d bytes", ErrLimit, maxArchiveNames)
	}
	switch kindOf(h.Typeflag) {
	case File:
		x.entries[name] = tarEntry{offset: offset, size: h.Size, sparse: isSparse(h)}
	case Symlink:
		x.entries[name] = tarEntry{link: path.Join(path.Dir(name), h.Linkname)}
	case Hardlink:
		x.entries[name] = tarEntry{link: path.Clean(h.Linkname)}
	case Dir:
		if name != "." {
			x.entries[name] = tarEntry{}
		}
	}
	return nil
}

// isRootName knows the first path elements that only a root file system has; image archives use none of them.
// Source: Filesystem Hierarchy Standard 3.0, section 3.2.
func isRootName(name string) bool {
	first, _, _ := strings.Cut(name, "/")
	switch first {
	case "bin", "boot", "dev", "etc", "home", "lib", "lib32", "lib64", "media", "mnt", "opt", "proc", "root", "run",
		"sbin", "srv", "sys", "tmp", "usr", "var":
		return true
	}
	return false
}

func (x *tarIndex) has(name string) bool {
	_, ok := x.entries[name]
	return ok
}

// maxArchiveLinks is how many links may lead to an entry.
const maxArchiveLinks = 8

func (x *tarIndex) blob(name string) (Blob, error) {
	at := path.Clean(name)
	for range maxArchiveLinks {
		e, ok := x.entries[at]
		if !ok {
			return Blob{}, fmt.Errorf("%.200q is not in the archive: %w", name, fs.ErrNotExist)
		}
		if e.sparse {
			return Blob{}, fmt.Errorf("%.200q is stored sparse: make the archive without tar --sparse", name)
		}
		if e.link == "" {
			return x.section(e), nil
		}
		at = e.link
	}
	return Blob{}, fmt.Errorf("%.200q: too many links: %w", name, fs.ErrInvalid)
}

func (x *tarIndex) section(e tarEntry) Blob {
	return Blob{Path: x.path, Offset: e.offset, Length: e.size, open: sharedFile(x.file)}
}
