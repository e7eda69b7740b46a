package state

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Group commit. On SQLite one transaction writes at a time, and making it durable takes longer than what most of them
// write. So writers that wait for each other share one transaction, each within a savepoint of its own:
//
//	A  turn: BEGIN, runs · · · · · · · · · · · · · turn again: COMMIT
//	B  · · · turn: SAVEPOINT, runs, RELEASE · · · · · · · · · · · · · told
//	C  · · · · · · · · · · · · · · · · turn: SAVEPOINT, fails, ROLLBACK TO · told
//
// Who has run hands the turn on and asks for it again. The turn is handed on in the order in which it was asked for, so it
// comes back once all who were waiting have run; who has it back first commits for all. With nobody waiting it is back at
// once, and nothing is shared. So that the first of a long queue does not wait for all of it, a transaction that is open
// for some time is committed before the turn is handed on.
//
// Nobody is answered before the commit, with a failure neither: it may follow from what another one wrote. Where the
// shared transaction is lost, each runs once more with one of its own.

// group is those who share a transaction.
type group struct {
	since time.Time
	done  chan struct{} // closed once the transaction ended
	err   error         // why it was lost; read after done
}

// groupFor is how long a transaction is open to others.
const groupFor = 25 * time.Millisecond

// write waits for its turn, so that writers queue here in order and not in SQLite's busy loop.
func (s *sqlite) write(ctx context.Context, f func(querier) error) error {
	if err := s.lock.check(ctx); err != nil {
		return err
	}
	if err := s.take(ctx); err != nil {
		return err
	}
	g, err := s.join(ctx, f)
	if g == nil {
		return s.explain(err)
	}
	select {
	case <-g.done:
	case _, open := <-s.turn:
		if open {
			s.end(g)
			s.turn <- struct{}{}
		}
		<-g.done
	}
	if g.err != nil {
		err = s.alone(ctx, f)
	}
	return s.explain(err)
}

// take waits for the turn.
func (s *sqlite) take(ctx context.Context) error {
	select {
	case _, open := <-s.turn:
		if !open {
			return sql.ErrConnDone
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// join runs f in the group whose transaction is open, or begins one, and hands the turn on. Without a group, the error
// is final.
func (s *sqlite) join(ctx context.Context, f func(querier) error) (g *group, err error) {
	defer func() { s.turn <- struct{}{} }()
	if s.group == nil {
		return s.begin(ctx, f)
	}
	g = s.group
	if err := s.exec("SAVEPOINT one"); err != nil {
		s.lose(g, err)
		return g, err
	}
	over := false
	defer func() {
		if !over { // f panicked
			s.undoOne(g)
		}
	}()
	err = f(prepared{s})
	over = true
	if err != nil {
		s.undoOne(g)
		return g, err
	}
	if err := s.exec("RELEASE one"); err != nil {
		s.lose(g, err)
	} else if time.Since(g.since) > groupFor {
		s.end(g)
	}
	return g, nil
}

// undoOne takes back what one of a group did. Some errors, such as a full disk, end the whole transaction.
func (s *sqlite) undoOne(g *group) {
	err := s.exec("ROLLBACK TO one")
	if err == nil {
		err = s.exec("RELEASE one")
	}
	if err != nil {
		s.lose(g, err)
	}
}

// begin runs f as the first of a group. There is none where it fails.
func (s *sqlite) begin(ctx context.Context, f func(querier) error) (*group, error) {
	if err := s.transact(ctx, f); err != nil {
		return nil, err
	}
	s.group = &group{since: time.Now(), done: make(chan struct{})}
	return s.group, nil
}

// transact begins a transaction and leaves it open where f succeeds.
func (s *sqlite) transact(ctx context.Context, f func(querier) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	ran := false
	defer func() {
		if !ran {
			s.exec("ROLLBACK") // says no more than the error of f does
		}
	}()
	if err := f(prepared{s}); err != nil {
		return err
	}
	ran = true
	return nil
}

// end commits for a group, unless somebody did.
func (s *sqlite) end(g *group) {
	if s.group != g {
		return
	}
	if err := s.exec("COMMIT"); err != nil {
		s.lose(g, err)
		return
	}
	s.group = nil
	close(g.done)
}

// lose gives up a group's transaction.
func (s *sqlite) lose(g *group, err error) {
	s.exec("ROLLBACK") // fails where SQLite did that itself
	g.err = errors.Join(errors.New("the transaction was lost"), err)
	s.group = nil
	close(g.done)
}

// alone runs f in a transaction that nobody shares.
func (s *sqlite) alone(ctx context.Context, f func(querier) error) error {
	if err := s.take(ctx); err != nil {
		return err
	}
	defer func() { s.turn <- struct{}{} }()
	if s.group != nil {
		s.end(s.group)
	}
	if err := s.transact(ctx, f); err != nil {
		return err
	}
	err := s.exec("COMMIT")
	if err != nil {
		s.exec("ROLLBACK")
	}
	return err
}

// exec runs a statement that belongs to nobody's context: to interrupt it would be to end a transaction of others.
func (s *sqlite) exec(statement string) error {
	_, err := prepared{s}.ExecContext(context.Background(), statement)
	return err
}
