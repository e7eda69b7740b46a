package intake

import (
	"context"
	"sync"
	"time"
)

// flights joins those who wait for the same thing: it is done once, and all learn how it ended. What failed is not
// tried again for a while, so that pulls of an image that cannot be matched cost nothing.
type flights struct {
	mu     sync.Mutex
	flying map[string]*flight
	failed map[string]time.Time
	locks  map[string]chan struct{}
}

type flight struct {
	done chan struct{}
	err  error
}

// restAfterFailure is how long what failed is left alone.
const restAfterFailure = 10 * time.Second

// start does run in the background unless it is being done, and returns the flight; nil where it failed a moment ago.
func (f *flights) start(key string, now time.Time, run func() error) *flight {
	f.mu.Lock()
	defer f.mu.Unlock()
	if at, failed := f.failed[key]; failed && now.Sub(at) < restAfterFailure && !now.Before(at) {
		return nil
	}
	if fl := f.flying[key]; fl != nil {
		return fl
	}
	if f.flying == nil {
		f.flying, f.failed = map[string]*flight{}, map[string]time.Time{}
	}
	fl := &flight{done: make(chan struct{})}
	f.flying[key] = fl
	go func() {
		fl.err = run()
		f.land(key, fl, now)
	}()
	return fl
}

func (f *flights) land(key string, fl *flight, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.flying, key)
	delete(f.failed, key)
	if fl.err != nil {
		if len(f.failed) >= maxRemembered {
			clear(f.failed)
		}
		f.failed[key] = now
	}
	close(fl.done)
}

// lock waits for its turn with key and returns what ends it.
func (f *flights) lock(ctx context.Context, key string) (unlock func(), err error) {
	for {
		f.mu.Lock()
		held := f.locks[key]
		if held == nil {
			if f.locks == nil {
				f.locks = map[string]chan struct{}{}
			}
			mine := make(chan struct{})
			f.locks[key] = mine
			f.mu.Unlock()
			return func() {
				f.mu.Lock()
				delete(f.locks, key)
				f.mu.Unlock()
				close(mine)
			}, nil
		}
		f.mu.Unlock()
		select {
		case <-held:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
