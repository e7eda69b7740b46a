package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/notify"
)

// tellWithin bounds the storing of one event.
const tellWithin = 10 * time.Second

// tell hands an event to whoever asked for such. What cannot be stored is in the log.
func (h *hub) tell(e notify.Event) {
	if e.ID == "" {
		e.ID = audit.NewID()
	}
	if e.Time.IsZero() {
		e.Time = time.Now().UTC()
	}
	ctx, cancel := context.WithTimeout(context.Background(), tellWithin)
	defer cancel()
	if err := h.notify.Tell(ctx, e); err != nil {
		h.log.ErrorContext(ctx, "an event could not be told", slog.String("kind", e.Kind), slog.String("title", e.Title), slog.Any("error", err))
	}
}
