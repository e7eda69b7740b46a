package main

import (
	"io"
	"net/http"
	"time"
)

// bodyWithin bounds how long a request's body may take to arrive: as a whole, or for content of the registry, which may
// be large, each part of it. Whoever sends nothing holds a connection no longer.
const bodyWithin = time.Minute

// steady puts a deadline on bodies. large says of which requests the body may take longer, as long as it goes on.
func steady(next http.Handler, within time.Duration, large func(*http.Request) bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body == nil || r.Body == http.NoBody {
			next.ServeHTTP(w, r)
			return
		}
		b := &body{ReadCloser: r.Body, control: http.NewResponseController(w), within: within, goesOn: large(r)}
		b.arm(time.Now())
		r.Body = b
		next.ServeHTTP(w, r)
	})
}

type body struct {
	io.ReadCloser
	control *http.ResponseController
	within  time.Duration
	goesOn  bool
	armed   time.Time
}

// arm sets the deadline. Where there is no connection, there is nothing to wait for.
func (b *body) arm(now time.Time) {
	b.armed = now
	b.control.SetReadDeadline(now.Add(b.within))
}

// Read takes the deadline away at the end: it would end requests that work on.
func (b *body) Read(p []byte) (int, error) {
	if now := time.Now(); b.goesOn && now.Sub(b.armed) > b.within/10 {
		b.arm(now)
	}
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}
