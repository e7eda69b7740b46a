package state

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"
	_ "github.com/ncruces/go-sqlite3/vfs/adiantum" // the encrypting file system
)

// readers bounds the connections that read: each holds its own page cache.
const readers = 4

// sqlite is one file: a connection that writes, and some that read what is committed.
type sqlite struct {
	rewriter
	lock   fileKey
	writer *sql.DB
	pool   *sql.DB

	turn  chan struct{} // holds the right to use what follows; closed with the database
	conn  *sql.Conn
	stmts map[string]*sql.Stmt // of conn
	group *group               // whose transaction is open; nil: none is
}

func openSQLite(ctx context.Context, path string, keys Keys) (*sqlite, error) {
	if path == "" || strings.ContainsRune(path, 0) {
		return nil, errors.New("sqlite: needs the path of a file")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	s := &sqlite{turn: make(chan struct{}, 1)}
	s.rewriter.make = forSQLite
	if s.lock, err = openFileKey(ctx, path, keys); err != nil {
		return nil, err
	}
	if s.writer, err = s.open(path, "rwc"); err != nil {
		return nil, err
	}
	if s.conn, err = s.writer.Conn(ctx); err != nil {
		return nil, errors.Join(s.explain(err), s.writer.Close())
	}
	if s.pool, err = s.open(path, "rw"); err != nil {
		return nil, errors.Join(err, s.conn.Close(), s.writer.Close())
	}
	s.writer.SetMaxOpenConns(1)
	s.pool.SetMaxOpenConns(readers)
	s.pool.SetMaxIdleConns(readers)
	s.stmts = map[string]*sql.Stmt{}
	s.turn <- struct{}{}
	return s, nil
}

// open gives a pool of connections. The key is given by each connection to itself: it stands in no name and no log.
func (s *sqlite) open(path, mode string) (*sql.DB, error) {
	q := url.Values{"mode": {mode}}
	if s.lock.keys != nil {
		q.Set("vfs", "adiantum")
	}
	name := (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String()
	return driver.Open(name, func(c *sqlite3.Conn) error { return s.configure(c, mode == "rw") })
}

func (s *sqlite) configure(c *sqlite3.Conn, reads bool) error {
	if s.lock.keys != nil {
		key, err := s.lock.keys.Key(c.GetInterrupt(), s.lock.id)
		if err != nil {
			return fmt.Errorf("asking for the key of the database: %w", err)
		}
		if err := c.Exec("PRAGMA hexkey='" + hex.EncodeToString(s.lock.derive(key)) + "'"); err != nil {
			return errors.New("the key of the database was not accepted") // err would quote it
		}
	}
	// FULL: what was acknowledged is on the disk. Without it a commit waits in the WAL for the next checkpoint.
	pragmas := "PRAGMA temp_store=memory; PRAGMA journal_mode=wal; PRAGMA synchronous=full; PRAGMA foreign_keys=on;" +
		"PRAGMA journal_size_limit=67108864; PRAGMA trusted_schema=off;"
	if reads {
		pragmas += "PRAGMA cache_size=-8192; PRAGMA query_only=on;"
	} else {
		// A checkpoint writes each page once, however often it changed since the last one. Pages of 4 KiB: each 16 MiB.
		pragmas += "PRAGMA cache_size=-32768; PRAGMA wal_autocheckpoint=4000;"
	}
	return c.Exec(pragmas)
}

func (s *sqlite) name() string             { return "sqlite" }
func (s *sqlite) bind(args []any) []any    { return bindSQLite(args) }
func (s *sqlite) types() *strings.Replacer { return sqliteTypes }

func (s *sqlite) read(ctx context.Context, f func(querier) error) error {
	if err := s.lock.check(ctx); err != nil {
		return err
	}
	return s.explain(f(s.pool))
}

func (s *sqlite) snapshot(ctx context.Context, f func(querier) error) error {
	if err := s.lock.check(ctx); err != nil {
		return err
	}
	t, err := s.pool.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return s.explain(err)
	}
	defer t.Rollback()
	return s.explain(f(t))
}

func (s *sqlite) close() error {
	if _, open := <-s.turn; !open {
		return nil // closed before
	}
	if s.group != nil {
		s.end(s.group)
	}
	close(s.turn)
	for _, st := range s.stmts {
		st.Close()
	}
	return errors.Join(s.pool.Close(), s.conn.Close(), s.writer.Close())
}

// explain says what a person can do about errors that SQLite gives in few words.
func (s *sqlite) explain(err error) error {
	switch {
	case errors.Is(err, sqlite3.NOTADB):
		return fmt.Errorf("the file is no database, or its key is another one: %w", err)
	case errors.Is(err, sqlite3.FULL):
		return fmt.Errorf("the disk with the database is full: %w", err)
	}
	return err
}

// prepared runs statements of the writing connection, compiling each once. A statement that began is not interrupted:
// SQLite would end the whole transaction, which others may share.
type prepared struct{ s *sqlite }

// maxPrepared bounds the compiled statements that are kept.
const maxPrepared = 512

func (p prepared) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if st, ok := p.s.stmts[query]; ok {
		return st, nil
	}
	st, err := p.s.conn.PrepareContext(context.WithoutCancel(ctx), query)
	if err != nil {
		return nil, err
	}
	if len(p.s.stmts) >= maxPrepared {
		for q, old := range p.s.stmts {
			old.Close()
			delete(p.s.stmts, q)
		}
	}
	p.s.stmts[query] = st
	return st, nil
}

func (p prepared) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	st, err := p.stmt(ctx, query)
	if err != nil {
		return nil, err
	}
	return st.ExecContext(context.WithoutCancel(ctx), args...)
}

func (p prepared) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	st, err := p.stmt(ctx, query)
	if err != nil {
		return nil, err
	}
	return st.QueryContext(context.WithoutCancel(ctx), args...)
}

func (p prepared) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	st, err := p.stmt(ctx, query)
	if err != nil {
		return p.s.conn.QueryRowContext(ctx, query, args...) // which carries the error
	}
	return st.QueryRowContext(context.WithoutCancel(ctx), args...)
}
