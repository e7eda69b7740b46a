package inventory

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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

// TestSharedImages holds what real images give to what their own package tools said of them.
func TestSharedImages(t *testing.T) {
	for _, tt := range []struct {
		file, distro, ecosystem string
		packages, executables   int
		one                     finding.Package
	}{
		{"images/debian-bookworm-packages.tar.xz", "debian 12", "Debian:12", 88, 78, finding.Package{
			Name: "bsdutils", Version: "1:2.38.1-5+deb12u3", Arch: "amd64", SourceName: "util-linux", SourceVersion: "2.38.1-5+deb12u3",
			PURL: "pkg:deb/debian/bsdutils@1:2.38.1-5%2Bdeb12u3?arch=amd64&distro=debian-12&upstream=util-linux%402.38.1-5%2Bdeb12u3"}},
		{"images/alpine/alpine-minirootfs-3.6.5-x86_64.tar.gz", "alpine 3.6.5", "Alpine:v3.6", 13, 11, finding.Package{
			Name: "libressl2.5-libcrypto", Version: "2.5.5-r2", Arch: "x86_64", SourceName: "libressl", SourceVersion: "2.5.5-r2",
			PURL: "pkg:apk/alpine/libressl2.5-libcrypto@2.5.5-r2?arch=x86_64&distro=alpine-3.6.5&upstream=libressl"}},
		{"images/alpine/alpine-minirootfs-3.20.3-x86_64.tar.gz", "alpine 3.20.3", "Alpine:v3.20", 14, 12, finding.Package{
			Name: "libcrypto3", Version: "3.3.2-r0", Arch: "x86_64", SourceName: "openssl", SourceVersion: "3.3.2-r0",
			PURL: "pkg:apk/alpine/libcrypto3@3.3.2-r0?arch=x86_64&distro=alpine-3.20.3&upstream=openssl"}},
		{"images/almalinux/alma-almalinux-9-docker-aarch64-micro-2022-05-09.tar.xz", "almalinux 9.0", "AlmaLinux:9", 22, 148, finding.Package{
			Name: "coreutils-single", Version: "8.32-31.el9", Arch: "aarch64", SourceName: "coreutils", SourceVersion: "8.32-31.el9",
			PURL: "pkg:rpm/almalinux/coreutils-single@8.32-31.el9?arch=aarch64&distro=almalinux-9.0&upstream=coreutils"}},
	} {
		t.Run(tt.distro, func(t *testing.T) {
			inv := scanTar(t, tt.file, Options{Packages: true, Executables: true})
			if got := inv.Distro.ID + " " + inv.Distro.VersionID; got != tt.distro || inv.Distro.Ecosystem != tt.ecosystem {
				t.Errorf("distribution %s, ecosystem %s", got, inv.Distro.Ecosystem)
			}
			if len(inv.Packages) != tt.packages || len(inv.Executables) != tt.executables || len(inv.Gaps) != 0 {
				t.Errorf("%d packages, %d executables, want %d and %d; gaps %v", len(inv.Packages), len(inv.Executables), tt.packages, tt.executables, inv.Gaps)
			}
			for _, x := range inv.Executables {
				if x.Owner == "" {
					t.Errorf("%s has no owner", x.Path)
				}
			}
			tt.one.Ecosystem = tt.ecosystem
			for _, p := range inv.Packages {
				if p.Name == tt.one.Name {
					p.Type, p.Path, p.Licenses = "", "", nil
					if d := cmp.Diff(tt.one, p); d != "" {
						t.Errorf("(-want +got):\n%s", d)
					}
				}
			}
		})
	}
}

func TestSharedRPM(t *testing.T) {
	for file, want := range map[string]struct {
		packages int
		one      string
	}{
		"cbl-mariner-2.0/rpmdb.sqlite": {129, "ca-certificates-base 1:2.0.0-1.cm2 from ca-certificates"},
		"sle15-bci/Packages.db":        {35, "libzstd1 1.4.4-1.6.1 from zstd"},
		"libuuid/Packages":             {1, "libuuid 2.32.1-42.el8_8 from util-linux"},
	} {
		t.Run(file, func(t *testing.T) {
			content := string(sharedFile(t, "images/rpmdb/"+file))
			inv, _ := image(t, []change{{what: "var/lib/rpm/" + path.Base(file), content: content}})
			if len(inv.Packages) != want.packages || len(inv.Gaps) != 0 {
				t.Errorf("%d packages, want %d; gaps %v", len(inv.Packages), want.packages, inv.Gaps)
			}
			for _, p := range inv.Packages {
				if fmt.Sprintf("%s %s from %s", p.Name, p.Version, p.SourceName) == want.one {
					return
				}
			}
			t.Errorf("no %s in %v", want.one, short(inv))
		})
	}
}

func BenchmarkLayerDebian(b *testing.B) {
	entries, contents := tarEntries(b, sharedTar(b, "images/debian-bookworm-packages.tar.xz"))
	a := NewAnalyser(Options{Packages: true})
	b.ReportAllocs()
	for b.Loop() {
		analyse(b, a, entries, contents)
	}
}
