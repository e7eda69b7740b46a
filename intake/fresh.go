package intake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/seawall/seawall/catalog"
)

// stale: the verdict is older than the rule allows, or under enforcement was found with an older database than there
// is now and the match of all images has not passed the image as unchanged.
func (s *Service) stale(ctx context.Context, eff *catalog.Effective, m *catalog.Manifest, now time.Time) bool {
	if m.Scan == nil || m.Scan.Matched.IsZero() {
		return eff.Mode == catalog.Enforce
	}
	current := s.Judge.Database()
	settled := s.settledFor(ctx, current.Digest, now)
	matched := m.Scan.Matched
	passed := m.Scan.Database.Digest != current.Digest && matched.Before(settled)
	if passed {
		matched = settled
	}
	if age := time.Duration(eff.VerdictMaxAge); age > 0 && now.Sub(matched) > age {
		return true
	}
	// Two hubs may hold different databases for a while: only a newer one makes a verdict stale.
	older := m.Scan.Database.Digest != current.Digest && !m.Scan.Database.BuiltAt.After(current.BuiltAt)
	return eff.Mode == catalog.Enforce && older && !passed
}

// freshen matches the image anew and reads it again into m. It waits no longer than PullWait, and reports whether the
// verdict is fresh now. The match goes on if the wait ends.
func (s *Service) freshen(ctx context.Context, m *catalog.Manifest) bool {
	name := imageName(m.Repository, m.Digest)
	background := context.WithoutCancel(ctx)
	fl := s.flights.start(name, s.now(), func() error {
		ctx, cancel := context.WithTimeout(background, time.Minute)
		defer cancel()
		err := s.matchOnPull(ctx, m.Repository, m.Digest)
		if err != nil {
			s.Log.ErrorContext(ctx, "matching an image that is pulled", slog.String("image", name), slog.Any("error", err))
		}
		return err
	})
	if fl == nil || !s.await(ctx, fl.done) || fl.err != nil {
		return false
	}
	read, err := s.present(ctx, m.Repository, m.Digest)
	if err != nil {
		return false
	}
	*m = read
	return true
}

// errNoInventory says that a fresh match needs a scan first, which was ordered.
var errNoInventory = errors.New("its inventory is not stored: a scan was ordered")

func (s *Service) matchOnPull(ctx context.Context, repository, digest string) error {
	select {
	case s.matching <- struct{}{}:
		defer func() { <-s.matching }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if _, err := s.Catalog.Inventory(ctx, digest, s.Analyser); err != nil {
		if gone(err) {
			return errors.Join(errNoInventory, s.enqueue(ctx, KindScan, repository, digest, promptly))
		}
		return fmt.Errorf("reading the inventory of %s: %w", digest, err)
	}
	return s.match(ctx, repository, digest)
}

// await waits for done, no longer than PullWait.
func (s *Service) await(ctx context.Context, done <-chan struct{}) bool {
	timer := time.NewTimer(s.PullWait)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

// scanOnPull sees to it that an image which was never looked at is scanned: it may have come by another way than a
// push. Under enforcement it waits a little for the verdict, and reads the image again into m.
func (s *Service) scanOnPull(ctx context.Context, eff *catalog.Effective, m *catalog.Manifest) error {
	if err := s.enqueue(ctx, KindScan, m.Repository, m.Digest, promptly); err != nil {
		return err
	}
	if eff.Mode != catalog.Enforce {
		return nil
	}
	deadline := time.NewTimer(s.PullWait)
	defer deadline.Stop()
	again := time.NewTicker(s.PullWait / 20)
	defer again.Stop()
	for m.Status == catalog.Received {
		select {
		case <-again.C:
		case <-deadline.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
		read, err := s.present(ctx, m.Repository, m.Digest)
		if err != nil {
			return err
		}
		*m = read
	}
	return nil
}
