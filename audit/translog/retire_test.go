package translog

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/audit/verify"
)

func TestRetire(t *testing.T) {
	last := File(filepath.Join(t.TempDir(), "last"))
	l, s := filled(t, 700, func(c *Config) { c.Last = last })
	dir := t.TempDir()
	before, err := l.IndexAt(t.Context(), s.list[300].Time)
	if err != nil || before != 300 {
		t.Fatalf("%d, %v", before, err)
	}
	seg, err := l.Retire(t.Context(), dir, before, audit.System("retention"))
	if err != nil || seg.From != 0 || seg.To != 300 || seg.Dropped != 300 {
		t.Fatalf("%+v, %v", seg, err)
	}
	await(t, "the act of retiring", func() bool { return s.waiting() == 0 })
	if again, err := l.Retire(t.Context(), dir, before, audit.System("retention")); err != nil || again.Dropped != 0 {
		t.Errorf("a second time: %+v, %v", again, err)
	}
	report, err := verify.Dir(t.Context(), seg.Dir, verify.Options{Key: l.Public()})
	if err != nil || report.From != 0 || report.To != 300 {
		t.Errorf("the segment: %+v, %v", report, err)
	}
	rest := filepath.Join(t.TempDir(), "rest")
	if err := l.ExportDir(t.Context(), All, rest); err != nil {
		t.Fatal(err)
	}
	if report, err = verify.Dir(t.Context(), rest, verify.Options{Key: l.Public()}); err != nil || report.From != 300 || report.To != 701 {
		t.Errorf("the rest: %+v, %v", report, err)
	}
	if at, err := l.IndexAt(t.Context(), s.list[0].Time); err != nil || at > 300 {
		t.Errorf("the first record at hand: %d, %v", at, err)
	}
}

func TestRetireDropsNothingThatDoesNotVerify(t *testing.T) {
	l, s := filled(t, 100)
	s.list[40].Actor.ID = "user:mallory"
	_, err := l.Retire(t.Context(), t.TempDir(), 50, audit.System("retention"))
	if p := (&verify.Problem{}); !errors.As(err, &p) || p.Index != 40 {
		t.Errorf("%v", err)
	}
	if len(s.list) != 100 {
		t.Error("records were dropped")
	}
}

// stubborn is an archive that drops nothing at first.
type stubborn struct {
	*store
	err error
}

func TestRetireGoesOn(t *testing.T) {
	s := &store{}
	s.add(100)
	broken := &stubborn{store: s, err: errors.New("the database is away")}
	l, _ := run(t, Config{Dir: t.TempDir(), Key: testKey(t), Outbox: s, Archive: broken})
	await(t, "the log", func() bool { return s.waiting() == 0 })
	dir := t.TempDir()
	if _, err := l.Retire(t.Context(), dir, 50, audit.System("retention")); !errors.Is(err, broken.err) {
		t.Fatalf("%v", err)
	}
	if !slices.ContainsFunc(s.list, func(r audit.Stored) bool { return r.Index == 0 }) {
		t.Fatal("dropped")
	}
	broken.err = nil
	if seg, err := l.Retire(t.Context(), dir, 50, audit.System("retention")); err != nil || seg.Dropped != 50 {
		t.Errorf("%+v, %v", seg, err)
	}
}

func (s *stubborn) DropRecords(ctx context.Context, before int64, by audit.Entry) (int64, error) {
	if s.err != nil {
		return 0, s.err
	}
	return s.store.DropRecords(ctx, before, by)
}
