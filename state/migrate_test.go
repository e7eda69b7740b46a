package state

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files of the newest schema")

// TestUpgradeFromEverySchema restores the backup that was kept of each schema version, which takes every migration after
// it over real rows. Files of released schemas are never written again.
func TestUpgradeFromEverySchema(t *testing.T) {
	all := must(steps())(t)
	newest := filepath.Join("testdata", "schema-0001.backup")
	if *update && len(all) == 1 {
		f := &fixture{DB: open(t, Config{DSN: sqliteFile(t), Clock: newClock().time}), clock: newClock(), t: t}
		f.fill()
		var b bytes.Buffer
		f.ok(f.Backup(t.Context(), &b))
		f.ok(os.MkdirAll("testdata", 0o755))
		f.ok(os.WriteFile(newest, b.Bytes(), 0o644))
	}
	files := must(filepath.Glob(filepath.Join("testdata", "schema-*.backup")))(t)
	if len(files) != len(all) {
		t.Errorf("%d backups for %d schemas", len(files), len(all))
	}
	for _, file := range files {
		for _, engine := range []struct {
			name string
			dsn  func(*testing.T) string
		}{{"sqlite", sqliteFile}, {"postgres", postgresDatabase}} {
			t.Run(filepath.Base(file)+" "+engine.name, func(t *testing.T) {
				cfg := Config{DSN: engine.dsn(t)}
				if err := Restore(t.Context(), cfg, bytes.NewReader(must(os.ReadFile(file))(t))); err != nil {
					t.Fatal(err)
				}
				db := open(t, cfg)
				for _, tb := range tables {
					if len(dump(t, db)[tb.name]) == 0 {
						t.Errorf("%s is empty", tb.name)
					}
				}
			})
		}
	}
}

func TestNewerSchemaIsRefused(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		f.ok(f.write(t.Context(), func(x tx) error {
			_, err := x.exec(t.Context(), `UPDATE schema_version SET version = version + 1`)
			return err
		}))
		if err := f.migrate(t.Context()); err == nil || !strings.Contains(err.Error(), "use the newer program") {
			t.Errorf("got %v", err)
		}
	})
}

// TestBackupKnowsEveryTable: a table or a column that a migration adds must not be missing in backups.
func TestBackupKnowsEveryTable(t *testing.T) {
	db := open(t, Config{DSN: sqliteFile(t)})
	left := []string{"answer", "leader", "schema_version", "sqlite_sequence", "sqlite_stat1"}
	err := db.read(t.Context(), func(x tx) error {
		names, err := list(t.Context(), x, scanText, `SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name`)
		if err != nil {
			return err
		}
		for _, name := range names {
			if slices.Contains(left, name) {
				continue
			}
			have, err := list(t.Context(), x, scanText, `SELECT name FROM pragma_table_info('`+name+`') ORDER BY cid`)
			if err != nil {
				return err
			}
			columns := must(parseColumns(tableNamed(name).columns))(t)
			var want []string
			for _, c := range columns {
				want = append(want, c.name)
			}
			slices.Sort(have)
			slices.Sort(want)
			if d := cmp.Diff(have, want); d != "" {
				t.Errorf("%s: %s", name, d)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
