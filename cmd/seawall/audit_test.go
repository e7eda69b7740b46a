package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/audit/translog"
)

// TestAuditScripts runs the transcripts about the audit trail: each finds an export, an altered one, an older checkpoint
// and keys in its directory.
func TestAuditScripts(t *testing.T) {
	made := makeAudit(t)
	testscript.Run(t, testscript.Params{
		Dir:   "testdata/audit",
		Setup: func(e *testscript.Env) error { return os.CopyFS(e.WorkDir, os.DirFS(made)) },
		Cmds:  map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
	})
}

// makeAudit returns a directory with exports of a log.
func makeAudit(t *testing.T) string {
	t.Helper()
	dir, s := t.TempDir(), &auditRecords{}
	key, err := translog.OpenKey(t.Context(), translog.File(filepath.Join(t.TempDir(), "key")), nil, "hub.example/audit")
	if err != nil {
		t.Fatal(err)
	}
	other, err := translog.OpenKey(t.Context(), translog.File(filepath.Join(t.TempDir(), "key")), nil, "other.example/audit")
	if err != nil {
		t.Fatal(err)
	}
	l, err := translog.Open(translog.Config{Dir: t.TempDir(), Key: key, Outbox: s, Archive: s, Interval: 5 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { l.Run(ctx) })
	defer running.Wait()
	defer cancel()
	older := s.fill(t, l, 100)
	s.fill(t, l, 500)
	for name, b := range map[string][]byte{"older": older, "log.pub": []byte("# the hub\n" + key.Public() + "\n"), "other.pub": []byte(other.Public()), "two.pub": []byte(key.Public() + "\n" + other.Public())} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	altered := filepath.Join(dir, "altered")
	if err := errors.Join(l.ExportDir(ctx, translog.All, filepath.Join(dir, "export")), l.ExportDir(ctx, translog.All, altered)); err != nil {
		t.Fatal(err)
	}
	part := filepath.Join(altered, "records", "000000000000.jsonl")
	b, err := os.ReadFile(part)
	if err == nil {
		err = os.WriteFile(part, bytes.Replace(b, []byte(`"user 7"`), []byte(`"user 8"`), 1), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// auditRecords is an outbox and an archive in memory.
type auditRecords struct {
	mu   sync.Mutex
	list []audit.Stored
}

// fill adds n records, the last one an act without an outcome, waits until they are in the log and returns its checkpoint.
func (s *auditRecords) fill(t *testing.T, l *translog.Log, n int) []byte {
	t.Helper()
	s.mu.Lock()
	size := int64(len(s.list) + n)
	for i := int64(len(s.list)); i < size; i++ {
		e := audit.New(time.Date(2026, 11, 20, 8, 0, int(i), 0, time.UTC), audit.System("test"), "user.create", audit.Object{Kind: "user", Name: fmt.Sprint("user ", i)})
		if i == 599 {
			e.Outcome = audit.Intent
		}
		s.list = append(s.list, audit.Stored{Entry: e, Seq: i + 1, Index: -1})
	}
	s.mu.Unlock()
	for deadline := time.After(time.Minute); ; {
		if text, c, err := l.Checkpoint(); err == nil && c.Size == size {
			return text
		}
		select {
		case <-deadline:
			t.Fatal("the records did not reach the log within a minute")
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (s *auditRecords) Pending(_ context.Context, n int) ([]audit.Stored, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, r := range s.list {
		if r.Index < 0 {
			return slices.Clone(s.list[i:min(i+n, len(s.list))]), nil
		}
	}
	return nil, nil
}

func (s *auditRecords) Sequenced(_ context.Context, index map[string]int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.list {
		if n, ok := index[s.list[i].ID]; ok {
			s.list[i].Index = n
		}
	}
	return nil
}

func (s *auditRecords) Records(_ context.Context, from int64, n int) ([]audit.Stored, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	from = min(from, int64(len(s.list)))
	page := slices.Clone(s.list[from:min(from+int64(n), int64(len(s.list)))])
	for i, r := range page {
		if r.Index < 0 {
			return page[:i], nil
		}
	}
	return page, nil
}

func (s *auditRecords) DropRecords(context.Context, int64, audit.Entry) (int64, error) {
	return 0, errors.New("nothing is dropped here")
}
