package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"
)

// idle measures an empty hub: how soon it answers, and what it holds when nothing has happened for some time. The first
// start makes keys, schema and the first user; later ones find them.
func (b *bench) idle(ctx context.Context) error {
	fmt.Println("\nstart and memory of an empty hub")
	dir := filepath.Join(b.work, "idle")
	for _, name := range []string{"first start", "start"} {
		h, err := b.start(ctx, dir)
		if err != nil {
			return err
		}
		row(name+" to ready", h.after.Seconds(), 2, "s")
		err = h.resident(ctx, name, 20*time.Second)
		h.stop()
		if err != nil {
			return err
		}
	}
	return nil
}

// resident prints the memory after so much quiet.
func (h *process) resident(ctx context.Context, name string, quiet time.Duration) error {
	select {
	case <-time.After(quiet):
	case <-ctx.Done():
		return ctx.Err()
	}
	all, anonymous, err := h.memory()
	if err != nil {
		return err
	}
	row(name+", memory after "+quiet.String(), all, 300, "MiB")
	fmt.Printf("%-44s %10.2f MiB\n", "    of it not backed by files", anonymous)
	return nil
}
