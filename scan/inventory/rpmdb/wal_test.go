package rpmdb

import (
	"bytes"
	"database/sql"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite"
)

// logged makes a database as rpm does and returns it with its log, before anything was copied back: first packages are
// in the database, later ones only in the log.
func logged(tb testing.TB, first, later int) (db, log []byte) {
	tb.Helper()
	file := filepath.Join(tb.TempDir(), "rpmdb.sqlite")
	conn, err := sql.Open("sqlite", file)
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Close()
	conn.SetMaxOpenConns(1)
	do := func(query string, args ...any) {
		if _, err := conn.Exec(query, args...); err != nil {
			tb.Fatal(err)
		}
	}
	insert := func(from, to int) {
		for i := from; i < to; i++ {
			do("INSERT INTO Packages (blob) VALUES (?)", headerBytes(map[uint32]string{
				tagName: fmt.Sprintf("package-%d", i), tagVersion: "1", tagRelease: "1", tagArch: "noarch",
				tagLicense: string(bytes.Repeat([]byte("MIT "), 2000)), // some pages of overflow
			}))
		}
	}
	do("PRAGMA journal_mode=WAL")
	do("PRAGMA wal_autocheckpoint=0")
	do("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)")
	insert(0, first)
	do("PRAGMA wal_checkpoint(TRUNCATE)")
	insert(first, first+later)
	if later > 0 {
		do("DELETE FROM Packages WHERE hnum = 1")
	}
	if db, err = os.ReadFile(file); err != nil {
		tb.Fatal(err)
	}
	if log, err = os.ReadFile(file + "-wal"); err != nil {
		tb.Fatal(err)
	}
	return db, log
}

func countWith(db, log []byte) (n int, err error) {
	r, size := WithLog(bytes.NewReader(db), int64(len(db)), bytes.NewReader(log), int64(len(log)))
	err = Read(r, size, func(Package) error {
		n++
		return nil
	})
	return n, err
}

func TestWithLog(t *testing.T) {
	db, log := logged(t, 10, 20)
	if n, err := countWith(db, nil); n != 10 || err != nil {
		t.Fatalf("the database alone has %d packages, %v", n, err)
	}
	frames := len(log)
	f := func(name string, log []byte, want int) {
		t.Helper()
		if n, err := countWith(db, log); n != want || err != nil {
			t.Errorf("%s: %d packages, want %d; %v", name, n, want, err)
		}
	}
	f("whole log", log, 29)
	f("rest of an older log behind it", append(bytes.Clone(log), bytes.Repeat([]byte{7}, 10000)...), 29)
	f("last transaction cut short", log[:frames-1], 30) // the deletion
	f("no transaction", log[:walHeader+100], 10)
	f("header alone", log[:walHeader], 10)
	damaged := bytes.Clone(log)
	damaged[5]++
	f("damaged header", damaged, 10)
	damaged = bytes.Clone(log)
	damaged[frames-100]++
	f("damaged last frame", damaged, 30)

	closed, empty := logged(t, 10, 0)
	if n, err := countWith(closed, empty); n != 10 || err != nil {
		t.Errorf("empty log: %d packages, %v", n, err)
	}
}

func TestLogFirst(t *testing.T) { // nothing was ever copied back
	db, log := logged(t, 0, 5)
	if n, err := countWith(db, log); n != 4 || err != nil {
		t.Errorf("%d packages, %v", n, err)
	}
	if n, err := countWith(db[:100], log); n != 4 || err != nil { // all of its pages stand in the log
		t.Errorf("with a database cut short: %d packages, %v", n, err)
	}
}

// smallLog is a log of one transaction that writes page to the first page of a database of one.
func smallLog(page []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, walMagic)
	for _, v := range []uint32{3007000, uint32(len(page)), 0, 1, 2} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	sum := walSum{order: binary.LittleEndian}
	sum.add(b)
	b = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, sum.s0), sum.s1)
	frame := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, 1), 1)
	sum.add(frame)
	sum.add(page)
	frame = append(frame, b[16:24]...)
	frame = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(frame, sum.s0), sum.s1)
	return append(append(b, frame...), page...)
}

func FuzzWithLog(f *testing.F) {
	page := append([]byte("SQLite format 3\x00\x02\x00"), make([]byte, 494)...)
	page[100] = sqliteLeaf
	f.Add(page, smallLog(page))
	f.Add(page, smallLog(page)[:500])
	f.Add([]byte{}, smallLog(page))
	f.Fuzz(func(t *testing.T, db, log []byte) { countWith(db, log) })
}
