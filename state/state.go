// Package state keeps everything that the hub has to remember apart from blobs and keys: the catalog, who may, jobs,
// notifications and the records of administrative acts, in SQLite or in PostgreSQL.
//
// It promises that a change is committed together with its audit records and the jobs that follow from it, and that what
// was acknowledged survives a crash; that both engines answer alike; that with a key nothing of evidence lies on the disk
// in the clear, and that without the key nothing is answered. It leaves out who may see or change what (package api), and
// where blobs (package registry), keys (package keys) and the transparency log (package audit) are.
//
// docs/state.md says how it is operated, and which fields stay readable on PostgreSQL.
package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/auth"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/job"
	"github.com/seawall/seawall/notify"
)

// What DB is to its users.
var (
	_ catalog.Store = (*DB)(nil)
	_ auth.Store    = (*DB)(nil)
	_ job.Store     = (*DB)(nil)
	_ notify.Store  = (*DB)(nil)
	_ audit.Outbox  = (*DB)(nil)
	_ audit.Archive = (*DB)(nil)
)

// Keys gives the keys that state encrypts with: 32 bytes each, under a short id. Both fail once the key is revoked, and
// then nothing is read or written any more.
type Keys interface {
	// Current returns the key to encrypt with.
	Current(ctx context.Context) (id string, key []byte, err error)
	// Key returns the key with that id. It is asked before every query, so it has to cache.
	Key(ctx context.Context, id string) (key []byte, err error)
}

// Config says which database, and how.
type Config struct {
	// DSN is "sqlite:/path/hub.db", or what libpq understands: "postgres://user@host/name".
	DSN string
	// Keys encrypts: on SQLite the whole file with its journals, on PostgreSQL the evidence. Nil: nothing is encrypted.
	Keys Keys
	// Log is told of expiries and retries; nil discards.
	Log *slog.Logger
	// Clock is asked where a call brings no time of its own; nil is time.Now.
	Clock func() time.Time
}

// DB is an open database. Its methods may be called from many goroutines.
type DB struct {
	engine engine
	sealer sealer
	log    *slog.Logger
	now    func() time.Time

	aliases seen // pairs of the table alias that are known to be there

	mu    sync.Mutex
	onJob func()
}

// engine is what SQLite and PostgreSQL do differently.
type engine interface {
	dialect
	// read calls f with what queries; nothing that f does may change the database.
	read(ctx context.Context, f func(querier) error) error
	// write runs f in a transaction that is durable when write returns nil. f may run more than once.
	write(ctx context.Context, f func(querier) error) error
	// snapshot is read in one consistent view.
	snapshot(ctx context.Context, f func(querier) error) error
	close() error
}

// Open opens the database, creates it where there is none, and brings its schema up to date. A database of a newer
// schema, an encrypted one without its key and a plain one with a key are refused.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	db, err := connect(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := db.migrate(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if err := db.checkSeal(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func connect(ctx context.Context, cfg Config) (*DB, error) {
	db := &DB{log: cfg.Log, now: cfg.Clock}
	if db.log == nil {
		db.log = slog.New(slog.DiscardHandler)
	}
	if db.now == nil {
		db.now = time.Now
	}
	var err error
	switch {
	case strings.HasPrefix(cfg.DSN, "sqlite:"):
		db.engine, err = openSQLite(ctx, strings.TrimPrefix(cfg.DSN, "sqlite:"), cfg.Keys)
	case strings.HasPrefix(cfg.DSN, "postgres://"), strings.HasPrefix(cfg.DSN, "postgresql://"):
		db.sealer.keys = cfg.Keys
		db.engine, err = openPostgres(ctx, cfg.DSN, cfg.Keys, db.log)
	default:
		err = errors.New("the database is named sqlite:/path/to/file or postgres://user@host/name")
	}
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	return db, nil
}

// Close waits for what is under way and closes the database.
func (db *DB) Close() error { return db.engine.close() }

// OnJob has f called after jobs were committed, to wake a runner: f must not wait.
func (db *DB) OnJob(f func()) {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.onJob = f
}

func (db *DB) wake() {
	db.mu.Lock()
	f := db.onJob
	db.mu.Unlock()
	if f != nil {
		f()
	}
}

// Ping reports whether the database answers and its key is at hand.
func (db *DB) Ping(ctx context.Context) error {
	return db.read(ctx, func(t tx) error {
		var one int
		return t.row(ctx, `SELECT 1`).Scan(&one)
	})
}

// Engine is "sqlite" or "postgres".
func (db *DB) Engine() string { return db.engine.name() }

// querier is a transaction, or a connection outside of one.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}
