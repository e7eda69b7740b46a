package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// pool bounds the connections to PostgreSQL of one hub.
const pool = 16

type postgres struct {
	rewriter
	db   *sql.DB
	lock columnKeys
	log  *slog.Logger
}

func openPostgres(ctx context.Context, dsn string, keys Keys, log *slog.Logger) (*postgres, error) {
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, errors.New("the address of the PostgreSQL database cannot be read") // err may quote its password
	}
	p := &postgres{db: stdlib.OpenDB(*cfg), lock: columnKeys{keys: keys}, log: log}
	p.rewriter.make = forPostgres
	p.db.SetMaxOpenConns(pool)
	p.db.SetMaxIdleConns(pool / 2)
	p.db.SetConnMaxIdleTime(5 * time.Minute)
	if err := p.db.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("reaching PostgreSQL: %w", err), p.db.Close())
	}
	return p, nil
}

func (p *postgres) name() string             { return "postgres" }
func (p *postgres) bind(args []any) []any    { return bindPostgres(args) }
func (p *postgres) types() *strings.Replacer { return postgresTypes }

func (p *postgres) read(ctx context.Context, f func(querier) error) error {
	if err := p.lock.check(ctx); err != nil {
		return err
	}
	return f(p.db)
}

func (p *postgres) snapshot(ctx context.Context, f func(querier) error) error {
	if err := p.lock.check(ctx); err != nil {
		return err
	}
	t, err := p.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return err
	}
	defer t.Rollback()
	return f(t)
}

// attempts at a transaction that PostgreSQL ended to let another one through.
const attempts = 8

func (p *postgres) write(ctx context.Context, f func(querier) error) error {
	if err := p.lock.check(ctx); err != nil {
		return err
	}
	for n := 1; ; n++ {
		err := p.transact(ctx, f)
		if !again(err) || n == attempts {
			return err
		}
		p.log.DebugContext(ctx, "transaction repeated", slog.Int("attempt", n), slog.Any("err", err))
		select {
		case <-time.After(time.Duration(rand.IntN(10*n)+1) * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (p *postgres) transact(ctx context.Context, f func(querier) error) error {
	t, err := p.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer t.Rollback() // does nothing after a commit
	if err := f(t); err != nil {
		return err
	}
	return t.Commit()
}

// again tells serialization failures and deadlocks, and the unique violation of two transactions that create the same
// row at once: the second finds it there the next time.
func again(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && (e.Code == "40001" || e.Code == "40P01" || e.Code == "23505")
}

func (p *postgres) close() error { return p.db.Close() }
