package intake

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/job"
)

// The kinds of jobs that intake makes and runs.
const (
	KindScan     = "scan"     // take the inventory if it is not stored, then match and decide; key is the image
	KindMatch    = "match"    // match and decide from the stored inventory; key is the image
	KindTrust    = "trust"    // a signature or attestation came: decide again; key is the image
	KindAttach   = "attach"   // attach SBOM and verdict; key is the image
	KindRedecide = "redecide" // match and decide all images of a repository; key is the repository
	KindRematch  = "rematch"  // the advisory database changed; key is "database"
	KindSweep    = "sweep"    // look for what ran out and for what was left behind; key is "all"
	KindRetain   = "retain"   // apply the retention rules; key is "all"
	KindReport   = "report"   // tell about images that are out of date; key is "outdated"
)

// Handler runs one job. progress takes a short sentence. An error has the job run again later.
type Handler func(ctx context.Context, j job.Job, progress func(string)) error

// Handlers are the handlers by kind.
func (s *Service) Handlers() map[string]Handler {
	return map[string]Handler{
		KindScan: s.aboutImage(s.scan),
		KindMatch: s.aboutImage(func(ctx context.Context, o order, _ func(string)) error {
			return s.match(ctx, o.Repository, o.Digest)
		}),
		KindTrust: s.aboutImage(func(ctx context.Context, o order, _ func(string)) error {
			return s.match(ctx, o.Repository, o.Digest)
		}),
		KindAttach: s.aboutImage(func(ctx context.Context, o order, _ func(string)) error {
			return s.attach(ctx, o.Repository, o.Digest)
		}),
		KindRedecide: s.aboutImage(s.redecide),
		KindRematch: func(ctx context.Context, _ job.Job, progress func(string)) error {
			_, err := s.Rematch(ctx, progress)
			return err
		},
		KindSweep:  func(ctx context.Context, _ job.Job, _ func(string)) error { return s.Sweep(ctx) },
		KindRetain: s.retainJob,
		KindReport: func(ctx context.Context, _ job.Job, _ func(string)) error { return s.Report(ctx) },
	}
}

// order is the payload of jobs about an image, or about a repository where Digest is "".
type order struct {
	Repository string `json:"repository"`
	Digest     string `json:"digest,omitempty"`
	// Anew: take the inventory even if it is stored.
	Anew bool `json:"anew,omitempty"`
	// Cursor is the page that a job about a repository goes on with.
	Cursor string `json:"cursor,omitempty"`
}

func (s *Service) aboutImage(f func(context.Context, order, func(string)) error) Handler {
	return func(ctx context.Context, j job.Job, progress func(string)) error {
		var o order
		if err := json.Unmarshal(j.Payload, &o); err != nil {
			return job.Permanent(fmt.Errorf("reading the payload of job %d: %w", j.ID, err))
		}
		if progress == nil {
			progress = func(string) {}
		}
		return f(ctx, o, progress)
	}
}

// The order in which jobs run: 0 is what a person waits for.
const (
	promptly = 0
	soon     = 1
	later    = 5
	idle     = 9
)

// newJob makes a job about an image, or about a repository where o.Digest is "".
func newJob(kind string, o order, priority int, by audit.Actor, now time.Time) job.Job {
	payload, _ := json.Marshal(o) // strings and a flag: cannot fail
	key := o.Repository
	if o.Digest != "" {
		key = imageName(o.Repository, o.Digest)
	}
	return job.Job{
		Kind: kind, Key: key, Payload: payload, State: job.Waiting, Priority: priority, MaxAttempts: 5,
		RunAt: now, Created: now, By: by,
	}
}

func (s *Service) enqueue(ctx context.Context, kind, repository, digest string, priority int) error {
	return s.enqueueIn(ctx, 0, kind, repository, digest, priority)
}

// enqueueIn has the job run in such a time at the earliest.
func (s *Service) enqueueIn(ctx context.Context, in time.Duration, kind, repository, digest string, priority int) error {
	j := newJob(kind, order{Repository: repository, Digest: digest}, priority, system, s.now())
	j.RunAt = j.RunAt.Add(in)
	if _, err := s.Jobs.Enqueue(ctx, j); err != nil {
		return fmt.Errorf("ordering a %s of %s: %w", kind, j.Key, err)
	}
	return nil
}

// Order orders a scan of one image, as a person may: anew takes the inventory even if it is stored.
func (s *Service) Order(ctx context.Context, repository, digest string, anew bool, by audit.Actor) (int64, error) {
	if _, err := s.Catalog.Manifest(ctx, repository, digest); err != nil {
		return 0, fmt.Errorf("ordering a scan of %s: %w", imageName(repository, digest), err)
	}
	j := newJob(KindScan, order{Repository: repository, Digest: digest, Anew: anew}, promptly, by, s.now())
	return s.Jobs.Enqueue(ctx, j)
}

// Schedule orders the work that comes round by itself: a sweep, and where due the daily retention and report. The
// leader calls it every minute or so.
func (s *Service) Schedule(ctx context.Context) error {
	now := s.now()
	for _, j := range []struct {
		kind, key string
		every     time.Duration
	}{{KindSweep, "all", time.Minute}, {KindRetain, "all", 24 * time.Hour}, {KindReport, "outdated", 24 * time.Hour}} {
		due, err := s.dueAgain(ctx, j.kind, j.every, now)
		if err != nil {
			return err
		}
		if !due {
			continue
		}
		o := newJob(j.kind, order{Repository: j.key}, later, system, now)
		if _, err := s.Jobs.Enqueue(ctx, o); err != nil {
			return fmt.Errorf("ordering the %s: %w", j.kind, err)
		}
	}
	return s.databaseChanged(ctx)
}

// DatabaseChanged orders a rematch if the advisory database is another than the one that all images were last matched
// against. Call it after a new database was taken into use; Schedule does it too.
func (s *Service) DatabaseChanged(ctx context.Context) error { return s.databaseChanged(ctx) }

func (s *Service) databaseChanged(ctx context.Context) error {
	done, err := s.lastSettled(ctx)
	if err != nil || done.Digest == s.Judge.Database().Digest {
		return err
	}
	s.Touched("") // what is remembered of pulls is from the database before
	o := newJob(KindRematch, order{Repository: "database"}, soon, system, s.now())
	if _, err := s.Jobs.Enqueue(ctx, o); err != nil {
		return fmt.Errorf("ordering a match of all images: %w", err)
	}
	return nil
}

// dueAgain reports whether the work was last ordered long enough ago, and notes that it is ordered now. Sweeps are not
// noted: they are cheap, and of one kind only one waits.
func (s *Service) dueAgain(ctx context.Context, kind string, every time.Duration, now time.Time) (bool, error) {
	if every <= time.Minute {
		return true, nil
	}
	var last time.Time
	key := "intake." + kind
	if err := s.setting(ctx, key, &last); err != nil || now.Sub(last) < every {
		return false, err
	}
	return true, s.putSetting(ctx, key, now, "schedule."+kind)
}

// setting reads a value into v, which stays as it is where there is none.
func (s *Service) setting(ctx context.Context, key string, v any) error {
	raw, err := s.Settings.Setting(ctx, key)
	if gone(err) || err == nil && len(raw) == 0 {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(raw, v)
	}
	if err != nil {
		return fmt.Errorf("reading the setting %s: %w", key, err)
	}
	return nil
}

func (s *Service) putSetting(ctx context.Context, key string, v any, action string) error {
	raw, err := json.Marshal(v)
	if err == nil {
		err = s.Settings.PutSetting(ctx, key, raw, audit.New(s.now(), system, action, audit.Object{Kind: "setting", Name: key}))
	}
	if err != nil {
		return fmt.Errorf("writing the setting %s: %w", key, err)
	}
	return nil
}
