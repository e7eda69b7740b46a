package keys

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func openKeyFile(t *testing.T, path string, create bool) (*Ring, string) {
	t.Helper()
	dir := t.TempDir()
	r, err := Open(t.Context(), Config{Dir: dir, Provider: "file:" + path, Create: create})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r, dir
}

func TestFileIsMadeOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", "kek")
	if _, err := Open(t.Context(), Config{Dir: t.TempDir(), Provider: "file:" + path}); err == nil {
		t.Fatal("a file that does not exist was opened")
	}
	openKeyFile(t, path, true)
	first, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	info, _ := os.Stat(path)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %04o", info.Mode().Perm())
	}
	openKeyFile(t, path, true)
	if second, _ := os.ReadFile(path); !bytes.Equal(first, second) {
		t.Error("the file was made anew")
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

func TestFileIsRefused(t *testing.T) {
	good := fileNote + kekOf(bytes.Repeat([]byte{7}, KeySize)).line()
	for name, c := range map[string]struct {
		text string
		mode os.FileMode
		want string
	}{
		"group may read":  {good, 0o640, "chmod 600"},
		"world may read":  {good, 0o604, "chmod 600"},
		"empty":           {"", 0o600, "holds no key"},
		"only a note":     {fileNote, 0o600, "holds no key"},
		"something else":  {"hello world\n", 0o600, "line 1 is no key"},
		"flipped":         {strings.Replace(good, "BwcH", "CwcH", 1), 0o600, "damaged"},
		"too long a file": {strings.Repeat("#\n", maxKEKs), 0o600, "more than"},
	} {
		path := filepath.Join(t.TempDir(), "kek")
		if err := os.WriteFile(path, []byte(c.text), c.mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, c.mode); err != nil {
			t.Fatal(err)
		}
		_, err := Open(t.Context(), Config{Dir: t.TempDir(), Provider: "file:" + path})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "BwcH") {
			t.Errorf("%s: the error shows the key", name)
		}
	}
	if _, err := Open(t.Context(), Config{Dir: t.TempDir(), Provider: "file:" + t.TempDir()}); err == nil {
		t.Error("a directory was taken as key file")
	}
}

func TestFileTakenAwayRevokes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kek")
	r, _ := openKeyFile(t, path, true)
	id, key := current(t, r, "state")
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	if s := r.Check(t.Context()); s.State != Refuses {
		t.Errorf("status %+v", s)
	}
	if _, err := r.Purpose("state").Key(t.Context(), id); !errors.Is(err, ErrUnavailable) {
		t.Errorf("read without the file: %v", err)
	}
	if err := os.Rename(path+".away", path); err != nil {
		t.Fatal(err)
	}
	r.Check(t.Context())
	if got, err := r.Purpose("state").Key(t.Context(), id); err != nil || !bytes.Equal(got, key) {
		t.Errorf("put back: %v", err)
	}
}

func TestFileTakenAwayIsNotReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kek")
	_, dir := openKeyFile(t, path, true)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Config{Dir: dir, Provider: "file:" + path, Create: true}); err == nil {
		t.Error("the ring opened without its key")
	}
	if _, err := os.Lstat(path); err == nil {
		t.Error("a new key file was made for a ring that another key wraps")
	}
}

func TestFileRotates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kek")
	r, dir := openKeyFile(t, path, true)
	id, key := current(t, r, "state")
	oldRing, _ := os.ReadFile(filepath.Join(dir, RingFile))
	if _, err := r.Rotate(t.Context(), Rotation{}); err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(path)
	keks, err := parseKEKs(text)
	if err != nil || len(keks) != 2 {
		t.Fatalf("%d keys, %v", len(keks), err)
	}
	open := func(ring []byte, keks ...kek) error {
		d, p := t.TempDir(), filepath.Join(t.TempDir(), "kek")
		var lines string
		for _, k := range keks {
			lines += k.line()
		}
		if err := errors.Join(os.WriteFile(filepath.Join(d, RingFile), ring, 0o600), os.WriteFile(p, []byte(lines), 0o600)); err != nil {
			t.Fatal(err)
		}
		r, err := Open(t.Context(), Config{Dir: d, Provider: "file:" + p})
		if err != nil {
			return err
		}
		defer r.Close()
		got, err := r.Purpose("state").Key(t.Context(), id)
		if err == nil && !bytes.Equal(got, key) {
			t.Error("another key")
		}
		return err
	}
	newRing, _ := os.ReadFile(filepath.Join(dir, RingFile))
	if err := open(newRing, keks[1]); err != nil {
		t.Errorf("with the new key alone: %v", err)
	}
	if err := open(newRing, keks[0]); !errors.Is(err, ErrUnavailable) {
		t.Errorf("with the old key alone: %v", err)
	}
	if err := open(oldRing, keks...); err != nil {
		t.Errorf("a backup of before with the file of now: %v", err)
	}
}

func TestFileToAnotherFile(t *testing.T) {
	a, b := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
	r, _ := openKeyFile(t, a, true)
	id, _ := current(t, r, "state")
	if _, err := r.Rotate(t.Context(), Rotation{Provider: "file:" + b}); err == nil {
		t.Error("rotated to a file that does not exist")
	}
	if _, err := r.Rotate(t.Context(), Rotation{Provider: "file:" + b, Create: true}); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(a); err != nil {
		t.Fatal(err)
	}
	r.Check(t.Context())
	if _, err := r.Purpose("state").Key(t.Context(), id); err != nil {
		t.Errorf("without the first file: %v", err)
	}
}
