package main

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"

	"github.com/seawall/seawall/api"
	"github.com/seawall/seawall/audit/translog"
	"github.com/seawall/seawall/state"
)

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
