package state

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/seawall/seawall/audit"
)

// tx runs statements, written for both engines: see dialect.
type tx struct {
	db   *DB
	q    querier
	done *[]func() // what to do after the commit; nil while reading
}

// after has f called once the transaction is committed.
func (t tx) after(f func()) { *t.done = append(*t.done, f) }

func (db *DB) read(ctx context.Context, f func(tx) error) error {
	return db.engine.read(ctx, func(q querier) error { return f(tx{db: db, q: q}) })
}

// write runs f and stores the records of what it did in one transaction. f may run more than once.
func (db *DB) write(ctx context.Context, f func(tx) error, by ...audit.Entry) error {
	var done []func()
	err := db.engine.write(ctx, func(q querier) error {
		done = nil
		t := tx{db, q, &done}
		if err := f(t); err != nil {
			return err
		}
		return t.record(ctx, by)
	})
	if err == nil {
		for _, f := range done {
			f()
		}
	}
	return err
}

// exec returns the number of rows that it changed.
func (t tx) exec(ctx context.Context, query string, args ...any) (int64, error) {
	res, err := t.q.ExecContext(ctx, t.db.engine.rewrite(query), t.db.engine.bind(args)...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// must is exec, with absent as error where no row was changed.
func (t tx) must(ctx context.Context, absent error, query string, args ...any) error {
	n, err := t.exec(ctx, query, args...)
	if err == nil && n == 0 {
		err = absent
	}
	return err
}

func (t tx) row(ctx context.Context, query string, args ...any) *sql.Row {
	return t.q.QueryRowContext(ctx, t.db.engine.rewrite(query), t.db.engine.bind(args)...)
}

func (t tx) rows(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return t.q.QueryContext(ctx, t.db.engine.rewrite(query), t.db.engine.bind(args)...)
}

// insert adds rows of many columns by few statements.
func (t tx) insert(ctx context.Context, into, suffix string, rows [][]any) error {
	const most = 50
	for len(rows) > 0 {
		n := min(most, len(rows))
		var args []any
		for _, r := range rows[:n] {
			args = append(args, r...)
		}
		one := "(" + strings.TrimSuffix(strings.Repeat("?, ", len(rows[0])), ", ") + ")"
		values := strings.TrimSuffix(strings.Repeat(one+", ", n), ", ")
		if _, err := t.exec(ctx, "INSERT INTO "+into+" VALUES "+values+" "+suffix, args...); err != nil {
			return fmt.Errorf("storing %s: %w", into, err)
		}
		rows = rows[n:]
	}
	return nil
}

// scanner is *sql.Row and *sql.Rows.
type scanner interface{ Scan(dest ...any) error }

// list collects what scan makes of each row. The list is never nil, so that it marshals to [].
func list[T any](ctx context.Context, t tx, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	out := []T{}
	err := each(ctx, t, func(s scanner) error {
		v, err := scan(s)
		out = append(out, v)
		return err
	}, query, args...)
	return out, err
}

// each hands every row to f, which must not run statements: on SQLite within a transaction they share the connection.
func each(ctx context.Context, t tx, f func(scanner) error, query string, args ...any) error {
	rows, err := t.rows(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func scanInt(s scanner) (n int64, err error)   { err = s.Scan(&n); return n, err }
func scanText(s scanner) (v string, err error) { err = s.Scan(&v); return v, err }

// nano is how times are kept.
func nano(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func when(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

// limit bounds what a caller asks for by the rule that all lists share.
func limit(n int) int {
	if n <= 0 {
		return 100
	}
	return min(n, 1000)
}
