package translog

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/transparency-dev/merkle/compact"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/audit/verify"
	"github.com/seawall/seawall/internal/durable"
)

// ErrNoArchive: the log was opened without an Archive.
var ErrNoArchive = errors.New("the audit log has no archive to export from")

const (
	// A part of the records ends when it has this many records or bytes.
	partRecords = 10_000
	partBytes   = 4 << 20
)

// Range is a range of records by index: from From up to To.
type Range struct {
	From int64 // -1: the first one that is still in the state
	To   int64 // -1: everything that the newest checkpoint covers
}

// All is everything that is at hand.
var All = Range{From: -1, To: -1}

// sink receives the files of an export, one after the other.
type sink interface {
	file(name string, size int64, at time.Time) (io.Writer, error)
}

// Export writes a range as a tar of the files that verify.Dir checks. The records are those that the state gives; whether
// they are the ones that were sequenced is for the verifier to say.
func (l *Log) Export(ctx context.Context, which Range, w io.Writer) error {
	t := tar.NewWriter(w)
	if _, err := l.export(ctx, which, tarSink{t}); err != nil {
		return fmt.Errorf("exporting the audit log: %w", err)
	}
	return t.Close()
}

type tarSink struct{ w *tar.Writer }

func (s tarSink) file(name string, size int64, at time.Time) (io.Writer, error) {
	return s.w, s.w.WriteHeader(&tar.Header{Name: name, Size: size, Mode: 0o644, ModTime: at, Typeflag: tar.TypeReg})
}

// ExportDir writes a range into a directory, which must not exist yet or be empty.
func (l *Log) ExportDir(ctx context.Context, which Range, dir string) error {
	_, err := l.exportDir(ctx, which, dir)
	return err
}

func (l *Log) exportDir(ctx context.Context, which Range, dir string) (verify.Manifest, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return verify.Manifest{}, fmt.Errorf("exporting the audit log: %w", err)
	}
	s := &dirSink{dir: dir}
	m, err := l.export(ctx, which, s)
	if err = errors.Join(err, s.close()); err != nil {
		return m, fmt.Errorf("exporting the audit log: %w", err)
	}
	return m, nil
}

// dirSink writes files that do not exist yet, synced.
type dirSink struct {
	dir  string
	open *os.File
}

func (s *dirSink) file(name string, _ int64, _ time.Time) (io.Writer, error) {
	if err := s.close(); err != nil {
		return nil, err
	}
	path := filepath.Join(s.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	s.open = f
	return f, err
}

func (s *dirSink) close() error {
	if s.open == nil {
		return nil
	}
	f := s.open
	s.open = nil
	return errors.Join(f.Sync(), f.Close(), durable.SyncDir(filepath.Dir(f.Name())))
}

func (l *Log) export(ctx context.Context, which Range, out sink) (verify.Manifest, error) {
	if l.cfg.Archive == nil {
		return verify.Manifest{}, ErrNoArchive
	}
	checkpoint, c, err := l.Checkpoint()
	if err != nil {
		return verify.Manifest{}, err
	}
	m, err := l.manifest(ctx, which, c)
	if err != nil {
		return m, err
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return m, err
	}
	for _, f := range []struct {
		name string
		text []byte
	}{{verify.ManifestFile, append(text, '\n')}, {verify.CheckpointFile, l.witnessed(ctx, checkpoint)}, {verify.KeyFile, []byte(l.Public() + "\n")}} {
		w, err := out.file(f.name, int64(len(f.text)), m.Exported)
		if err == nil {
			_, err = w.Write(f.text)
		}
		if err != nil {
			return m, err
		}
	}
	if err := l.exportLeaves(ctx, m, out); err != nil {
		return m, err
	}
	return m, l.exportRecords(ctx, m, out)
}

// manifest settles the range and gathers the hashes beside it.
func (l *Log) manifest(ctx context.Context, which Range, c verify.Checkpoint) (verify.Manifest, error) {
	m := verify.Manifest{Format: verify.Format, Origin: c.Origin, Size: c.Size, From: which.From, To: which.To, Exported: l.cfg.Clock().UTC()}
	if m.To < 0 {
		m.To = c.Size
		if err := l.noted(ctx, c.Size); err != nil {
			return m, err
		}
	}
	if m.From < 0 {
		first, err := l.cfg.Archive.Records(ctx, 0, 1)
		if err != nil {
			return m, err
		}
		m.From = m.To
		if len(first) > 0 {
			m.From = min(first[0].Index, m.To)
		}
	}
	if m.From > m.To || m.To > c.Size {
		return m, fmt.Errorf("the log has %d records: there are none from %d to %d", c.Size, m.From, m.To)
	}
	var err error
	if m.Left, err = l.tiles.hashes(0, uint64(m.From), uint64(c.Size)); err != nil {
		return m, err
	}
	m.Right, err = l.tiles.hashes(uint64(m.To), uint64(c.Size), uint64(c.Size))
	return m, err
}

// noted waits until the state knows the place of the last record of a checkpoint, which it learns a moment after the
// checkpoint is signed. If it does not, that is for the verifier to say.
func (l *Log) noted(ctx context.Context, size int64) error {
	const attempts, pause = 300, 10 * time.Millisecond
	for range attempts {
		if size == 0 {
			return nil
		}
		last, err := l.cfg.Archive.Records(ctx, size-1, 1)
		if err != nil || len(last) > 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
	return nil
}

func (l *Log) exportLeaves(ctx context.Context, m verify.Manifest, out sink) error {
	w, err := out.file(verify.LeavesFile, (m.To-m.From)*leafSize, m.Exported)
	if err != nil {
		return err
	}
	err = l.tiles.leaves(ctx, uint64(m.From), uint64(m.To), uint64(m.Size), func(_ uint64, leaf []byte) error {
		_, err := w.Write(leaf)
		return err
	})
	if err != nil {
		return err
	}
	first, end := verify.Blocks(m.From, m.To)
	if w, err = out.file(verify.BlocksFile, (end-first)*verify.HashSize, m.Exported); err != nil {
		return err
	}
	for i := first; i < end; i++ {
		h, err := l.tiles.node(compact.NewNodeID(8, uint64(i)), uint64(m.Size))
		if err != nil {
			return err
		}
		if _, err := w.Write(h); err != nil {
			return err
		}
	}
	return nil
}

// exportRecords writes the records in parts, each of which is whole in memory, since a tar wants to know its size.
func (l *Log) exportRecords(ctx context.Context, m verify.Manifest, out sink) error {
	var part bytes.Buffer
	var first, count int64
	flush := func() error {
		if count == 0 {
			return nil
		}
		w, err := out.file(verify.PartName(first), int64(part.Len()), m.Exported)
		if err == nil {
			_, err = part.WriteTo(w)
		}
		part.Reset()
		count = 0
		return err
	}
	err := l.records(ctx, m.From, m.To, func(r audit.Stored) error {
		line, err := lineOf(r)
		if err != nil {
			return err
		}
		if count == 0 {
			first = r.Index
		}
		part.Write(line)
		if count++; count < partRecords && part.Len() < partBytes {
			return nil
		}
		return flush()
	})
	return errors.Join(err, flush())
}

// records calls f for each record from index from up to to.
func (l *Log) records(ctx context.Context, from, to int64, f func(audit.Stored) error) error {
	const page = 1000
	for from < to {
		list, err := l.cfg.Archive.Records(ctx, from, page)
		if err != nil {
			return fmt.Errorf("reading audit records from %d: %w", from, err)
		}
		if len(list) == 0 {
			return nil
		}
		for _, r := range list {
			if r.Index < from {
				return fmt.Errorf("reading audit records: %d came after %d", r.Index, from)
			}
			if r.Index >= to {
				return nil
			}
			if err := f(r); err != nil {
				return err
			}
			from = r.Index + 1
		}
	}
	return nil
}

func lineOf(r audit.Stored) ([]byte, error) {
	record, err := r.Canonical()
	if err != nil {
		return nil, err
	}
	if len(record) > verify.MaxLine-64 {
		return nil, fmt.Errorf("audit record %s has %d bytes, more than a line of an export may have", r.ID, len(record))
	}
	line := strconv.AppendInt([]byte(`{"index":`), r.Index, 10)
	line = append(line, `,"record":`...)
	line = append(line, record...)
	return append(line, "}\n"...), nil
}
