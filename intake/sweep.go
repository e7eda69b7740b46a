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
	acted, err := s.sweepExceptions(ctx, last, now)
	if err = errors.Join(err, s.sweepReceived(ctx, now)); err != nil {
		return err
	}
	// Noted when something was done, else once an hour: what is noted leaves a record.
	if !acted && now.Sub(last) < time.Hour {
		return nil
	}
	return errors.Join(s.learn(ctx), s.putSetting(ctx, sweepKey, now, "schedule.sweep"))
}

const sweepKey = "intake.swept"

// learn has the index remember what the database says of packages that came since the last change of the database, so
// that the next change tells what is new for them too.
func (s *Service) learn(ctx context.Context) error {
	last, err := s.lastSettled(ctx)
	if err != nil || s.Index == nil || last.Digest != s.Judge.Database().Digest {
		return err
	}
	sum, err := s.Index.Compare(ctx, func(Change) error { return nil })
	if err == nil && sum.From == last.Digest && sum.To == sum.From {
		err = s.Index.Accept(ctx, sum)
	}
	if err != nil {
		return fmt.Errorf("learning what the database says of new packages: %w", err)
	}
	return nil
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
