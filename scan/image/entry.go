package image

import (
	"archive/tar"
	"fmt"
	"io"
	"path"
	"strings"
	"time"
)

// EntryKind says what an entry of a layer is.
type EntryKind uint8

const (
	File EntryKind = iota
	Dir
	Symlink
	Hardlink
	Device // character or block
	Other  // fifo, socket, anything unknown
	// Whiteout removes Path and all below it from the layers underneath.
	Whiteout
	// Opaque removes all that the layers underneath have in directory Path, and keeps what this layer has.
	Opaque
)

// Entry is one entry of a layer, in the order of the tar. A path may come more than once: the last one counts. A path
// may lead through a symbolic link: nothing is resolved here.
type Entry struct {
	// Path is clean and slash-separated, without a leading slash, and never climbs: "usr/bin/env". The root itself
	// is ".". It need not be valid UTF-8.
	Path string
	Kind EntryKind
	// Mode holds the permission bits, 04000 setuid, 02000 setgid and 01000 sticky.
	Mode     uint32
	UID, GID int
	// Size in bytes; 0 for everything but a File.
	Size    int64
	ModTime time.Time
	// Linkname of a Hardlink is a path like Path; of a Symlink, the link as it is written.
	Linkname string
	// Capability is the security.capability attribute as the kernel stores it; nil for none.
	Capability []byte
	// Content is not nil for a File. It is valid until visit returns. Where the layer is an uncompressed local
	// file or a directory it also implements io.ReaderAt and io.Seeker; nothing is copied for what is not read.
	Content io.Reader
}

// The names of AUFS that layers keep using. Source: OCI image specification 1.1, layer.md, Whiteouts.
const (
	whiteoutPrefix = ".wh."
	whiteoutMeta   = ".wh..wh."
	whiteoutOpaque = ".wh..wh..opq"
)

const capabilityRecord = "SCHILY.xattr.security.capability"

// convert makes an Entry of a tar header. ok is false for entries that mean nothing to a file system: global
// headers, AUFS bookkeeping.
func convert(h *header, e *Entry, lim *Limits) (ok bool, err error) {
	if h.flag == tar.TypeXGlobalHeader {
		return false, nil
	}
	*e = Entry{Mode: uint32(h.mode) & 0o7777, UID: h.uid, GID: h.gid, ModTime: h.modTime, Kind: kindOf(h.flag)}
	if e.Path, err = cleanPath(h.name, lim.MaxPath); err != nil {
		return false, err
	}
	switch e.Kind {
	case File:
		e.Size = h.size
	case Symlink:
		if e.Linkname = h.link; len(e.Linkname) > lim.MaxPath {
			return false, fmt.Errorf("link target of %d bytes: %w of %d", len(e.Linkname), ErrLimit, lim.MaxPath)
		}
	case Hardlink:
		if e.Linkname, err = cleanPath(h.link, lim.MaxPath); err != nil {
			return false, fmt.Errorf("hard link to %.200q: %w", h.link, err)
		}
	}
	if h.capability != "" {
		e.Capability = []byte(h.capability)
	}
	return whiteout(e)
}

func kindOf(flag byte) EntryKind {
	switch flag {
	case tar.TypeReg, '\x00', tar.TypeCont, tar.TypeGNUSparse:
		return File
	case tar.TypeDir:
		return Dir
	case tar.TypeSymlink:
		return Symlink
	case tar.TypeLink:
		return Hardlink
	case tar.TypeChar, tar.TypeBlock:
		return Device
	}
	return Other
}

// whiteout turns the marker files into what they mean.
func whiteout(e *Entry) (ok bool, err error) {
	dir, base := path.Split(e.Path)
	if !strings.HasPrefix(base, whiteoutPrefix) {
		return true, nil
	}
	switch name := base[len(whiteoutPrefix):]; {
	case base == whiteoutOpaque:
		*e = Entry{Kind: Opaque, Path: path.Clean(dir), ModTime: e.ModTime}
	case strings.HasPrefix(base, whiteoutMeta):
		return false, nil
	case name == "" || name == "." || name == "..":
		return false, fmt.Errorf("%w: whiteout of %q", ErrPath, name)
	default:
		*e = Entry{Kind: Whiteout, Path: dir + name, ModTime: e.ModTime}
	}
	return true, nil
}

// cleanPath makes a tar's path relative to the root. A leading slash or "./" is dropped, as every engine does; a path
// that climbs above the root is refused, where engines would clamp it.
func cleanPath(name string, maxLen int) (string, error) {
	if len(name) > maxLen {
		return "", fmt.Errorf("path of %d bytes: %w of %d", len(name), ErrLimit, maxLen)
	}
	if strings.IndexByte(name, 0) >= 0 {
		return "", fmt.Errorf("%w: it holds a NUL", ErrPath)
	}
	for strings.HasPrefix(name, "./") || strings.HasPrefix(name, "/") { // what path.Clean would have to copy
		name = strings.TrimLeft(strings.TrimPrefix(name, "./"), "/")
	}
	clean := path.Clean(name)
	if clean == ".." || strings.HasPrefix(clean, "../") {
		return "", ErrPath
	}
	return clean, nil
}
