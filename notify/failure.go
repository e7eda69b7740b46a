package notify

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"
	"time"

	"github.com/seawall/seawall/internal/egress"
)

// failure is an error with what follows from it for the delivery and for others to the same target.
type failure struct {
	err       error
	permanent bool          // no later attempt can help
	after     time.Duration // the target asks for this pause
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

func permanent(err error) error { return &failure{err: err, permanent: true} }

func failureOf(err error) failure {
	var f *failure
	if errors.As(err, &f) {
		return *f
	}
	return failure{err: err, permanent: errors.Is(err, egress.ErrRefused)}
}

// discreet takes addresses out of an error of the HTTP client: those of chats are secrets as a whole, and those of
// webhooks often hold one.
func discreet(err error) error {
	var u *url.Error
	if !errors.As(err, &u) {
		return err
	}
	if u.Timeout() {
		return fmt.Errorf("no answer in time: %w", u.Err)
	}
	return u.Err
}

// downs remembers targets that could not be reached a moment ago, so that the many deliveries to one that is down do
// not each wait for it.
type downs struct {
	mu   sync.Mutex
	seen map[int64]down
}

type down struct {
	at  time.Time
	err error
}

// downFor is how long one attempt speaks for all.
const downFor = 30 * time.Second

func (d *downs) of(target int64, now time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	was, ok := d.seen[target]
	if age := now.Sub(was.at); !ok || age < 0 || age > downFor {
		return nil
	}
	return fmt.Errorf("another delivery just failed: %w", was.err)
}

func (d *downs) note(target int64, now time.Time, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var unreachable net.Error
	if err == nil || !errors.As(err, &unreachable) {
		delete(d.seen, target)
		return
	}
	if d.seen == nil {
		d.seen = map[int64]down{}
	}
	d.seen[target] = down{now, err}
}
