package sealed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/distribution/distribution/v3/registry/storage/driver"
)

// Driver seals what goes to another driver and unseals what comes from it.
type Driver struct {
	under driver.StorageDriver
	keys  Keys
}

// New seals a storage.
func New(under driver.StorageDriver, keys Keys) *Driver { return &Driver{under, keys} }

// Name is the driver's, for messages.
func (d *Driver) Name() string { return "sealed " + d.under.Name() }

// maxSmall bounds what GetContent reads into memory.
const maxSmall = 64 << 20

// GetContent reads a small file.
func (d *Driver) GetContent(ctx context.Context, path string) ([]byte, error) {
	p, err := d.under.GetContent(ctx, path)
	if err != nil {
		return nil, err
	}
	plain, err := d.unseal(ctx, p, path)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return plain, nil
}

func (d *Driver) unseal(ctx context.Context, p []byte, label string) ([]byte, error) {
	size, pieces, err := layout(int64(len(p)))
	if err != nil {
		return nil, err
	}
	if size > maxSmall {
		return nil, fmt.Errorf("it has %d bytes, too many to be read at once", size)
	}
	s, err := readSeal(ctx, d.keys, p)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, size)
	for i := range pieces {
		from := headerSize + i*storedSize
		piece := p[from:min(from+storedSize, int64(len(p)))]
		if out, err = s.open(out, piece, i, i == pieces-1, label); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// PutContent writes a small file.
func (d *Driver) PutContent(ctx context.Context, path string, content []byte) error {
	s, err := newSeal(ctx, d.keys)
	if err != nil {
		return err
	}
	out := append(make([]byte, 0, headerSize+len(content)+(len(content)/pieceSize+1)*(nonceSize+tagSize)), s.header[:]...)
	for i := int64(0); ; i++ {
		n := min(len(content), pieceSize)
		out = s.close(out, content[:n], i, n == len(content), path)
		if content = content[n:]; len(content) == 0 {
			return d.under.PutContent(ctx, path, out)
		}
	}
}

// Reader reads a file from an offset on.
func (d *Driver) Reader(ctx context.Context, path string, offset int64) (io.ReadCloser, error) {
	r, _, err := d.OpenAs(ctx, path, path)
	if err != nil {
		return nil, err
	}
	if _, err := r.Seek(offset, io.SeekStart); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// OpenAs opens a file that was bound to a label, which is not its path while it is on its way, and tells its size. The
// last piece is read at once, so that a file that was exchanged or cut short is not even begun with.
func (d *Driver) OpenAs(ctx context.Context, path, label string) (io.ReadSeekCloser, int64, error) {
	src, stored, err := d.source(ctx, path)
	if err != nil {
		return nil, 0, err
	}
	r, err := open(ctx, d.keys, src, stored, label)
	if err != nil {
		src.Close()
		return nil, 0, fmt.Errorf("reading %s: %w", path, err)
	}
	return r, r.size, nil
}

// source is the sealed file, to be read at any place.
func (d *Driver) source(ctx context.Context, path string) (source, int64, error) {
	rc, err := d.under.Reader(ctx, path, 0)
	if err != nil {
		return nil, 0, err
	}
	if f, ok := rc.(*os.File); ok {
		info, err := f.Stat()
		if err != nil {
			f.Close()
			return nil, 0, err
		}
		return f, info.Size(), nil
	}
	rc.Close()
	info, err := d.under.Stat(ctx, path)
	if err != nil {
		return nil, 0, err
	}
	return &stream{ctx: ctx, under: d.under, path: path}, info.Size(), nil
}

// stream reads a file of a driver that reads on from a place. Reading that goes on where it ended opens nothing anew.
type stream struct {
	ctx   context.Context
	under driver.StorageDriver
	path  string
	at    int64
	open  io.ReadCloser
}

func (s *stream) ReadAt(p []byte, at int64) (int, error) {
	if s.open == nil || s.at != at {
		s.Close()
		rc, err := s.under.Reader(s.ctx, s.path, at)
		if err != nil {
			return 0, err
		}
		s.open, s.at = rc, at
	}
	n, err := io.ReadFull(s.open, p)
	s.at += int64(n)
	return n, err
}

func (s *stream) Close() error {
	if s.open == nil {
		return nil
	}
	err := s.open.Close()
	s.open = nil
	return err
}

// Stat tells the size of what is sealed. Of an upload that is under way it is what is written out.
func (d *Driver) Stat(ctx context.Context, path string) (driver.FileInfo, error) {
	info, err := d.under.Stat(ctx, path)
	if err != nil || info.IsDir() {
		return info, err
	}
	size, _, err := layout(info.Size())
	if err != nil {
		size = max(info.Size()-headerSize, 0) / storedSize * pieceSize
	}
	fields := driver.FileInfoFields{Path: path, Size: size, ModTime: info.ModTime()}
	return driver.FileInfoInternal{FileInfoFields: fields}, nil
}

// Writer seals a file piece by piece. Where an upload was put aside, it goes on from there.
func (d *Driver) Writer(ctx context.Context, path string, appended bool) (driver.FileWriter, error) {
	under, err := d.under.Writer(ctx, path, appended)
	if err != nil {
		return nil, err
	}
	w := &writer{ctx: ctx, driver: d, path: path, label: path, under: under}
	if appended && under.Size() > 0 {
		err = w.resume(ctx)
	} else {
		err = w.begin(ctx)
	}
	if err != nil {
		under.Close()
		return nil, fmt.Errorf("writing %s: %w", path, err)
	}
	return w, nil
}

// List gives the paths right below a path, but for what belongs to uploads under way.
func (d *Driver) List(ctx context.Context, path string) ([]string, error) {
	return d.under.List(ctx, path)
}

// Move gives a file another name. It must have been bound to that, see Bind, or be opened with OpenAs.
func (d *Driver) Move(ctx context.Context, from, to string) error { return d.under.Move(ctx, from, to) }

// Delete removes a file, or a directory with all that is in it.
func (d *Driver) Delete(ctx context.Context, path string) error { return d.under.Delete(ctx, path) }

// RedirectURL gives none: nobody else can read what is stored.
func (d *Driver) RedirectURL(*http.Request, string) (string, error) { return "", nil }

// Walk calls f for everything below a path.
func (d *Driver) Walk(ctx context.Context, path string, f driver.WalkFn, options ...func(*driver.WalkOptions)) error {
	return driver.WalkFallback(ctx, d, path, f, options...)
}

// isMissing says whether a driver has no such file.
func isMissing(err error) bool {
	var p driver.PathNotFoundError
	return errors.As(err, &p)
}

// headerOf reads the header of a file that is being written.
func (d *Driver) headerOf(ctx context.Context, path string) ([]byte, error) {
	rc, err := d.under.Reader(ctx, path, 0)
	if err != nil {
		return nil, err
	}
	defer rc.Close()
	var b bytes.Buffer
	_, err = io.CopyN(&b, rc, headerSize)
	return b.Bytes(), err
}
