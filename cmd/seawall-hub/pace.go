package main

import (
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/seawall/seawall/auth"
)

// pace bounds how fast one principal, or one address that is not signed in, may ask the API: a script that runs wild must
// not keep others out.
type pace struct {
	mu  sync.Mutex
	who map[string]*rate.Limiter
}

const (
	perSecond = 100
	burst     = 400
	maxPaced  = 10_000 // then all start afresh
)

func newPace() *pace { return &pace{who: map[string]*rate.Limiter{}} }

func (p *pace) allow(r *http.Request) (time.Duration, bool) {
	who := auth.From(r.Context())
	key := who.ID
	if key == "" {
		key = who.Address
	}
	reservation := p.limiter(key).Reserve()
	if wait := reservation.Delay(); wait > 0 {
		reservation.Cancel()
		return wait, false
	}
	return 0, true
}

func (p *pace) limiter(key string) *rate.Limiter {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.who[key]
	if l == nil {
		if len(p.who) >= maxPaced {
			clear(p.who)
		}
		l = rate.NewLimiter(perSecond, burst)
		p.who[key] = l
	}
	return l
}
