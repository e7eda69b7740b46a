package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

var stamp = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// tarOf writes headers with their content. A nil Typeflag is a file of len(body).
type tarItem struct {
	tar.Header
	body string
}

func file(name, body string) tarItem {
	return tarItem{tar.Header{Name: name, Mode: 0o644, Typeflag: tar.TypeReg, Size: int64(len(body)), ModTime: stamp}, body}
}

func special(flag byte, name, link string) tarItem {
	return tarItem{tar.Header{Name: name, Linkname: link, Typeflag: flag, Mode: 0o755, ModTime: stamp}, ""}
}

func tarOf(t testing.TB, items ...tarItem) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, it := range items {
		h := it.Header
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, it.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func gz(t testing.TB, b []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func zst(t testing.TB, b []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	return w.EncodeAll(b, nil)
}

func writeFile(t testing.TB, path string, b []byte) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func toJSON(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// shape describes an entry on one line.
func shape(e *Entry) string {
	kinds := map[EntryKind]string{File: "file", Dir: "dir", Symlink: "symlink", Hardlink: "hardlink", Device: "device",
		Other: "other", Whiteout: "whiteout", Opaque: "opaque"}
	s := kinds[e.Kind] + " " + e.Path
	if e.Linkname != "" {
		s += " -> " + e.Linkname
	}
	return s
}

// listing walks in and describes what it sees, file content included.
func listing(t testing.TB, in Input, lim Limits) ([]string, Stats, error) {
	t.Helper()
	var got []string
	st, err := Walk(context.Background(), in, lim, func(e *Entry) error {
		line := shape(e)
		if e.Kind == File {
			b, err := io.ReadAll(e.Content)
			if err != nil {
				return err
			}
			line += fmt.Sprintf(" %.20q", b)
		}
		got = append(got, line)
		return nil
	})
	return got, st, err
}

func sectionInput(b []byte) Input {
	return Input{Name: "layer 1", Section: bytes.NewReader(b), Size: int64(len(b))}
}

func streamInput(b []byte) Input { return Input{Name: "layer 1", Stream: bytes.NewReader(b)} }

// wantError checks that err wraps target and speaks of what.
func wantError(t testing.TB, err, target error, what string) {
	t.Helper()
	if err == nil || target != nil && !errors.Is(err, target) || !strings.Contains(err.Error(), what) {
		t.Errorf("got error %v; want %v with %q", err, target, what)
	}
}

// walkAll walks every layer of an image.
func walkAll(t testing.TB, img *Image) []string {
	t.Helper()
	var all []string
	for i := range img.Layers {
		in, c, err := img.Layers[i].Input(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		got, st, err := listing(t, in, Limits{})
		c.Close()
		if err != nil {
			t.Fatal(err)
		}
		if in.DiffID != "" && !st.DiffIDVerified {
			t.Errorf("%s: the diff id was not verified", in.Name)
		}
		all = append(all, got...)
	}
	return all
}
