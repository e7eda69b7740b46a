package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"
)

// Answer is what a request with an Idempotency-Key was answered.
type Answer struct {
	Status int
	Header map[string]string
	Body   []byte
}

// shownOnce is the header of a kept answer whose body held something that is shown once: it has none.
const shownOnce = "X-Shown-Once"

// ErrReused says that a key came before with another request, ErrUnderWay that the first one is not answered yet.
var (
	ErrReused   = errors.New("the Idempotency-Key was used for another request: use a new one")
	ErrUnderWay = errors.New("the request with this Idempotency-Key is still being answered: try again in a moment")
)

// Answers keeps answers by principal and key, for a day.
type Answers interface {
	// Idempotent begins a request. It returns nil where the request is new and is to be carried out, and the answer where
	// it is a repetition. hash is of the request. ErrReused, ErrUnderWay.
	Idempotent(ctx context.Context, principal, key string, hash []byte) (seen *Answer, err error)
	// SaveAnswer keeps the answer to a request that Idempotent began; ForgetAnswer lets it be tried again.
	SaveAnswer(ctx context.Context, principal, key string, a Answer) error
	ForgetAnswer(ctx context.Context, principal, key string) error
}

// once runs the request unless it was answered before. Only good answers are kept: a request that failed changed
// nothing and may be tried again.
func (c *call) once() (reply, error) {
	key := c.r.Header.Get("Idempotency-Key")
	if !validKey(key) {
		return nil, errKey
	}
	hash, err := c.hash()
	if err != nil {
		return nil, err
	}
	seen, err := c.s.Answers.Idempotent(c.ctx(), c.who.ID, key, hash)
	if err != nil {
		return nil, err
	}
	if seen != nil {
		return again(seen)
	}
	r, err := c.route.handle(c)
	c.keep(key, r, err)
	return r, err
}

func validKey(key string) bool {
	for i := range len(key) {
		if key[i] <= ' ' || key[i] > '~' {
			return false
		}
	}
	return len(key) <= 255
}

// hash reads the body and hands it back to the handler.
func (c *call) hash() ([]byte, error) {
	max := c.s.Limits.Body
	if c.route.streams {
		max = c.s.Limits.Report
	}
	b, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, max))
	if err != nil {
		return nil, err
	}
	c.r.Body = io.NopCloser(bytes.NewReader(b))
	h := sha256.New()
	h.Write([]byte(c.r.Method + " " + c.r.URL.RequestURI() + "\n"))
	h.Write(b)
	return h.Sum(nil), nil
}

func again(seen *Answer) (reply, error) {
	if seen.Header[shownOnce] != "" {
		return nil, errShownOnce
	}
	a := answer{status: seen.Status, location: seen.Header["Location"], tagged: seen.Header["ETag"] != ""}
	if len(seen.Body) > 0 {
		a.body = json.RawMessage(seen.Body)
	}
	return a, nil
}

// keep stores a good answer and forgets a bad one, even when the caller has gone: what is done is done.
func (c *call) keep(key string, r reply, failed error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx()), 10*time.Second)
	defer cancel()
	a, isAnswer := r.(answer)
	if failed != nil || !isAnswer {
		c.follow(c.s.Answers.ForgetAnswer(ctx, c.who.ID, key), "forgetting a key")
		return
	}
	kept := Answer{Status: a.status, Header: map[string]string{}}
	if a.location != "" {
		kept.Header["Location"] = a.location
	}
	if a.tagged {
		kept.Header["ETag"] = "1"
	}
	b, err := a.bytes()
	c.follow(err, "keeping the answer")
	if c.route.secret && b != nil {
		kept.Header[shownOnce] = "1"
	} else {
		kept.Body = b
	}
	c.follow(c.s.Answers.SaveAnswer(ctx, c.who.ID, key, kept), "keeping the answer")
}
