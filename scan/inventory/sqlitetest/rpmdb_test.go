// Package sqlitetest holds the reader of rpm's databases against databases that SQLite itself wrote. It is apart so that
// fuzzing need not build SQLite.
package sqlitetest

import (
	"bytes"
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/seawall/seawall/scan/inventory/rpmdb"
)

// rpmHeader is that of bash-5.1-4: tags 1000, 1001, 1002 as texts.
var rpmHeader = []byte("\x00\x00\x00\x03\x00\x00\x00\x0b" +
	"\x00\x00\x03\xe8\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00\x01" +
	"\x00\x00\x03\xe9\x00\x00\x00\x06\x00\x00\x00\x05\x00\x00\x00\x01" +
	"\x00\x00\x03\xea\x00\x00\x00\x06\x00\x00\x00\x09\x00\x00\x00\x01" +
	"bash\x005.1\x004\x00")

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
			do("INSERT INTO Packages (blob) VALUES (?)", append(bytes.Clone(rpmHeader), make([]byte, 8000)...))
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
	r, size := rpmdb.WithLog(bytes.NewReader(db), int64(len(db)), bytes.NewReader(log), int64(len(log)))
	err = rpmdb.Read(r, size, func(rpmdb.Package) error {
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
	f("no transaction", log[:132], 10)
	f("header alone", log[:32], 10)
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
