// Package translog brings audit records from the outbox into a transparency log: a Merkle tree of RFC 6962 in the layout
// of C2SP tlog-tiles, with signed checkpoints.
//
// It promises that a record that was committed is in a signed checkpoint within two seconds while this process leads,
// that it is appended once whatever crashes when, and that a log which does not continue the last checkpoint that was
// signed is not continued. The log holds commitments (audit.Commit), so that it tells nothing about anybody and stays
// whole when old records are dropped. It leaves out where records are kept and who leads, which the caller gives, and
// the checking of exports, which package verify does without any of this.
//
// Checkpoints can be kept elsewhere (Copy) and signed by witnesses (RemoteWitness); Witness does the same for the logs of
// others. Retire moves old records out of the state into sealed segments.
package translog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/audit/verify"
)

// ErrForked: the log in the directory does not continue the last signed checkpoint. The directory was replaced or
// altered; nothing is appended until the right one is back.
var ErrForked = errors.New("the audit log does not continue its last signed checkpoint")

// Config says what a log is made of. Dir, Key and Outbox are needed.
type Config struct {
	// Dir holds the log's files. Only one process may lead for it at a time.
	Dir    string
	Key    *Key
	Outbox audit.Outbox
	// Archive gives back sequenced records, for exports, for retention, and to fill an empty directory again.
	Archive audit.Archive
	// Lead reports whether this process leads; it is asked before every batch and should hold for 10 seconds. Nil: always.
	Lead func(ctx context.Context) (bool, error)
	// Last keeps the last signed checkpoint outside of Dir, best in the state that hubs share. Nil: Dir is trusted.
	Last Blob
	// Copies receive every signed checkpoint, so that a log that is rewritten contradicts what others hold.
	Copies []Copy
	// Witnesses are shown every checkpoint, and sign those that continue what they saw before. Exports carry their
	// signatures; the log does not wait for them.
	Witnesses []RemoteWitness
	// Interval between looks into the outbox: 250 ms for 0. Wake looks at once.
	Interval time.Duration
	// Clock is time.Now where nil.
	Clock func() time.Time
	// Log may be nil.
	Log *slog.Logger
}

// Copy is a place outside of the hub where checkpoints are kept.
type Copy interface {
	// Name may be shown.
	Name() string
	// Put is given every signed checkpoint, in order; some in between may be left out when it is slow.
	Put(ctx context.Context, checkpoint []byte) error
}

// Log is the audit log of this hub. Run feeds it; the other methods read, and work while another process leads as long
// as Dir is the same.
type Log struct {
	cfg       Config
	tiles     tiles
	wake      chan struct{}
	outs      []*outlet
	witnesses []*cosigner

	mu     sync.Mutex
	status Status
}

// Status tells how the log is.
type Status struct {
	Leader bool  `json:"leader"`
	Size   int64 `json:"size"` // of the last signed checkpoint
	// Sequenced is when a record was appended last; Error what keeps records from it, "" for nothing.
	Sequenced time.Time    `json:"sequenced,omitzero"`
	Error     string       `json:"error,omitempty"`
	Since     time.Time    `json:"since,omitzero"` // of Error
	Copies    []CopyStatus `json:"copies,omitempty"`
}

// CopyStatus tells how a Copy is.
type CopyStatus struct {
	Name  string    `json:"name"`
	Size  int64     `json:"size"` // of the checkpoint that it has
	At    time.Time `json:"at,omitzero"`
	Error string    `json:"error,omitempty"`
}

// Open returns the log; it writes nothing yet.
func Open(cfg Config) (*Log, error) {
	if cfg.Dir == "" || cfg.Key == nil || cfg.Outbox == nil {
		return nil, errors.New("the audit log needs a directory, a key and an outbox")
	}
	cfg.Interval = cmp.Or(max(cfg.Interval, 0), 250*time.Millisecond)
	if cfg.Lead == nil {
		cfg.Lead = func(context.Context) (bool, error) { return true, nil }
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	l := &Log{cfg: cfg, tiles: tiles{dir: cfg.Dir}, wake: make(chan struct{}, 1)}
	for _, c := range cfg.Copies {
		l.outs = append(l.outs, newOutlet(c, cfg.Clock))
	}
	for _, w := range cfg.Witnesses {
		c, err := newCosigner(l, w)
		if err != nil {
			return nil, err
		}
		l.witnesses = append(l.witnesses, c)
		l.outs = append(l.outs, newOutlet(c, cfg.Clock))
	}
	return l, nil
}

// Wake makes Run look into the outbox at once. It never blocks.
func (l *Log) Wake() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Public returns the log's public key.
func (l *Log) Public() string { return l.cfg.Key.Public() }

// Status tells how the log is.
func (l *Log) Status() Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.status
	for _, o := range l.outs {
		s.Copies = append(s.Copies, o.show())
	}
	return s
}

// Checkpoint returns the newest signed checkpoint and its content. An error that is fs.ErrNotExist says that there is
// none yet.
func (l *Log) Checkpoint() ([]byte, verify.Checkpoint, error) {
	text, err := readBounded(l.cfg.Dir)
	if err != nil {
		return nil, verify.Checkpoint{}, fmt.Errorf("reading the checkpoint: %w", err)
	}
	c, err := verify.OpenCheckpoint(text, l.cfg.Key.verifier)
	return text, c, err
}
