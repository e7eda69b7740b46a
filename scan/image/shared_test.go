package image

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

// sharedImages finds the public images that are kept beside the repository.
func sharedImages(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("SEAWALL_SHARED_DATA")
	if dir == "" {
		dir = "../../../shared/data"
	}
	if _, err := os.Stat(filepath.Join(dir, "images")); err != nil {
		t.Skipf("no images in %s: set SEAWALL_SHARED_DATA to a directory that has images/alpine and images/almalinux", dir)
	}
	return filepath.Join(dir, "images")
}

// Published root file systems, packed with gzip and xz, are read to their end.
func TestPublishedRootTars(t *testing.T) {
	dir := sharedImages(t)
	for pattern, wantFile := range map[string]string{
		"alpine/*.tar.gz": "lib/apk/db/installed",
		"almalinux/*.xz":  "var/lib/rpm/rpmdb.sqlite",
		"debian-*.tar.xz": "var/lib/dpkg/status",
	} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(files) == 0 {
			t.Skipf("no %s in %s", pattern, dir)
		}
		for _, f := range files {
			img := one(t, open(t, f, Options{}))
			in, c, err := img.Layers[0].Input(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			found := false
			st, err := Walk(context.Background(), in, Limits{}, func(e *Entry) error {
				found = found || e.Path == wantFile
				return nil
			})
			c.Close()
			if err != nil || !found || st.Entries < 10 {
				t.Errorf("%s: %d entries, %s found: %v, %v", f, st.Entries, wantFile, found, err)
			}
		}
	}
}
