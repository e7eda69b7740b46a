package inventory

import (
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/inventory/rpmdb"
)

// rpm opens its SQLite database with a write-ahead log, and packages may stand only there if it did not end well. The
// database comes first in most layers, so both are kept until the end of the layer.

const (
	rpmSQLite   = "rpmdb.sqlite"
	rpmLog      = rpmSQLite + "-wal"
	maxKept     = 256 << 20 // bytes of a file
	maxKeptEver = 8         // files of a layer
)

// rpmLogParser marks the log as wanted; resolveRPMLogs reads it.
var rpmLogParser = parser{name: "rpm write-ahead log", where: inRPMDir,
	run: func(context.Context, *file) (parsed, error) { return parsed{}, nil }}

// kept is a file that is needed again.
type kept struct {
	*os.File
	size int64
}

// keepRPM puts a database or log aside. One that cannot be kept is missed when the layer ends, if at all.
func (w *Writer) keepRPM(f *file) {
	if base := path.Base(f.path); base != rpmSQLite && base != rpmLog || !inRPMDir(f.path) || f.r == nil {
		return
	}
	old, again := w.kept[f.path]
	if again {
		old.Close()
		delete(w.kept, f.path)
	}
	if f.size > maxKept || len(w.kept) >= maxKeptEver {
		return
	}
	tmp, err := unnamedFile(w.spool.dir)
	if err != nil {
		return
	}
	if _, err := io.Copy(tmp, io.NewSectionReader(f.r, 0, f.size)); err != nil {
		tmp.Close()
		return
	}
	w.kept[f.path] = kept{tmp, f.size}
}

func (w *Writer) closeKept() {
	for _, k := range w.kept {
		k.Close()
	}
	w.kept = nil
}

// resolveRPMLogs reads databases anew with the logs beside them.
func (w *Writer) resolveRPMLogs(ctx context.Context) {
	for _, p := range slices.Sorted(maps.Keys(w.rpmLogs)) {
		db := strings.TrimSuffix(p, "-wal")
		if err := w.readWithLog(ctx, db, p); err != nil {
			w.gap(finding.GapUnreadable, p, "the rpm database was not closed, its last changes stand in this log: "+err.Error())
		}
	}
}

func (w *Writer) readWithLog(ctx context.Context, db, log string) error {
	base, ok := w.kept[db]
	if !ok {
		return errors.New("the database beside it is not in the same layer or too large to keep")
	}
	changes, ok := w.kept[log]
	if !ok {
		return errors.New("too large to keep")
	}
	f := &file{path: db, named: db}
	f.r, f.size = rpmdb.WithLog(base, base.size, changes, changes.size)
	if f.r == io.ReaderAt(base) {
		return nil // no complete transaction in it
	}
	if r := w.results[db]; r != nil {
		r.packages = nil
	}
	w.parse(ctx, &rpmParser, f)
	return nil
}
