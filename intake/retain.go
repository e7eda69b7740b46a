package intake

import (
	"context"
	"errors"
	"fmt"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/job"
)

// Retained lists what retention does to one repository.
type Retained struct {
	Deleted []Removal `json:"deleted"` // softly: can be restored until purged
	Purged  []Removal `json:"purged"`
}

// Retain applies the retention rule of a repository. dry only lists. rule is the one to try, nil for the repository's.
func (s *Service) Retain(ctx context.Context, repository string, rule *catalog.Retention, dry bool) (Retained, error) {
	if rule == nil {
		eff, err := s.effective(ctx, repository)
		if err != nil {
			return Retained{}, err
		}
		rule = eff.Retention
	} else if !dry {
		return Retained{}, errors.New("a retention rule that is tried out is only listed")
	}
	present, err := s.listed(ctx, catalog.Images{Repository: repository})
	if err != nil {
		return Retained{}, err
	}
	deleted, err := s.listed(ctx, catalog.Images{Repository: repository, Deleted: true})
	if err != nil {
		return Retained{}, err
	}
	now := s.now()
	r := Retained{Deleted: Keep(present, rule, now), Purged: Expired(deleted, rule, now)}
	if dry {
		return r, nil
	}
	return r, s.remove(ctx, repository, r)
}

func (s *Service) listed(ctx context.Context, q catalog.Images) (all []catalog.Manifest, err error) {
	err = s.each(ctx, q, func(m *catalog.Manifest) error {
		all = append(all, *m)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("listing the images of %s: %w", q.Repository, err)
	}
	return all, nil
}

func (s *Service) remove(ctx context.Context, repository string, r Retained) error {
	now := s.now()
	record := func(action string, x *Removal) audit.Entry {
		e := audit.New(now, system, action, imageObject(x.Repository, x.Digest))
		e.Reason = "retention: " + x.Reason
		return e
	}
	for i := range r.Deleted {
		x := &r.Deleted[i]
		if err := s.Catalog.DeleteManifest(ctx, repository, x.Digest, now, record("image.delete", x)); err != nil && !gone(err) {
			return fmt.Errorf("deleting %s: %w", imageName(repository, x.Digest), err)
		}
	}
	for i := range r.Purged {
		x := &r.Purged[i]
		if err := s.Catalog.PurgeManifest(ctx, repository, x.Digest, record("image.purge", x)); err != nil && !gone(err) {
			return fmt.Errorf("purging %s: %w", imageName(repository, x.Digest), err)
		}
	}
	if len(r.Deleted)+len(r.Purged) > 0 {
		s.Touched(repository)
		s.Changed("repository", repository)
	}
	return nil
}

// retainJob is the handler of KindRetain: all repositories. One that fails does not keep the others waiting.
func (s *Service) retainJob(ctx context.Context, _ job.Job, progress func(string)) error {
	var faults []error
	err := s.repositories(ctx, func(name string) error {
		if progress != nil {
			progress(name)
		}
		if _, err := s.Retain(ctx, name, nil, false); err != nil {
			faults = append(faults, err)
		}
		return ctx.Err()
	})
	return errors.Join(append(faults, err)...)
}
