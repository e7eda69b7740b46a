package state

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

//go:embed migrations/*.sql
var migrations embed.FS

// step is one migration. Steps are never changed once they are released; the schema only moves forward.
type step struct {
	version int
	text    string
}

// steps lists the migrations in their order.
func steps() ([]step, error) {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var out []step
	for i, name := range names {
		number, _, _ := strings.Cut(strings.TrimPrefix(name, "migrations/"), "_")
		v, err := strconv.Atoi(number)
		if err != nil || v != i+1 {
			return nil, fmt.Errorf("migration %s: want number %d", name, i+1)
		}
		text, err := migrations.ReadFile(name)
		if err != nil {
			return nil, err
		}
		out = append(out, step{v, string(text)})
	}
	return out, nil
}

// migrate brings the schema up to date, each step in a transaction of its own.
func (db *DB) migrate(ctx context.Context) error {
	all, err := steps()
	if err != nil {
		return err
	}
	return db.migrateTo(ctx, len(all))
}

// migrateTo brings the schema to an older version: that of a backup that is going to be restored.
func (db *DB) migrateTo(ctx context.Context, version int) error {
	all, err := steps()
	if err != nil {
		return err
	}
	if version < 1 || version > len(all) {
		return fmt.Errorf("schema version %d: this program knows 1 to %d", version, len(all))
	}
	for _, s := range all[:version] {
		if err := db.step(ctx, s, len(all)); err != nil {
			return fmt.Errorf("migrating the schema to version %d: %w", s.version, err)
		}
	}
	return nil
}

// step takes one step where it was not taken. Of several hubs that start at once, one takes it and the others wait.
func (db *DB) step(ctx context.Context, s step, newest int) error {
	return db.write(ctx, func(t tx) error {
		have, err := t.version(ctx)
		switch {
		case err != nil:
			return err
		case have > newest:
			return fmt.Errorf("the database has schema version %d, this program knows %d: use the newer program, or restore a backup of the older one", have, newest)
		case have >= s.version:
			return nil
		}
		for _, statement := range statements(db.engine.types().Replace(s.text)) {
			if _, err := t.q.ExecContext(ctx, statement); err != nil {
				return fmt.Errorf("%s: %w", firstLine(statement), err)
			}
		}
		_, err = t.exec(ctx, `UPDATE schema_version SET version = ?`, s.version)
		return err
	})
}

// version reads the version of the schema, 0 for an empty database, and keeps others from changing it.
func (t tx) version(ctx context.Context) (int, error) {
	if t.db.engine.name() == "postgres" {
		if _, err := t.exec(ctx, `SELECT pg_advisory_xact_lock(7382915)`); err != nil {
			return 0, err
		}
	}
	if _, err := t.exec(ctx, `CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)`); err != nil {
		return 0, err
	}
	if _, err := t.exec(ctx, `INSERT INTO schema_version SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM schema_version)`); err != nil {
		return 0, err
	}
	var v int
	err := t.row(ctx, `SELECT version FROM schema_version`).Scan(&v)
	return v, err
}

// statements splits a migration at the semicolons that end lines; comments go.
func statements(text string) []string {
	var clean strings.Builder
	for line := range strings.Lines(text) {
		if before, _, ok := strings.Cut(line, "--"); ok {
			line = before + "\n"
		}
		clean.WriteString(line)
	}
	var out []string
	for s := range strings.SplitSeq(clean.String(), ";\n") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
