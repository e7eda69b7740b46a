package translog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/seawall/seawall/audit"
)

// store is a state in memory: outbox and archive.
type store struct {
	mu   sync.Mutex
	list []audit.Stored
	fail func(op string) error // nil: never
}

func (s *store) failing(op string) error {
	if s.fail == nil {
		return nil
	}
	return s.fail(op)
}

func (s *store) add(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		i := len(s.list)
		e := audit.New(time.Date(2026, 11, 20, 8, 0, 0, i*1000, time.UTC), audit.System("test"), "image.push", audit.Object{Kind: "image", Name: fmt.Sprintf("team/app:%d", i)})
		s.list = append(s.list, audit.Stored{Entry: e, Seq: int64(i + 1), Index: -1})
	}
}

func (s *store) Pending(_ context.Context, n int) ([]audit.Stored, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.failing("pending"); err != nil {
		return nil, err
	}
	var out []audit.Stored
	for _, r := range s.list {
		if r.Index < 0 && len(out) < n {
			out = append(out, r)
		}
	}
	return out, nil
}

func (s *store) Sequenced(_ context.Context, index map[string]int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.failing("sequenced"); err != nil {
		return err
	}
	for i := range s.list {
		if n, ok := index[s.list[i].ID]; ok {
			s.list[i].Index = n
		}
	}
	return nil
}

func (s *store) Records(_ context.Context, from int64, n int) ([]audit.Stored, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []audit.Stored
	for _, r := range s.list {
		if r.Index >= from {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b audit.Stored) int { return cmp.Compare(a.Index, b.Index) })
	return out[:min(n, len(out))], nil
}

func (s *store) DropRecords(_ context.Context, before int64, by audit.Entry) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.list)
	s.list = slices.DeleteFunc(s.list, func(r audit.Stored) bool { return r.Index >= 0 && r.Index < before })
	dropped := int64(n - len(s.list))
	s.list = append(s.list, audit.Stored{Entry: by, Seq: int64(n + 1), Index: -1})
	return dropped, nil
}

func (s *store) waiting() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, r := range s.list {
		if r.Index < 0 {
			n++
		}
	}
	return n
}

func testKey(t *testing.T) *Key {
	t.Helper()
	k, err := OpenKey(t.Context(), File(filepath.Join(t.TempDir(), "key")), nil, "hub.example/audit")
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// await waits until a condition holds, for at most a minute.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("waited a minute for: %s", what)
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// run runs a log until the returned function is called.
func run(t *testing.T, cfg Config) (*Log, func()) {
	t.Helper()
	cfg.Interval = 5 * time.Millisecond
	l, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := l.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	stop := sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(stop)
	return l, stop
}

// checkLog: every record is in the log exactly once, at the place that the state knows.
func checkLog(t *testing.T, l *Log, s *store) {
	t.Helper()
	_, c, err := l.Checkpoint()
	if err != nil {
		t.Fatal(err)
	}
	if c.Size != int64(len(s.list)) {
		t.Errorf("the log has %d leaves for %d records", c.Size, len(s.list))
	}
	byIndex := map[int64]audit.Stored{}
	for _, r := range s.list {
		byIndex[r.Index] = r
	}
	err = l.tiles.leaves(t.Context(), 0, uint64(c.Size), uint64(c.Size), func(i uint64, leaf []byte) error {
		want, err := leafOf(byIndex[int64(i)].Entry)
		if err == nil && string(want) != string(leaf) {
			t.Errorf("leaf %d is not that of record %s", i, byIndex[int64(i)].ID)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	root, err := l.tiles.root(uint64(c.Size))
	if err != nil || string(root) != string(c.Root) {
		t.Errorf("root %x, %v, want %x", root, err, c.Root)
	}
}

func TestRecordsReachTheLog(t *testing.T) {
	s := &store{}
	s.add(700)
	l, _ := run(t, Config{Dir: filepath.Join(t.TempDir(), "audit"), Key: testKey(t), Outbox: s})
	await(t, "the first records", func() bool { return s.waiting() == 0 })
	s.add(1)
	l.Wake()
	await(t, "one more", func() bool { return s.waiting() == 0 })
	checkLog(t, l, s)
	for i, r := range s.list {
		if r.Index != int64(i) {
			t.Fatalf("record %d came to place %d", i, r.Index)
		}
	}
	if st := l.Status(); !st.Leader || st.Error != "" || st.Size != 701 {
		t.Errorf("status %+v", st)
	}
}

func TestACrashNeitherLosesNorDoubles(t *testing.T) {
	s, dir, key, last := &store{}, t.TempDir(), testKey(t), File(filepath.Join(t.TempDir(), "last"))
	var l *Log
	for round := range 4 {
		s.add(100)
		crashed := make(chan struct{})
		var once sync.Once
		s.mu.Lock()
		s.fail = func(op string) error { // the log has them, the state does not know
			if op == "sequenced" {
				once.Do(func() { close(crashed) })
				return errors.New("killed")
			}
			return nil
		}
		s.mu.Unlock()
		_, stop := run(t, Config{Dir: dir, Key: key, Outbox: s, Archive: s, Last: last})
		<-crashed
		stop()
		s.add(20)
		s.mu.Lock()
		s.fail = nil
		s.mu.Unlock()
		l, stop = run(t, Config{Dir: dir, Key: key, Outbox: s, Archive: s, Last: last})
		await(t, fmt.Sprintf("round %d", round), func() bool { return s.waiting() == 0 })
		stop()
	}
	checkLog(t, l, s)
}

func TestOnlyTheLeaderAppends(t *testing.T) {
	s := &store{}
	s.add(3)
	asked := make(chan struct{}, 100)
	l, stop := run(t, Config{Dir: t.TempDir(), Key: testKey(t), Outbox: s, Lead: func(context.Context) (bool, error) {
		asked <- struct{}{}
		return false, nil
	}})
	for range 3 {
		<-asked
	}
	stop()
	if s.waiting() != 3 || l.Status().Leader {
		t.Errorf("%d wait, status %+v", s.waiting(), l.Status())
	}
}

func TestALostDirectoryIsFilledAgain(t *testing.T) {
	s, key, last := &store{}, testKey(t), File(filepath.Join(t.TempDir(), "last"))
	s.add(300)
	_, stop := run(t, Config{Dir: t.TempDir(), Key: key, Outbox: s, Archive: s, Last: last})
	await(t, "the first directory", func() bool { return s.waiting() == 0 })
	stop()
	s.add(10)
	l, _ := run(t, Config{Dir: t.TempDir(), Key: key, Outbox: s, Archive: s, Last: last})
	await(t, "the second directory", func() bool { return s.waiting() == 0 })
	checkLog(t, l, s)
}

func TestAnotherLogIsNotContinued(t *testing.T) {
	s, key, last := &store{}, testKey(t), File(filepath.Join(t.TempDir(), "last"))
	s.add(30)
	_, stop := run(t, Config{Dir: t.TempDir(), Key: key, Outbox: s, Archive: s, Last: last})
	await(t, "the log", func() bool { return s.waiting() == 0 })
	stop()
	for name, spoil := range map[string]func(*store){
		"altered": func(s *store) { s.list[7].Actor.ID = "mallory" },
		"gone":    func(s *store) { s.list = s.list[:20] },
		"a gap":   func(s *store) { s.list = slices.Delete(s.list, 7, 8) },
	} {
		bad := &store{list: slices.Clone(s.list)}
		spoil(bad)
		bad.add(1)
		l, stop := run(t, Config{Dir: t.TempDir(), Key: key, Outbox: bad, Archive: bad, Last: last})
		await(t, name, func() bool { return l.Status().Error != "" })
		stop()
		if bad.waiting() != 1 {
			t.Errorf("%s: records were appended to another log", name)
		}
	}
}

func TestTheKeyIsKept(t *testing.T) {
	at := File(filepath.Join(t.TempDir(), "key"))
	k, err := OpenKey(t.Context(), at, nil, "hub/audit")
	if err != nil {
		t.Fatal(err)
	}
	seal := sealer{}
	for _, step := range []struct {
		sealer Sealer
		ok     bool
	}{{nil, true}, {seal, true}, {nil, false}, {seal, true}} {
		again, err := OpenKey(t.Context(), at, step.sealer, "hub/audit")
		if (err == nil) != step.ok {
			t.Fatalf("%+v: %v", step, err)
		}
		if err == nil && again.Public() != k.Public() {
			t.Error("another key")
		}
	}
	for _, name := range []string{"", "a b", "a+b", "a\nb"} {
		if _, err := OpenKey(t.Context(), File(filepath.Join(t.TempDir(), "key")), nil, name); err == nil {
			t.Errorf("name %q", name)
		}
	}
}

// sealer "seals" by reversing, and binds to the additional data.
type sealer struct{}

func (sealer) Seal(_ context.Context, p, aad []byte) ([]byte, error) {
	b := append(slices.Clone(aad), p...)
	slices.Reverse(b)
	return b, nil
}

func (sealer) Open(_ context.Context, sealed, aad []byte) ([]byte, error) {
	b := slices.Clone(sealed)
	slices.Reverse(b)
	return b[len(aad):], nil
}

func TestCopies(t *testing.T) {
	s, dir := &store{}, Directory(t.TempDir())
	s.add(5)
	l, _ := run(t, Config{Dir: t.TempDir(), Key: testKey(t), Outbox: s, Copies: []Copy{dir}})
	await(t, "the copy", func() bool { return l.Status().Copies[0].Size == 5 })
	if got, _ := filepath.Glob(filepath.Join(string(dir), "checkpoint-000000000005")); len(got) != 1 {
		t.Error("no copy")
	}
}
