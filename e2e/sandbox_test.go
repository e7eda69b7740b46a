//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Where the kernel can confine, --sandbox=require works for root and for an ordinary user, with the same result.
func TestSandboxRequired(t *testing.T) {
	u := withMadeUp(t, newUser(t))
	saved := bookwormSaved(t)
	lsm, err := os.ReadFile("/sys/kernel/security/lsm")
	if err == nil && !strings.Contains(string(lsm), "landlock") {
		t.Skipf("this kernel has no landlock: %s", lsm)
	}
	want := u.scan(t, saved, "--sandbox=off")
	same(t, want, u.scan(t, saved, "--sandbox=require", "--no-cache"))

	t.Run("ordinary user", func(t *testing.T) {
		needRoot(t)
		need(t, "setpriv")
		nobody := ordinaryUser(t, u)
		image := filepath.Join(nobody.home, "image.tar")
		call(t, "cp", saved, image)
		call(t, "chmod", "644", image)
		same(t, want, nobody.scan(t, image, "--sandbox=require", "--no-cache"))
		same(t, want, nobody.scan(t, image, "--sandbox=require"))
		same(t, want, nobody.scan(t, image, "--sandbox=require")) // from its own cache
	})
}

// ordinaryUser runs a copy of the executable as uid 65534, with the database of u, in a place that it can reach.
func ordinaryUser(t *testing.T, u *user) *user {
	t.Helper()
	home, err := os.MkdirTemp("", "seawall-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	call(t, "cp", "-R", u.dbDir(), filepath.Join(home, "db"))
	call(t, "cp", executable, filepath.Join(home, "seawall"))
	call(t, "chown", "-R", "65534:65534", home)
	return &user{home: home, prefix: []string{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs",
		"sh", "-c", `shift; exec "$0" "$@"`, filepath.Join(home, "seawall")}}
}

// What the parsing process may do is bounded even when a file tries to make it misbehave: a truncated archive is an
// error that names the layer, and the next scan works.
func TestTruncatedImage(t *testing.T) {
	u := withMadeUp(t, newUser(t))
	saved := bookwormSaved(t)
	data, err := os.ReadFile(saved)
	if err != nil {
		t.Fatal(err)
	}
	cut := write(t, filepath.Join(t.TempDir(), "cut.tar"), string(data[:len(data)/2]))
	o := u.must(t, 4, "scan", "-q", cut)
	if !strings.Contains(o.stderr, "cut.tar") || strings.Contains(o.stderr, "goroutine") {
		t.Errorf("not a readable error:\n%s", o.stderr)
	}
	if r := u.scan(t, saved); len(r.Findings) == 0 {
		t.Error("no findings after a failed scan")
	}
}
