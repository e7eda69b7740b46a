//go:build e2e

package e2e

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// bookworm is a Debian root file system that debootstrap made, kept in the cache; the test skips where it cannot.
func bookworm(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(cacheDir(t), "bookworm")
	out, err := exec.CommandContext(t.Context(), "../deploy/debian-rootfs", dir).CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 3 {
		t.Skip(strings.TrimSpace(string(out)))
	}
	if err != nil {
		t.Fatalf("debian-rootfs: %v\n%s", err, out)
	}
	return dir
}

// bookwormTar is the same as a tar, kept in the cache too.
func bookwormTar(t *testing.T) string {
	t.Helper()
	root := bookworm(t)
	path := root + ".tar"
	if _, err := os.Stat(path); err != nil {
		half := path + ".half"
		call(t, "tar", "--numeric-owner", "--sort=name", "-cf", half, "-C", root, ".")
		if err := os.Rename(half, path); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// bookwormSaved is the same as skopeo writes it in docker save's format.
func bookwormSaved(t *testing.T) string {
	t.Helper()
	need(t, "skopeo")
	root := bookwormTar(t)
	path := strings.TrimSuffix(root, ".tar") + ".docker.tar"
	if _, err := os.Stat(path); err != nil {
		skopeo(t, "tarball:"+root, "docker-archive:"+path+".half:seawall/bookworm:e2e")
		if err := os.Rename(path+".half", path); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// skopeo copies an image from one transport to another.
func skopeo(t *testing.T, from, to string, flags ...string) {
	t.Helper()
	args := append([]string{"--insecure-policy", "copy", "--quiet"}, flags...)
	call(t, "skopeo", append(args, from, to)...)
}
