package main

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"github.com/seawall/seawall/job"
)

// background is what runs beside the requests, each until ctx ends.
func (h *hub) background() []func(context.Context) error {
	h.db.OnJob(func() {
		h.runner.Wake()
		h.events.Publish("jobs", "")
	})
	return []func(context.Context) error{
		h.trail.Run,
		func(ctx context.Context) error { h.auth.Run(ctx); return nil },
		func(ctx context.Context) error { h.runner.Run(ctx); return nil },
		h.notify.Run,
		h.showTrail,
		h.every(time.Minute, h.rememberAlarm),
		h.every(5*time.Second, h.flushPulls),
		h.every(10*time.Second, h.reloadDatabase),
		h.every(time.Minute, h.leading("schedule", h.schedule)),
		h.every(time.Hour, h.leading("retire", func(ctx context.Context) error { return h.retire(ctx, time.Now()) })),
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

// changed tells open consoles what intake did.
func (h *hub) changed(topic, key string) {
	h.events.Publish("images", key)
	if topic == "image" {
		h.events.Publish("findings", key)
	}
}

// shown tells open consoles when a job begins and when it ends.
func (h *hub) shown(f job.Handler) job.Handler {
	return func(ctx context.Context, j *job.Job, progress func(string)) error {
		id := strconv.FormatInt(j.ID, 10)
		h.events.Publish("jobs", id)
		defer h.events.Publish("jobs", id)
		return f(ctx, j, progress)
	}
}

// showTrail tells open consoles when the audit log has grown.
func (h *hub) showTrail(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for size := h.trail.Status().Size; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if now := h.trail.Status().Size; now != size {
			size = now
			h.events.Publish("audit", "")
		}
	}
}
