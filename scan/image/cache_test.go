package image

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func openCache(t testing.TB, dir string, max int64) *Cache {
	t.Helper()
	c, err := OpenCache(dir, max)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// cacheFiles lists the entries on disk.
func cacheFiles(t testing.TB, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestCache(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a/b")
	c := openCache(t, dir, 0)
	if _, ok := c.Layer("k"); ok {
		t.Error("something in an empty cache")
	}
	for key, value := range map[string][]byte{"v1/sha256:a": []byte("one"), "v2/sha256:a": nil, "../../x": bytes.Repeat([]byte("y"), 1<<20)} {
		if err := c.PutLayer(key, value); err != nil {
			t.Fatal(err)
		}
		if got, ok := openCache(t, dir, 0).Layer(key); !ok || !bytes.Equal(got, value) {
			t.Errorf("%s: %d bytes, %v", key, len(got), ok)
		}
	}
	for _, f := range cacheFiles(t, dir) {
		if st, _ := os.Stat(f); st.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", f, st.Mode())
		}
	}
	if st, _ := os.Stat(dir); st.Mode().Perm() != 0o700 {
		t.Errorf("%s has mode %v", dir, st.Mode())
	}
}

func TestCacheVerified(t *testing.T) {
	c := openCache(t, t.TempDir(), 0)
	id := sha256Of([]byte("x"))
	if err := c.PutVerified("file:1", id); err != nil {
		t.Fatal(err)
	}
	if got, ok := c.Verified("file:1"); !ok || got != id {
		t.Error(got, ok)
	}
	if err := c.PutVerified("", id); err != nil {
		t.Error(err)
	}
	for _, identity := range []string{"", "file:2"} {
		if _, ok := c.Verified(identity); ok {
			t.Errorf("%q is verified", identity)
		}
	}
	if c.PutVerified("file:3", "sha256:nonsense") == nil {
		t.Error("nonsense was recorded")
	}
	// A layer's key does not answer for an identity.
	c.PutLayer("file:4", []byte(id))
	if _, ok := c.Verified("file:4"); ok {
		t.Error("a layer passes for a verification")
	}
}

// Whatever happens to an entry's file, it is a miss, and the file is gone.
func TestCacheCorrupt(t *testing.T) {
	for name, change := range map[string]func([]byte) []byte{
		"empty":     func([]byte) []byte { return nil },
		"cut":       func(b []byte) []byte { return b[:len(b)-1] },
		"longer":    func(b []byte) []byte { return append(b, 0) },
		"bit":       func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
		"checksum":  func(b []byte) []byte { b[len(cacheMagic)] ^= 1; return b },
		"magic":     func(b []byte) []byte { b[0] ^= 1; return b },
		"other key": func([]byte) []byte { return encodeEntry("other", []byte("value")) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			c := openCache(t, dir, 0)
			if err := c.PutLayer("k", []byte("value")); err != nil {
				t.Fatal(err)
			}
			f := cacheFiles(t, dir)[0]
			b, _ := os.ReadFile(f)
			writeFile(t, f, change(b))
			if got, ok := c.Layer("k"); ok {
				t.Errorf("got %q", got)
			}
			if left := cacheFiles(t, dir); len(left) != 0 {
				t.Errorf("left: %v", left)
			}
			if err := c.PutLayer("k", []byte("anew")); err != nil {
				t.Fatal(err)
			}
			if got, _ := c.Layer("k"); string(got) != "anew" {
				t.Errorf("got %q", got)
			}
		})
	}
}

// A pipe where an entry should be is a miss, at once: opening one waits for a writer otherwise.
func TestCacheEntryIsPipe(t *testing.T) {
	dir := t.TempDir()
	c := openCache(t, dir, 0)
	if err := c.PutLayer("k", []byte("value")); err != nil {
		t.Fatal(err)
	}
	f := cacheFiles(t, dir)[0]
	if err := os.Remove(f); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(f, 0o600); err != nil {
		t.Skipf("no named pipes here: %v", err)
	}
	if got, ok := c.Layer("k"); ok {
		t.Errorf("got %q", got)
	}
	if left := cacheFiles(t, dir); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

func TestCachePrune(t *testing.T) {
	dir := t.TempDir()
	c := openCache(t, dir, 20*diskBlock)
	now := time.Now()
	for i := range 30 {
		key := fmt.Sprint(i)
		if err := c.PutLayer(key, []byte("x")); err != nil {
			t.Fatal(err)
		}
		used := now.Add(time.Duration(i-100) * time.Hour)
		if err := os.Chtimes(filepath.Join(dir, cacheName(layersDir, key)), used, used); err != nil && i > 25 {
			t.Fatal(err)
		}
	}
	stale := writeFile(t, filepath.Join(dir, layersDir, tempPrefix+"dead"), []byte("x"))
	os.Chtimes(stale, now.Add(-2*time.Hour), now.Add(-2*time.Hour))
	fresh := writeFile(t, filepath.Join(dir, layersDir, tempPrefix+"live"), []byte("x"))
	if err := c.Prune(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(stale); err == nil {
		t.Error("a dead process's file is left")
	}
	if _, err := os.Stat(fresh); err != nil {
		t.Error("a living process's file is gone")
	}
	if n := len(cacheFiles(t, dir)) - 1; n > 20 {
		t.Errorf("%d entries left", n)
	}
	if _, ok := c.Layer("29"); !ok {
		t.Error("the last one used is gone")
	}
	if _, ok := c.Layer("0"); ok {
		t.Error("the first one used is still there")
	}
	if err := c.PutLayer("large", make([]byte, 21*diskBlock)); err != nil {
		t.Error(err)
	}
	if _, ok := c.Layer("large"); ok {
		t.Error("a value larger than the cache was stored")
	}
}

func TestCacheRefusesOthersDirectories(t *testing.T) {
	parent := t.TempDir()
	own := filepath.Join(parent, "own")
	if err := os.Mkdir(own, 0o700); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(parent, "link")
	if err := os.Symlink(own, link); err != nil {
		t.Fatal(err)
	}
	open := filepath.Join(parent, "open")
	if err := os.Mkdir(open, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	for dir, what := range map[string]string{link: "symbolic link", link + "/": "symbolic link", open: "others may write"} {
		_, err := OpenCache(dir, 0)
		wantError(t, err, ErrCacheDir, what)
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(own, 12345, 12345); err != nil {
			t.Skip("cannot give a directory away here:", err)
		}
		_, err := OpenCache(own, 0)
		wantError(t, err, ErrCacheDir, "another user")
	} else if _, err := OpenCache("/", 0); err == nil {
		t.Error("root's directory was accepted")
	}
	_, err := OpenCache(writeFile(t, filepath.Join(parent, "file"), nil), 0)
	wantError(t, err, nil, "not a directory")
}

// Several processes write, read and prune at once: whatever is read is whole.
func TestCacheConcurrent(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	for range 4 {
		c := openCache(t, dir, 64*diskBlock)
		wg.Go(func() {
			for i := range 200 {
				key := fmt.Sprint(i % 50)
				want := strings.Repeat(key, 500)
				if err := c.PutLayer(key, []byte(want)); err != nil {
					t.Error(err)
				}
				if got, ok := c.Layer(key); ok && string(got) != want {
					t.Errorf("%s: %d bytes", key, len(got))
				}
			}
		})
	}
	wg.Wait()
}

func FuzzCacheEntry(f *testing.F) {
	f.Add(encodeEntry("k", []byte("v")), "k")
	f.Add([]byte(cacheMagic), "")
	f.Fuzz(func(t *testing.T, b []byte, key string) {
		decodeEntry(b, key)
		if v, ok := decodeEntry(encodeEntry(key, b), key); !ok || !bytes.Equal(v, b) {
			t.Error("does not come back")
		}
	})
}

func TestIdentity(t *testing.T) {
	path := writeFile(t, filepath.Join(t.TempDir(), "a.tar"), tarOf(t, file("etc/a", "1")))
	l := &one(t, open(t, path, Options{})).Layers[0]
	if id := l.Blob.Identity(); id != "" {
		t.Errorf("a file written just now has identity %s", id)
	}
	time.Sleep(settled + 10*time.Millisecond)
	before := l.Blob.Identity()
	if before == "" || before != l.Blob.Identity() {
		t.Errorf("identity %q is not steady", before)
	}
	if !l.Blob.Steady(before) || l.Blob.Steady("") {
		t.Error("steadiness does not follow the identity")
	}
	writeFile(t, path, tarOf(t, file("etc/a", "2")))
	time.Sleep(settled + 10*time.Millisecond)
	if after := l.Blob.Identity(); after == before || l.Blob.Steady(before) {
		t.Error("the identity outlives a change")
	}
}

// shift is a Sealer of a kind: it shows what is sealed and to what it is bound.
type shift struct{ by byte }

func (s shift) Seal(plain, bound []byte) ([]byte, error) {
	out := append([]byte{byte(len(bound))}, plain...)
	for i := range out {
		out[i] += s.by
	}
	return out, nil
}

func (s shift) Open(sealed, bound []byte) ([]byte, error) {
	out := bytes.Clone(sealed)
	for i := range out {
		out[i] -= s.by
	}
	if len(out) == 0 || out[0] != byte(len(bound)) {
		return nil, fs.ErrInvalid
	}
	return out[1:], nil
}

func TestCacheSealed(t *testing.T) {
	dir := t.TempDir()
	c := openCache(t, dir, 0)
	c.SealWith(shift{by: 7})
	if err := c.PutLayer("k", []byte("plain words")); err != nil {
		t.Fatal(err)
	}
	if got, ok := c.Layer("k"); !ok || string(got) != "plain words" {
		t.Errorf("got %q, %v", got, ok)
	}
	for _, f := range cacheFiles(t, dir) {
		if b, _ := os.ReadFile(f); bytes.Contains(b, []byte("plain")) {
			t.Errorf("%s holds the value as it is", f)
		}
	}
	if got, ok := openCache(t, dir, 0).Layer("k"); ok {
		t.Errorf("without the key: %q", got)
	}
	other := openCache(t, dir, 0)
	other.SealWith(shift{by: 9})
	if got, ok := other.Layer("k"); ok {
		t.Errorf("with another key: %q", got)
	}
}
