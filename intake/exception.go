package intake

import (
	"context"
	"fmt"
	"time"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/notify"
)

// ExceptionChanged orders what follows when an exception was approved or revoked, or has run out: the images that it
// may concern are decided anew.
func (s *Service) ExceptionChanged(ctx context.Context, e catalog.Exception) error {
	images := map[[2]string]bool{}
	whole := map[string]bool{}
	var err error
	if id := e.Suppression.ID; id != "" && id != "*" {
		err = s.carriers(ctx, e.Repositories, id, images)
	} else {
		err = s.repositories(ctx, func(name string) error {
			whole[name] = finding.MatchPath(e.Repositories, name)
			return nil
		})
	}
	if err != nil {
		return fmt.Errorf("looking for the images of exception %d: %w", e.ID, err)
	}
	for image := range images {
		if err := s.enqueue(ctx, KindMatch, image[0], image[1], soon); err != nil {
			return err
		}
	}
	for name, concerned := range whole {
		if concerned {
			if err := s.enqueue(ctx, KindRedecide, name, "", later); err != nil {
				return err
			}
		}
	}
	return nil
}

// carriers adds the images of the repositories that carry a finding, secret or check of the id, open or set aside.
func (s *Service) carriers(ctx context.Context, pattern, id string, images map[[2]string]bool) error {
	q := catalog.Findings{ID: id, Limit: 1000}
	for {
		page, err := s.Catalog.Findings(ctx, q, s.now())
		if err != nil {
			return err
		}
		for _, t := range page.Items {
			if !finding.MatchPath(pattern, t.Repository) {
				continue
			}
			for _, d := range t.Digests {
				images[[2]string{t.Repository, d}] = true
			}
		}
		if page.Next == "" {
			return nil
		}
		q.Cursor = page.Next
	}
}

// repositories hands the name of every repository to f.
func (s *Service) repositories(ctx context.Context, f func(name string) error) error {
	for cursor := ""; ; {
		page, err := s.Catalog.Repositories(ctx, "", "name", cursor, 1000)
		if err != nil {
			return err
		}
		for _, r := range page.Items {
			if err := f(r.Name); err != nil {
				return err
			}
		}
		if page.Next == "" {
			return nil
		}
		cursor = page.Next
	}
}

// warnBefore is how long before its end an exception is told about.
const warnBefore = 7 * 24 * time.Hour

// sweepExceptions orders what follows from exceptions that ran out since the last sweep, and tells about those that
// soon will. acted: there were some.
func (s *Service) sweepExceptions(ctx context.Context, last, now time.Time) (acted bool, err error) {
	for _, state := range []catalog.ExceptionState{catalog.Approved, catalog.Expired} {
		list, err := s.Catalog.Exceptions(ctx, state, "")
		if err != nil {
			return acted, fmt.Errorf("listing the exceptions: %w", err)
		}
		for _, e := range list {
			end := e.Suppression.Expires
			if passed(end, last, now) {
				acted = true
				if err := s.ExceptionChanged(ctx, e); err != nil {
					return acted, err
				}
			}
			if state == catalog.Approved && passed(end.Add(-warnBefore), last, now) && now.Before(end) {
				acted = true
				s.Notify(expiring(&e, s.link("/exceptions/"+fmt.Sprint(e.ID)), now))
			}
		}
	}
	return acted, nil
}

// passed: the moment lies after last and not after now.
func passed(at, last, now time.Time) bool {
	return !at.IsZero() && at.After(last) && !at.After(now)
}

func expiring(e *catalog.Exception, link string, now time.Time) notify.Event {
	ids := []string{}
	if e.Suppression.ID != "" {
		ids = append(ids, e.Suppression.ID)
	}
	return notify.Event{
		ID: audit.NewID(), Time: now, Kind: "exception.expiring", Severity: finding.SeverityMedium,
		Title: fmt.Sprintf("Exception %d runs out on %s", e.ID, e.Suppression.Expires.UTC().Format(time.DateOnly)),
		Text:  clip(e.Suppression.Reason, 300), IDs: ids, Link: link,
		Detail: map[string]string{"repositories": e.Repositories, "owner": e.Suppression.Owner},
	}
}
