//go:build e2e

package e2e

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seawall/seawall/finding"
)

// reference is the scan of the unpacked root file system, which every other form is held against.
func reference(t *testing.T, u *user) finding.Result {
	t.Helper()
	r := u.scan(t, bookworm(t))
	if n := len(r.Inventory.Packages); n < 80 || n > 120 {
		t.Fatalf("%d packages; a minimal bookworm has about 90", n)
	}
	want := []string{"CVE-2099-0001 perl", "CVE-2099-0002 pcre2", "CVE-2099-0003 zlib", "CVE-2099-0004 bash"}
	if diff := cmp.Diff(want, findingsOf(r)); diff != "" {
		t.Fatalf("findings differ (-want +got):\n%s", diff)
	}
	return r
}

// However an image is stored, it holds the same packages and shows the same findings.
func TestStoredFormsAgree(t *testing.T) {
	u := withMadeUp(t, newUser(t))
	want := reference(t, u)
	tarball := bookwormTar(t)
	t.Run("root tar", func(t *testing.T) { same(t, want, u.scan(t, tarball)) })
	t.Run("root tar.gz", func(t *testing.T) {
		packed := filepath.Join(t.TempDir(), "root.tar.gz")
		call(t, "sh", "-c", "gzip -1 -c "+tarball+" > "+packed)
		same(t, want, u.scan(t, packed))
	})
	saved := bookwormSaved(t)
	t.Run("docker save", func(t *testing.T) { same(t, want, u.scan(t, saved)) })
	for name, form := range map[string]struct {
		transport string
		flags     []string
	}{
		"OCI layout gzip":  {transport: "oci:", flags: []string{"--dest-compress-format", "gzip"}},
		"OCI layout zstd":  {transport: "oci:", flags: []string{"--dest-compress-format", "zstd"}},
		"OCI archive gzip": {transport: "oci-archive:", flags: []string{"--dest-compress-format", "gzip"}},
		"OCI archive zstd": {transport: "oci-archive:", flags: []string{"--dest-compress-format", "zstd"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "image")
			skopeo(t, "docker-archive:"+saved, form.transport+path+":latest", form.flags...)
			got := u.scan(t, path)
			same(t, want, got)
			if got.Inventory.Image.IDKind != finding.IDManifest {
				t.Errorf("id is of kind %s; an OCI image has a manifest", got.Inventory.Image.IDKind)
			}
		})
	}
}

// The second scan of an image is answered from the cache, with the same result.
func TestCachedScanAgrees(t *testing.T) {
	u := withMadeUp(t, newUser(t))
	saved := bookwormSaved(t)
	cold := u.scan(t, saved)
	same(t, cold, u.scan(t, saved))
	u.must(t, 0, "cache", "clean")
	same(t, cold, u.scan(t, saved))
	same(t, cold, u.scan(t, saved, "--no-cache"))
}
