package state

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/seawall/seawall/audit"
)

// record puts entries into the outbox. An entry that is there already is not stored twice.
func (t tx) record(ctx context.Context, entries []audit.Entry) error {
	for i := range entries {
		e := &entries[i]
		doc, err := json.Marshal(e)
		if err != nil {
			return err
		}
		sealed, err := t.db.sealer.seal(ctx, entryCell(e.ID), doc)
		if err != nil {
			return err
		}
		_, err = t.exec(ctx, `INSERT INTO outbox (id, at, actor, name, action, object, doc) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (id) DO NOTHING`, e.ID, nano(e.Time), e.Actor.ID, e.Actor.Name, e.Action, e.Object.Name, sealed)
		if err != nil {
			return err
		}
	}
	return nil
}

func entryCell(id string) cell { return cell{"outbox", "doc", id} }

type storedRow struct {
	seq, place int64
	id         string
	doc        []byte
}

// entries reads records.
func (db *DB) entries(ctx context.Context, rest string, args ...any) (out []audit.Stored, err error) {
	scan := func(s scanner) (r storedRow, err error) { return r, s.Scan(&r.seq, &r.place, &r.id, &r.doc) }
	err = db.read(ctx, func(t tx) error {
		rows, err := list(ctx, t, scan, `SELECT seq, place, id, doc FROM outbox`+rest, args...)
		if err != nil {
			return err
		}
		out = make([]audit.Stored, 0, len(rows))
		for _, r := range rows {
			doc, err := db.sealer.open(ctx, entryCell(r.id), r.doc)
			if err != nil {
				return err
			}
			s := audit.Stored{Seq: r.seq, Index: r.place}
			if err := json.Unmarshal(doc, &s.Entry); err != nil {
				return err
			}
			out = append(out, s)
		}
		return nil
	})
	return out, err
}

// Pending implements audit.Outbox.
func (db *DB) Pending(ctx context.Context, n int) ([]audit.Stored, error) {
	return db.entries(ctx, ` WHERE place = -1 ORDER BY seq LIMIT ?`, n)
}

// Sequenced implements audit.Outbox. A record keeps the first place that it was given.
func (db *DB) Sequenced(ctx context.Context, index map[string]int64) error {
	return db.write(ctx, func(t tx) error {
		for _, id := range slices.Sorted(maps.Keys(index)) {
			if _, err := t.exec(ctx, `UPDATE outbox SET place = ? WHERE id = ? AND place = -1`, index[id], id); err != nil {
				return err
			}
		}
		return nil
	})
}

// Records implements audit.Archive.
func (db *DB) Records(ctx context.Context, from int64, n int) ([]audit.Stored, error) {
	return db.entries(ctx, ` WHERE place >= ? AND place >= 0 ORDER BY place LIMIT ?`, from, n)
}

// DropRecords implements audit.Archive.
func (db *DB) DropRecords(ctx context.Context, before int64, by audit.Entry) (n int64, err error) {
	err = db.write(ctx, func(t tx) error {
		n, err = t.exec(ctx, `DELETE FROM outbox WHERE place >= 0 AND place < ?`, before)
		return err
	}, by)
	return n, err
}

// Audit returns records, newest first.
func (db *DB) Audit(ctx context.Context, q audit.Query) ([]audit.Stored, error) {
	var f filter
	if q.Actor != "" {
		f.add(`(actor = ? OR name = ?)`, q.Actor, q.Actor)
	}
	if q.Action != "" {
		f.add(`action = ?`, q.Action)
	}
	if prefix, ok := strings.CutSuffix(q.Object, "*"); ok && prefix != "" {
		f.add(`object >= ? AND object < ?`, prefix, prefix+"\U0010ffff")
	} else if !ok && q.Object != "" {
		f.add(`object = ?`, q.Object)
	}
	if !q.From.IsZero() {
		f.add(`at >= ?`, nano(q.From))
	}
	if !q.To.IsZero() {
		f.add(`at < ?`, nano(q.To))
	}
	if q.Before > 0 {
		f.add(`seq < ?`, q.Before)
	}
	return db.entries(ctx, f.sql()+` ORDER BY seq DESC LIMIT ?`, append(f.args, limit(q.Limit))...)
}
