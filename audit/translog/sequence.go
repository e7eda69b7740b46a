package translog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/api/layout"
	"github.com/transparency-dev/tessera/storage/posix"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/audit/verify"
)

const (
	batchSize = 1024
	// checkpointEvery is how often the log signs while it grows.
	checkpointEvery = 200 * time.Millisecond
	// appendTimeout bounds one batch, from appending to the checkpoint.
	appendTimeout = 30 * time.Second
	// errorPause is how long Run waits after an error.
	errorPause = time.Second
	// tail is how many leaves a new leader looks through for records that a crash left unnoted in the outbox.
	tail = 1 << 20
)

// Run brings records into the log until ctx ends: at most one process leads, the others wait. It returns nil; what goes
// wrong meanwhile is in Status and logged once.
func (l *Log) Run(ctx context.Context) error {
	for _, o := range l.outs {
		go o.run(ctx)
	}
	s := &sequencer{Log: l}
	defer s.stop()
	for ctx.Err() == nil {
		pause := l.cfg.Interval
		err := s.turn(ctx)
		if err != nil && ctx.Err() == nil {
			s.stop()
			pause = errorPause
		}
		if ctx.Err() == nil {
			l.note(ctx, s.app != nil, err)
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-l.wakeUnless(err):
		}
		timer.Stop()
	}
	return nil
}

// wakeUnless is nil after an error, so that Wake does not hurry what fails.
func (l *Log) wakeUnless(err error) <-chan struct{} {
	if err != nil {
		return nil
	}
	return l.wake
}

// note puts the outcome of a turn into the status and logs a change of it.
func (l *Log) note(ctx context.Context, leader bool, err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	l.mu.Lock()
	was := l.status.Error
	l.status.Leader = leader
	if l.status.Error = text; text == "" {
		l.status.Since = time.Time{}
	} else if was == "" {
		l.status.Since = l.cfg.Clock().UTC()
	}
	l.mu.Unlock()
	switch {
	case text == was:
	case text != "":
		l.cfg.Log.ErrorContext(ctx, "audit records do not reach the log", "error", err)
	default:
		l.cfg.Log.InfoContext(ctx, "audit records reach the log again")
	}
}

// sequencer is the state of a leader.
type sequencer struct {
	*Log
	app    *tessera.Appender
	cancel context.CancelFunc
	close  func(context.Context) error
	// sure: everything that the log holds is noted in the outbox. Not so after a start or an error.
	sure bool
}

// turn looks into the outbox until it is empty.
func (s *sequencer) turn(ctx context.Context) error {
	for {
		leads, err := s.cfg.Lead(ctx)
		if err != nil || !leads {
			s.stop()
			if err != nil {
				return fmt.Errorf("asking who leads: %w", err)
			}
			return nil
		}
		if s.app == nil {
			if err := s.start(ctx); err != nil {
				return err
			}
		}
		n, err := s.batch(ctx)
		if err != nil {
			return err
		}
		if n < batchSize {
			s.sure = true
			return nil
		}
	}
}

// start opens the log as its leader.
func (s *sequencer) start(ctx context.Context) error {
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	if err := os.MkdirAll(s.cfg.Dir, 0o700); err != nil {
		cancel()
		return fmt.Errorf("making the audit log's directory: %w", err)
	}
	driver, err := posix.New(run, posix.Config{Path: s.cfg.Dir})
	if err == nil {
		opts := tessera.NewAppendOptions().WithCheckpointSigner(s.cfg.Key.signer).WithBatching(batchSize, 20*time.Millisecond).
			WithCheckpointInterval(checkpointEvery).WithCheckpointRepublishInterval(0)
		s.app, s.close, _, err = tessera.NewAppender(run, driver, opts)
	}
	if err != nil {
		cancel()
		s.app = nil
		return fmt.Errorf("opening the audit log in %s: %w", s.cfg.Dir, err)
	}
	s.cancel, s.sure = cancel, false
	if err := s.takeOver(ctx); err != nil {
		s.stop()
		return err
	}
	return nil
}

// stop ends what start began; records that were appended are in a checkpoint, or are found again.
func (s *sequencer) stop() {
	if s.app == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := s.close(ctx); err != nil {
		s.cfg.Log.WarnContext(ctx, "closing the audit log", "error", err)
	}
	s.cancel()
	s.app, s.sure = nil, false
}

// takeOver makes sure that the log is the right one: it contains everything that was sequenced, and continues the last
// checkpoint that was signed.
func (s *sequencer) takeOver(ctx context.Context) error {
	size, err := s.waitForCheckpoint(ctx, 0)
	if err != nil {
		return err
	}
	if s.cfg.Archive != nil {
		if size, err = s.refill(ctx, size); err != nil {
			return err
		}
	}
	if err := s.continues(ctx, size); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.cfg.Dir, verify.KeyFile), []byte(s.cfg.Key.Public()+"\n"), 0o644); err != nil {
		return fmt.Errorf("writing the audit log's public key: %w", err)
	}
	return s.publish(ctx)
}

// refill appends records that were sequenced elsewhere: by another hub, or before the directory was lost.
func (s *sequencer) refill(ctx context.Context, size int64) (int64, error) {
	for {
		list, err := s.cfg.Archive.Records(ctx, size, batchSize)
		if err != nil || len(list) == 0 {
			return size, err
		}
		leaves := make([][]byte, len(list))
		for i, r := range list {
			if r.Index != size+int64(i) {
				return size, fmt.Errorf("%w: it has %d records, the next one at hand is number %d: restore its directory from a backup or from the other hub",
					ErrForked, size+int64(i), r.Index)
			}
			if leaves[i], err = leafOf(r.Entry); err != nil {
				return size, err
			}
		}
		if err := s.append(ctx, leaves, size); err != nil {
			return size, err
		}
		size += int64(len(list))
	}
}

// continues compares the log with the last checkpoint that was signed.
func (s *sequencer) continues(ctx context.Context, size int64) error {
	if s.cfg.Last == nil {
		return nil
	}
	text, err := s.cfg.Last.Load(ctx)
	if err != nil || text == nil {
		return err
	}
	last, err := verify.OpenCheckpoint(text, s.cfg.Key.verifier)
	if err != nil {
		return fmt.Errorf("%w: reading it: %w", ErrForked, err)
	}
	if last.Size > size {
		return fmt.Errorf("%w: it has %d records, %d were signed: restore its directory from a backup or from the other hub", ErrForked, size, last.Size)
	}
	root, err := s.tiles.root(uint64(last.Size))
	if err != nil {
		return err
	}
	if !bytes.Equal(root, last.Root) {
		return fmt.Errorf("%w: the first %d records are others than were signed", ErrForked, last.Size)
	}
	return nil
}

// leafOf is the leaf of a record: the commitment to it.
func leafOf(e audit.Entry) ([]byte, error) {
	b, err := e.Canonical()
	if err != nil {
		return nil, err
	}
	c := audit.Commit(b)
	return c[:], nil
}

// batch brings one batch into the log and notes it. It returns how many records waited.
func (s *sequencer) batch(ctx context.Context) (int, error) {
	pending, err := s.cfg.Outbox.Pending(ctx, batchSize)
	if err != nil {
		return 0, fmt.Errorf("reading the outbox: %w", err)
	}
	if len(pending) == 0 {
		return 0, nil
	}
	ids, leaves := make([]string, len(pending)), make([][]byte, len(pending))
	for i, r := range pending {
		ids[i] = r.ID
		if leaves[i], err = leafOf(r.Entry); err != nil {
			return 0, err
		}
	}
	index, err := s.place(ctx, leaves)
	if err != nil {
		return 0, err
	}
	noted := make(map[string]int64, len(ids))
	for i, id := range ids {
		noted[id] = index[string(leaves[i])]
	}
	if err := s.cfg.Outbox.Sequenced(ctx, noted); err != nil {
		return 0, fmt.Errorf("noting what was sequenced: %w", err)
	}
	return len(pending), s.publish(ctx)
}

// place appends the leaves that are not in the log yet, in order, and returns the places of all.
func (s *sequencer) place(ctx context.Context, leaves [][]byte) (map[string]int64, error) {
	_, c, err := s.Checkpoint()
	if err != nil {
		return nil, err
	}
	size, index := c.Size, map[string]int64{}
	if !s.sure {
		if size, err = s.settled(ctx); err != nil {
			return nil, err
		}
		if index, err = s.find(ctx, leaves, size); err != nil {
			return nil, err
		}
	}
	var fresh [][]byte
	for _, leaf := range leaves {
		if _, ok := index[string(leaf)]; !ok {
			index[string(leaf)] = size + int64(len(fresh))
			fresh = append(fresh, leaf)
		}
	}
	return index, s.append(ctx, fresh, size)
}

// settled waits until a checkpoint covers all leaves that are in the log, and returns its size.
func (s *sequencer) settled(ctx context.Context) (int64, error) {
	size, err := integrated(s.cfg.Dir)
	if err != nil {
		return 0, err
	}
	return s.waitForCheckpoint(ctx, size)
}

// find looks for leaves among the last ones of the log.
func (s *sequencer) find(ctx context.Context, leaves [][]byte, size int64) (map[string]int64, error) {
	wanted := make(map[string]bool, len(leaves))
	for _, leaf := range leaves {
		wanted[string(leaf)] = true
	}
	found := map[string]int64{}
	err := s.tiles.leaves(ctx, uint64(max(0, size-tail)), uint64(size), uint64(size), func(i uint64, leaf []byte) error {
		if wanted[string(leaf)] {
			found[string(leaf)] = int64(i)
		}
		return nil
	})
	return found, err
}

// append adds leaves to a log of size leaves and waits until a checkpoint covers them.
func (s *sequencer) append(ctx context.Context, leaves [][]byte, size int64) error {
	if len(leaves) == 0 {
		return nil
	}
	s.sure = false // until it is known how this ends
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), appendTimeout)
	defer cancel()
	futures := make([]tessera.IndexFuture, len(leaves))
	for i, leaf := range leaves {
		futures[i] = s.app.Add(ctx, tessera.NewEntry(leaf))
	}
	for i, future := range futures {
		got, err := future()
		if err != nil {
			return fmt.Errorf("appending to the audit log: %w", err)
		}
		if want := uint64(size) + uint64(i); got.Index != want {
			return fmt.Errorf("appending to the audit log: record %d came to place %d: another process writes to %s", want, got.Index, s.cfg.Dir)
		}
	}
	if _, err := s.waitForCheckpoint(ctx, size+int64(len(leaves))); err != nil {
		return err
	}
	s.sure = true
	return nil
}

// waitForCheckpoint waits for a signed checkpoint of at least size leaves and returns its size.
func (s *sequencer) waitForCheckpoint(ctx context.Context, size int64) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, appendTimeout)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		_, c, err := s.Checkpoint()
		if err == nil && c.Size >= size {
			return c.Size, nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return 0, err
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("waiting for a checkpoint of %d records: %w", size, ctx.Err())
		case <-tick.C:
		}
	}
}

// publish hands the newest checkpoint to whoever remembers it.
func (s *sequencer) publish(ctx context.Context) error {
	text, c, err := s.Checkpoint()
	if err != nil {
		return err
	}
	if s.cfg.Last != nil {
		old, err := s.cfg.Last.Load(ctx)
		if err == nil && !bytes.Equal(old, text) {
			err = s.cfg.Last.Save(ctx, old, text)
		}
		if err != nil {
			return fmt.Errorf("remembering the checkpoint: %w", err)
		}
	}
	l := s.Log
	l.mu.Lock()
	if l.status.Size != c.Size {
		l.status.Sequenced = l.cfg.Clock().UTC()
	}
	l.status.Size = c.Size
	l.mu.Unlock()
	for _, o := range l.outs {
		o.offer(text, c.Size)
	}
	return nil
}

// readBounded reads the checkpoint of the log in dir.
func readBounded(dir string) ([]byte, error) {
	f, err := os.Open(filepath.Join(dir, layout.CheckpointPath))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	const most = 64 << 10
	return io.ReadAll(io.LimitReader(f, most+1))
}
