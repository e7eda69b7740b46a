package state

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/klauspost/compress/zstd"
)

// A backup is the same for both engines:
//
//	one line of JSON            backupHeader
//	tar, zstd, encrypted where there are keys:
//	  about.json                backupAbout
//	  <table>/<number>.jsonl    rows, each an array of the values of the table's columns
//	  end.json                  how many rows each table has: a backup without it is cut off
const backupVersion = 1

type backupHeader struct {
	Seawall string `json:"seawall"` // "backup"
	Version int    `json:"version"`
	Key     string `json:"key,omitempty"`  // "": not encrypted
	Salt    string `json:"salt,omitempty"` // hexadecimal
}

type backupAbout struct {
	Schema  int               `json:"schema"`
	Engine  string            `json:"engine"`
	Created time.Time         `json:"created"`
	Tables  map[string]string `json:"tables"` // name → columns
}

// Backup writes everything in one consistent view, while others read and write. With keys it is encrypted with the
// current one: restoring it needs that key, and with it nothing that it says can be altered unnoticed.
func (db *DB) Backup(ctx context.Context, to io.Writer) error {
	out := bufio.NewWriterSize(to, 1<<20)
	body, err := db.beginBackup(ctx, out)
	if err != nil {
		return fmt.Errorf("beginning the backup: %w", err)
	}
	packed, err := zstd.NewWriter(body, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return err
	}
	files := tar.NewWriter(packed)
	err = db.engine.snapshot(ctx, func(q querier) error { return tx{db: db, q: q}.backup(ctx, files) })
	if err != nil {
		return err
	}
	for _, end := range []io.Closer{files, packed, body} {
		if err := end.Close(); err != nil {
			return fmt.Errorf("writing the backup: %w", err)
		}
	}
	return out.Flush()
}

// backupKeys are the keys that a backup is encrypted with: those of the database.
func (db *DB) backupKeys() Keys {
	if s, ok := db.engine.(*sqlite); ok {
		return s.lock.keys
	}
	return db.sealer.keys
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// beginBackup writes the header and returns what to write the rest to.
func (db *DB) beginBackup(ctx context.Context, to io.Writer) (io.WriteCloser, error) {
	h := backupHeader{Seawall: "backup", Version: backupVersion}
	var key []byte
	if keys := db.backupKeys(); keys != nil {
		salt := make([]byte, 32)
		rand.Read(salt) // never fails, see crypto/rand
		id, master, err := keys.Current(ctx)
		if err != nil {
			return nil, err
		}
		h.Key, h.Salt = id, hex.EncodeToString(salt)
		key = backupKey(master, h)
	}
	line, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	if _, err := to.Write(append(line, '\n')); err != nil || key == nil {
		return nopCloser{to}, err
	}
	return newSealWriter(to, key)
}

// backupKey depends on the whole header, so that none of it can be altered.
func backupKey(master []byte, h backupHeader) []byte {
	return derive(master, fmt.Sprintf("seawall state backup %d %s %s", h.Version, h.Key, h.Salt))
}

func (t tx) backup(ctx context.Context, to *tar.Writer) error {
	about := backupAbout{Engine: t.db.engine.name(), Created: t.db.now().UTC(), Tables: map[string]string{}}
	if err := t.row(ctx, `SELECT version FROM schema_version`).Scan(&about.Schema); err != nil {
		return err
	}
	for _, tb := range tables {
		about.Tables[tb.name] = tb.columns
	}
	if err := addJSON(to, "about.json", about, about.Created); err != nil {
		return err
	}
	counts := map[string]int64{}
	for i := range tables {
		n, err := t.backupTable(ctx, to, &tables[i], about.Created)
		if err != nil {
			return fmt.Errorf("backing up %s: %w", tables[i].name, err)
		}
		counts[tables[i].name] = n
	}
	return addJSON(to, "end.json", counts, about.Created)
}

func addJSON(to *tar.Writer, name string, v any, at time.Time) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return addFile(to, name, text, at)
}

func addFile(to *tar.Writer, name string, content []byte, at time.Time) error {
	h := tar.Header{Name: name, Mode: 0o600, Size: int64(len(content)), ModTime: at, Format: tar.FormatPAX}
	if err := to.WriteHeader(&h); err != nil {
		return err
	}
	_, err := to.Write(content)
	return err
}

// chunk is how many bytes of rows go into one file of a backup, or a few more.
const chunk = 4 << 20

func (t tx) backupTable(ctx context.Context, to *tar.Writer, tb *table, at time.Time) (n int64, err error) {
	columns, err := parseColumns(tb.columns)
	if err != nil {
		return 0, err
	}
	where := ""
	if tb.where != "" {
		where = " WHERE " + tb.where
	}
	var lines bytes.Buffer
	files := 0
	flush := func() error {
		files++
		defer lines.Reset()
		return addFile(to, fmt.Sprintf("%s/%06d.jsonl", tb.name, files), lines.Bytes(), at)
	}
	err = each(ctx, t, func(s scanner) error {
		row, err := t.backupRow(ctx, tb, columns, s)
		if err != nil {
			return err
		}
		n++
		if err := json.NewEncoder(&lines).Encode(row); err != nil || lines.Len() < chunk {
			return err
		}
		return flush()
	}, `SELECT `+columnNames(columns)+` FROM `+tb.name+where)
	if err != nil || lines.Len() == 0 {
		return n, err
	}
	return n, flush()
}

// backupRow reads a row and opens what is sealed in it.
func (t tx) backupRow(ctx context.Context, tb *table, columns []column, s scanner) ([]any, error) {
	row := make([]any, len(columns))
	for i, c := range columns {
		row[i] = holder(c.kind)
	}
	if err := s.Scan(row...); err != nil {
		return nil, err
	}
	for i, c := range columns {
		if c.kind != 's' {
			continue
		}
		value := row[i].(*[]byte)
		plain, err := t.db.sealer.open(ctx, cell{tb.name, c.name, rowName(tb, columns, row)}, *value)
		if err != nil {
			return nil, err
		}
		*value = plain
	}
	return row, nil
}

// holder is what a value of the kind is scanned into, and decoded from JSON into.
func holder(kind byte) any {
	switch kind {
	case 'i':
		return new(int64)
	case 'f':
		return new(float64)
	case 'o':
		return new(bool)
	case 't':
		return new(string)
	}
	return new([]byte)
}

// rowName is what a sealed value of the row is bound to.
func rowName(tb *table, columns []column, row []any) string {
	for i, c := range columns {
		if c.name != tb.row {
			continue
		}
		switch v := row[i].(type) {
		case *int64:
			return strconv.FormatInt(*v, 10)
		case *string:
			return *v
		}
	}
	return ""
}
