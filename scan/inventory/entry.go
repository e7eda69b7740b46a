package inventory

import (
	"io"
	"time"
)

// Kind says what a tar entry is.
type Kind uint8

// The kinds of entries. Whiteout and Opaque are those of the OCI image layer specification, "Whiteouts".
const (
	File Kind = iota
	Dir
	Symlink
	Hardlink
	Device // character and block devices, named pipes
	Other
	// Whiteout removes Path, and everything below it, that lower layers brought.
	Whiteout
	// Opaque hides everything that lower layers have below the directory Path.
	Opaque
)

// Entry is one entry of a layer, or one file of a root file system.
type Entry struct {
	// Path is slash-separated and clean, without a leading slash. For Whiteout it is the path that is removed, for
	// Opaque the directory.
	Path string
	Kind Kind
	// Mode has the permission bits, with setuid 04000, setgid 02000 and sticky 01000.
	Mode    uint32
	Size    int64
	ModTime time.Time
	// Linkname is the target: for Hardlink a path like Path, for Symlink as written.
	Linkname string
	// Capability is the value of the security.capability extended attribute, nil for none.
	Capability []byte
	// Content is read at most once, for File only, and may be left unread. Where it also implements io.ReaderAt
	// (a local, uncompressed layer) large files are not copied.
	Content io.Reader
}
