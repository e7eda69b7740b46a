package feed

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/sync/errgroup"

	"github.com/seawall/seawall/scan/advisory/record"
)

// Limits of one archive or file of OSV records. The whole public bucket has about 700,000 records in 2 GiB.
const (
	maxEntries  = 4_000_000
	maxUnpacked = 32 << 30
)

// ReadOSVZip reads an archive of OSV records, one JSON file each, as the public bucket's all.zip. Records whose id
// is in skip are passed over: something newer has them. The archive's order is kept.
func ReadOSVZip(ctx context.Context, path string, skip map[string]bool, sink Sink) (t Tally, err error) {
	z, err := zip.OpenReader(path)
	if err != nil {
		return t, fmt.Errorf("opening the archive of advisories: %w", err)
	}
	defer z.Close()
	z.RegisterDecompressor(zip.Deflate, inflate)
	if err := checkArchive(z.File); err != nil {
		return t, fmt.Errorf("archive of advisories %s: %w", path, err)
	}
	files := make([]*zip.File, 0, len(z.File))
	for _, f := range z.File {
		if id, ok := strings.CutSuffix(f.Name, ".json"); ok && !skip[id] {
			files = append(files, f)
		}
	}
	source := func(i int, buf []byte) ([]byte, string, error) {
		data, err := readEntry(files[i], buf)
		return data, files[i].Name, err
	}
	if err := parseAll(ctx, len(files), source, sink, &t); err != nil {
		return t, fmt.Errorf("archive of advisories %s: %w", path, err)
	}
	return t, t.verdict()
}

func checkArchive(files []*zip.File) error {
	if len(files) > maxEntries {
		return fmt.Errorf("it has %d entries, more than the %d that are read", len(files), maxEntries)
	}
	total := uint64(0)
	for _, f := range files {
		// Each is at most maxRecord when it counts: the sum cannot overflow.
		if total += min(f.UncompressedSize64, maxRecord); total > maxUnpacked {
			return fmt.Errorf("it unpacks to more than %d GiB", maxUnpacked>>30)
		}
	}
	return nil
}

// inflaters are used again: a new one costs more than most records.
var inflaters sync.Pool

type pooledInflater struct{ io.ReadCloser }

func inflate(r io.Reader) io.ReadCloser {
	if z, ok := inflaters.Get().(io.ReadCloser); ok && z.(flate.Resetter).Reset(r, nil) == nil {
		return pooledInflater{z}
	}
	return pooledInflater{flate.NewReader(r)}
}

func (p pooledInflater) Close() error {
	err := p.ReadCloser.Close()
	inflaters.Put(p.ReadCloser)
	return err
}

// readEntry unpacks one file into buf, or into a larger buffer.
func readEntry(f *zip.File, buf []byte) ([]byte, error) {
	if f.UncompressedSize64 > maxRecord {
		return nil, fmt.Errorf("it unpacks to more than %d MiB", maxRecord>>20)
	}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	// The size that the archive declares is not to be trusted, nor allocated before it has come.
	out := bytes.NewBuffer(buf[:0])
	_, err = out.ReadFrom(io.LimitReader(r, maxRecord+1))
	return out.Bytes(), err
}

// ReadOSVLines reads OSV records, one a line, plain or compressed with gzip or zstd.
func ReadOSVLines(ctx context.Context, path string, sink Sink) (t Tally, err error) {
	f, err := os.Open(path)
	if err != nil {
		return t, fmt.Errorf("opening the advisories: %w", err)
	}
	defer f.Close()
	if err := readLines(ctx, f, sink, &t); err != nil {
		return t, fmt.Errorf("advisories %s: %w", path, err)
	}
	return t, t.verdict()
}

func readLines(ctx context.Context, r io.Reader, sink Sink, t *Tally) error {
	r, done, err := unpack(r)
	if err != nil {
		return err
	}
	defer done()
	limited := &io.LimitedReader{R: r, N: maxUnpacked}
	scan := bufio.NewScanner(limited)
	scan.Buffer(make([]byte, 0, 64<<10), maxRecord)
	batch := make([][]byte, 0, 1024)
	flush := func() error {
		source := func(i int, _ []byte) ([]byte, string, error) { return batch[i], "a line", nil }
		err := parseAll(ctx, len(batch), source, sink, t)
		batch = batch[:0]
		return err
	}
	for size := 0; scan.Scan(); {
		if len(scan.Bytes()) == 0 {
			continue
		}
		batch = append(batch, append([]byte(nil), scan.Bytes()...))
		if size += len(scan.Bytes()); len(batch) == cap(batch) || size > maxRecord {
			size = 0
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := scan.Err(); err != nil {
		return err
	}
	if limited.N <= 0 {
		return fmt.Errorf("they unpack to more than %d GiB", maxUnpacked>>30)
	}
	return flush()
}

// unpack looks at the first bytes for what compressed them.
func unpack(r io.Reader) (io.Reader, func(), error) {
	b := bufio.NewReader(r)
	magic, _ := b.Peek(4)
	switch {
	case strings.HasPrefix(string(magic), "\x1f\x8b"):
		z, err := gzip.NewReader(b)
		return z, func() {}, err
	case string(magic) == "\x28\xb5\x2f\xfd":
		z, err := zstd.NewReader(b, zstd.WithDecoderMaxMemory(256<<20), zstd.WithDecoderMaxWindow(128<<20))
		if err != nil {
			return nil, nil, err
		}
		return z, z.Close, nil
	}
	return b, func() {}, nil
}

// chunk is how many records one worker parses before they are handed on.
const chunk = 128

type parsed struct {
	rec  record.Record
	name string
	err  error
}

// source gives the i-th record and a name for it. It may use buf for the bytes, which are not kept.
type source func(i int, buf []byte) (data []byte, name string, err error)

// parseAll parses records on all processors and hands them on in their order.
func parseAll(ctx context.Context, n int, source source, sink Sink, t *Tally) error {
	workers := runtime.GOMAXPROCS(0)
	g, ctx := errgroup.WithContext(ctx)
	// Each slot is one chunk on its way: their number bounds what is in memory.
	slots := make(chan chan []parsed, 2*workers)
	g.Go(func() error {
		defer close(slots)
		for from := 0; from < n; from += chunk {
			out := make(chan []parsed, 1)
			select {
			case slots <- out:
			case <-ctx.Done():
				return ctx.Err()
			}
			go func() { out <- parseChunk(from, min(from+chunk, n), source) }()
		}
		return nil
	})
	g.Go(func() error {
		for out := range slots {
			for _, p := range <-out {
				if p.err != nil {
					t.reject(p.name, p.err)
					continue
				}
				t.take(sink, p.rec)
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
		return nil
	})
	return g.Wait()
}

func parseChunk(from, to int, source source) []parsed {
	out := make([]parsed, 0, to-from)
	var buf []byte
	for i := from; i < to; i++ {
		data, name, err := source(i, buf)
		buf = data[:0]
		p := parsed{name: name, err: err}
		if err == nil {
			p.rec, p.err = ParseOSV(data)
		}
		if p.rec.ID != "" {
			p.name = p.rec.ID
		}
		if errors.Is(p.err, zip.ErrChecksum) {
			p.err = errors.New("its checksum is wrong")
		}
		out = append(out, p)
	}
	return out
}
