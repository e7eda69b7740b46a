package state

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// grouped is an open SQLite database with a table.
type grouped struct {
	*sqlite
	t *testing.T
}

func newGrouped(t *testing.T) grouped {
	g := grouped{open(t, Config{DSN: sqliteFile(t)}).engine.(*sqlite), t}
	if err := g.write(t.Context(), g.does("CREATE TABLE thing (n INTEGER PRIMARY KEY)")); err != nil {
		t.Fatal(err)
	}
	return g
}

// does runs statements.
func (g grouped) does(statements ...string) func(querier) error {
	return func(q querier) error {
		for _, s := range statements {
			if _, err := q.ExecContext(g.t.Context(), s); err != nil {
				return err
			}
		}
		return nil
	}
}

func insert(n int) string { return fmt.Sprintf("INSERT INTO thing VALUES (%d)", n) }

// joins is a writer that has run and waits for the commit.
func (g grouped) joins(f func(querier) error) (*group, error) {
	g.t.Helper()
	if err := g.take(g.t.Context()); err != nil {
		g.t.Fatal(err)
	}
	return g.join(g.t.Context(), f)
}

// holds is what is committed.
func (g grouped) holds(want ...int) {
	g.t.Helper()
	rows, err := g.pool.QueryContext(g.t.Context(), "SELECT n FROM thing ORDER BY n")
	if err != nil {
		g.t.Fatal(err)
	}
	defer rows.Close()
	var have []int
	for rows.Next() {
		var n int
		if err := rows.Scan(&n); err != nil {
			g.t.Fatal(err)
		}
		have = append(have, n)
	}
	if diff := cmp.Diff(want, have); diff != "" {
		g.t.Error(diff)
	}
}

func TestGroupShares(t *testing.T) {
	g := newGrouped(t)
	a, err := g.joins(g.does(insert(1)))
	if err != nil {
		t.Fatal(err)
	}
	b, err := g.joins(g.does(insert(2), insert(1))) // the second fails: both are taken back
	if b != a || err == nil {
		t.Errorf("one of the group fails: group %v, want %v; error %v", b, a, err)
	}
	c, err := g.joins(g.does(insert(3)))
	if c != a || err != nil {
		t.Errorf("joined %v, want %v: %v", c, a, err)
	}
	g.holds() // nothing is seen before the commit
	if err := g.write(t.Context(), g.does(insert(4))); err != nil {
		t.Error(err)
	}
	select {
	case <-a.done:
	default:
		t.Error("the group is told nothing of its commit")
	}
	g.holds(1, 3, 4)
}

func TestGroupOfOneFails(t *testing.T) {
	g := newGrouped(t)
	if joined, err := g.joins(g.does(insert(1), insert(1))); joined != nil || err == nil {
		t.Errorf("got %v, %v", joined, err)
	}
	if err := g.write(t.Context(), g.does(insert(2))); err != nil {
		t.Error(err)
	}
	g.holds(2)
}

// TestGroupLost: what ends the transaction of all costs nobody else anything.
func TestGroupLost(t *testing.T) {
	g := newGrouped(t)
	runs := 0
	first := func(q querier) error { runs++; return g.does(insert(runs))(q) }
	a, err := g.joins(first)
	if err != nil {
		t.Fatal(err)
	}
	told := make(chan error)
	go func() { // what write does, from where the writer waits
		<-a.done
		if a.err == nil {
			told <- errors.New("the group was not lost")
		}
		told <- g.alone(t.Context(), first)
	}()
	// A full disk rolls back as this does.
	if err := g.write(t.Context(), g.does("ROLLBACK")); err == nil {
		t.Error("a writer that ended the transaction was told nothing")
	}
	if err := <-told; err != nil {
		t.Error(err)
	}
	g.holds(2)
}

func TestGroupPanic(t *testing.T) {
	g := newGrouped(t)
	for _, n := range []int{1, 2} { // the second of a group, the first of a group
		if n == 1 {
			if _, err := g.joins(g.does(insert(1))); err != nil {
				t.Fatal(err)
			}
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			g.joins(func(q querier) error {
				if err := g.does(insert(9))(q); err != nil {
					t.Error(err)
				}
				panic("as a bug would")
			})
		}()
		if err := g.write(t.Context(), g.does(insert(10+n))); err != nil {
			t.Error(err)
		}
	}
	g.holds(1, 11, 12)
}

func TestGroupClosed(t *testing.T) {
	dsn := sqliteFile(t)
	db, err := Open(t.Context(), Config{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	g := grouped{db.engine.(*sqlite), t}
	a, err := g.joins(g.does("CREATE TABLE thing (n INTEGER PRIMARY KEY)", insert(1)))
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if <-a.done; a.err != nil {
		t.Errorf("closing lost what had run: %v", a.err)
	}
	grouped{open(t, Config{DSN: dsn}).engine.(*sqlite), t}.holds(1)
}

// TestGroupCrowd: many at once, some of whom fail or give up waiting.
func TestGroupCrowd(t *testing.T) {
	g := newGrouped(t)
	refused := errors.New("refused")
	var crowd sync.WaitGroup
	var mu sync.Mutex
	want := map[int]bool{}
	for n := range 200 {
		crowd.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if n%7 == 0 {
				go cancel()
			}
			err := g.write(ctx, func(q querier) error {
				if err := g.does(insert(n))(q); err != nil || n%5 != 3 {
					return err
				}
				return refused
			})
			switch {
			case n%5 == 3 && !errors.Is(err, refused) && !errors.Is(err, context.Canceled), n%5 != 3 && n%7 != 0 && err != nil:
				t.Errorf("%d: %v", n, err)
			case err == nil:
				mu.Lock()
				want[n] = true
				mu.Unlock()
			}
		})
	}
	crowd.Wait()
	var list []int
	for n := range 200 {
		if want[n] {
			list = append(list, n)
		}
	}
	g.holds(list...)
}
