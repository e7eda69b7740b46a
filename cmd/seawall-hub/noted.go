package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/state"
)

// noted is a small value of the hub's own in the state, which all hubs on it share.
type noted struct {
	db          *state.DB
	holder, key string
}

func (n noted) Load(ctx context.Context) ([]byte, error) {
	value, err := n.db.Setting(ctx, n.key)
	if errors.Is(err, catalog.ErrNotFound) {
		return nil, nil
	}
	return value, err
}

// Save holds a lease while it compares and writes, so that of two hubs one wins.
func (n noted) Save(ctx context.Context, old, value []byte) error {
	now := time.Now()
	leads, err := n.db.Lead(ctx, "write:"+n.key, n.holder, now, now.Add(leadFor))
	if err != nil {
		return err
	}
	if !leads {
		return fmt.Errorf("another hub is writing %s: try again", n.key)
	}
	stored, err := n.Load(ctx)
	if err != nil {
		return err
	}
	if !bytes.Equal(stored, old) {
		return fmt.Errorf("%s was changed by another hub", n.key)
	}
	return n.db.PutSetting(ctx, n.key, value, audit.Entry{}) // no record: the record of records would never end
}
