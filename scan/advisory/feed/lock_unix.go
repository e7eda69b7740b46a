//go:build unix

package feed

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// acquire takes the directory for one update or import. The kernel gives it back when the process dies.
func (p paths) acquire() (release func(), err error) {
	if err := os.MkdirAll(string(p), 0o755); err != nil {
		return nil, fmt.Errorf("making the database directory: %w", err)
	}
	f, err := os.OpenFile(p.lock(), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("locking the database directory: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("%w: %s", ErrBusy, p)
		}
		return nil, fmt.Errorf("locking the database directory: %w", err)
	}
	return func() { _ = f.Close() }, nil
}
