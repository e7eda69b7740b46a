package keys

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// retryAfter is how long the error of one attempt stands for the next ones.
const retryAfter = 2 * time.Second

// unwrapped returns a copy of a data key, from memory or from the provider. Concurrent callers share one call.
func (r *Ring) unwrapped(ctx context.Context, k wrappedKey) ([]byte, error) {
	if key := r.cache.get(k.ID, r.now()); key != nil {
		return key, nil
	}
	if err := r.cache.failure(k.ID, r.now()); err != nil {
		return nil, err
	}
	c := r.calls.DoChan(k.ID, func() (any, error) {
		return nil, r.fetch(context.WithoutCancel(ctx), k)
	})
	select {
	case answer := <-c:
		if answer.Err != nil {
			return nil, answer.Err
		}
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for the key provider: %w", ctx.Err())
	}
	if key := r.cache.get(k.ID, r.now()); key != nil {
		return key, nil
	}
	return nil, fmt.Errorf("%w: key %s was revoked meanwhile", ErrUnavailable, k.ID)
}

// fetch asks the provider for a key and keeps what it answers: the key until its time is over, a refusal at once.
func (r *Ring) fetch(ctx context.Context, k wrappedKey) error {
	asked := r.now() // the lifetime counts from the question, not from the answer
	from, wrapped := r.source(k)
	text, err := from.unwrap(ctx, wrapped)
	defer clear(text)
	var key []byte
	if err == nil {
		key, err = openEnvelope(k, text)
	}
	if err != nil && ctx.Err() != nil { // the hub is closing: this tells nothing about the provider
		return fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
	}
	r.report(k.ID, asked, err)
	if err == nil {
		r.cache.put(k.ID, key, asked, asked.Add(r.cfg.Cache))
		return nil
	}
	if final(err) {
		r.cache.purge(func(id string, _ *entry) bool { return id == k.ID })
	}
	if !errors.Is(err, ErrTampered) {
		err = fmt.Errorf("%w: unwrapping key %s: %w", ErrUnavailable, k.ID, err)
	}
	r.cache.fail(k.ID, failure{err: err, until: asked.Add(retryAfter)})
	return err
}

// source returns what unwraps a key and what is to be unwrapped, which a rotation changes together.
func (r *Ring) source(k wrappedKey) (provider, []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now, ok := r.ring.find(k.ID); ok {
		k = now
	}
	return r.provider, k.Wrapped
}

// final errors end a key's life in memory; others leave it the rest of its time.
func final(err error) bool { return errors.Is(err, errRefused) || errors.Is(err, ErrTampered) }

// watch asks for the keys in use again and again until ctx ends.
func (r *Ring) watch(ctx context.Context) {
	pause := r.cfg.Cache / 2
	for {
		next := r.now().Add(pause)
		r.mu.Lock()
		r.health.next = next
		r.mu.Unlock()
		if !wait(ctx, pause) {
			return
		}
		r.check(ctx)
		pause = r.pause()
	}
}

// sweep removes keys as their time is over, until ctx ends. It is apart from watch, which may wait for the provider.
func (r *Ring) sweep(ctx context.Context) {
	most := r.cfg.Cache / 10 // a key that comes while it waits lives for a whole Cache
	for {
		pause := most
		if first := r.cache.expiry(); !first.IsZero() {
			pause = min(most, first.Sub(r.now()))
		}
		if !wait(ctx, max(pause, time.Millisecond)) {
			return
		}
		r.expire()
	}
}

// wait returns false if ctx ends before the time is over.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// failing returns the ids of the keys that could not be unwrapped.
func (r *Ring) failing() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(maps.Keys(r.health.failing))
}

// pause until the next check: shorter while the provider is in trouble, so that its return is noticed.
func (r *Ring) pause() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.health.state == Answers {
		return r.cfg.Cache / 2
	}
	return max(r.cfg.Cache/10, time.Millisecond)
}

// expire removes keys whose time is over.
func (r *Ring) expire() {
	now := r.now()
	r.cache.purge(func(_ string, e *entry) bool { return !now.Before(e.expires) })
}

// check asks the provider for the ring's own key and for every key that was used lately, and takes over a ring that
// another process wrote.
func (r *Ring) check(ctx context.Context) {
	since := r.now().Add(-r.cfg.Cache)
	v, _ := r.snapshot()
	if own, ok := v.current(ringPurpose); ok {
		r.calls.Do(own.ID, func() (any, error) { return nil, r.fetch(ctx, own) })
	}
	for _, id := range append(r.cache.used(since), r.failing()...) {
		if k, ok := v.find(id); ok && k.Purpose != ringPurpose {
			r.calls.Do(id, func() (any, error) { return nil, r.fetch(ctx, k) })
		}
	}
	if err := r.reload(ctx); err != nil && ctx.Err() == nil {
		r.cfg.Log.ErrorContext(ctx, "reading the key ring again", "error", err)
	}
}
