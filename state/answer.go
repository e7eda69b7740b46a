package state

import (
	"context"
	"crypto/subtle"
	"errors"
	"time"
)

// Answer is what a request was answered with.
type Answer struct {
	Status int               `json:"status"`
	Header map[string]string `json:"header,omitempty"`
	Body   []byte            `json:"body,omitempty"`
}

// ErrReused says that an idempotency key came before with another request.
var ErrReused = errors.New("the idempotency key was used for another request")

// ErrUnderWay says that the request with this idempotency key is being answered.
var ErrUnderWay = errors.New("the request with this idempotency key is under way")

// How long idempotency keys are known, and how long a request may take before it counts as lost.
const (
	answersKept  = 24 * time.Hour
	answerWaited = time.Minute
)

// Idempotent begins a request of principal under an idempotency key. It returns nil where the request is new and is to be
// carried out and ended with SaveAnswer or ForgetAnswer, and the earlier answer where it is a repetition. hash is of the
// request. ErrReused: the key belongs to another request; ErrUnderWay: the first one is not answered yet.
func (db *DB) Idempotent(ctx context.Context, principal, key string, hash []byte) (seen *Answer, err error) {
	now := db.now()
	err = db.write(ctx, func(t tx) error {
		seen = nil
		_, err := t.exec(ctx, `DELETE FROM answer WHERE created < ? OR (status = 0 AND created < ?)`,
			nano(now.Add(-answersKept)), nano(now.Add(-answerWaited)))
		if err != nil {
			return err
		}
		n, err := t.exec(ctx, `INSERT INTO answer (principal, key, hash, created, doc) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			principal, key, hash, nano(now), []byte{})
		if err != nil || n > 0 {
			return err
		}
		seen, err = t.answer(ctx, principal, key, hash)
		return err
	})
	return seen, err
}

func (t tx) answer(ctx context.Context, principal, key string, hash []byte) (*Answer, error) {
	var was, doc []byte
	var status int
	err := t.row(ctx, `SELECT hash, status, doc FROM answer WHERE principal = ? AND key = ?`, principal, key).Scan(&was, &status, &doc)
	switch {
	case err != nil:
		return nil, err
	case subtle.ConstantTimeCompare(was, hash) != 1:
		return nil, ErrReused
	case status == 0:
		return nil, ErrUnderWay
	}
	var a Answer
	return &a, t.openJSON(ctx, answerCell(principal, key), doc, &a)
}

func answerCell(principal, key string) cell { return cell{"answer", "doc", principal + "\x00" + key} }

// SaveAnswer keeps the answer to a request that Idempotent began.
func (db *DB) SaveAnswer(ctx context.Context, principal, key string, a Answer) error {
	return db.write(ctx, func(t tx) error {
		doc, err := t.sealJSON(ctx, answerCell(principal, key), a)
		if err != nil {
			return err
		}
		_, err = t.exec(ctx, `UPDATE answer SET status = ?, doc = ? WHERE principal = ? AND key = ?`, max(a.Status, 1), doc, principal, key)
		return err
	})
}

// ForgetAnswer lets a request that Idempotent began be tried again: it came to nothing.
func (db *DB) ForgetAnswer(ctx context.Context, principal, key string) error {
	return db.write(ctx, func(t tx) error {
		_, err := t.exec(ctx, `DELETE FROM answer WHERE principal = ? AND key = ? AND status = 0`, principal, key)
		return err
	})
}
