package main

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
)

const (
	compressNone = "none"
	compressGzip = "gzip"
	compressZstd = "zstd"
)

// blob is a file of a layout: content addressed, as OCI's image layout puts it under blobs/sha256.
type blob struct {
	digest string // hex
	size   int64
	path   string
}

// built is a layer that lies in the layout.
type built struct {
	blob
	diffID    string // hex, of the uncompressed tar
	createdBy string
}

// buildLayer writes the layer into dir, compressed.
func buildLayer(l layer, compress, dir string) (built, error) {
	f, err := os.CreateTemp(dir, "layer-")
	if err != nil {
		return built{}, err
	}
	defer f.Close()
	buffer := bufio.NewWriterSize(f, 1<<20)
	packed := &counter{w: buffer, hash: sha256.New()}
	squeeze, err := compressor(packed, compress)
	if err != nil {
		return built{}, err
	}
	plain := sha256.New()
	tw := tar.NewWriter(io.MultiWriter(squeeze, plain))
	if err := l.write(tw); err != nil {
		return built{}, fmt.Errorf("writing layer %q: %w", l.createdBy, err)
	}
	for _, end := range []func() error{tw.Close, squeeze.Close, buffer.Flush} {
		if err := end(); err != nil {
			return built{}, err
		}
	}
	b := blob{digest: hex.EncodeToString(packed.hash.Sum(nil)), size: packed.n}
	b.path = filepath.Join(dir, b.digest)
	if err := os.Rename(f.Name(), b.path); err != nil {
		return built{}, err
	}
	return built{blob: b, diffID: hex.EncodeToString(plain.Sum(nil)), createdBy: l.createdBy}, os.Chmod(b.path, 0o644)
}

func compressor(w io.Writer, kind string) (io.WriteCloser, error) {
	switch kind {
	case compressNone:
		return nopCloser{w}, nil
	case compressGzip:
		return gzip.NewWriter(w), nil
	case compressZstd:
		return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
	}
	return nil, fmt.Errorf("unknown compression %q: want none, gzip or zstd", kind)
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// counter counts and hashes what passes.
type counter struct {
	w    io.Writer
	hash hash.Hash
	n    int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.hash.Write(p[:n])
	c.n += int64(n)
	return n, err
}

// writeBlob puts data into dir under its digest.
func writeBlob(dir string, data []byte) (blob, error) {
	sum := sha256.Sum256(data)
	b := blob{digest: hex.EncodeToString(sum[:]), size: int64(len(data))}
	b.path = filepath.Join(dir, b.digest)
	return b, os.WriteFile(b.path, data, 0o644)
}
