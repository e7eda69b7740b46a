package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// spoolFile makes a file without a name: it is gone when it is closed, also after a crash.
func spoolFile(dir string) (*os.File, error) {
	fd, err := unix.Open(dir, unix.O_RDWR|unix.O_CLOEXEC|unix.O_TMPFILE, 0o600)
	if err == nil {
		return os.NewFile(uintptr(fd), "spool"), nil
	}
	// Not every file system can do that.
	f, err := os.CreateTemp(dir, ".seawall-spool-*")
	if err != nil {
		return nil, fmt.Errorf("spooling: %w; set TMPDIR to a directory that can be written to", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, fmt.Errorf("spooling: %w", err)
	}
	return f, nil
}

// spool copies a stream to a file without a name, unpacked, within the limits.
func spool(ctx context.Context, src io.Reader, dir string, lim *Limits) (*os.File, int64, error) {
	f, err := spoolFile(dir)
	if err != nil {
		return nil, 0, err
	}
	n, err := unpackTo(ctx, f, src, lim)
	if err != nil {
		f.Close()
		if errors.Is(err, unix.ENOSPC) {
			err = fmt.Errorf("%w in %s; set TMPDIR to a larger directory", err, dir)
		}
		return nil, 0, err
	}
	return f, n, nil
}

// unpackTo runs the decompressor beside the writer.
func unpackTo(ctx context.Context, dst io.Writer, src io.Reader, lim *Limits) (int64, error) {
	in := Input{Stream: src, Trusted: true}
	l, err := openLayer(ctx, in, lim)
	if err != nil {
		return 0, err
	}
	defer l.close()
	n, err := io.CopyBuffer(dst, struct{ io.Reader }{l.tar}, make([]byte, blockSize))
	if ctx.Err() != nil {
		return n, ctx.Err()
	}
	return n, err
}
