package registry

import (
	"container/list"
	"sync"

	"github.com/opencontainers/go-digest"
)

// cache keeps manifests, which never change under their digest, up to a number of bytes.
type cache struct {
	mu    sync.Mutex
	room  int
	order *list.List // of *cached, newest first
	byKey map[digest.Digest]*list.Element
}

type cached struct {
	key  digest.Digest
	data []byte
}

func newCache(room int) *cache {
	return &cache{room: room, order: list.New(), byKey: map[digest.Digest]*list.Element{}}
}

func (c *cache) get(d digest.Digest) ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byKey[d]
	if !ok {
		return nil, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*cached).data, true
}

func (c *cache) put(d digest.Digest, data []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.byKey[d]; ok || len(data) > c.room/8 {
		return
	}
	c.byKey[d] = c.order.PushFront(&cached{d, data})
	c.room -= len(data)
	for c.room < 0 {
		c.drop(c.order.Back())
	}
}

func (c *cache) forget(d digest.Digest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.byKey[d]; ok {
		c.drop(e)
	}
}

func (c *cache) drop(e *list.Element) {
	v := c.order.Remove(e).(*cached)
	delete(c.byKey, v.key)
	c.room += len(v.data)
}

// places remembers for some blobs in which repository they were seen last, so that a mount that names no source may
// find one. It is a hint: whoever uses it looks whether it still holds.
type places struct {
	mu   sync.Mutex
	most int
	repo map[digest.Digest]string
}

func newPlaces(most int) *places { return &places{most: most, repo: map[digest.Digest]string{}} }

func (p *places) note(d digest.Digest, repo string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.repo) >= p.most {
		for k := range p.repo { // any one
			delete(p.repo, k)
			break
		}
	}
	p.repo[d] = repo
}

func (p *places) of(d digest.Digest) (string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	repo, ok := p.repo[d]
	return repo, ok
}

// locks are mutexes by name that exist only while somebody holds or wants them.
type locks struct {
	mu sync.Mutex
	by map[string]*namedLock
}

type namedLock struct {
	sync.Mutex
	users int
}

// lock takes the name and returns how to let it go.
func (l *locks) lock(name string) (unlock func()) {
	n := l.use(name)
	n.Lock()
	return func() { l.unlock(name, n) }
}

// tryLock takes the name if nobody holds it.
func (l *locks) tryLock(name string) (unlock func(), ok bool) {
	n := l.use(name)
	if !n.TryLock() {
		l.leave(name, n)
		return nil, false
	}
	return func() { l.unlock(name, n) }, true
}

func (l *locks) use(name string) *namedLock {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.by == nil {
		l.by = map[string]*namedLock{}
	}
	n := l.by[name]
	if n == nil {
		n = &namedLock{}
		l.by[name] = n
	}
	n.users++
	return n
}

func (l *locks) unlock(name string, n *namedLock) {
	n.Unlock()
	l.leave(name, n)
}

func (l *locks) leave(name string, n *namedLock) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n.users--; n.users == 0 {
		delete(l.by, name)
	}
}
