package rpmdb

import (
	"bytes"
	"encoding/binary"
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

// headerBytes makes a package header of texts by tag.
func headerBytes(texts map[uint32]string) []byte {
	var index, data []byte
	for tag, text := range texts {
		for _, v := range []uint32{tag, typeString, uint32(len(data)), 1} {
			index = binary.BigEndian.AppendUint32(index, v)
		}
		data = append(append(data, text...), 0)
	}
	b := binary.BigEndian.AppendUint32(nil, uint32(len(texts)))
	b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
	return append(append(b, index...), data...)
}

// ndbFile makes an NDB database of one package.
func ndbFile(header []byte) []byte {
	le := binary.LittleEndian
	b := make([]byte, ndbPage)
	copy(b, "RpmP")
	le.PutUint32(b[12:], 1)
	for at := ndbHeader; at < ndbPage; at += ndbUnit {
		copy(b[at:], ndbSlot)
	}
	le.PutUint32(b[ndbHeader+4:], 1)
	le.PutUint32(b[ndbHeader+8:], ndbPage/ndbUnit)
	blob := append([]byte(ndbBlob), 1, 0, 0, 0, 0, 0, 0, 0)
	blob = le.AppendUint32(blob, uint32(len(header)))
	return append(append(b, blob...), header...)
}

func TestOwnDatabase(t *testing.T) {
	db := ndbFile(headerBytes(map[uint32]string{tagName: "bash", tagVersion: "5.1", tagRelease: "4", tagArch: "x86_64"}))
	list, err := readAll(db)
	if err != nil || len(list) != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	if p := list[0]; p.Name != "bash" || p.Version != "5.1" || p.Release != "4" || p.Epoch != -1 {
		t.Errorf("read %+v", p)
	}
}

func TestDamagedDatabases(t *testing.T) {
	sqlite := append([]byte("SQLite format 3\x00\x10\x00"), make([]byte, 8192)...)
	bdb := make([]byte, 8192)
	binary.LittleEndian.PutUint32(bdb[12:], bdbHashMagic)
	binary.LittleEndian.PutUint32(bdb[20:], 4096)
	binary.LittleEndian.PutUint32(bdb[32:], 1)
	bdb[4096+bdbType] = bdbHash
	bdb[4096+bdbEntries] = 2
	for name, b := range map[string][]byte{
		"empty": nil, "short": []byte("RpmP"), "sqlite without a schema": sqlite, "bdb entries outside": bdb,
		"ndb blob cut short": ndbFile([]byte("x"))[:ndbPage+8], "text": bytes.Repeat([]byte("x"), 200),
	} {
		if list, err := readAll(b); err == nil {
			t.Errorf("%s: no error, %d packages", name, len(list))
		}
	}
}

// TestSharedPages: pages that point at each other end in an error, not in an endless read.
func TestSharedPages(t *testing.T) {
	b := make([]byte, 3*4096)
	copy(b, "SQLite format 3\x00\x10\x00")
	for n, page := range []int{100, 4096, 8192} { // each an interior page whose last child is the next, in a ring
		b[page] = sqliteInterior
		binary.BigEndian.PutUint32(b[page+8:], uint32(n+1)%3+1)
	}
	if _, err := readAll(b); err == nil {
		t.Error("no error")
	}
}

func FuzzRead(f *testing.F) {
	f.Add(ndbFile(headerBytes(map[uint32]string{tagName: "bash", tagVersion: "5.1"})))
	f.Add(append([]byte("SQLite format 3\x00\x10\x00"), make([]byte, 8192)...))
	bdb := make([]byte, 1024)
	binary.LittleEndian.PutUint32(bdb[12:], bdbHashMagic)
	binary.LittleEndian.PutUint32(bdb[20:], 512)
	f.Add(bdb)
	f.Fuzz(func(t *testing.T, b []byte) {
		readAll(b)
	})
}
