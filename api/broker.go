package api

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seawall/seawall/audit"
)

// Broker hands changes to whoever listens: to each listener what its queue holds, and where it was too slow the number
// of what it missed. Publishing never waits.
type Broker struct {
	config BrokerConfig
	epoch  string // tells the ids of one process from those of another

	mu      sync.Mutex
	seq     int64
	recent  []event // a ring: seq%len
	clients map[*client]bool

	dropped atomic.Int64
}

// BrokerConfig bounds a Broker. Zero values give the defaults.
type BrokerConfig struct {
	Queue     int           // events that wait for one listener: 256
	Listeners int           // at once: 1000
	Recent    int           // events that are kept for those who come back: 1024
	Heartbeat time.Duration // between comments that keep a quiet connection open: 15 s
	// Lifetime of a connection: 10 min. The browser comes back by itself, and is then asked anew who it is.
	Lifetime time.Duration
}

type event struct {
	seq        int64
	topic, key string
}

// client is one listener.
type client struct {
	events chan event
	missed atomic.Int64
	wants  func(event) bool
}

// NewBroker returns a Broker without listeners.
func NewBroker(c BrokerConfig) *Broker {
	for _, d := range []struct {
		v      *int
		absent int
	}{{&c.Queue, 256}, {&c.Listeners, 1000}, {&c.Recent, 1024}} {
		if *d.v == 0 {
			*d.v = d.absent
		}
	}
	if c.Heartbeat == 0 {
		c.Heartbeat = 15 * time.Second
	}
	if c.Lifetime == 0 {
		c.Lifetime = 10 * time.Minute
	}
	return &Broker{config: c, epoch: audit.NewID()[:12], recent: make([]event, c.Recent), clients: map[*client]bool{}}
}

// Publish tells listeners that something changed. topic is one of Topics; key names what: "team/app@sha256:…" or
// "team/app" for images and findings, else an id, "" for many.
func (b *Broker) Publish(topic, key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seq++
	e := event{b.seq, topic, key}
	b.recent[e.seq%int64(len(b.recent))] = e
	for c := range b.clients {
		b.offer(c, e)
	}
}

func (b *Broker) offer(c *client, e event) {
	if !c.wants(e) {
		return
	}
	select {
	case c.events <- e:
	default:
		c.missed.Add(1)
		b.dropped.Add(1)
	}
}

// Dropped counts the events that listeners missed since the start.
func (b *Broker) Dropped() int64 { return b.dropped.Load() }

// listen adds a listener who saw events up to last ("" for one who comes first), and reports whether events are gone
// that it did not see. c is nil where there are too many listeners.
func (b *Broker) listen(last string, wants func(event) bool) (c *client, gone bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.clients) >= b.config.Listeners {
		return nil, false
	}
	c = &client{events: make(chan event, b.config.Queue), wants: wants}
	b.clients[c] = true
	from, known := b.place(last)
	if last == "" {
		return c, false
	}
	if !known || b.seq-from >= int64(len(b.recent)) {
		return c, true
	}
	for seq := from + 1; seq <= b.seq; seq++ {
		b.offer(c, b.recent[seq%int64(len(b.recent))])
	}
	return c, false
}

func (b *Broker) leave(c *client) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.clients, c)
}

// id is what a listener gives back as Last-Event-ID.
func (b *Broker) id(e event) string { return fmt.Sprintf("%s-%d", b.epoch, e.seq) }

// now is the id of the newest event.
func (b *Broker) now() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.id(event{seq: b.seq})
}

// place reads an id; known is false for one of another process or of the future.
func (b *Broker) place(id string) (seq int64, known bool) {
	epoch, n, _ := strings.Cut(id, "-")
	seq, err := strconv.ParseInt(n, 10, 64)
	return seq, err == nil && epoch == b.epoch && seq >= 0 && seq <= b.seq
}
