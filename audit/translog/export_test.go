package translog

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/seawall/seawall/audit/verify"
)

// filled returns a log with n records.
func filled(t *testing.T, n int, change ...func(*Config)) (*Log, *store) {
	t.Helper()
	s := &store{}
	s.add(n)
	cfg := Config{Dir: filepath.Join(t.TempDir(), "audit"), Key: testKey(t), Outbox: s, Archive: s}
	for _, f := range change {
		f(&cfg)
	}
	l, _ := run(t, cfg)
	await(t, "the log", func() bool { return s.waiting() == 0 })
	return l, s
}

func untar(t *testing.T, r io.Reader) string {
	t.Helper()
	dir := t.TempDir()
	for in := tar.NewReader(r); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return dir
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(in)
		path := filepath.Join(dir, h.Name)
		if err := errors.Join(err, os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, b, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestExportsVerify(t *testing.T) {
	l, s := filled(t, 1100)
	for _, r := range []Range{All, {0, 1100}, {0, 0}, {1100, 1100}, {300, 301}, {255, 1025}, {256, 512}, {1, -1}, {-1, 700}} {
		var b bytes.Buffer
		if err := l.Export(t.Context(), r, &b); err != nil {
			t.Errorf("%+v: %v", r, err)
			continue
		}
		report, err := verify.Dir(t.Context(), untar(t, &b), verify.Options{Key: l.Public()})
		if err != nil || report.Size != 1100 {
			t.Errorf("%+v: %+v, %v", r, report, err)
		}
	}
	for _, r := range []Range{{0, 1101}, {7, 3}, {2000, -1}} {
		if err := l.Export(t.Context(), r, io.Discard); err == nil {
			t.Errorf("%+v was exported", r)
		}
	}
	s.list[700].Actor.ID = "user:mallory"
	dir := filepath.Join(t.TempDir(), "export")
	if err := l.ExportDir(t.Context(), All, dir); err != nil {
		t.Fatal(err)
	}
	_, err := verify.Dir(t.Context(), dir, verify.Options{Key: l.Public()})
	if p := (&verify.Problem{}); !errors.As(err, &p) || p.Kind != verify.Altered || p.Index != 700 || p.ID != s.list[700].ID {
		t.Errorf("altered in the state: %v", err)
	}
	if err := l.ExportDir(t.Context(), All, dir); err == nil {
		t.Error("an export was overwritten")
	}
}

func TestExportAfterTheLogHasGrown(t *testing.T) {
	l, s := filled(t, 300)
	old, c, err := l.Checkpoint()
	if err != nil {
		t.Fatal(err)
	}
	s.add(500)
	await(t, "more", func() bool { return s.waiting() == 0 })
	root, err := l.tiles.root(uint64(c.Size))
	if err != nil || !bytes.Equal(root, c.Root) {
		t.Errorf("the root of before: %x, %v, want %x", root, err, c.Root)
	}
	dir := filepath.Join(t.TempDir(), "export")
	if err := l.ExportDir(t.Context(), All, dir); err != nil {
		t.Fatal(err)
	}
	report, err := verify.Dir(t.Context(), dir, verify.Options{Key: l.Public(), Older: old})
	if err != nil || report.Continues != 300 {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestTheLogHoldsNoText(t *testing.T) {
	l, _ := filled(t, 10)
	err := filepath.WalkDir(l.cfg.Dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		for _, text := range []string{"team/app", "image.push", "system"} {
			if bytes.Contains(b, []byte(text)) {
				t.Errorf("%s holds %q", path, text)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestDamagedDirectoriesAreErrors(t *testing.T) {
	l, _ := filled(t, 300)
	for _, name := range []string{"tile/entries/000", "tile/0/000", "checkpoint"} {
		path := filepath.Join(l.cfg.Dir, name)
		good, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for what, bad := range map[string][]byte{"truncated": good[:len(good)/2], "empty": {}, "noise": bytes.Repeat([]byte{0xff}, len(good)), "short": good[:3]} {
			if err := os.WriteFile(path, bad, 0o644); err != nil {
				t.Fatal(err)
			}
			if err := l.Export(t.Context(), Range{1, 299}, io.Discard); err == nil && what != "noise" {
				t.Errorf("%s %s: exported", name, what)
			}
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := l.Export(t.Context(), Range{1, 299}, io.Discard); err == nil {
			t.Errorf("%s removed: exported", name)
		}
		if err := os.WriteFile(path, good, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
