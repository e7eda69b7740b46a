package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/opencontainers/go-digest"
)

// content is a stored blob that is open for reading.
type content interface {
	io.ReadSeekCloser
}

// openBlob opens a blob by its digest, and tells its size. A blob that a running collection has set aside is still
// found.
func (r *Registry) openBlob(ctx context.Context, d digest.Digest) (content, int64, error) {
	c, size, err := r.openAs(ctx, blobPath(d), blobPath(d))
	if isMissing(err) {
		c, size, err = r.openAs(ctx, trashPath(d), blobPath(d))
	}
	if isMissing(err) { // it may have come back in between
		c, size, err = r.openAs(ctx, blobPath(d), blobPath(d))
	}
	if isMissing(err) {
		return nil, 0, errBlobUnknown(string(d))
	}
	if err != nil {
		return nil, 0, fmt.Errorf("opening blob %s: %w", d, err)
	}
	return c, size, nil
}

// labelled is a driver that checks that a file holds what was stored under a label; see package sealed.
type labelled interface {
	OpenAs(ctx context.Context, path, label string) (io.ReadSeekCloser, int64, error)
}

func (r *Registry) openAs(ctx context.Context, path, label string) (content, int64, error) {
	if s, ok := r.store.(labelled); ok {
		return s.OpenAs(ctx, path, label)
	}
	rc, err := r.store.Reader(ctx, path, 0)
	if err != nil {
		return nil, 0, err
	}
	if f, ok := rc.(*os.File); ok {
		return openFile(f)
	}
	rc.Close()
	info, err := r.store.Stat(ctx, path)
	if err != nil {
		return nil, 0, err
	}
	return &remote{ctx: ctx, store: r.store, path: path, size: info.Size()}, info.Size(), nil
}

func openFile(f *os.File) (content, int64, error) {
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// inPieces is content that has its bytes in a buffer of its own: a second one would cost a tenth of a pull.
type inPieces interface {
	// WriteSome writes the next n bytes, fewer at the end.
	WriteSome(w io.Writer, n int64) (int64, error)
}

// asPieces has http.ServeContent, which copies a part of the content to w, take it from the content's own buffer.
func asPieces(w http.ResponseWriter, c content) http.ResponseWriter {
	if _, ok := c.(inPieces); ok {
		return piecesWriter{w}
	}
	return w
}

type piecesWriter struct{ http.ResponseWriter }

func (p piecesWriter) Unwrap() http.ResponseWriter { return p.ResponseWriter }

func (p piecesWriter) ReadFrom(src io.Reader) (int64, error) {
	if part, ok := src.(*io.LimitedReader); ok {
		if c, ok := part.R.(inPieces); ok {
			n, err := c.WriteSome(p.ResponseWriter, part.N)
			part.N -= n
			return n, err
		}
	}
	return io.Copy(p.ResponseWriter, src)
}

// remote reads a file of a driver that can only read on from a place: it opens anew where it is sent to.
type remote struct {
	ctx   context.Context
	store Driver
	path  string
	size  int64
	at    int64
	open  io.ReadCloser // at the place at, or nil
}

func (f *remote) Read(p []byte) (int, error) {
	if f.at >= f.size {
		return 0, io.EOF
	}
	if f.open == nil {
		rc, err := f.store.Reader(f.ctx, f.path, f.at)
		if err != nil {
			return 0, err
		}
		f.open = rc
	}
	n, err := f.open.Read(p)
	f.at += int64(n)
	if err == io.EOF && f.at < f.size {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func (f *remote) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += f.at
	case io.SeekEnd:
		offset += f.size
	}
	if offset < 0 {
		return 0, errors.New("seeking before the beginning")
	}
	if offset != f.at {
		f.Close()
		f.at = offset
	}
	return offset, nil
}

func (f *remote) Close() error {
	if f.open == nil {
		return nil
	}
	err := f.open.Close()
	f.open = nil
	return err
}
