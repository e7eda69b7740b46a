package translog

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/seawall/seawall/audit/verify"
	"github.com/seawall/seawall/internal/durable"
)

// outlet hands checkpoints to a Copy without keeping the log waiting: the newest one replaces one that still waits.
type outlet struct {
	copy  Copy
	clock func() time.Time
	wake  chan struct{}

	mu     sync.Mutex
	text   []byte
	size   int64
	status CopyStatus
}

func newOutlet(c Copy, clock func() time.Time) *outlet {
	return &outlet{copy: c, clock: clock, wake: make(chan struct{}, 1), status: CopyStatus{Name: c.Name()}}
}

func (o *outlet) offer(text []byte, size int64) {
	o.mu.Lock()
	o.text, o.size = text, size
	o.mu.Unlock()
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

func (o *outlet) show() CopyStatus {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.status
}

// run hands over what is offered, and tries again after an error until ctx ends.
func (o *outlet) run(ctx context.Context) {
	const retry = 10 * time.Second
	var again <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-o.wake:
		case <-again:
		}
		again = nil
		if !o.hand(ctx) {
			again = time.After(retry)
		}
	}
}

func (o *outlet) hand(ctx context.Context) bool {
	o.mu.Lock()
	text, size := o.text, o.size
	o.mu.Unlock()
	err := o.copy.Put(ctx, text)
	o.mu.Lock()
	defer o.mu.Unlock()
	if err != nil {
		o.status.Error = err.Error()
		return false
	}
	o.status.Size, o.status.At, o.status.Error = size, o.clock().UTC(), ""
	return true
}

// Directory is a Copy that keeps every checkpoint it is given as a file named by its size: on a disk of another machine,
// or on one that cannot be overwritten.
type Directory string

// Name implements Copy.
func (d Directory) Name() string { return string(d) }

// Put implements Copy.
func (d Directory) Put(_ context.Context, checkpoint []byte) error {
	c, err := verify.ParseCheckpoint(string(checkpoint))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return fmt.Errorf("writing a checkpoint: %w", err)
	}
	if err := durable.Write(filepath.Join(string(d), fmt.Sprintf("checkpoint-%012d", c.Size)), checkpoint); err != nil {
		return fmt.Errorf("writing a checkpoint: %w", err)
	}
	return nil
}
