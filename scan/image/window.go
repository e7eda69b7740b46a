package image

import (
	"errors"
	"io"
)

const (
	windowSize = 64 << 10
	// windowJump is read after a seek: behind a large file there is often just a header or two.
	windowJump = 8 << 10
)

// window reads a section of a file through one buffer, so that headers that lie close cost no system call each, and
// seeks past what nobody wants. It is not safe for concurrent use.
type window struct {
	src  io.ReaderAt
	size int64
	pos  int64 // where Read goes on

	buf   []byte
	start int64 // where buf begins in src
	n     int   // how much of buf is filled
}

func newWindow(src io.ReaderAt, size int64) *window {
	return &window{src: src, size: size, buf: make([]byte, windowSize)}
}

func (w *window) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if w.pos >= w.size {
		return 0, io.EOF
	}
	if w.pos < w.start || w.pos >= w.start+int64(w.n) {
		if len(p) >= len(w.buf) {
			return w.direct(p)
		}
		if err := w.load(); err != nil {
			return 0, err
		}
	}
	n := copy(p, w.buf[w.pos-w.start:w.n])
	w.pos += int64(n)
	return n, nil
}

// direct reads a large piece around the buffer.
func (w *window) direct(p []byte) (int, error) {
	p = p[:min(int64(len(p)), w.size-w.pos)]
	n, err := readAtLeast(w.src, p, w.pos)
	w.pos += int64(n)
	return n, err
}

func (w *window) load() error {
	want := int64(windowJump)
	if w.pos == w.start+int64(w.n) {
		want = int64(len(w.buf))
	}
	want = min(want, w.size-w.pos)
	n, err := readAtLeast(w.src, w.buf[:want], w.pos)
	w.start, w.n = w.pos, n
	return err
}

// readAtLeast reads something at off. The section's size is known, so an early end is unexpected.
func readAtLeast(src io.ReaderAt, p []byte, off int64) (int, error) {
	n, err := src.ReadAt(p, off)
	switch {
	case n > 0:
		return n, nil
	case err == nil || errors.Is(err, io.EOF):
		return 0, io.ErrUnexpectedEOF
	}
	return 0, err
}

// Seek moves to where the next Read begins. Seeking past the end is allowed: the next Read then returns io.EOF.
func (w *window) Seek(offset int64, whence int) (int64, error) {
	base := int64(0)
	switch whence {
	case io.SeekCurrent:
		base = w.pos
	case io.SeekEnd:
		base = w.size
	}
	pos := base + offset
	if pos < 0 {
		return 0, errors.New("seek out of range")
	}
	w.pos = pos
	return pos, nil
}

// windowContent is the content of one file: Read goes through the window, ReadAt straight to the file.
type windowContent struct {
	w          *window
	base, size int64
	off        int64
}

func (c *windowContent) Read(p []byte) (int, error) {
	if c.off >= c.size {
		return 0, io.EOF
	}
	c.w.pos = c.base + c.off
	n, err := c.w.Read(p[:min(int64(len(p)), c.size-c.off)])
	c.off += int64(n)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// ReadAt takes what the window happens to hold and reads the rest from the file. It leaves the window as it is: it may
// run beside itself, not beside Read.
func (c *windowContent) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("read out of range")
	}
	if off >= c.size {
		return 0, io.EOF
	}
	short := int64(len(p)) > c.size-off
	p = p[:min(int64(len(p)), c.size-off)]
	n, err := c.w.peek(p, c.base+off)
	if err == nil && short {
		err = io.EOF
	}
	return n, err
}

// peek reads all of p without moving the window.
func (w *window) peek(p []byte, at int64) (n int, err error) {
	if at >= w.start && at < w.start+int64(w.n) {
		n = copy(p, w.buf[at-w.start:w.n])
	}
	if n == len(p) {
		return n, nil
	}
	m, err := w.src.ReadAt(p[n:], at+int64(n))
	if n += m; n == len(p) {
		return n, nil
	}
	return n, unexpected(err)
}

func (c *windowContent) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += c.off
	case io.SeekEnd:
		offset += c.size
	}
	if offset < 0 {
		return 0, errors.New("seek out of range")
	}
	c.off = offset
	return offset, nil
}

// Size is the number of bytes of the content.
func (c *windowContent) Size() int64 { return c.size }
