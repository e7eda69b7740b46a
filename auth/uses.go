package auth

import (
	"maps"
	"sync"
	"time"
)

// maxUses bounds how many tokens' uses wait to be noted; further ones are not noted until these are.
const maxUses = 50_000

// uses gathers when tokens were used, to the minute, until Authority.Run notes them.
type uses struct {
	mu      sync.Mutex
	waiting map[string]time.Time
	// before is what was taken last: it may not be in the store yet.
	before map[string]time.Time
}

// note leaves registry tokens out: they live for minutes.
func (u *uses) note(t Token, now time.Time) {
	if t.Kind == TokenRegistry {
		return
	}
	now = now.UTC().Truncate(time.Minute)
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.waiting == nil {
		u.waiting = map[string]time.Time{}
	}
	if _, ok := u.waiting[t.ID]; (ok || len(u.waiting) < maxUses) && now.After(t.Used) {
		u.waiting[t.ID] = now
	}
}

func (u *uses) last(id string) time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	if t, ok := u.waiting[id]; ok {
		return t
	}
	return u.before[id]
}

func (u *uses) take() map[string]time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.before, u.waiting = u.waiting, nil
	return maps.Clone(u.before)
}
