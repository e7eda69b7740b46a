package image

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/therootcompany/xz"
)

// Compression names how bytes are packed; "" is plain.
type Compression string

const (
	Plain Compression = ""
	Gzip  Compression = "gzip"
	Zstd  Compression = "zstd"
	XZ    Compression = "xz"
	Bzip2 Compression = "bzip2"
)

// magicLen is as much as detect looks at.
const magicLen = 6

// detect tells by the first bytes. A tar begins with a file name, which none of these can be mistaken for in
// practice: engines decide the same way. Zstandard may begin with a skippable frame (RFC 8878, 3.1.2).
func detect(head []byte) Compression {
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b, 0x08}):
		return Gzip
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return Zstd
	case len(head) >= 4 && head[0]&0xf0 == 0x50 && bytes.Equal(head[1:4], []byte{0x2a, 0x4d, 0x18}):
		return Zstd
	case bytes.HasPrefix(head, []byte{0xfd, '7', 'z', 'X', 'Z', 0}):
		return XZ
	case bytes.HasPrefix(head, []byte("BZh")):
		return Bzip2
	}
	return Plain
}

const (
	// maxZstdWindow is what zstd itself accepts without --long: more would let a few bytes ask for gigabytes.
	maxZstdWindow = 128 << 20
	// maxXZDict is that of xz -9.
	maxXZDict = 64 << 20
)

// decompress reads c from src. The closer frees what the decompressor holds.
func decompress(c Compression, src io.Reader) (io.Reader, func(), error) {
	buffered := bufio.NewReaderSize(src, 64<<10)
	nothing := func() {}
	switch c {
	case Gzip:
		r, err := gzip.NewReader(buffered)
		return r, nothing, err
	case Zstd:
		r, err := zstd.NewReader(buffered, zstd.WithDecoderMaxWindow(maxZstdWindow),
			zstd.WithDecoderLowmem(true), zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, nothing, err
		}
		return r, r.Close, nil
	case XZ:
		r, err := xz.NewReader(buffered, maxXZDict)
		return r, nothing, err
	case Bzip2:
		return bzip2.NewReader(buffered), nothing, nil
	}
	return buffered, nothing, nil
}

// bounded reads a decompressor and stops a bomb. packed tells how many compressed bytes went in so far.
type bounded struct {
	src    io.Reader
	packed func() int64
	lim    *Limits
	n      int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.src.Read(p)
	b.n += int64(n)
	if b.n > b.lim.MaxSize {
		return 0, fmt.Errorf("uncompressed size: %w of %d bytes", ErrLimit, b.lim.MaxSize)
	}
	if b.n > b.lim.RatioFloor && b.n/b.lim.MaxRatio > b.packed() {
		return 0, fmt.Errorf("compression ratio: %w of %d to 1", ErrLimit, b.lim.MaxRatio)
	}
	return n, err
}
