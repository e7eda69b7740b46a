package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Blob is where a layer's bytes are: a section of a local file, or a stream from a registry.
type Blob struct {
	// Path names the local file, for messages; "" for a stream and for a spooled file, which has no name.
	Path string
	// Offset and Length bound the section, in bytes.
	Offset, Length int64

	digest string                   // of a stream
	open   func() (*os.File, error) // a local file, which the caller closes
	fetch  func(ctx context.Context) (io.ReadCloser, error)
	broken error // why there is nothing to read
}

// Local reports whether the bytes are a section of a local file, which OpenFile opens.
func (b *Blob) Local() bool { return b.open != nil }

// OpenFile opens the local file. The descriptor may share its position with others: read with ReadAt, between
// Offset and Offset+Length, only. The caller closes it.
func (b *Blob) OpenFile() (*os.File, error) {
	switch {
	case b.broken != nil:
		return nil, b.broken
	case b.open == nil:
		return nil, errors.New("not a local file")
	}
	return b.open()
}

// Open reads the blob from its start, wherever it is. The caller closes the stream. A registry's stream is already
// checked against the blob's digest: its last Read fails on a mismatch.
func (b *Blob) Open(ctx context.Context) (io.ReadCloser, error) {
	if b.broken != nil {
		return nil, b.broken
	}
	if b.fetch != nil {
		return b.fetch(ctx)
	}
	f, err := b.OpenFile()
	if err != nil {
		return nil, err
	}
	return &fileSection{io.NewSectionReader(f, b.Offset, b.Length), f}, nil
}

type fileSection struct {
	*io.SectionReader
	io.Closer
}

// settled is how long a file must have been left alone for its times to tell of a later change: kernels stamp files
// in steps of up to 10 ms.
const settled = 100 * time.Millisecond

// Identity is a string that changes when the blob's bytes change: for a registry's blob its digest, for a section of
// a file what the file system says of it now (device, inode, size, modification and change time) with the section's
// bounds. It is "" where nothing can be promised: a spooled file, a file that was written a moment ago. Take it
// before and after reading; what was learned belongs to it only if both are equal and not "".
func (b *Blob) Identity() string {
	if b.fetch != nil {
		return b.digest
	}
	if b.Path == "" {
		return ""
	}
	f, err := b.OpenFile()
	if err != nil {
		return ""
	}
	defer f.Close()
	var st syscall.Stat_t
	if err := syscall.Fstat(int(f.Fd()), &st); err != nil {
		return ""
	}
	if age := time.Since(time.Unix(st.Ctim.Unix())); age < settled {
		return ""
	}
	return fmt.Sprintf("file:%d:%d:%d:%d.%09d:%d.%09d:%d:%d", st.Dev, st.Ino, st.Size,
		st.Mtim.Sec, st.Mtim.Nsec, st.Ctim.Sec, st.Ctim.Nsec, b.Offset, b.Length)
}

// Steady reports whether the bytes cannot have changed since Identity returned before: the identity is still the same,
// or nobody else can get at them (a stream that was read once, a spooled file). Walk hashes a local, uncompressed layer
// beside parsing it, so what it found belongs to Stats.DiffID only if the blob was steady.
func (b *Blob) Steady(before string) bool {
	if b.fetch != nil || b.Local() && b.Path == "" {
		return true
	}
	return before != "" && before == b.Identity()
}

// sharedFile returns an opener that hands out duplicates of one open file.
func sharedFile(f *os.File) func() (*os.File, error) {
	return func() (*os.File, error) {
		fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", f.Name(), err)
		}
		return os.NewFile(uintptr(fd), f.Name()), nil
	}
}

// Input opens the layer for Walk. The caller closes the Closer after Walk has returned.
func (l *Layer) Input(ctx context.Context) (Input, io.Closer, error) {
	in := Input{Name: l.Name(), DiffID: l.DiffID, Digest: l.Digest}
	if !l.Blob.Local() {
		r, err := l.Blob.Open(ctx)
		if err != nil {
			return in, nil, layerError(in.Name, "", err)
		}
		in.Stream = r
		return in, r, nil
	}
	f, err := l.Blob.OpenFile()
	if err != nil {
		return in, nil, layerError(in.Name, "", err)
	}
	in.Section, in.Size = io.NewSectionReader(f, l.Blob.Offset, l.Blob.Length), l.Blob.Length
	return in, f, nil
}

// Name is how errors speak of the layer: its place, counted from 1, and its digest where there is one.
func (l *Layer) Name() string {
	switch {
	case l.Digest != "":
		return fmt.Sprintf("layer %d (%s)", l.Index+1, l.Digest)
	case l.DiffID != "":
		return fmt.Sprintf("layer %d (%s)", l.Index+1, l.DiffID)
	}
	return fmt.Sprintf("layer %d", l.Index+1)
}
