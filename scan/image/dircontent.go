package image

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// dirContent is a file of a live directory, opened when it is first read.
type dirContent struct {
	dir        *os.File
	name, path string
	file       *os.File
	err        error
}

// open never follows a link and never hangs: the file may have become anything since it was listed.
func (c *dirContent) open() (*os.File, error) {
	if c.file != nil || c.err != nil {
		return c.file, c.err
	}
	const flags = unix.O_RDONLY | unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_CLOEXEC
	fd, err := unix.Openat(int(c.dir.Fd()), c.name, flags, 0)
	if err != nil {
		c.err = &os.PathError{Op: "open", Path: c.path, Err: err}
		return nil, c.err
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		unix.Close(fd)
		c.err = fmt.Errorf("%s is not a regular file any more", c.path)
		return nil, c.err
	}
	c.file = os.NewFile(uintptr(fd), c.path)
	return c.file, nil
}

func (c *dirContent) close() {
	if c.file != nil {
		c.file.Close()
	}
}

// capability is the file's security.capability attribute, nil for none or a file that cannot be opened.
func (c *dirContent) capability() []byte {
	f, err := c.open()
	if err != nil {
		return nil
	}
	buf := make([]byte, 64) // the kernel's largest form has 24 bytes
	n, err := unix.Fgetxattr(int(f.Fd()), "security.capability", buf)
	if err != nil || n <= 0 {
		return nil
	}
	return buf[:n]
}

func (c *dirContent) Read(p []byte) (int, error) {
	f, err := c.open()
	if err != nil {
		return 0, err
	}
	return f.Read(p)
}

func (c *dirContent) ReadAt(p []byte, off int64) (int, error) {
	f, err := c.open()
	if err != nil {
		return 0, err
	}
	return f.ReadAt(p, off)
}

func (c *dirContent) Seek(offset int64, whence int) (int64, error) {
	f, err := c.open()
	if err != nil {
		return 0, err
	}
	return f.Seek(offset, whence)
}

var _ interface {
	io.ReaderAt
	io.ReadSeeker
} = (*dirContent)(nil)
