package image

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func dirListing(t *testing.T, root string, lim Limits) ([]string, Stats, error) {
	t.Helper()
	var got []string
	st, err := WalkDir(context.Background(), root, lim, func(e *Entry) error {
		line := fmt.Sprintf("%s %04o", shape(e), e.Mode)
		if e.Kind == File {
			b, err := io.ReadAll(e.Content)
			if err != nil {
				return err
			}
			line += fmt.Sprintf(" %q", b)
		}
		got = append(got, line)
		return nil
	})
	return got, st, err
}

func rootDir(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	writeFile(t, filepath.Join(root, "etc/os-release"), []byte("ID=x"))
	writeFile(t, filepath.Join(root, "etc/.wh.x"), nil)
	writeFile(t, filepath.Join(root, "bin/su"), []byte("su"))
	if err := os.Chmod(filepath.Join(root, "bin/su"), 0o755|os.ModeSetuid); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc", filepath.Join(root, "out")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(root, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{"", "etc", "bin"} {
		if err := os.Chmod(filepath.Join(root, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestWalkDir(t *testing.T) {
	root := rootDir(t)
	want := []string{
		"dir . 0755", "dir bin 0755", `file bin/su 4755 "su"`, "dir etc 0755", `file etc/.wh.x 0644 ""`,
		`file etc/os-release 0644 "ID=x"`, "other fifo 0600", "symlink out -> /etc 0777",
	}
	got, st, err := dirListing(t, root, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if st.Entries != 8 || st.Size != 6 || len(st.Skipped) != 0 {
		t.Errorf("%+v", st)
	}
	_, again, _ := dirListing(t, root, Limits{})
	if again.DiffID != st.DiffID {
		t.Error("the tree's digest is not steady")
	}
	writeFile(t, filepath.Join(root, "etc/os-release"), []byte("ID=yy"))
	if _, changed, _ := dirListing(t, root, Limits{}); changed.DiffID == st.DiffID {
		t.Error("the tree's digest outlives a change")
	}
	img := one(t, open(t, root, Options{}))
	if img.RootDir != root || img.IDKind != IDTree {
		t.Errorf("%+v", img)
	}
	if img := one(t, open(t, "dir:"+root, Options{})); img.RootDir != root {
		t.Errorf("%+v", img)
	}
}

func TestWalkDirLimits(t *testing.T) {
	root := rootDir(t)
	_, _, err := dirListing(t, root, Limits{MaxEntries: 3})
	wantError(t, err, ErrLimit, "entries")
	_, _, err = dirListing(t, root, Limits{MaxPath: 8})
	wantError(t, err, ErrLimit, "path of")
	_, _, err = dirListing(t, filepath.Join(root, "nothing"), Limits{})
	wantError(t, err, os.ErrNotExist, "nothing")

	deep := t.TempDir()
	if err := os.MkdirAll(filepath.Join(deep, strings.Repeat("d/", maxDirDepth+2)), 0o755); err != nil {
		t.Fatal(err)
	}
	_, _, err = dirListing(t, deep, Limits{})
	wantError(t, err, ErrLimit, "directories within directories")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := WalkDir(ctx, root, Limits{}, ignore); err != context.Canceled {
		t.Error(err)
	}
}

// A file that becomes a link or a fifo while the tree is walked is not followed and does not hang.
func TestWalkDirSwap(t *testing.T) {
	root := t.TempDir()
	secret := writeFile(t, filepath.Join(t.TempDir(), "secret"), []byte("secret"))
	a := writeFile(t, filepath.Join(root, "a"), []byte("a"))
	swaps := map[string]func() error{
		"link": func() error { return os.Symlink(secret, a) },
		"fifo": func() error { return syscall.Mkfifo(a, 0o600) },
	}
	for name, swap := range swaps {
		_, err := WalkDir(context.Background(), root, Limits{}, func(e *Entry) error {
			if e.Path != "a" {
				return nil
			}
			if err := os.Remove(a); err != nil {
				return err
			}
			if err := swap(); err != nil {
				return err
			}
			if b, err := io.ReadAll(e.Content); err == nil {
				t.Errorf("%s: read %q", name, b)
			}
			return nil
		})
		if err != nil {
			t.Error(name, err)
		}
		os.Remove(a)
		writeFile(t, a, []byte("a"))
	}
}

// A directory that may not be read is said so, not taken for empty.
func TestWalkDirUnreadable(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may read everything")
	}
	root := rootDir(t)
	if err := os.Chmod(filepath.Join(root, "etc"), 0); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(filepath.Join(root, "etc"), 0o755)
	_, st, err := dirListing(t, root, Limits{})
	if err != nil || len(st.Skipped) != 1 || !strings.HasPrefix(st.Skipped[0], "etc: ") {
		t.Errorf("%q %v", st.Skipped, err)
	}
}

// Mounts are named: /proc is one on every Linux.
func TestWalkDirMount(t *testing.T) {
	if _, err := os.Stat("/proc/self/exe"); err != nil {
		t.Skip("no /proc here:", err)
	}
	stop := fmt.Errorf("enough")
	seen := false
	_, err := WalkDir(context.Background(), "/", Limits{MaxEntries: 1 << 20}, func(e *Entry) error {
		if strings.HasPrefix(e.Path, "proc/") {
			t.Errorf("entered %s", e.Path)
		}
		if seen = seen || e.Path == "proc"; seen && e.Path > "proc" {
			return stop
		}
		return nil
	})
	if err != nil && !strings.Contains(err.Error(), "enough") {
		t.Skip("the root file system cannot be walked here:", err)
	}
}
