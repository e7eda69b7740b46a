package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/keys"
	"github.com/seawall/seawall/notify"
)

// alarm tells that the encryption key cannot be had. The state cannot be read then, and with it the list of whom to tell:
// so those who asked for this one kind of event are remembered.
type alarm struct {
	mu      sync.Mutex
	targets []notify.Target
}

const keyEvent = "key.unreachable"

// rememberAlarm looks up who is to be told. It is called every minute.
func (h *hub) rememberAlarm(ctx context.Context) error {
	rules, err := h.db.NotifyRules(ctx)
	if err != nil {
		return err
	}
	targets, err := h.db.Targets(ctx)
	if err != nil {
		return err
	}
	var out []notify.Target
	for _, t := range targets {
		for i := range rules {
			if rules[i].Target == t.ID && rules[i].Selects(&notify.Event{Kind: keyEvent, Severity: finding.SeverityCritical}) {
				out = append(out, t)
				break
			}
		}
	}
	h.alarm.mu.Lock()
	defer h.alarm.mu.Unlock()
	h.alarm.targets = out
	return nil
}

// keyAlert tells that the key provider began or ceased to refuse. It must not wait: the key ring calls it.
func (h *hub) keyAlert(a keys.Alert) {
	if h.notify == nil {
		return // the hub is only starting: it says so and ends
	}
	e := notify.Event{Kind: keyEvent, Severity: finding.SeverityCritical, Time: a.At, Link: h.config.PublicURL + "/keys"}
	switch a.State {
	case keys.Answers:
		e.Title = "The encryption key is available again"
	case keys.Unreachable:
		e.Title = "The encryption key cannot be reached: reads fail from " + a.Until.UTC().Format(time.RFC3339)
	default:
		e.Title = "The encryption key was refused: nothing can be read"
	}
	h.alarm.mu.Lock()
	targets := h.alarm.targets
	h.alarm.mu.Unlock()
	for _, t := range targets {
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			if err := h.notify.SendNow(ctx, t, e); err != nil {
				h.log.ErrorContext(ctx, "the alarm about the encryption key did not reach a target", slog.String("target", t.Name), slog.Any("error", err))
			}
		}()
	}
}
