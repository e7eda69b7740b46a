package inventory

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seawall/seawall/finding"
	"github.com/ulikunitz/xz"
)

// sharedFile opens a file of the shared test data, which is no part of the repository.
func sharedFile(tb testing.TB, name string) []byte {
	tb.Helper()
	dir := os.Getenv("SEAWALL_SHARED_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		tb.Skipf("needs %s of the shared test data (set SEAWALL_SHARED_DATA): %v", name, err)
	}
	return b
}

func sharedTar(tb testing.TB, name string) io.Reader {
	tb.Helper()
	r := io.Reader(strings.NewReader(string(sharedFile(tb, name))))
	var err error
	switch {
	case strings.HasSuffix(name, ".xz"):
		r, err = xz.NewReader(r)
	case strings.HasSuffix(name, ".gz"):
		r, err = gzip.NewReader(r)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// tarEntries reads a tar into entries whose contents are in memory.
func tarEntries(tb testing.TB, r io.Reader) (entries []*Entry, contents []string) {
	tb.Helper()
	tr := tar.NewReader(r)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return entries, contents
		}
		if err != nil {
			tb.Fatal(err)
		}
		b, err := io.ReadAll(tr)
		if err != nil {
			tb.Fatal(err)
		}
		entries = append(entries, tarEntry(h))
		contents = append(contents, string(b))
	}
}

func tarEntry(h *tar.Header) *Entry {
	kinds := map[byte]Kind{tar.TypeReg: File, tar.TypeDir: Dir, tar.TypeSymlink: Symlink, tar.TypeLink: Hardlink}
	kind, ok := kinds[h.Typeflag]
	if !ok {
		kind = Other
	}
	clean := func(p string) string { return strings.TrimPrefix(filepath.Clean("/"+p), "/") }
	e := &Entry{Path: clean(h.Name), Kind: kind, Mode: uint32(h.Mode), Size: h.Size, ModTime: h.ModTime, Linkname: h.Linkname}
	if kind == Hardlink {
		e.Linkname = clean(h.Linkname)
	}
	return e
}

// analyse runs entries through an Analyser as a stream.
func analyse(tb testing.TB, a *Analyser, entries []*Entry, contents []string) Layer {
	tb.Helper()
	w := a.Start()
	for i, e := range entries {
		x := *e
		x.Content = onlyReader{strings.NewReader(contents[i])}
		if err := w.Visit(context.Background(), &x); err != nil {
			tb.Fatal(err)
		}
	}
	l, err := w.Finish(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

// onlyReader hides that its reader could do more, as a compressed layer does.
type onlyReader struct{ io.Reader }

func scanTar(tb testing.TB, name string, o Options) finding.Inventory {
	tb.Helper()
	entries, contents := tarEntries(tb, sharedTar(tb, name))
	inv, _ := Merge([]Layer{analyse(tb, NewAnalyser(o), entries, contents)}, finding.Image{})
	return inv
}

func TestSharedDebian(t *testing.T) {
	inv := scanTar(t, "images/debian-bookworm-packages.tar.xz", Options{Packages: true, Executables: true})
	for _, p := range inv.Packages {
		t.Log(p)
	}
	t.Log(inv.Distro, inv.Gaps)
}

func BenchmarkLayerDebian(b *testing.B) {
	entries, contents := tarEntries(b, sharedTar(b, "images/debian-bookworm-packages.tar.xz"))
	a := NewAnalyser(Options{Packages: true})
	b.ReportAllocs()
	for b.Loop() {
		analyse(b, a, entries, contents)
	}
}
