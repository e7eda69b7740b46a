package inventory

import (
	"os"
	"path/filepath"
	"testing"

	"database/sql"

	"github.com/google/go-cmp/cmp"
	_ "modernc.org/sqlite"
)

// rpmWithLog makes a database of no package, and a log in which the table is filled.
func rpmWithLog(t *testing.T, header []byte) (db, log string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), rpmSQLite)
	conn, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetMaxOpenConns(1)
	for _, q := range []string{
		"PRAGMA journal_mode=WAL", "PRAGMA wal_autocheckpoint=0",
		"CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB NOT NULL)", "PRAGMA wal_checkpoint(TRUNCATE)",
	} {
		if _, err := conn.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := conn.Exec("INSERT INTO Packages (blob) VALUES (?)", header); err != nil {
		t.Fatal(err)
	}
	read := func(p string) string {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	return read(file), read(file + "-wal")
}

// rpmHeader is that of bash-5.1-4: tags 1000, 1001, 1002 as texts.
var rpmHeader = []byte("\x00\x00\x00\x03\x00\x00\x00\x0b" +
	"\x00\x00\x03\xe8\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00\x01" +
	"\x00\x00\x03\xe9\x00\x00\x00\x06\x00\x00\x00\x05\x00\x00\x00\x01" +
	"\x00\x00\x03\xea\x00\x00\x00\x06\x00\x00\x00\x09\x00\x00\x00\x01" +
	"bash\x005.1\x004\x00")

func TestRPMLog(t *testing.T) {
	db, log := rpmWithLog(t, rpmHeader)
	const base = "var/lib/rpm/" + rpmSQLite
	for _, tt := range []struct {
		name   string
		layers [][]change
		want   []string
	}{
		{"no log", [][]change{{{what: base, content: db}}}, nil},
		{"empty log", [][]change{{{what: base, content: db}, {what: base + "-wal"}}}, nil},
		{"log behind the database", [][]change{{{what: base, content: db}, {what: base + "-wal", content: log}}}, []string{"bash 5.1-4 " + base + " @0"}},
		{"log before the database", [][]change{{{what: base + "-wal", content: log}, {what: base, content: db}}}, []string{"bash 5.1-4 " + base + " @0"}},
		{"log in another layer", [][]change{{{what: base, content: db}}, {{what: base + "-wal", content: log}}}, []string{"gap unreadable " + base + "-wal"}},
		{"log removed above", [][]change{{{what: base + "-wal", content: log}}, {{what: "-" + base + "-wal"}}}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inv, _ := image(t, tt.layers...)
			if d := cmp.Diff(tt.want, short(inv)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}
