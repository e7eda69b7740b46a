package main

import (
	"context"

	"github.com/seawall/seawall/notify"
)

// notifier stands between the hub's parts and package notify.
type notifier struct{}

func (n *notifier) Run(ctx context.Context) error { <-ctx.Done(); return nil }

func (h *hub) openNotify(context.Context) error {
	h.notify = &notifier{}
	return nil
}

// tell hands an event to whoever asked for such.
func (h *hub) tell(e notify.Event) {}
