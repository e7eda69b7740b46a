package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"io"
	"net/http"
	"time"
)

// Answer is what a request with an Idempotency-Key was answered.
type Answer struct {
	Hash     []byte // of the request
	Status   int
	Location string
	Body     []byte // JSON; nil where the answer held something that is shown once
}

// Answers keeps answers by principal and key, for a day.
type Answers interface {
	// Answered returns the answer that was kept, nil where there is none.
	Answered(ctx context.Context, principal, key string) (*Answer, error)
	KeepAnswer(ctx context.Context, principal, key string, a Answer) error
}

// once runs the request unless it was answered before. Only good answers are kept: a request that failed changed
// nothing and may be repeated.
func (c *call) once() (reply, error) {
	key := c.r.Header.Get("Idempotency-Key")
	if c.s.Answers == nil {
		return nil, errNoAnswers
	}
	if !validKey(key) {
		return nil, errKey
	}
	hash, err := c.hash()
	if err != nil {
		return nil, err
	}
	defer c.s.repeat.take(c.who.ID + " " + key)()
	seen, err := c.s.Answers.Answered(c.ctx(), c.who.ID, key)
	if err != nil {
		return nil, err
	}
	if seen != nil {
		return again(seen, hash)
	}
	r, err := c.route.handle(c)
	if err != nil {
		return nil, err
	}
	return r, c.keep(key, hash, r)
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

func again(seen *Answer, hash []byte) (reply, error) {
	switch {
	case !bytes.Equal(seen.Hash, hash):
		return nil, errRepeated
	case seen.Status == http.StatusNoContent:
		return answer{status: seen.Status, location: seen.Location}, nil
	case seen.Body == nil:
		return nil, errShownOnce
	}
	return answer{status: seen.Status, location: seen.Location, body: json.RawMessage(seen.Body)}, nil
}

// keep stores the answer, even when the caller has gone: the act is done. An answer that cannot be kept fails the
// request, which says that it may not be repeated blindly.
func (c *call) keep(key string, hash []byte, r reply) error {
	a, isAnswer := r.(answer)
	if !isAnswer {
		return nil
	}
	kept := Answer{Hash: hash, Status: a.status, Location: a.location}
	if !c.route.secret {
		b, err := a.bytes()
		if err != nil {
			return err
		}
		kept.Body = b
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx()), 10*time.Second)
	defer cancel()
	c.follow(c.s.Answers.KeepAnswer(ctx, c.who.ID, key, kept), "keeping the answer")
	return nil
}
