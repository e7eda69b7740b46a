package auth

import (
	"container/list"
	"sync"
)

// recent is a map of bounded size: what was not used for longest goes first. It may be used by several goroutines.
type recent[K comparable, V any] struct {
	mu    sync.Mutex
	max   int
	order *list.List // newest first
	items map[K]*list.Element
}

type pair[K comparable, V any] struct {
	key   K
	value V
}

func newRecent[K comparable, V any](limit int) *recent[K, V] {
	return &recent[K, V]{max: limit, order: list.New(), items: map[K]*list.Element{}}
}

func (r *recent[K, V]) get(k K) (V, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.items[k]
	if !ok {
		var zero V
		return zero, false
	}
	r.order.MoveToFront(e)
	return e.Value.(pair[K, V]).value, true
}

func (r *recent[K, V]) put(k K, v V) {
	r.change(k, func(V) V { return v })
}

// change puts what f makes of the value that is there, or of the zero value, and returns it.
func (r *recent[K, V]) change(k K, f func(V) V) V {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.items[k]
	if !ok {
		e = r.order.PushFront(pair[K, V]{key: k})
		r.items[k] = e
	}
	v := f(e.Value.(pair[K, V]).value)
	e.Value = pair[K, V]{k, v}
	r.order.MoveToFront(e)
	if r.order.Len() > r.max {
		last := r.order.Back()
		r.order.Remove(last)
		delete(r.items, last.Value.(pair[K, V]).key)
	}
	return v
}

func (r *recent[K, V]) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.order.Init()
	clear(r.items)
}
