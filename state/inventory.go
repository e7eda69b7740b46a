package state

import (
	"context"
	"fmt"

	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
)

// hasInventory reports whether the inventory is stored already: one from the same analyser and the same moment is.
func (t tx) hasInventory(ctx context.Context, d *catalog.Decided) (yes bool, err error) {
	err = t.row(ctx, `SELECT EXISTS (SELECT 1 FROM inventory WHERE digest = ? AND analyser = ? AND scanned = ? AND scanned <> 0)`,
		d.Digest, d.Result.Inventory.Analyser, nano(d.Evaluation.Scanned)).Scan(&yes)
	return yes, err
}

// putInventory stores an inventory once for its digest.
func (t tx) putInventory(ctx context.Context, d *catalog.Decided, p *packedResult) error {
	same, err := t.hasInventory(ctx, d)
	if err != nil || same {
		return err
	}
	if p.packedInventory == nil { // it was there a moment ago
		if err := p.packInventory(); err != nil {
			return err
		}
	}
	n, err := t.exec(ctx, `UPDATE inventory SET scanned = ?, analyser = ? WHERE digest = ? AND sum = ?`,
		nano(d.Evaluation.Scanned), p.inventory.Analyser, d.Digest, p.inventorySum)
	if err != nil || n > 0 {
		return err
	}
	data, err := t.db.sealer.seal(ctx, cell{"inventory", "data", d.Digest}, p.packedInventory)
	if err != nil {
		return err
	}
	// A changed inventory gets a new place, so that EachInventory hands it out again.
	if _, err := t.exec(ctx, `DELETE FROM inventory WHERE digest = ?`, d.Digest); err != nil {
		return err
	}
	_, err = t.exec(ctx, `INSERT INTO inventory (digest, analyser, scanned, sum, data) VALUES (?, ?, ?, ?, ?)`,
		d.Digest, p.inventory.Analyser, nano(d.Evaluation.Scanned), p.inventorySum, data)
	return err
}

// plainInventory leaves out what one repository's gate made of it.
func plainInventory(inv *finding.Inventory) finding.Inventory {
	out := *inv
	out.Secrets = append([]finding.Secret(nil), inv.Secrets...)
	for i := range out.Secrets {
		out.Secrets[i].Suppressed = nil
	}
	out.Checks = append([]finding.Check(nil), inv.Checks...)
	for i := range out.Checks {
		out.Checks[i].Suppressed = nil
	}
	return out
}

func (t tx) inventory(ctx context.Context, digest string) (inv finding.Inventory, err error) {
	var data []byte
	err = t.row(ctx, `SELECT data FROM inventory WHERE digest = ?`, digest).Scan(&data)
	if err != nil {
		return inv, orAbsent(err, catalog.ErrNotFound)
	}
	err = t.openJSON(ctx, cell{"inventory", "data", digest}, data, &inv)
	return inv, err
}

// Inventory implements catalog.Results.
func (db *DB) Inventory(ctx context.Context, digest, analyser string) (inv finding.Inventory, err error) {
	err = db.read(ctx, func(t tx) error {
		if inv, err = t.inventory(ctx, digest); err == nil && inv.Analyser != analyser {
			inv, err = finding.Inventory{}, catalog.ErrNotFound
		}
		return err
	})
	return inv, err
}

// EachInventory implements catalog.Results. It holds no connection while yield runs.
func (db *DB) EachInventory(ctx context.Context, after int64, yield func(seq int64, digest string, load func() (finding.Inventory, error)) error) error {
	type place struct {
		seq    int64
		digest string
	}
	scan := func(s scanner) (p place, err error) { return p, s.Scan(&p.seq, &p.digest) }
	for {
		var batch []place
		err := db.read(ctx, func(t tx) (err error) {
			batch, err = list(ctx, t, scan, `SELECT seq, digest FROM inventory WHERE seq > ? ORDER BY seq LIMIT 1000`, after)
			return err
		})
		if err != nil || len(batch) == 0 {
			return err
		}
		for _, p := range batch {
			load := func() (inv finding.Inventory, err error) {
				err = db.read(ctx, func(t tx) error { inv, err = t.inventory(ctx, p.digest); return err })
				return inv, err
			}
			if err := yield(p.seq, p.digest, load); err != nil {
				return err
			}
			after = p.seq
		}
	}
}

// Result implements catalog.Results.
func (db *DB) Result(ctx context.Context, repository, digest string) (r finding.Result, err error) {
	err = db.engine.snapshot(ctx, func(q querier) error { // result and inventory of one moment
		t := tx{db: db, q: q}
		var id int64
		var top string
		var data []byte
		err := t.row(ctx, `SELECT m.id, x.head, x.data FROM result x JOIN manifest m ON m.id = x.manifest_id
			JOIN repository r ON r.id = m.repo_id WHERE r.name = ? AND m.digest = ?`, repository, digest).Scan(&id, &top, &data)
		if err != nil {
			return orAbsent(err, catalog.ErrNotFound)
		}
		r = finding.Result{}
		if err := t.openJSON(ctx, resultCell(id), data, &r); err != nil {
			return err
		}
		inv, err := t.inventory(ctx, digest)
		if err != nil {
			return fmt.Errorf("inventory of %s: %w", digest, err)
		}
		return unpack(&r, top, &inv)
	})
	return r, err
}

// unpack undoes pack.
func unpack(r *finding.Result, top string, inv *finding.Inventory) error {
	var h head
	if err := unJSON(top, &h); err != nil {
		return err
	}
	r.Tool, r.ScannedAt, r.Database = h.Tool, h.ScannedAt, h.Database
	if r.Verdict != nil {
		r.Verdict.DecidedAt = h.DecidedAt
	}
	r.Inventory.Packages, r.Inventory.Executables = inv.Packages, inv.Executables
	return nil
}
