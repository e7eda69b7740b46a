package main

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"github.com/seawall/seawall/api"
	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/audit/translog"
	"github.com/seawall/seawall/state"
)

func (h *hub) openTrail(ctx context.Context) error {
	if err := os.MkdirAll(h.path("audit"), 0o700); err != nil {
		return err
	}
	var sealer translog.Sealer
	if p := h.purpose("audit"); p != nil {
		sealer = p
	}
	name := hostPort(h.config.PublicURL) + "/audit" // of a log that is made now: one that is there keeps its name
	key, err := translog.OpenKey(ctx, noted{h.db, h.id, "audit.key"}, sealer, name)
	if err != nil {
		return err
	}
	cfg := translog.Config{
		Dir: h.path("audit"), Key: key, Outbox: h.db, Archive: h.db, Last: noted{h.db, h.id, "audit.checkpoint"}, Log: h.log,
		Lead: func(ctx context.Context) (bool, error) { return h.lead(ctx, "audit") },
	}
	if dir := h.config.Audit.Checkpoints; dir != "" {
		cfg.Copies = append(cfg.Copies, translog.Directory(dir))
	}
	for _, w := range h.config.Audit.Witnesses {
		cfg.Witnesses = append(cfg.Witnesses, translog.RemoteWitness{URL: w.URL, Key: w.Key})
	}
	if h.trail, err = translog.Open(cfg); err != nil {
		return err
	}
	return h.openWitness(ctx, sealer, name)
}

// openWitness has this hub sign the checkpoints of other logs.
func (h *hub) openWitness(ctx context.Context, sealer translog.Sealer, name string) error {
	if len(h.config.Audit.WitnessFor) == 0 {
		return nil
	}
	key, err := translog.OpenWitnessKey(ctx, noted{h.db, h.id, "witness.key"}, sealer, name+"-witness")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(h.path("witness"), 0o700); err != nil {
		return err
	}
	h.witness, err = translog.NewWitness(key, h.path("witness"), h.config.Audit.WitnessFor)
	h.log.InfoContext(ctx, "witnessing other logs: give them this key", slog.String("key", key.Public()))
	return err
}

// retire seals old records into a segment, where the configuration says so.
func (h *hub) retire(ctx context.Context, now time.Time) error {
	a := h.config.Audit
	if a.RetainFor <= 0 {
		return nil
	}
	before, err := h.trail.IndexAt(ctx, now.Add(-a.RetainFor))
	if err != nil {
		return err
	}
	_, err = h.trail.Retire(ctx, a.Segments, before, audit.System("retention"))
	return err
}

// trailOf is the audit log as the API shows it.
type trailOf struct {
	log *translog.Log
	db  *state.DB
}

// maxPending bounds the count of what waits: more is trouble, however much it is.
const maxPending = 10_000

func (t trailOf) Checkpoint(ctx context.Context) (api.Checkpoint, error) {
	waiting, err := t.db.Pending(ctx, maxPending)
	if err != nil {
		return api.Checkpoint{}, err
	}
	out := api.Checkpoint{Key: t.log.Public(), Pending: len(waiting)}
	text, c, err := t.log.Checkpoint()
	if errors.Is(err, fs.ErrNotExist) {
		return out, nil
	}
	out.Note, out.Origin, out.Size, out.Root = string(text), c.Origin, c.Size, base64.StdEncoding.EncodeToString(c.Root)
	return out, err
}

func (t trailOf) Export(ctx context.Context, w io.Writer) error {
	return t.log.Export(ctx, translog.All, w)
}
