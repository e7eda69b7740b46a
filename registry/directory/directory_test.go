package directory_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/distribution/distribution/v3/registry/storage/driver"

	"github.com/seawall/seawall/registry/directory"
)

func open(t *testing.T) (*directory.Driver, string) {
	root := filepath.Join(t.TempDir(), "not", "there", "yet")
	d, err := directory.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	return d, root
}

func TestFiles(t *testing.T) {
	d, root := open(t)
	ctx := t.Context()
	for _, p := range []string{"one", "", "two"} {
		if err := d.PutContent(ctx, "/a/b/c", []byte(p)); err != nil {
			t.Fatal(err)
		}
		if got, err := d.GetContent(ctx, "/a/b/c"); err != nil || string(got) != p {
			t.Fatal(got, err)
		}
	}
	w, err := d.Writer(ctx, "/a/w", false)
	if err != nil {
		t.Fatal(err)
	}
	w.Write([]byte("abc"))
	w.Close()
	if w, err = d.Writer(ctx, "/a/w", true); err != nil || w.Size() != 3 {
		t.Fatal(err)
	}
	w.Write(bytes.Repeat([]byte("x"), 9<<20))
	if err := errors.Join(w.Commit(ctx), w.Close()); err != nil {
		t.Fatal(err)
	}
	if err := d.Move(ctx, "/a/w", "/z/y/w"); err != nil {
		t.Fatal(err)
	}
	info, err := d.Stat(ctx, "/z/y/w")
	if err != nil || info.Size() != 3+9<<20 || info.IsDir() {
		t.Error(info, err)
	}
	os.WriteFile(filepath.Join(root, "a", ".new-X"), nil, 0o600)
	names, err := d.List(ctx, "/a")
	if err != nil || !slices.Equal(names, []string{"/a/b"}) {
		t.Error(names, err)
	}
	if err := d.Delete(ctx, "/z"); err != nil {
		t.Error(err)
	}
	if st, err := os.Stat(root); err != nil || st.Mode().Perm() != 0o700 {
		t.Error("others may read the storage")
	}
}

func TestMissing(t *testing.T) {
	d, _ := open(t)
	ctx := t.Context()
	_, get := d.GetContent(ctx, "/no")
	_, read := d.Reader(ctx, "/no", 0)
	_, stat := d.Stat(ctx, "/no")
	_, list := d.List(ctx, "/no")
	for i, err := range []error{get, read, stat, list, d.Delete(ctx, "/no"), d.Move(ctx, "/no", "/x")} {
		var want driver.PathNotFoundError
		if !errors.As(err, &want) {
			t.Errorf("%d: %v", i, err)
		}
	}
}

func TestPathsStayInside(t *testing.T) {
	d, _ := open(t)
	for _, path := range []string{"", "x", "/..", "/a/../../x", "/a//b", "/a/", "/a\x00b"} {
		if err := d.PutContent(t.Context(), path, nil); err == nil {
			t.Errorf("%q was taken", path)
		}
		if _, err := d.Reader(t.Context(), path, 0); err == nil {
			t.Errorf("%q was read", path)
		}
	}
}
