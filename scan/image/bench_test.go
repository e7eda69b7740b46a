package image

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
)

// benchLayer is a tar like a distribution's base layer: some thousand files, most of them small, text and binaries.
// $SEAWALL_BENCH_LAYER names a real one to use instead.
func benchLayer(b *testing.B) []byte {
	b.Helper()
	if path := os.Getenv("SEAWALL_BENCH_LAYER"); path != "" {
		data, err := os.ReadFile(path)
		if err != nil {
			b.Fatal(err)
		}
		return data
	}
	r := rand.New(rand.NewPCG(1, 2))
	words := make([]byte, 1<<20)
	for i := range words {
		words[i] = "etaoinshrdlu \n0123"[r.IntN(8+i%10)]
	}
	var items []tarItem
	for i := range 8000 {
		n := r.IntN(12 << 10)
		if i%50 == 0 {
			n = 400 << 10
		}
		at := r.IntN(len(words) - n)
		items = append(items, file(fmt.Sprintf("usr/share/d%d/file%d", i%100, i), string(words[at:at+n])))
	}
	return tarOf(b, items...)
}

func layerOnDisk(b *testing.B, data []byte) (*os.File, int64) {
	b.Helper()
	f, err := os.Open(writeFile(b, filepath.Join(b.TempDir(), "layer"), data))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { f.Close() })
	return f, int64(len(data))
}

// timed runs f repeatedly and returns its best time: what the machine can do when nothing disturbs it.
func timed(f func()) time.Duration {
	best := time.Duration(1<<63 - 1)
	for range 5 {
		start := time.Now()
		f()
		best = min(best, time.Since(start))
	}
	return best
}

// cpu is the processor time of this process, user and system: on a busy machine it tells more than a clock.
func cpu() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func ignore(*Entry) error { return nil }

func benchWalk(b *testing.B, f *os.File, size int64, trusted bool, floor time.Duration, unit string) {
	var plain int64
	b.ReportAllocs()
	before := cpu()
	for b.Loop() {
		in := Input{Name: "layer", Section: f, Size: size, Trusted: trusted}
		st, err := Walk(context.Background(), in, Limits{}, ignore)
		if err != nil {
			b.Fatal(err)
		}
		plain = st.Size
	}
	b.SetBytes(plain)
	b.ReportMetric(float64((cpu()-before).Microseconds())/1000/float64(b.N), "cpu-ms/op")
	if floor > 0 {
		b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(floor), unit)
	}
}

// BenchmarkWalkPlain compares with hashing the file: the limit for an uncompressed layer.
func BenchmarkWalkPlain(b *testing.B) {
	f, size := layerOnDisk(b, benchLayer(b))
	floor := timed(func() {
		_, h, _ := newHash("")
		io.CopyBuffer(struct{ io.Writer }{h}, io.NewSectionReader(f, 0, size), make([]byte, blockSize))
	})
	benchWalk(b, f, size, false, floor, "x-hash")
}

// BenchmarkWalkTrusted is a layer that need not be hashed: headers only.
func BenchmarkWalkTrusted(b *testing.B) {
	f, size := layerOnDisk(b, benchLayer(b))
	benchWalk(b, f, size, true, 0, "")
}

// BenchmarkWalkGzip compares with bare decompression on one goroutine: the limit for a gzip layer.
func BenchmarkWalkGzip(b *testing.B) {
	f, size := layerOnDisk(b, gz(b, benchLayer(b)))
	floor := timed(func() {
		r, err := gzip.NewReader(io.NewSectionReader(f, 0, size))
		if err != nil {
			b.Fatal(err)
		}
		io.CopyBuffer(struct{ io.Writer }{io.Discard}, r, make([]byte, blockSize))
	})
	benchWalk(b, f, size, false, floor, "x-gunzip")
}

func BenchmarkWalkZstd(b *testing.B) {
	f, size := layerOnDisk(b, zst(b, benchLayer(b)))
	benchWalk(b, f, size, false, 0, "")
}

// BenchmarkTarHeaders is what archive/tar itself costs: the part of WalkTrusted that is not ours.
func BenchmarkTarHeaders(b *testing.B) {
	data := benchLayer(b)
	b.ReportAllocs()
	for b.Loop() {
		r := tar.NewReader(bytes.NewReader(data))
		for {
			if _, err := r.Next(); err != nil {
				break
			}
		}
	}
}

// BenchmarkImage opens and walks the image that $SEAWALL_BENCH_IMAGE names: nothing else of a cold scan.
func BenchmarkImage(b *testing.B) {
	ref := os.Getenv("SEAWALL_BENCH_IMAGE")
	if ref == "" {
		b.Skip("SEAWALL_BENCH_IMAGE names no image")
	}
	for b.Loop() {
		s, err := Open(context.Background(), ref, Options{})
		if err != nil {
			b.Fatal(err)
		}
		for _, l := range s.Images[0].Layers {
			in, c, err := l.Input(context.Background())
			if err != nil {
				b.Fatal(err)
			}
			if _, err := Walk(context.Background(), in, Limits{}, ignore); err != nil {
				b.Fatal(err)
			}
			c.Close()
		}
		s.Close()
	}
}
