package sealed_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/distribution/distribution/v3/registry/storage/driver"

	"github.com/seawall/seawall/registry/directory"
	"github.com/seawall/seawall/registry/sealed"
)

// ring is a key ring in which keys can be made current and taken away.
type ring struct {
	current string
	gone    map[string]bool
}

func (r *ring) Current(ctx context.Context) (string, []byte, error) {
	key, err := r.Key(ctx, r.current)
	return r.current, key, err
}

func (r *ring) Key(_ context.Context, id string) ([]byte, error) {
	if r.gone[id] || len(id) != 2 {
		return nil, fmt.Errorf("the key %q is revoked", id)
	}
	return bytes.Repeat([]byte(id), 16), nil
}

type store struct {
	*sealed.Driver
	dir  string
	keys *ring
}

func open(t testing.TB) store {
	t.Helper()
	dir := t.TempDir()
	under, err := directory.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	keys := &ring{current: "k1", gone: map[string]bool{}}
	return store{sealed.New(under, keys), dir, keys}
}

// content is the same in every process: fuzzing has several.
func content(n int) []byte {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(r.Uint32())
	}
	return p
}

var sizes = []int{0, 1, 4095, 65535, 65536, 65537, 131072, 131073, 300_000}

// write writes p in pieces of n, closing and reopening the file after each.
func (s store) write(t testing.TB, path string, p []byte, n int) {
	t.Helper()
	ctx := t.Context()
	w, err := s.Writer(ctx, path, false)
	for at := 0; at < len(p) && err == nil; at += n {
		if w.Size() != int64(at) {
			t.Fatalf("size %d after %d bytes", w.Size(), at)
		}
		if _, err = w.Write(p[at:min(at+n, len(p))]); err == nil {
			err = w.Close()
		}
		if err == nil {
			w, err = s.Writer(ctx, path, true)
		}
	}
	if err == nil {
		err = w.Commit(ctx)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestRoundTrip(t *testing.T) {
	s := open(t)
	for _, size := range sizes {
		p := content(size)
		for _, n := range []int{1 << 20, 70_000, 65536, 20_000} {
			path := fmt.Sprintf("/w/%d/%d", size, n)
			s.write(t, path, p, n)
			s.is(t, path, p)
		}
		if err := s.PutContent(t.Context(), "/put", p); err != nil {
			t.Fatal(err)
		}
		s.is(t, "/put", p)
	}
}

func (s store) is(t testing.TB, path string, want []byte) {
	t.Helper()
	ctx := t.Context()
	got, err := s.GetContent(ctx, path)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%s: %d bytes, want %d: %v", path, len(got), len(want), err)
	}
	info, err := s.Stat(ctx, path)
	if err != nil || info.Size() != int64(len(want)) {
		t.Fatalf("%s: Stat says %v %v", path, info, err)
	}
	for range 20 {
		from := rand.IntN(len(want) + 1)
		r, err := s.Reader(ctx, path, int64(from))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		r.Close()
		if err != nil || !bytes.Equal(got, want[from:]) {
			t.Fatalf("%s from %d: %d bytes: %v", path, from, len(got), err)
		}
	}
}

// TestNothingPlain looks for what was stored in the files.
func TestNothingPlain(t *testing.T) {
	s := open(t)
	secret := []byte("this must not be found anywhere")
	p := bytes.Repeat(secret, 5000)
	s.write(t, "/a/blob", p, 80_000)
	if err := s.PutContent(t.Context(), "/a/link", secret); err != nil {
		t.Fatal(err)
	}
	w, err := s.Writer(t.Context(), "/a/unfinished", false)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(secret)
	w.Close()
	filepath.WalkDir(s.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		p, err := os.ReadFile(path)
		if bytes.Contains(p, []byte("must not be found")) {
			t.Errorf("%s is plain", path)
		}
		return err
	})
}

func TestTampering(t *testing.T) {
	s := open(t)
	ctx := t.Context()
	p := content(200_000)
	s.write(t, "/one", p, len(p))
	s.write(t, "/two", content(200_001)[1:], 200_000)
	one, two := s.raw(t, "/one"), s.raw(t, "/two")
	const header, piece = 128, 12 + 65536 + 16
	swap := func(a, b int) []byte {
		q := bytes.Clone(one)
		copy(q[header+a*piece:], one[header+b*piece:header+(b+1)*piece])
		copy(q[header+b*piece:], one[header+a*piece:header+(a+1)*piece])
		return q
	}
	flip := func(at int) []byte {
		q := bytes.Clone(one)
		q[at] ^= 1
		return q
	}
	for name, q := range map[string][]byte{
		"another file":           two,
		"magic":                  flip(0),
		"salt":                   flip(10),
		"key id":                 flip(41),
		"reserved":               flip(127),
		"nonce":                  flip(header),
		"first byte":             flip(header + 12),
		"last byte":              flip(len(one) - 1),
		"cut at a piece":         one[:header+2*piece],
		"cut in a piece":         one[:header+2*piece+100],
		"cut to the header":      one[:header],
		"empty":                  {},
		"longer":                 append(bytes.Clone(one), 0),
		"a piece twice":          append(bytes.Clone(one[:header+piece]), one[header:]...),
		"pieces exchanged":       swap(0, 1),
		"pieces of another file": append(bytes.Clone(one[:header+piece]), two[header+piece:]...),
		"plain":                  p,
	} {
		if err := os.WriteFile(filepath.Join(s.dir, "one"), q, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := s.readAll(ctx, "/one")
		if err == nil {
			t.Errorf("%s: read %d bytes", name, len(got))
		}
		if !bytes.HasPrefix(p, got) {
			t.Errorf("%s: gave bytes that were never written", name)
		}
		if _, err := s.GetContent(ctx, "/one"); err == nil {
			t.Errorf("%s: GetContent noticed nothing", name)
		}
	}
}

func (s store) raw(t testing.TB, path string) []byte {
	p, err := os.ReadFile(filepath.Join(s.dir, path))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (s store) readAll(ctx context.Context, path string) ([]byte, error) {
	r, err := s.Reader(ctx, path, 0)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// TestLabels: a file that is moved under another name is not taken for what belongs there, unless it was bound to it.
func TestLabels(t *testing.T) {
	s := open(t)
	ctx := t.Context()
	s.PutContent(ctx, "/link", []byte("content"))
	if err := s.Move(ctx, "/link", "/other"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.GetContent(ctx, "/other"); !errors.Is(err, sealed.ErrCorrupt) {
		t.Errorf("a file under another name: %v", err)
	}
	w, _ := s.Writer(ctx, "/upload", false)
	w.Write([]byte("blob"))
	w.(interface{ Bind(string) }).Bind("/blob")
	if err := errors.Join(w.Commit(ctx), w.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.GetContent(ctx, "/upload"); !errors.Is(err, sealed.ErrCorrupt) {
		t.Errorf("before it is moved: %v", err)
	}
	s.Move(ctx, "/upload", "/blob")
	s.is(t, "/blob", []byte("blob"))
}

func TestKeys(t *testing.T) {
	s := open(t)
	ctx := t.Context()
	s.write(t, "/old", []byte("old"), 10)
	s.keys.current = "k2" // rotated: both are read
	s.write(t, "/new", []byte("new"), 10)
	s.is(t, "/old", []byte("old"))
	s.is(t, "/new", []byte("new"))

	s.keys.gone["k1"] = true // revoked: reads fail
	if _, err := s.GetContent(ctx, "/old"); err == nil || !strings.Contains(err.Error(), "revoked") {
		t.Errorf("reading with a revoked key: %v", err)
	}
	if _, err := s.Reader(ctx, "/old", 0); err == nil {
		t.Error("opened with a revoked key")
	}
	s.is(t, "/new", []byte("new"))
	s.keys.gone["k2"] = true
	if _, err := s.Writer(ctx, "/x", false); err == nil {
		t.Error("writing without a key")
	}
	if err := s.PutContent(ctx, "/x", []byte("x")); err == nil {
		t.Error("putting without a key")
	}
	if _, err := s.Stat(ctx, "/x"); err == nil {
		if p := s.raw(t, "/x"); bytes.Contains(p, []byte("x")) {
			t.Error("stored plain")
		}
	}
}

// TestInterrupted: the process is killed between two pieces, or within one.
func TestInterrupted(t *testing.T) {
	s := open(t)
	ctx := t.Context()
	p := content(200_000)
	w, _ := s.Writer(ctx, "/u", false)
	w.Write(p) // three pieces are out, the rest is in memory and lost
	again, err := s.Writer(ctx, "/u", true)
	if err != nil || again.Size() != 3*65536 {
		t.Fatalf("resumed at %v: %v", again, err)
	}
	again.Write(p[3*65536:])
	if err := errors.Join(again.Commit(ctx), again.Close()); err != nil {
		t.Fatal(err)
	}
	s.is(t, "/u", p)

	w, _ = s.Writer(ctx, "/v", false)
	w.Write(p)
	os.Truncate(filepath.Join(s.dir, "v"), 100_000)
	if _, err := s.Writer(ctx, "/v", true); !errors.Is(err, sealed.ErrCorrupt) {
		t.Errorf("a file that ends within a piece: %v", err)
	}
}

func TestMissing(t *testing.T) {
	s := open(t)
	var want driver.PathNotFoundError
	if _, err := s.GetContent(t.Context(), "/no"); !errors.As(err, &want) {
		t.Error(err)
	}
	if _, err := s.Reader(t.Context(), "/no", 0); !errors.As(err, &want) {
		t.Error(err)
	}
	if _, err := s.Stat(t.Context(), "/no"); !errors.As(err, &want) {
		t.Error(err)
	}
}

// FuzzRead changes a sealed file anywhere: it is read as it was, or not at all.
func FuzzRead(f *testing.F) {
	s := open(f)
	p := content(150_000)
	s.write(f, "/f", p, len(p))
	raw := s.raw(f, "/f")
	f.Add(raw, 0)
	f.Add(raw[:128], 0)
	f.Add(raw[:128+65564], 70_000)
	f.Add([]byte{}, 1)
	f.Fuzz(func(t *testing.T, q []byte, from int) {
		path := filepath.Join(s.dir, "f")
		if err := os.WriteFile(path, q, 0o600); err != nil {
			t.Fatal(err)
		}
		s.Stat(t.Context(), "/f")
		if w, err := s.Writer(t.Context(), "/f", true); err == nil {
			w.Close()
			os.WriteFile(path, q, 0o600)
		}
		r, err := s.Reader(t.Context(), "/f", int64(max(from, 0)))
		if err != nil {
			return
		}
		defer r.Close()
		got, err := io.ReadAll(r)
		if err == nil && !bytes.Equal(got, p[min(max(from, 0), len(p)):]) {
			t.Fatalf("read %d bytes that were never written", len(got))
		}
	})
}

func BenchmarkWrite(b *testing.B) {
	s := open(b)
	p := content(64 << 20)
	b.SetBytes(int64(len(p)))
	for b.Loop() {
		w, _ := s.Writer(b.Context(), "/b", false)
		for at := 0; at < len(p); at += 256 << 10 {
			w.Write(p[at : at+256<<10])
		}
		w.Close()
	}
}

func BenchmarkRead(b *testing.B) {
	s := open(b)
	p := content(64 << 20)
	s.write(b, "/b", p, len(p))
	b.SetBytes(int64(len(p)))
	for b.Loop() {
		r, err := s.Reader(b.Context(), "/b", 0)
		if err != nil {
			b.Fatal(err)
		}
		io.Copy(io.Discard, r)
		r.Close()
	}
}

// TestWriteSome: a part, wherever it begins and ends, is the same as it is by Read.
func TestWriteSome(t *testing.T) {
	s := open(t)
	const size = 300_000
	p := content(size)
	s.write(t, "/part", p, size)
	for _, part := range [][2]int64{{0, size}, {0, 0}, {1, 65535}, {65536, 65536}, {65530, 20}, {131071, 131074}, {size - 1, 1}, {size - 1, 100}, {size, 1}} {
		f, _, err := s.OpenAs(t.Context(), "/part", "/part")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Seek(part[0], io.SeekStart); err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		n, err := f.(interface {
			WriteSome(io.Writer, int64) (int64, error)
		}).WriteSome(&got, part[1])
		if want := p[part[0]:min(part[0]+part[1], size)]; err != nil || n != int64(got.Len()) || !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%d bytes at %d: got %d, %v", part[1], part[0], n, err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}
