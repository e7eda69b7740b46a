package image

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// maxDirDepth bounds directories within directories: each holds a descriptor open.
const maxDirDepth = 512

// WalkDir hands the entries of a live root file system to visit: a directory before what is in it, names sorted. It
// follows no links, opens nothing but directories and regular files, and stays on root's file system. Mount points
// (/proc, /sys, /dev and others) are entries without content; those that could hold software, and directories that
// may not be read, are named in Stats.Skipped. A file that cannot be read fails when its Content is read.
//
// Stats.DiffID is a digest of the tree: SHA-256 over each entry's path, kind, mode, owner, and its size and
// modification time or link. It reads no content: it tells whether this tree was changed by ordinary means, not
// whether two trees hold the same bytes. Files are not whiteouts here, whatever they are called.
func WalkDir(ctx context.Context, root string, lim Limits, visit func(*Entry) error) (Stats, error) {
	fd, err := unix.Open(root, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return Stats{}, layerError(root, "", &os.PathError{Op: "open", Path: root, Err: err})
	}
	top := os.NewFile(uintptr(fd), root)
	defer top.Close()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return Stats{}, layerError(root, "", err)
	}
	w := &dirWalk{ctx: ctx, lim: lim.withDefaults(), visit: visit, dev: st.Dev, tree: sha256.New()}
	err = w.emit(statEntry(".", &st))
	if err == nil {
		err = w.dir(top, ".", 0)
	}
	if ctx.Err() != nil {
		return w.stats, ctx.Err()
	}
	w.stats.DiffID = sumString("sha256", w.tree)
	return w.stats, layerError(root, "", err)
}

type dirWalk struct {
	ctx   context.Context
	lim   Limits
	visit func(*Entry) error
	dev   uint64
	tree  hash.Hash
	stats Stats
}

func (w *dirWalk) dir(d *os.File, at string, depth int) error {
	if depth > maxDirDepth {
		return fmt.Errorf("directories within directories: %w of %d", ErrLimit, maxDirDepth)
	}
	names, err := w.names(d)
	if err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	for _, name := range names {
		if err := w.child(d, name, path.Join(at, name), depth); err != nil {
			return err
		}
	}
	return nil
}

// names lists a directory, sorted. What is listed counts as entries at once, or a directory of millions would be
// held before anybody counts.
func (w *dirWalk) names(d *os.File) ([]string, error) {
	var all []string
	for {
		if w.ctx.Err() != nil {
			return nil, w.ctx.Err()
		}
		names, err := d.Readdirnames(4096)
		all = append(all, names...)
		if len(all)+w.stats.Entries > w.lim.MaxEntries {
			return nil, fmt.Errorf("entries: %w of %d", ErrLimit, w.lim.MaxEntries)
		}
		if err == io.EOF {
			slices.Sort(all)
			return all, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

func (w *dirWalk) child(d *os.File, name, at string, depth int) error {
	if len(at) > w.lim.MaxPath {
		return fmt.Errorf("%.200q: path of %d bytes: %w of %d", at, len(at), ErrLimit, w.lim.MaxPath)
	}
	var st unix.Stat_t
	err := unix.Fstatat(int(d.Fd()), name, &st, unix.AT_SYMLINK_NOFOLLOW)
	if errors.Is(err, unix.ENOENT) {
		return nil // gone since it was listed
	}
	if err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	e := statEntry(at, &st)
	switch e.Kind {
	case Symlink:
		if e.Linkname, err = readlinkat(d, name, w.lim.MaxPath); err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
	case File:
		c := &dirContent{dir: d, name: name, path: at}
		defer c.close()
		e.Content = c
		if e.Mode&0o111 != 0 {
			e.Capability = c.capability()
		}
		w.stats.Size += e.Size
	}
	if err := w.emit(e); err != nil || e.Kind != Dir {
		return err
	}
	return w.enter(d, name, at, &st, depth)
}

// kernelMounts are where every running system has file systems without software on them.
var kernelMounts = []string{"dev", "proc", "run", "sys", "tmp"}

// enter goes into a directory unless it is a mount point or may not be read.
func (w *dirWalk) enter(d *os.File, name, at string, st *unix.Stat_t, depth int) error {
	if st.Dev != w.dev {
		if !slices.Contains(kernelMounts, at) {
			w.skip(at, "another file system is mounted there")
		}
		return nil
	}
	fd, err := unix.Openat(int(d.Fd()), name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		w.skip(at, err.Error())
		return nil
	}
	sub := os.NewFile(uintptr(fd), at)
	defer sub.Close()
	return w.dir(sub, at, depth+1)
}

// maxSkipped keeps the list of what was skipped readable.
const maxSkipped = 100

func (w *dirWalk) skip(at, why string) {
	if len(w.stats.Skipped) < maxSkipped {
		w.stats.Skipped = append(w.stats.Skipped, at+": "+why)
	}
}

func (w *dirWalk) emit(e Entry) error {
	w.stats.Entries++
	fmt.Fprintf(w.tree, "%q %d %o %d:%d", e.Path, e.Kind, e.Mode, e.UID, e.GID)
	switch e.Kind {
	case File:
		fmt.Fprintf(w.tree, " %d %d", e.Size, e.ModTime.UnixNano())
	case Symlink:
		fmt.Fprintf(w.tree, " %q", e.Linkname)
	}
	io.WriteString(w.tree, "\n")
	if w.visit == nil {
		return nil
	}
	return layerError("directory", e.Path, w.visit(&e))
}

func statEntry(at string, st *unix.Stat_t) Entry {
	e := Entry{
		Path: at, Mode: uint32(st.Mode) & 0o7777, UID: int(st.Uid), GID: int(st.Gid),
		ModTime: time.Unix(st.Mtim.Unix()),
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		e.Kind, e.Size = File, st.Size
	case unix.S_IFDIR:
		e.Kind = Dir
	case unix.S_IFLNK:
		e.Kind = Symlink
	case unix.S_IFCHR, unix.S_IFBLK:
		e.Kind = Device
	default:
		e.Kind = Other
	}
	return e
}

func readlinkat(d *os.File, name string, limit int) (string, error) {
	buf := make([]byte, limit+1)
	n, err := unix.Readlinkat(int(d.Fd()), name, buf)
	if err == nil && n > limit {
		err = fmt.Errorf("link target: %w of %d bytes", ErrLimit, limit)
	}
	if err != nil {
		return "", err
	}
	return string(buf[:n]), nil
}
