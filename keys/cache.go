package keys

import (
	"bytes"
	"sync"
	"time"
)

// cache holds unwrapped keys, and for a moment the errors of those that could not be unwrapped. What is handed out is
// always a copy, since a purge overwrites the original.
type cache struct {
	mu      sync.Mutex
	entries map[string]*entry
	failed  map[string]failure
}

type entry struct {
	key     []byte
	expires time.Time
	used    time.Time
}

// failure spares a provider that is in trouble: until then the same error is given.
type failure struct {
	err   error
	until time.Time
}

func newCache() *cache { return &cache{entries: map[string]*entry{}, failed: map[string]failure{}} }

// get returns a copy of a key that has not expired, nil where there is none.
func (c *cache) get(id string, now time.Time) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[id]
	if e == nil || !now.Before(e.expires) {
		return nil
	}
	e.used = now
	return bytes.Clone(e.key)
}

// put keeps a copy of key until expires.
func (c *cache) put(id string, key []byte, now, expires time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	used := now
	if old := c.entries[id]; old != nil {
		clear(old.key)
		used = old.used
	}
	delete(c.failed, id)
	c.entries[id] = &entry{key: bytes.Clone(key), expires: expires, used: used}
}

// fail remembers that a key could not be unwrapped. An unwrapped one of before stays until it expires.
func (c *cache) fail(id string, f failure) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failed[id] = f
}

// failure returns the error of an attempt that was made just now.
func (c *cache) failure(id string, now time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	f, ok := c.failed[id]
	if ok && !now.Before(f.until) {
		delete(c.failed, id)
		return nil
	}
	return f.err
}

// forget drops the errors: something has changed.
func (c *cache) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.failed)
}

// purge overwrites and forgets the keys that match.
func (c *cache) purge(match func(id string, e *entry) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, e := range c.entries {
		if match(id, e) {
			clear(e.key)
			delete(c.entries, id)
		}
	}
}

// used returns the ids of the keys in memory that were asked for since then.
func (c *cache) used(since time.Time) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var ids []string
	for id, e := range c.entries {
		if !e.used.Before(since) {
			ids = append(ids, id)
		}
	}
	return ids
}

// expiry returns when the first key expires, zero where none is in memory.
func (c *cache) expiry() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	var first time.Time
	for _, e := range c.entries {
		if first.IsZero() || e.expires.Before(first) {
			first = e.expires
		}
	}
	return first
}
