package job

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seawall/seawall/audit"
)

// Handler does the work of one kind. It ends soon after ctx does, and returns an error of its own then; context.Cause(ctx)
// says why: ErrStopping, or ErrLost where what it still writes must not count. It may be called again for a job that
// it did before: after a crash nobody knows how far it came. progress notes a short sentence for people.
type Handler func(ctx context.Context, j *Job, progress func(string)) error

// ErrStopping is the cause of a handler's context that ends because the runner does: the job is handed back, and runs
// again at once elsewhere or after the restart.
var ErrStopping = errors.New("the runner is stopping")

// Runner leases jobs and runs them. Only Store and Handlers are needed. Its fields must not change once it runs.
type Runner struct {
	Store    Store
	Handlers map[string]Handler
	// Workers bounds how many jobs run at once; 0 means 4. Limits bounds single kinds below that, so that slow ones leave
	// room for the others.
	Workers int
	Limits  map[string]int
	// Lease is how long a job stays this runner's without a sign of life; 0 means a minute.
	Lease time.Duration
	// Poll is how often it looks for jobs that nobody announced: of other hubs, or due later; 0 means a second.
	Poll time.Duration
	// Clock is nil for time.Now, Pause for Backoff, Log for none.
	Clock func() time.Time
	Pause func(attempts int) time.Duration
	Log   *slog.Logger
	// Name tells this runner from others; "" draws one.
	Name string

	once   sync.Once
	signal chan struct{}

	mu      sync.Mutex
	running map[string]int // by kind
}

func (r *Runner) init() {
	r.once.Do(func() {
		r.signal = make(chan struct{}, 1)
		r.running = map[string]int{}
		r.Workers = cmp.Or(max(r.Workers, 0), 4)
		r.Lease = cmp.Or(r.Lease, time.Minute)
		r.Poll = cmp.Or(r.Poll, time.Second)
		r.Name = cmp.Or(r.Name, "runner-"+audit.NewID()[:12])
		if r.Clock == nil {
			r.Clock = time.Now
		}
		if r.Pause == nil {
			r.Pause = Backoff
		}
		if r.Log == nil {
			r.Log = slog.New(slog.DiscardHandler)
		}
	})
}

// Wake has the runner look for jobs now. It never waits.
func (r *Runner) Wake() {
	r.init()
	select {
	case r.signal <- struct{}{}:
	default: // it is going to look anyway
	}
}

// Run runs jobs until ctx ends, then ends the handlers, hands their jobs back and returns once all of them are done.
func (r *Runner) Run(ctx context.Context) {
	r.init()
	var working sync.WaitGroup
	defer working.Wait()
	free := make(chan struct{}, r.Workers)
	for {
		select {
		case free <- struct{}{}:
		case <-ctx.Done():
			return
		}
		j := r.next(ctx)
		if j == nil {
			return
		}
		r.started(j.Kind, 1)
		working.Go(func() {
			r.work(ctx, j)
			r.started(j.Kind, -1)
			<-free
			r.Wake() // a kind at its limit may have room now
		})
	}
}

func (r *Runner) started(kind string, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running[kind] += n
}

// kinds are those that have room.
func (r *Runner) kinds() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for _, kind := range slices.Sorted(maps.Keys(r.Handlers)) {
		if most, ok := r.Limits[kind]; !ok || r.running[kind] < most {
			out = append(out, kind)
		}
	}
	return out
}

// next waits for a job; nil once ctx ends.
func (r *Runner) next(ctx context.Context) *Job {
	timer := time.NewTimer(0)
	defer timer.Stop()
	<-timer.C
	failing := false
	for ctx.Err() == nil {
		now := r.Clock()
		j, err := r.Store.Lease(ctx, r.kinds(), r.Name, now, now.Add(r.Lease))
		if j != nil {
			return j
		}
		if err != nil && !failing && ctx.Err() == nil {
			r.Log.ErrorContext(ctx, "looking for jobs failed", slog.Any("err", err)) // once, until it works again
		}
		failing = err != nil
		timer.Reset(r.Poll)
		select {
		case <-ctx.Done():
		case <-r.signal:
		case <-timer.C:
		}
	}
	return nil
}

// work runs one attempt to its end.
func (r *Runner) work(ctx context.Context, j *Job) {
	inner, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	stop := context.AfterFunc(ctx, func() { cancel(ErrStopping) })
	defer stop()

	var progress atomic.Pointer[string]
	beats := make(chan struct{})
	go func() {
		defer close(beats)
		r.beat(inner, cancel, j, &progress)
	}()
	err := r.call(inner, j, func(s string) { progress.Store(&s) })
	cause := context.Cause(inner)
	cancel(nil)
	<-beats
	if errors.Is(cause, ErrLost) {
		r.Log.InfoContext(ctx, "job given up", slog.Int64("job", j.ID), slog.String("kind", j.Kind), slog.String("key", j.Key))
		return
	}
	r.finish(context.WithoutCancel(ctx), j, err, errors.Is(cause, ErrStopping))
}

// call turns a panic into an error.
func (r *Runner) call(ctx context.Context, j *Job, progress func(string)) (err error) {
	defer func() {
		if p := recover(); p != nil {
			r.Log.ErrorContext(ctx, "job panicked", slog.Int64("job", j.ID), slog.String("kind", j.Kind), slog.Any("panic", p),
				slog.String("stack", string(debug.Stack())))
			err = fmt.Errorf("internal error: %v", p)
		}
	}()
	handle, ok := r.Handlers[j.Kind]
	if !ok {
		return fmt.Errorf("no handler for jobs of kind %q", j.Kind)
	}
	return handle(ctx, j, progress)
}

// longestBeat bounds the time between signs of life, because they also bring the news that a job was cancelled.
const longestBeat = 2 * time.Second

// beat keeps the lease and notes progress, and ends the handler's context once the job is not ours any more.
func (r *Runner) beat(ctx context.Context, cancel context.CancelCauseFunc, j *Job, progress *atomic.Pointer[string]) {
	tick := time.NewTicker(min(r.Lease/3, longestBeat))
	defer tick.Stop()
	leased := r.Clock().Add(r.Lease)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		said := ""
		if p := progress.Load(); p != nil {
			said = *p
		}
		now := r.Clock()
		err := r.Store.Extend(ctx, j.ID, r.Name, now.Add(r.Lease), said)
		switch {
		case err == nil:
			leased = now.Add(r.Lease)
		case errors.Is(err, ErrLost), now.After(leased):
			cancel(ErrLost)
			return
		}
	}
}

// finishing bounds the time that noting the end of an attempt may take. Where it fails, the lease runs out and the job
// runs again.
const finishing = 30 * time.Second

func (r *Runner) finish(ctx context.Context, j *Job, err error, stopping bool) {
	ctx, cancel := context.WithTimeout(ctx, finishing)
	defer cancel()
	now := r.Clock()
	fault, retry := "", time.Time{}
	switch {
	case err == nil:
	case stopping:
		fault, retry = ErrStopping.Error(), now
	default:
		fault = cmp.Or(err.Error(), "failed without saying why")
		if j.Attempts < j.MaxAttempts && !isPermanent(err) {
			retry = now.Add(r.Pause(j.Attempts))
		}
	}
	if err := r.Store.Finish(ctx, j.ID, r.Name, fault, now, retry); err != nil && !errors.Is(err, ErrLost) {
		r.Log.ErrorContext(ctx, "noting the end of a job failed", slog.Int64("job", j.ID), slog.Any("err", err))
	}
}
