package intake

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// settled says which database all images were last matched against. An image that the match passed by, because nothing
// that is known about its packages changed, keeps its result and the digest of the database that it was found with;
// its verdict is nevertheless as fresh as At.
type settled struct {
	Digest string    `json:"digest"`
	At     time.Time `json:"at"` // when the match began
}

const settledKey = "intake.settled"

// settledCache remembers it, for pulls.
type settledCache struct {
	mu   sync.Mutex
	read time.Time
	settled
}

func (s *Service) lastSettled(ctx context.Context) (settled, error) {
	var last settled
	err := s.setting(ctx, settledKey, &last)
	return last, err
}

// settledFor is when the match of all images against a database began, zero where it has not ended.
func (s *Service) settledFor(ctx context.Context, digest string, now time.Time) time.Time {
	c := &s.settled
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.read.IsZero() || now.Sub(c.read) > s.Memory || now.Before(c.read) {
		last, err := s.lastSettled(ctx)
		if err != nil { // nothing is settled then, and pulls match anew
			s.Log.ErrorContext(ctx, "reading what was matched last", slog.Any("error", err))
			last = settled{}
		}
		c.settled, c.read = last, now
	}
	if c.Digest != digest {
		return time.Time{}
	}
	return c.At
}

func (s *Service) settle(ctx context.Context, v settled) error {
	if err := s.putSetting(ctx, settledKey, v, "database.matched"); err != nil {
		return err
	}
	s.settled.mu.Lock()
	defer s.settled.mu.Unlock()
	s.settled.settled, s.settled.read = v, s.now()
	return nil
}
