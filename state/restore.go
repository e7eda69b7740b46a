package state

import (
	"archive/tar"
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// Limits on what a backup may hold: it may come from elsewhere.
const (
	maxHeaderLine = 4096
	maxBackupFile = 1 << 30
)

// Restore fills an empty database from a backup, of either engine and of this schema or an older one. A plain backup may
// go into an encrypted database, and the other way round. Nothing is stored unless all of it is.
func Restore(ctx context.Context, cfg Config, from io.Reader) error {
	db, err := connect(ctx, cfg)
	if err != nil {
		return err
	}
	return errors.Join(db.restore(ctx, cfg, from), db.Close())
}

func (db *DB) restore(ctx context.Context, cfg Config, from io.Reader) error {
	body, err := openBackup(ctx, cfg.Keys, from)
	if err != nil {
		return fmt.Errorf("reading the backup: %w", err)
	}
	unpacked, err := zstd.NewReader(body, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(256<<20))
	if err != nil {
		return err
	}
	defer unpacked.Close()
	r := &restorer{files: tar.NewReader(unpacked)}
	if err := r.readAbout(); err != nil {
		return fmt.Errorf("reading the backup: %w", err)
	}
	if err := db.migrateTo(ctx, r.about.Schema); err != nil {
		return err
	}
	once := false // a transaction that is repeated would find the backup read
	err = db.write(ctx, func(t tx) error {
		if once {
			return errors.New("the restore was disturbed: run it again, alone")
		}
		once = true
		return r.fill(ctx, t)
	})
	if err != nil {
		return fmt.Errorf("restoring: %w", err)
	}
	if err := db.migrate(ctx); err != nil {
		return err
	}
	return db.checkSeal(ctx)
}

// openBackup reads the header and decrypts what follows.
func openBackup(ctx context.Context, keys Keys, from io.Reader) (io.Reader, error) {
	in := bufio.NewReaderSize(from, maxHeaderLine)
	line, err := in.ReadSlice('\n')
	var h backupHeader
	if err != nil || json.Unmarshal(line, &h) != nil || h.Seawall != "backup" {
		return nil, errors.New("this is no backup")
	}
	switch {
	case h.Version != backupVersion:
		return nil, fmt.Errorf("it has version %d: this program reads version %d", h.Version, backupVersion)
	case h.Key == "":
		return in, nil
	case keys == nil:
		return nil, fmt.Errorf("it is encrypted with the key %s: configure the keys", h.Key)
	}
	master, err := keys.Key(ctx, h.Key)
	if err != nil {
		return nil, fmt.Errorf("asking for the key %s: %w", h.Key, err)
	}
	return newOpenReader(in, backupKey(master, h))
}

type restorer struct {
	files  *tar.Reader
	about  backupAbout
	counts map[string]int64
}

func (r *restorer) readAbout() error {
	h, err := r.files.Next()
	if err != nil {
		return err
	}
	if h.Name != "about.json" || h.Size > maxBackupFile {
		return errors.New("it does not say what it is")
	}
	return json.NewDecoder(r.files).Decode(&r.about)
}

func (r *restorer) fill(ctx context.Context, t tx) error {
	if err := r.empty(ctx, t); err != nil {
		return err
	}
	r.counts = map[string]int64{}
	for {
		h, err := r.files.Next()
		if err == io.EOF {
			return errors.New("the backup is cut off")
		} else if err != nil {
			return err
		}
		if h.Name == "end.json" {
			break
		}
		if err := r.file(ctx, t, h); err != nil {
			return fmt.Errorf("%s: %w", h.Name, err)
		}
	}
	if err := r.checkCounts(); err != nil {
		return err
	}
	return t.numberOn(ctx)
}

// empty refuses to restore over something.
func (r *restorer) empty(ctx context.Context, t tx) error {
	for name := range r.about.Tables {
		if !identifier.MatchString(name) {
			return fmt.Errorf("table %q: no such table", name)
		}
		where := ""
		if tb := tableNamed(name); tb.where != "" {
			where = " WHERE " + tb.where
		}
		var any bool
		if err := t.row(ctx, `SELECT EXISTS (SELECT 1 FROM `+name+where+`)`).Scan(&any); err != nil {
			return err
		}
		if any {
			return fmt.Errorf("the database is not empty: there are rows in %s", name)
		}
	}
	return nil
}

func (r *restorer) file(ctx context.Context, t tx, h *tar.Header) error {
	name, _, _ := strings.Cut(h.Name, "/")
	text, ok := r.about.Tables[name]
	if !ok || !identifier.MatchString(name) || name == "schema_version" {
		return errors.New("the backup does not announce this table")
	}
	if h.Size > maxBackupFile {
		return fmt.Errorf("%d bytes: at most %d are read", h.Size, maxBackupFile)
	}
	columns, err := parseColumns(text)
	if err != nil {
		return err
	}
	tb := tableNamed(name)
	rows := json.NewDecoder(r.files)
	var batch [][]any
	for {
		row, err := restoreRow(ctx, t, &tb, columns, rows)
		if err == io.EOF {
			break
		} else if err != nil {
			return fmt.Errorf("row %d: %w", r.counts[name]+1, err)
		}
		r.counts[name]++
		if batch = append(batch, row); len(batch) == 50 {
			if err := t.insert(ctx, name+" ("+columnNames(columns)+")", "", batch); err != nil {
				return err
			}
			batch = nil
		}
	}
	return t.insert(ctx, name+" ("+columnNames(columns)+")", "", batch)
}

func tableNamed(name string) table {
	for _, tb := range tables {
		if tb.name == name {
			return tb
		}
	}
	return table{name: name}
}

// restoreRow reads a row and seals what has to be.
func restoreRow(ctx context.Context, t tx, tb *table, columns []column, from *json.Decoder) ([]any, error) {
	row := make([]any, len(columns))
	for i, c := range columns {
		row[i] = holder(c.kind)
	}
	var raw []json.RawMessage
	if err := from.Decode(&raw); err != nil {
		return nil, err
	}
	if len(raw) != len(columns) {
		return nil, fmt.Errorf("%d values for %d columns", len(raw), len(columns))
	}
	for i := range raw {
		if err := json.Unmarshal(raw[i], row[i]); err != nil {
			return nil, err
		}
	}
	for i, c := range columns {
		if c.kind != 's' {
			continue
		}
		value := row[i].(*[]byte)
		sealed, err := t.db.sealer.seal(ctx, cell{tb.name, c.name, rowName(tb, columns, row)}, *value)
		if err != nil {
			return nil, err
		}
		*value = sealed
	}
	for i := range row {
		row[i] = plainValue(row[i])
	}
	return row, nil
}

func plainValue(v any) any {
	switch p := v.(type) {
	case *int64:
		return *p
	case *float64:
		return *p
	case *bool:
		return *p
	case *string:
		return *p
	case *[]byte:
		return *p
	}
	return v
}

func (r *restorer) checkCounts() error {
	var want map[string]int64
	if err := json.NewDecoder(r.files).Decode(&want); err != nil {
		return err
	}
	for name, n := range want {
		if r.counts[name] != n {
			return fmt.Errorf("the backup has %d rows of %s, and announces %d", r.counts[name], name, n)
		}
	}
	return nil
}

// numberOn has new rows numbered after the restored ones. SQLite does it by itself.
func (t tx) numberOn(ctx context.Context) error {
	if t.db.engine.name() != "postgres" {
		return nil
	}
	for _, tb := range tables {
		if tb.seq == "" {
			continue
		}
		_, err := t.exec(ctx, fmt.Sprintf(`SELECT setval(pg_get_serial_sequence('%s', '%s'), (SELECT COALESCE(max(%s), 0) + 1 FROM %s), false)`,
			tb.name, tb.seq, tb.seq, tb.name))
		if err != nil {
			return fmt.Errorf("numbering %s: %w", tb.name, err)
		}
	}
	return nil
}
