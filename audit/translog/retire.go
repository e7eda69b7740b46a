package translog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/audit/verify"
	"github.com/seawall/seawall/internal/durable"
)

// Segment is a sealed part of the log: an export of records that the state keeps no longer.
type Segment struct {
	Dir     string `json:"dir"`
	From    int64  `json:"from"`
	To      int64  `json:"to"`
	Dropped int64  `json:"dropped"` // records that left the state
}

// Retire seals the records below index before into a segment, a directory below dir, and drops them from the state. What
// is dropped was written, synced and verified against the log before; where that fails nothing is dropped. The log itself
// keeps its leaves, and so stays whole. A Retire that was interrupted goes on where it stopped.
//
// The segment holds records as text. Keep it outside of the hub's data directory, on a disk that is encrypted where the
// hub's data is.
func (l *Log) Retire(ctx context.Context, dir string, before int64, by audit.Actor) (Segment, error) {
	if l.cfg.Archive == nil {
		return Segment{}, ErrNoArchive
	}
	first, err := l.cfg.Archive.Records(ctx, 0, 1)
	if err != nil || len(first) == 0 || first[0].Index >= before {
		return Segment{}, err
	}
	s := Segment{From: first[0].Index, To: before}
	name := fmt.Sprintf("%012d-%012d", s.From, s.To)
	s.Dir = filepath.Join(dir, name)
	report, err := l.seal(ctx, s)
	if err != nil {
		return s, fmt.Errorf("sealing the audit records %d to %d: %w", s.From, s.To-1, err)
	}
	e := audit.New(l.cfg.Clock(), by, "audit.retire", audit.Object{Kind: "audit-segment", Name: name})
	e.Detail = map[string]string{"from": fmt.Sprint(s.From), "to": fmt.Sprint(s.To), "size": fmt.Sprint(report.Size), "root": report.Root}
	if s.Dropped, err = l.cfg.Archive.DropRecords(ctx, before, e); err != nil {
		return s, fmt.Errorf("dropping the audit records %d to %d: %w", s.From, s.To-1, err)
	}
	l.Wake()
	return s, nil
}

// seal writes and verifies the segment, or verifies the one that is there already.
func (l *Log) seal(ctx context.Context, s Segment) (verify.Report, error) {
	if _, err := os.Lstat(s.Dir); errors.Is(err, fs.ErrNotExist) {
		tmp := s.Dir + ".new"
		if err := os.RemoveAll(tmp); err != nil { // of an interrupted attempt
			return verify.Report{}, err
		}
		if _, err := l.exportDir(ctx, Range{From: s.From, To: s.To}, tmp); err != nil {
			return verify.Report{}, err
		}
		if _, err := l.check(ctx, tmp, s); err != nil {
			return verify.Report{}, err
		}
		if err := errors.Join(os.Rename(tmp, s.Dir), durable.SyncDir(filepath.Dir(s.Dir))); err != nil {
			return verify.Report{}, err
		}
	}
	return l.check(ctx, s.Dir, s)
}

// check verifies a segment, and that it is the range that is going to be dropped.
func (l *Log) check(ctx context.Context, dir string, s Segment) (verify.Report, error) {
	r, err := verify.Dir(ctx, dir, verify.Options{Key: l.Public()})
	if err == nil && (r.From != s.From || r.To != s.To) {
		err = fmt.Errorf("%s holds the records %d to %d: move it away", dir, r.From, r.To-1)
	}
	return r, err
}

// IndexAt returns the index of the first record at hand from a time on, for Retire: the log's size where all are older.
// It relies on records being about in the order of their times.
func (l *Log) IndexAt(ctx context.Context, at time.Time) (int64, error) {
	if l.cfg.Archive == nil {
		return 0, ErrNoArchive
	}
	_, c, err := l.Checkpoint()
	if err != nil {
		return 0, err
	}
	low, high := int64(0), c.Size
	for low < high {
		middle := low + (high-low)/2
		next, err := l.cfg.Archive.Records(ctx, middle, 1)
		if err != nil {
			return 0, fmt.Errorf("looking for audit records of %s: %w", at.Format(time.RFC3339), err)
		}
		if len(next) > 0 && next[0].Time.Before(at) {
			low = next[0].Index + 1
		} else {
			high = middle
		}
	}
	return low, nil
}
