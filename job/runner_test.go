package job

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/seawall/seawall/audit"
)

// memory is a Store of a few jobs.
type memory struct {
	mu      sync.Mutex
	jobs    []*Job
	changed chan struct{} // closed and made anew at every change
	fail    error         // of Lease
}

func newMemory(jobs ...*Job) *memory {
	m := &memory{changed: make(chan struct{})}
	for i, j := range jobs {
		j.ID, j.State = int64(i+1), Waiting
		m.jobs = append(m.jobs, j)
	}
	return m
}

func (m *memory) change() { close(m.changed); m.changed = make(chan struct{}) }

// await waits until ok holds of job id.
func (m *memory) await(t *testing.T, id int64, ok func(*Job) bool) Job {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		m.mu.Lock()
		j, changed := *m.jobs[id-1], m.changed
		m.mu.Unlock()
		if ok(&j) {
			return j
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("job %d stays %s: %q", id, j.State, j.Error)
		}
	}
}

func (m *memory) Lease(_ context.Context, kinds []string, worker string, now, until time.Time) (*Job, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, j := range m.jobs {
		if m.fail == nil && j.State == Waiting && !j.RunAt.After(now) && slices.Contains(kinds, j.Kind) {
			j.State, j.LeasedBy, j.LeasedUntil = Running, worker, until
			j.Attempts++
			m.change()
			out := *j
			return &out, nil
		}
	}
	return nil, m.fail
}

func (m *memory) mine(id int64, worker string) (*Job, error) {
	if j := m.jobs[id-1]; j.State == Running && j.LeasedBy == worker {
		return j, nil
	}
	return nil, ErrLost
}

func (m *memory) Extend(_ context.Context, id int64, worker string, until time.Time, progress string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	j, err := m.mine(id, worker)
	if err == nil {
		j.LeasedUntil, j.Progress = until, progress
		m.change()
	}
	return err
}

func (m *memory) Finish(_ context.Context, id int64, worker, fault string, now, retry time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	j, err := m.mine(id, worker)
	if err != nil {
		return err
	}
	j.Error, j.RunAt, j.LeasedBy = fault, retry, ""
	switch {
	case fault == "":
		j.State = Done
	case retry.IsZero():
		j.State = Failed
	default:
		j.State = Waiting
	}
	m.change()
	return nil
}

func (m *memory) Cancel(_ context.Context, id int64, _ audit.Entry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.jobs[id-1].State = Cancelled
	m.change()
	return nil
}

func (m *memory) Enqueue(context.Context, Job) (int64, error)                { return 0, nil }
func (m *memory) Retry(context.Context, int64, time.Time, audit.Entry) error { return nil }
func (m *memory) Jobs(context.Context, Filter) ([]Job, error)                { return nil, nil }
func (m *memory) JobCounts(context.Context) ([]Count, error)                 { return nil, nil }

// run starts a runner and returns what stops it.
func run(t *testing.T, m *memory, h Handler) (stop func()) {
	t.Helper()
	r := &Runner{Store: m, Handlers: map[string]Handler{"scan": h}, Workers: 2, Lease: 60 * time.Millisecond, Poll: 5 * time.Millisecond,
		Pause: func(int) time.Duration { return 0 }}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { r.Run(ctx); close(ended) }()
	stop = func() { cancel(); <-ended }
	t.Cleanup(stop)
	return stop
}

func scanJob() *Job { return &Job{Kind: "scan", Key: "a", MaxAttempts: 3} }

func state(s State) func(*Job) bool { return func(j *Job) bool { return j.State == s } }

func TestRunnerEnds(t *testing.T) {
	for name, c := range map[string]struct {
		handle   Handler
		state    State
		attempts int
		fault    string
	}{
		"success":                   {func(context.Context, *Job, func(string)) error { return nil }, Done, 1, ""},
		"retried until it gives up": {func(context.Context, *Job, func(string)) error { return errors.New("no") }, Failed, 3, "no"},
		"second attempt": {func(_ context.Context, j *Job, _ func(string)) error {
			if j.Attempts == 1 {
				return errors.New("not yet")
			}
			return nil
		}, Done, 2, ""},
		"permanent":              {func(context.Context, *Job, func(string)) error { return Permanent(errors.New("never")) }, Failed, 1, "never"},
		"panic":                  {func(context.Context, *Job, func(string)) error { panic("ouch") }, Failed, 3, "internal error: ouch"},
		"an error without words": {func(context.Context, *Job, func(string)) error { return errors.New("") }, Failed, 3, "failed without saying why"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMemory(scanJob())
			run(t, m, c.handle)
			j := m.await(t, 1, func(j *Job) bool { return j.State == Done || j.State == Failed })
			if j.State != c.state || j.Attempts != c.attempts || j.Error != c.fault {
				t.Errorf("%s after %d attempts, %q", j.State, j.Attempts, j.Error)
			}
		})
	}
}

func TestRunnerKeepsTheLeaseAndNotesProgress(t *testing.T) {
	m := newMemory(scanJob())
	release := make(chan struct{})
	run(t, m, func(ctx context.Context, _ *Job, progress func(string)) error {
		progress("layer 3 of 7")
		select {
		case <-release:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
	first := m.await(t, 1, func(j *Job) bool { return j.Progress == "layer 3 of 7" })
	m.await(t, 1, func(j *Job) bool { return j.LeasedUntil.After(first.LeasedUntil) })
	close(release)
	m.await(t, 1, state(Done))
}

func TestCancelReachesTheHandler(t *testing.T) {
	m := newMemory(scanJob())
	cause := make(chan error, 1)
	run(t, m, func(ctx context.Context, _ *Job, _ func(string)) error {
		<-ctx.Done()
		cause <- context.Cause(ctx)
		return ctx.Err()
	})
	m.await(t, 1, state(Running))
	m.Cancel(t.Context(), 1, audit.Entry{})
	if err := <-cause; !errors.Is(err, ErrLost) {
		t.Errorf("cause %v", err)
	}
	if j := m.await(t, 1, state(Cancelled)); j.Error != "" {
		t.Errorf("a cancelled job got an error: %q", j.Error)
	}
}

func TestStoppingHandsJobsBack(t *testing.T) {
	m := newMemory(scanJob())
	stop := run(t, m, func(ctx context.Context, _ *Job, _ func(string)) error {
		<-ctx.Done()
		return context.Cause(ctx)
	})
	m.await(t, 1, state(Running))
	stop()
	if j := m.await(t, 1, state(Waiting)); j.RunAt.IsZero() || j.Error != ErrStopping.Error() {
		t.Errorf("handed back as %+v", j)
	}
}

func TestWakeNeedsNoPoll(t *testing.T) {
	m := newMemory()
	done := make(chan struct{})
	r := &Runner{Store: m, Handlers: map[string]Handler{"scan": func(context.Context, *Job, func(string)) error { close(done); return nil }}, Poll: time.Hour}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { r.Run(ctx); close(ended) }()
	defer func() { cancel(); <-ended }()
	m.mu.Lock()
	m.jobs = append(m.jobs, &Job{ID: 1, Kind: "scan", State: Waiting, MaxAttempts: 1})
	m.mu.Unlock()
	r.Wake()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("the job does not run")
	}
}

func TestLimits(t *testing.T) {
	m := newMemory(scanJob(), scanJob(), &Job{Kind: "import", Key: "b", MaxAttempts: 1})
	var mu sync.Mutex
	running, most := 0, 0
	imported := make(chan struct{})
	r := &Runner{Store: m, Workers: 3, Limits: map[string]int{"scan": 1}, Poll: time.Millisecond, Handlers: map[string]Handler{
		"scan": func(context.Context, *Job, func(string)) error {
			mu.Lock()
			running++
			most = max(most, running)
			mu.Unlock()
			<-imported // which can only run beside
			mu.Lock()
			running--
			mu.Unlock()
			return nil
		},
		"import": func(context.Context, *Job, func(string)) error { close(imported); return nil },
	}}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { r.Run(ctx); close(ended) }()
	defer func() { cancel(); <-ended }()
	for id := range int64(3) {
		m.await(t, id+1, state(Done))
	}
	if most != 1 {
		t.Errorf("%d scans ran at once", most)
	}
}

func TestBackoff(t *testing.T) {
	for attempts, want := range map[int]time.Duration{0: firstPause, 1: firstPause, 2: 2 * firstPause, 4: 8 * firstPause, 1000: longestPause} {
		for range 100 {
			if got := Backoff(attempts); got < want*3/4 || got > want*5/4 {
				t.Fatalf("after %d attempts %s, want about %s", attempts, got, want)
			}
		}
	}
}

func TestPermanentKeepsTheError(t *testing.T) {
	base := errors.New("base")
	if Permanent(nil) != nil || !errors.Is(Permanent(base), base) || isPermanent(base) {
		t.Error("Permanent does not wrap")
	}
}
