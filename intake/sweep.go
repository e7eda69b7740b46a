package intake

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seawall/seawall/catalog"
)

// leftBehind is how long an image may stay without a verdict before its scan is ordered again.
const leftBehind = 10 * time.Minute

// Sweep looks for what time alone changes: exceptions that ran out, and images whose scan got lost. It may be run as
// often as one likes.
func (s *Service) Sweep(ctx context.Context) error {
	now := s.now()
	var last time.Time
	if err := s.setting(ctx, sweepKey, &last); err != nil {
		return err
	}
	err := errors.Join(s.sweepExceptions(ctx, last, now), s.sweepReceived(ctx, now))
	if err != nil {
		return err
	}
	// Noted once an hour at most: a sweep that looks back further finds the same again, and orders nothing twice.
	if now.Sub(last) < time.Hour && !s.somethingPassed(ctx, last, now) {
		return nil
	}
	return s.putSetting(ctx, sweepKey, now, "schedule.sweep")
}

const sweepKey = "intake.swept"

// somethingPassed: the sweep acted on an exception, and must not again.
func (s *Service) somethingPassed(ctx context.Context, last, now time.Time) bool {
	for _, state := range []catalog.ExceptionState{catalog.Approved, catalog.Expired} {
		list, err := s.Catalog.Exceptions(ctx, state, "")
		if err != nil {
			return true
		}
		for _, e := range list {
			if end := e.Suppression.Expires; passed(end, last, now) || passed(end.Add(-warnBefore), last, now) {
				return true
			}
		}
	}
	return false
}

// sweepReceived orders scans of images that wait for too long, and settles indexes.
func (s *Service) sweepReceived(ctx context.Context, now time.Time) error {
	var waiting []catalog.Manifest
	err := s.each(ctx, catalog.Images{Status: catalog.Received}, func(m *catalog.Manifest) error {
		if now.Sub(m.Pushed) > leftBehind {
			waiting = append(waiting, *m)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("listing the images that wait for a scan: %w", err)
	}
	for i := range waiting {
		m := &waiting[i]
		if m.Kind == catalog.KindIndex {
			err = s.settleIndex(ctx, m)
		} else {
			err = s.enqueue(ctx, KindScan, m.Repository, m.Digest, later)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
