// Package directory keeps a registry's files in a directory.
//
// It promises that a file that was put, committed or moved is on the disk, with its name, before the call returns, and
// that a file that is put is either the old one or the new one, whatever happens in between. It leaves out links and
// devices: the directory belongs to the registry alone.
package directory

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/distribution/distribution/v3/registry/storage/driver"
)

// Driver is a storage driver over a directory.
type Driver struct {
	root string
}

// Open uses a directory, which is made if it is missing, readable for its owner alone.
func Open(root string) (*Driver, error) {
	abs, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("opening storage %s: %w", root, err)
	}
	if err := makeDirs("/", abs); err != nil {
		return nil, fmt.Errorf("opening storage %s: %w", root, err)
	}
	return &Driver{abs}, nil
}

// Name is the driver's, for messages.
func (d *Driver) Name() string { return "directory" }

// full is where a path of the storage is. Paths come from checked names; what is not clean is refused all the same.
func (d *Driver) full(path string) (string, error) {
	if !strings.HasPrefix(path, "/") || (path != "/" && filepath.Clean(path) != path) || strings.IndexByte(path, 0) >= 0 {
		return "", driver.InvalidPathError{Path: path, DriverName: d.Name()}
	}
	return filepath.Join(d.root, path), nil
}

// missing turns the system's word for it into the driver's.
func (d *Driver) missing(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return driver.PathNotFoundError{Path: path, DriverName: d.Name()}
	}
	return err
}

// GetContent reads a small file.
func (d *Driver) GetContent(_ context.Context, path string) ([]byte, error) {
	full, err := d.full(path)
	if err != nil {
		return nil, err
	}
	p, err := os.ReadFile(full)
	return p, d.missing(path, err)
}

// PutContent writes a small file, in place of one that is there.
func (d *Driver) PutContent(_ context.Context, path string, content []byte) error {
	full, err := d.full(path)
	if err != nil {
		return err
	}
	dir := filepath.Dir(full)
	if err := makeDirs(d.root, dir); err != nil {
		return err
	}
	temp := filepath.Join(dir, ".new-"+rand.Text())
	if err := writeFile(temp, content); err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	if err := os.Rename(temp, full); err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	return syncDir(dir)
}

func writeFile(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// Reader opens a file for reading. It is an *os.File, which can be sent without being copied.
func (d *Driver) Reader(_ context.Context, path string, offset int64) (io.ReadCloser, error) {
	full, err := d.full(path)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(full)
	if err != nil {
		return nil, d.missing(path, err)
	}
	if offset > 0 {
		if _, err := f.Seek(offset, io.SeekStart); err != nil {
			f.Close()
			return nil, err
		}
	}
	return f, nil
}

// Writer opens a file for writing, from its beginning or on from its end.
func (d *Driver) Writer(_ context.Context, path string, appended bool) (driver.FileWriter, error) {
	full, err := d.full(path)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
		return nil, err
	}
	flags := os.O_WRONLY | os.O_CREATE
	if !appended {
		flags |= os.O_TRUNC
	}
	f, err := os.OpenFile(full, flags, 0o600)
	if err != nil {
		return nil, err
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		f.Close()
		return nil, err
	}
	return &writer{file: f, size: size, flushed: size}, nil
}

// Stat tells size and time of a file or directory.
func (d *Driver) Stat(_ context.Context, path string) (driver.FileInfo, error) {
	full, err := d.full(path)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(full)
	if err != nil {
		return nil, d.missing(path, err)
	}
	fields := driver.FileInfoFields{Path: path, Size: info.Size(), ModTime: info.ModTime(), IsDir: info.IsDir()}
	return driver.FileInfoInternal{FileInfoFields: fields}, nil
}

// List gives the paths right below a path, but for files that are being written.
func (d *Driver) List(_ context.Context, path string) ([]string, error) {
	full, err := d.full(path)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(full)
	if err != nil {
		return nil, d.missing(path, err)
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	out := make([]string, 0, len(names))
	for _, name := range names {
		if !strings.HasPrefix(name, ".new-") {
			out = append(out, strings.TrimSuffix(path, "/")+"/"+name)
		}
	}
	return out, nil
}

// Move gives a file another name, in place of one that is there.
func (d *Driver) Move(_ context.Context, from, to string) error {
	src, err := d.full(from)
	if err != nil {
		return err
	}
	dst, err := d.full(to)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(src); err != nil {
		return d.missing(from, err)
	}
	if err := makeDirs(d.root, filepath.Dir(dst)); err != nil {
		return err
	}
	if err := os.Rename(src, dst); err != nil {
		return d.missing(from, err)
	}
	return syncDir(filepath.Dir(dst))
}

// Delete removes a file, or a directory with all that is in it.
func (d *Driver) Delete(_ context.Context, path string) error {
	full, err := d.full(path)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(full); err != nil {
		return d.missing(path, err)
	}
	return os.RemoveAll(full)
}

// RedirectURL gives none: content is sent from here.
func (d *Driver) RedirectURL(*http.Request, string) (string, error) { return "", nil }

// Walk calls f for everything below a path.
func (d *Driver) Walk(ctx context.Context, path string, f driver.WalkFn, options ...func(*driver.WalkOptions)) error {
	return driver.WalkFallback(ctx, d, path, f, options...)
}

// makeDirs makes a directory and those above it up to root, each on the disk before anything is put in it.
func makeDirs(root, dir string) error {
	err := os.Mkdir(dir, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if errors.Is(err, fs.ErrNotExist) && dir != root && dir != filepath.Dir(dir) {
		if err := makeDirs(root, filepath.Dir(dir)); err != nil {
			return err
		}
		return makeDirs(root, dir)
	}
	if err != nil {
		return err
	}
	return syncDir(filepath.Dir(dir))
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
