package mapped

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

var errDamaged = errors.New("damaged")

func file(t *testing.T, content []byte) *os.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestFile(t *testing.T) {
	f := file(t, []byte("hello, world"))
	b, unmap, err := File(f, 5)
	if err != nil {
		t.Fatal(err)
	}
	f.Close() // the bytes do not need it
	if string(b) != "hello" {
		t.Errorf("got %q, want the first five bytes", b)
	}
	if err := unmap(); err != nil {
		t.Error(err)
	}
}

func TestFileErrors(t *testing.T) {
	f := file(t, []byte("x"))
	f.Close()
	if _, _, err := File(f, 1); err == nil {
		t.Error("a closed file was mapped")
	}
}

// sum reads b under a guard.
func sum(b []byte) (n int, err error) {
	defer Guard(errDamaged)(&err)
	for _, c := range b {
		n += int(c)
	}
	return n, nil
}

func TestGuard(t *testing.T) {
	if n, err := sum([]byte{1, 2, 3}); n != 6 || err != nil {
		t.Errorf("got %d, %v, want 6 and no error", n, err)
	}
}

// A file that is cut while it is mapped gives an error, and the process goes on.
func TestGuardCutFile(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux is known to fault on pages behind the end of a mapped file")
	}
	f := file(t, bytes.Repeat([]byte{1}, 1<<20))
	b, unmap, err := File(f, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer unmap()
	if err := f.Truncate(0); err != nil {
		t.Fatal(err)
	}
	for range 2 { // also when it happens again
		_, err := sum(b)
		if !errors.Is(err, errDamaged) || !strings.Contains(err.Error(), "changed while it was read") {
			t.Errorf("got %v, want an error that says the file changed", err)
		}
	}
}

func TestGuardPassesOtherPanics(t *testing.T) {
	for name, f := range map[string]func(){
		"value":        func() { panic("something else") },
		"nil map":      func() { var m map[int]int; m[0] = 1 },
		"out of range": func() { var s []int; _ = s[len(os.Args)] },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			var err error
			defer Guard(errDamaged)(&err)
			f()
		})
	}
}
