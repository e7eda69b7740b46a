package api

import (
	"bytes"
	"context"
	"sync"
	"time"
)

// memory keeps answers in this process alone: what holds where Config.Answers is nil.
type memory struct {
	clock func() time.Time
	mu    sync.Mutex
	kept  map[string]remembered
	order []string // of kept, oldest first
}

type remembered struct {
	hash   []byte
	at     time.Time
	answer *Answer // nil while it is being made
}

const (
	// remember bounds the answers, and rememberFor how long one is known.
	remember    = 10_000
	rememberFor = 24 * time.Hour
)

func (m *memory) Idempotent(_ context.Context, principal, key string, hash []byte) (*Answer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.forgetOld()
	name := principal + "\x00" + key
	switch k, known := m.kept[name]; {
	case !known:
		m.kept[name] = remembered{hash: hash, at: m.clock()}
		m.order = append(m.order, name)
		return nil, nil
	case !bytes.Equal(k.hash, hash):
		return nil, ErrReused
	case k.answer == nil:
		return nil, ErrUnderWay
	default:
		return k.answer, nil
	}
}

func (m *memory) forgetOld() {
	for len(m.order) > 0 {
		k, known := m.kept[m.order[0]]
		if known && len(m.order) < remember && m.clock().Sub(k.at) < rememberFor {
			return
		}
		delete(m.kept, m.order[0])
		m.order = m.order[1:]
	}
}

func (m *memory) SaveAnswer(_ context.Context, principal, key string, a Answer) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	name := principal + "\x00" + key
	if k, known := m.kept[name]; known {
		k.answer = &a
		m.kept[name] = k
	}
	return nil
}

func (m *memory) ForgetAnswer(_ context.Context, principal, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.kept, principal+"\x00"+key)
	return nil
}
