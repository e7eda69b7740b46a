package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// pauses are those between attempts. They add up to a day; then a delivery has failed.
var pauses = []time.Duration{
	time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 6 * time.Hour, 6 * time.Hour, 6 * time.Hour, 204 * time.Minute,
}

// Run sends due deliveries until ctx ends. It returns nil then: what was under way is leased and sent again later.
func (n *Notifier) Run(ctx context.Context) error {
	slots := make(chan struct{}, n.Workers)
	var sending sync.WaitGroup
	defer sending.Wait()
	tick := time.NewTicker(n.Poll)
	defer tick.Stop()
	for {
		more := n.round(ctx, slots, &sending)
		if more && ctx.Err() == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-n.wake:
		}
	}
}

// round leases as many deliveries as there are free slots, and reports whether there may be more.
func (n *Notifier) round(ctx context.Context, slots chan struct{}, sending *sync.WaitGroup) (more bool) {
	select {
	case slots <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	free := 1
	for free < cap(slots) && trySlot(slots) {
		free++
	}
	due, err := n.due(ctx, free)
	if err != nil && ctx.Err() == nil {
		n.Log.ErrorContext(ctx, "notifications cannot be read", slog.Any("error", err))
	}
	for range free - len(due) {
		<-slots
	}
	for i := range due {
		sending.Add(1)
		go func() {
			defer sending.Done()
			defer func() { <-slots }()
			n.deliver(ctx, &due[i])
		}()
	}
	return len(due) == free
}

func trySlot(slots chan struct{}) bool {
	select {
	case slots <- struct{}{}:
		return true
	default:
		return false
	}
}

// due leases deliveries for longer than an attempt can take.
func (n *Notifier) due(ctx context.Context, most int) ([]Delivery, error) {
	now := n.Now().UTC()
	due, err := n.Store.DueDeliveries(ctx, n.Worker, now, now.Add(2*n.Timeout+30*time.Second), most)
	return due[:min(len(due), most)], err
}

// deliver makes one attempt and notes its end.
func (n *Notifier) deliver(ctx context.Context, d *Delivery) {
	note, err := n.attempt(ctx, d)
	if ctx.Err() != nil && err != nil {
		return // stopped, not failed: the lease runs out
	}
	n.settle(d, note, err)
	if err := n.Store.PutDelivery(context.WithoutCancel(ctx), *d); err != nil {
		n.Log.ErrorContext(ctx, "the end of a delivery cannot be noted", slog.Int64("delivery", d.ID), slog.Any("error", err))
		return
	}
	if d.State == Failed {
		n.Log.WarnContext(ctx, "a notification is given up", slog.Int64("delivery", d.ID), slog.Int64("target", d.Target), slog.String("reason", d.Error))
	}
}

func (n *Notifier) attempt(ctx context.Context, d *Delivery) (note string, err error) {
	targets, err := n.Store.Targets(ctx)
	if err != nil {
		return "", fmt.Errorf("reading notification targets: %w", err)
	}
	i := slices.IndexFunc(targets, func(t Target) bool { return t.ID == d.Target })
	if i < 0 {
		return "", permanent(errors.New("there is no such target any more"))
	}
	if err := n.down.of(d.Target, n.Now()); err != nil {
		return "", err
	}
	note, err = n.send(ctx, &targets[i], d, n.ruleName(ctx, d.Rule))
	if ctx.Err() == nil {
		n.down.note(d.Target, n.Now(), err)
	}
	return note, err
}

func (n *Notifier) ruleName(ctx context.Context, id int64) string {
	rules, err := n.Store.NotifyRules(ctx)
	if err != nil {
		return ""
	}
	for i := range rules {
		if rules[i].ID == id {
			return rules[i].Name
		}
	}
	return ""
}

func (n *Notifier) send(ctx context.Context, t *Target, d *Delivery, rule string) (note string, err error) {
	form, ok := n.forms[t.Form]
	if !ok {
		return "", permanent(fmt.Errorf("%q is no form of notification", t.Form))
	}
	ctx, cancel := context.WithTimeout(ctx, n.Timeout)
	defer cancel()
	note, err = form(ctx, t, n.compose(d, rule))
	return note, discreet(err)
}

// settle says what becomes of a delivery after an attempt.
func (n *Notifier) settle(d *Delivery, note string, err error) {
	now := n.Now().UTC()
	d.Attempts++
	if err == nil {
		d.State, d.Sent, d.Error = Sent, now, clip(note, 500)
		return
	}
	d.Error = clip(err.Error(), 500)
	f := failureOf(err)
	if f.permanent || d.Attempts > len(pauses) {
		d.State = Failed
		return
	}
	d.State, d.NotBefore = Waiting, now.Add(max(pauses[d.Attempts-1], min(f.after, longestAfter)))
}

// longestAfter bounds what a target may ask for with Retry-After.
const longestAfter = 6 * time.Hour
