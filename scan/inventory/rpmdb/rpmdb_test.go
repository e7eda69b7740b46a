package rpmdb

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func sharedFile(tb testing.TB, name string) []byte {
	tb.Helper()
	dir := os.Getenv("SEAWALL_SHARED_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "shared", "data")
	}
	b, err := os.ReadFile(filepath.Join(dir, "images", "rpmdb", name))
	if err != nil {
		tb.Skipf("needs images/rpmdb/%s of the shared test data (set SEAWALL_SHARED_DATA): %v", name, err)
	}
	return b
}

func readAll(b []byte) (list []Package, err error) {
	err = Read(bytes.NewReader(b), int64(len(b)), func(p Package) error {
		list = append(list, p)
		return nil
	})
	return list, err
}

func TestRealDatabases(t *testing.T) {
	for _, tt := range []struct {
		file     string
		packages int
	}{
		{"cbl-mariner-2.0/rpmdb.sqlite", 129},
		{"sle15-bci/Packages.db", 35},
		{"libuuid/Packages", 1},
	} {
		t.Run(tt.file, func(t *testing.T) {
			list, err := readAll(sharedFile(t, tt.file))
			if err != nil {
				t.Fatal(err)
			}
			if len(list) != tt.packages {
				t.Errorf("%d packages, want %d", len(list), tt.packages)
			}
		})
	}
}

func BenchmarkRead(b *testing.B) {
	for _, file := range []string{"cbl-mariner-2.0/rpmdb.sqlite", "sle15-bci/Packages.db", "libuuid/Packages"} {
		b.Run(filepath.Base(file), func(b *testing.B) {
			data := sharedFile(b, file)
			for b.Loop() {
				if _, err := readAll(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
