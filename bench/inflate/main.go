// Command inflate decompresses every layer of a docker-save tar or OCI archive once and throws the content away: the
// least that any cold scan of it must do, with the libraries that the scanner uses. Layers run in parallel, as many at
// a time as there are processors. With -hash it also computes the digest of each uncompressed layer, as a scanner must
// that believes no label; that is all there is to do for layers which are not compressed.
package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

func main() {
	hash := flag.Bool("hash", false, "also compute the digest of the uncompressed bytes")
	flag.Parse()
	if err := run(flag.Arg(0), *hash); err != nil {
		fmt.Fprintf(os.Stderr, "inflate: %v\n", err)
		os.Exit(1)
	}
}

func run(path string, hash bool) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	members, err := members(f)
	if err != nil {
		return err
	}
	var (
		wg    sync.WaitGroup
		slots = make(chan struct{}, runtime.GOMAXPROCS(0))
		errs  = make([]error, len(members))
	)
	for i, m := range members {
		slots <- struct{}{}
		wg.Go(func() {
			errs[i] = inflate(m, hash)
			<-slots
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// members are the files of the tar: layers, and a few small ones that do not matter.
func members(f *os.File) ([]*io.SectionReader, error) {
	var out []*io.SectionReader
	for tr := tar.NewReader(f); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		at, err := f.Seek(0, io.SeekCurrent)
		if err != nil {
			return nil, err
		}
		out = append(out, io.NewSectionReader(f, at, h.Size))
	}
}

func inflate(member *io.SectionReader, hash bool) error {
	var sink io.Writer = io.Discard
	if hash {
		sink = sha256.New()
	}
	magic := make([]byte, 4)
	if _, err := member.ReadAt(magic, 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	var content io.Reader
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		zr, err := gzip.NewReader(member)
		if err != nil {
			return err
		}
		content = zr
	case bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		zr, err := zstd.NewReader(member, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return err
		}
		defer zr.Close()
		content = zr
	case hash:
		content = member
	default:
		return nil
	}
	_, err := io.CopyBuffer(struct{ io.Writer }{sink}, content, make([]byte, 1<<20))
	return err
}
