package image

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
)

// Input is one layer's bytes: a Section of a local file, or a Stream.
type Input struct {
	// Name is how errors speak of the layer: Layer.Name.
	Name string
	// Section and Size are the blob in a local file. Walk reads it from two goroutines.
	Section io.ReaderAt
	Size    int64
	// Stream is read where Section is nil. If it is an io.Closer, Walk closes it, so that a Read that hangs ends.
	Stream io.Reader
	// DiffID and Digest are what the uncompressed tar and the blob must have; "" checks nothing.
	DiffID, Digest string
	// Trusted: these very bytes have been verified before, DiffID is theirs (see Cache.Verified). Nothing is hashed.
	Trusted bool
}

// Stats is what a walk has learned about the layer.
type Stats struct {
	// DiffID is the digest of the uncompressed tar, computed while walking; with Input.Trusted, Input.DiffID. Of a
	// directory it is the tree's: see WalkDir.
	DiffID string
	// Digest is the blob's, where Input.Digest asked for it or the blob is not compressed; else "".
	Digest string
	// DiffIDVerified and DigestVerified: the input named one, and it holds.
	DiffIDVerified, DigestVerified bool
	// Size is that of the uncompressed tar in bytes; of a directory, the sum of its files.
	Size        int64
	Entries     int
	Compression Compression
	// Skipped are mount points that WalkDir did not enter.
	Skipped []string
}

// Walk reads a layer from start to end, hands every entry to visit and checks the digests. Entry and its Content are
// valid until visit returns; what visit does not read is skipped. With a nil visit only the digests are computed.
//
// What visit has seen is worth nothing until Walk has returned without error: the digests are known at the end.
// Errors are *LayerError around ErrDigest, ErrLimit, ErrPath, visit's own or what the formats say; a cancelled
// context is returned as it is. A layer of any size takes a few MiB.
func Walk(ctx context.Context, in Input, lim Limits, visit func(*Entry) error) (Stats, error) {
	lim = lim.withDefaults()
	if err := ctx.Err(); err != nil {
		return Stats{}, err
	}
	l, err := openLayer(ctx, in, &lim)
	if err != nil {
		return Stats{}, layerError(in.Name, "", err)
	}
	defer l.close()
	st, err := l.walk(ctx, visit)
	if ctx.Err() != nil {
		return st, ctx.Err()
	}
	return st, layerError(in.Name, "", err)
}

func (l *layer) walk(ctx context.Context, visit func(*Entry) error) (Stats, error) {
	st := Stats{Compression: l.compression}
	if visit != nil {
		n, err := l.entries(ctx, visit)
		if st.Entries = n; err != nil {
			return st, err
		}
	}
	if err := l.finish(ctx, &st); err != nil {
		return st, err
	}
	return st, l.verify(&st)
}

// entries calls visit for each entry and counts them.
func (l *layer) entries(ctx context.Context, visit func(*Entry) error) (int, error) {
	t := newHeaders(l.tar)
	for n := 0; ; n++ {
		err := t.next()
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, tarError(err)
		}
		if n >= l.lim.MaxEntries {
			return n, fmt.Errorf("entries: %w of %d", ErrLimit, l.lim.MaxEntries)
		}
		if n%256 == 0 && ctx.Err() != nil {
			return n, ctx.Err()
		}
		if err := l.entry(t, visit); err != nil {
			return n, layerError(l.in.Name, t.cur.name, err)
		}
	}
}

func (l *layer) entry(t *headers, visit func(*Entry) error) error {
	e := &l.current
	ok, err := convert(&t.cur, e, l.lim)
	if err != nil || !ok {
		return err
	}
	if e.Kind != File {
		return visit(e)
	}
	if t.cur.sparse {
		e.Content = sparseContent(t.slow, e.Size, l.lim.MaxSparse)
		return visit(e)
	}
	if e.Size > l.lim.MaxSize {
		return fmt.Errorf("file of %d bytes: %w of %d", e.Size, ErrLimit, l.lim.MaxSize)
	}
	if l.window == nil {
		l.streamed = streamContent{src: l.plain, end: t.end}
		e.Content = &l.streamed
		return visit(e)
	}
	// The window stands at the content. It must stand there again afterwards.
	base := l.window.pos
	l.windowed = windowContent{w: l.window, base: base, size: e.Size}
	e.Content = &l.windowed
	err = visit(e)
	l.window.pos = base
	return err
}

// streamContent is the content of one file of a stream.
type streamContent struct {
	src *pump
	end int64 // in src
}

func (c *streamContent) Read(p []byte) (int, error) {
	left := c.end - c.src.pos
	if left <= 0 {
		return 0, io.EOF
	}
	n, err := c.src.Read(p[:min(int64(len(p)), left)])
	return n, unexpected(err)
}

// sparseContent gives out a sparse file as engines would write it, holes as zeros. A file that claims to be larger
// than limit is common (/var/log/lastlog) and harmless until somebody reads it: then it is an error.
func sparseContent(r io.Reader, size, limit int64) io.Reader {
	if size > limit {
		return failing{fmt.Errorf("sparse file of %d bytes: %w of %d", size, ErrLimit, limit)}
	}
	return r
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func tarError(err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the tar is cut short: %w", err)
	case errors.Is(err, tar.ErrHeader):
		return fmt.Errorf("not a tar, or a damaged one: %w", err)
	}
	return err
}
