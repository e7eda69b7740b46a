package main

import (
	"context"

	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/intake"
	"github.com/seawall/seawall/scan/advisory"
	"github.com/seawall/seawall/scan/advisory/affected"
)

// index is the inverted index over all stored inventories. It follows the state, which has the inventories: what is
// lost of it is filled in again.
type index struct {
	live        *affected.Live
	inventories catalog.Results
	judge       *judge
}

// batch is how many inventories wait in memory before they are written.
const batch = 2000

// follow adds the inventories that were stored since the last time.
func (x *index) follow(ctx context.Context) error {
	err := x.inventories.EachInventory(ctx, x.live.Last(), func(seq int64, digest string, load func() (finding.Inventory, error)) error {
		inv, err := load()
		if err != nil {
			return err
		}
		x.live.Add(seq, digest, &inv)
		if x.live.Grown() >= batch {
			return x.live.Save(nil)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return x.live.Save(nil)
}

// Compare asks the current database about every distinct package.
func (x *index) Compare(ctx context.Context, yield func(intake.Change) error) (intake.Comparison, error) {
	if err := x.follow(ctx); err != nil {
		return intake.Comparison{}, err
	}
	var out affected.Comparison
	err := x.judge.Use(func(db *advisory.DB) (err error) {
		out, err = x.live.Compare(ctx, db, func(c affected.Change) error { return yield(intake.Change(c)) })
		return err
	})
	return intake.Comparison(out), err
}

// Accept makes the comparison the one that the next is compared with.
func (x *index) Accept(_ context.Context, c intake.Comparison) error {
	return x.live.Accept(affected.Comparison(c))
}
