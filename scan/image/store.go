package image

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// store holds files by name: a directory or an indexed tar. A name that it does not hold is fs.ErrNotExist.
type store interface {
	blob(name string) (Blob, error)
}

// readAll reads a whole file of a store, up to limit bytes.
func readAll(st store, name string, limit int64) ([]byte, error) {
	b, err := st.blob(name)
	if err != nil {
		return nil, err
	}
	if b.Length > limit {
		return nil, fmt.Errorf("%s: %d bytes: %w of %d", name, b.Length, ErrLimit, limit)
	}
	f, err := b.OpenFile()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	buf := make([]byte, b.Length)
	if _, err := io.ReadFull(io.NewSectionReader(f, b.Offset, b.Length), buf); err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return buf, nil
}

// dirStore is a directory. os.Root keeps links from leading out of it.
type dirStore struct {
	root *os.Root
	path string
}

func (d *dirStore) blob(name string) (Blob, error) {
	f, err := d.open(name)
	if err != nil {
		return Blob{}, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return Blob{}, err
	}
	return Blob{
		Path:   filepath.Join(d.path, name),
		Length: st.Size(),
		open:   func() (*os.File, error) { return d.open(name) },
	}, nil
}

// open refuses what is not a regular file, and does not hang on a fifo.
func (d *dirStore) open(name string) (*os.File, error) {
	f, err := d.root.OpenFile(filepath.FromSlash(name), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file: %w", name, fs.ErrInvalid)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
