package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/seawall/seawall/intake"
	"github.com/seawall/seawall/keys"
	"github.com/seawall/seawall/notify"
)

// background is what runs beside the requests, each until ctx ends.
func (h *hub) background() []func(context.Context) error {
	h.db.OnJob(h.runner.Wake)
	return []func(context.Context) error{
		h.trail.Run,
		func(ctx context.Context) error { h.auth.Run(ctx); return nil },
		func(ctx context.Context) error { h.runner.Run(ctx); return nil },
		h.notify.Run,
		h.every(5*time.Second, h.flushPulls),
		h.every(10*time.Second, h.reloadDatabase),
		h.every(time.Minute, h.leading("schedule", h.schedule)),
	}
}

// every calls f at once and then at each interval. What fails is logged and tried again.
func (h *hub) every(interval time.Duration, f func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			if err := f(ctx); err != nil && ctx.Err() == nil {
				h.log.WarnContext(ctx, "background work failed, it is tried again", slog.Any("error", err))
			}
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
			}
		}
	}
}

// leading calls f only on the one hub that leads.
func (h *hub) leading(name string, f func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		now := time.Now()
		leads, err := h.db.Lead(ctx, name, h.id, now, now.Add(90*time.Second))
		if err != nil || !leads {
			return err
		}
		return f(ctx)
	}
}

func (h *hub) flushPulls(ctx context.Context) error {
	_, err := h.intake.FlushPulls(ctx)
	return err
}

// reloadDatabase takes an advisory database into use that somebody put in place, and has everything matched anew.
func (h *hub) reloadDatabase(ctx context.Context) error {
	if _, err := h.judge.Reload(); err != nil {
		return err
	}
	return h.intake.DatabaseChanged(ctx)
}

// schedule orders the work that comes round by itself.
func (h *hub) schedule(ctx context.Context) error {
	now := time.Now()
	ended, err := h.db.Expire(ctx, now)
	if err != nil {
		return err
	}
	for _, e := range ended.Exceptions {
		if err := h.intake.ExceptionChanged(ctx, e); err != nil {
			return err
		}
	}
	if err := h.intake.Schedule(ctx); err != nil {
		return err
	}
	if err := h.db.NoteTrend(ctx, now); err != nil {
		return err
	}
	return h.scheduleJobs(ctx, now)
}

// keyAlert tells that the key provider began or ceased to refuse.
func (h *hub) keyAlert(a keys.Alert) {
	h.log.Error("the key provider's state changed", slog.Any("alert", a))
	if h.notify != nil {
		h.tell(notify.Event{Kind: "key.unreachable", Title: "the encryption key: the provider " + string(a.State)})
	}
}

var _ intake.Service
