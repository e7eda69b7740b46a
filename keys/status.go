package keys

import (
	"context"
	"log/slog"
	"time"
)

// State says how the provider answered last.
type State string

const (
	Answers     State = "answers"
	Refuses     State = "refuses"     // it said no: the key is disabled, deleted or not granted any more
	Unreachable State = "unreachable" // it said nothing: keys in memory serve for the rest of their time
)

// Alert tells that the provider's state has changed.
type Alert struct {
	State State
	Err   error // nil for Answers
	At    time.Time
	// Until is when the last key in memory may serve at the latest: At for Refuses.
	Until time.Time
}

// health is what the provider's answers tell.
type health struct {
	state   State
	failing map[string]error // by key id
	last    time.Time        // it answered with a key
	failed  time.Time        // first failure of this outage
	next    time.Time        // check
}

// note takes note of one answer about one key. The state is that of the worst key.
func (h *health) note(id string, now time.Time, err error) {
	if err == nil {
		delete(h.failing, id)
		h.last = now
	} else {
		h.failing[id] = err
	}
	h.state = Answers
	if worst := h.worst(); final(worst) {
		h.state = Refuses
	} else if worst != nil {
		h.state = Unreachable
	}
	switch {
	case h.state == Answers:
		h.failed = time.Time{}
	case h.failed.IsZero():
		h.failed = now
	}
}

// worst is a final error if there is one.
func (h *health) worst() error {
	var worst error
	for _, err := range h.failing {
		if worst == nil || final(err) {
			worst = err
		}
	}
	return worst
}

// report takes note of an answer of the provider, and alerts where its state has changed.
func (r *Ring) report(id string, now time.Time, err error) {
	r.mu.Lock()
	was := r.health.state
	r.health.note(id, now, err)
	a := Alert{State: r.health.state, Err: r.health.worst(), At: now, Until: now}
	if a.State == Unreachable {
		a.Until = r.health.last.Add(r.cfg.Cache)
	}
	r.mu.Unlock()
	if a.State == was || was == "" && a.State == Answers {
		return
	}
	r.cfg.Log.LogAttrs(context.Background(), level(a.State), "the key provider's state has changed", attrs(a.State, a.Err)...)
	r.cfg.OnAlert(a)
}

func level(s State) slog.Level {
	if s == Answers {
		return slog.LevelInfo
	}
	return slog.LevelError
}

func attrs(s State, err error) []slog.Attr {
	list := []slog.Attr{slog.String("state", string(s))}
	if err != nil {
		list = append(list, slog.String("error", err.Error()))
	}
	return list
}

// Status is what `seawall keys status` and the console show. It holds no secret.
type Status struct {
	Enabled  bool   `json:"enabled"`
	Provider string `json:"provider,omitempty"`
	State    State  `json:"state,omitempty"`
	Error    string `json:"error,omitempty"`
	// LastAnswer is when the provider gave out a key last; FailingSince when it stopped, zero while it answers.
	LastAnswer   time.Time `json:"lastAnswer,omitzero"`
	FailingSince time.Time `json:"failingSince,omitzero"`
	NextCheck    time.Time `json:"nextCheck,omitzero"`
	// CacheSeconds is within how many seconds a revocation takes effect.
	CacheSeconds int       `json:"cacheSeconds,omitempty"`
	Rotated      time.Time `json:"rotated,omitzero"` // when keys were wrapped anew, or the ring was made
	Revision     int64     `json:"revision,omitempty"`
	Keys         []KeyInfo `json:"keys,omitempty"` // oldest first
}

// KeyInfo tells about one data key.
type KeyInfo struct {
	ID      string    `json:"id"`
	Purpose string    `json:"purpose"`
	Created time.Time `json:"created"`
	Current bool      `json:"current"` // used for what is written now
}

// Status tells how the ring is, without asking the provider; see Check.
func (r *Ring) Status(context.Context) Status {
	if !r.Enabled() {
		return Status{}
	}
	v, _ := r.snapshot()
	s := Status{Enabled: true, Provider: r.keeper().name(), CacheSeconds: int(r.cfg.Cache / time.Second), Rotated: v.Rotated, Revision: v.Revision}
	for _, k := range v.Keys {
		current, _ := v.current(k.Purpose)
		s.Keys = append(s.Keys, KeyInfo{ID: k.ID, Purpose: k.Purpose, Created: k.Created, Current: current.ID == k.ID})
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	h := &r.health
	s.State, s.LastAnswer, s.FailingSince, s.NextCheck = h.state, h.last, h.failed, h.next
	if err := h.worst(); err != nil {
		s.Error = err.Error()
	}
	return s
}

// Check asks the provider now instead of at the next check, and returns the status after that.
func (r *Ring) Check(ctx context.Context) Status {
	if r.Enabled() {
		r.cache.forget()
		r.check(ctx)
	}
	return r.Status(ctx)
}
