package state

import (
	"context"
	"encoding/json"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/catalog"
)

// Rules implements catalog.Rules.
func (db *DB) Rules(ctx context.Context) (out []catalog.Rule, err error) {
	err = db.read(ctx, func(t tx) error {
		out, err = list(ctx, t, func(s scanner) (r catalog.Rule, err error) {
			var id int64
			var doc string
			if err := s.Scan(&id, &doc); err != nil {
				return r, err
			}
			err = json.Unmarshal([]byte(doc), &r)
			r.ID = id
			return r, err
		}, `SELECT id, doc FROM rule ORDER BY ordinal, id`)
		return err
	})
	return out, err
}

// PutRule implements catalog.Rules.
func (db *DB) PutRule(ctx context.Context, r catalog.Rule, by audit.Entry) (catalog.Rule, error) {
	create := r.ID == 0
	err := db.write(ctx, func(t tx) error {
		doc, err := json.Marshal(r)
		if err != nil {
			return err
		}
		if create {
			return t.row(ctx, `INSERT INTO rule (ordinal, doc) VALUES (?, ?) RETURNING id`, r.Order, string(doc)).Scan(&r.ID)
		}
		return t.must(ctx, catalog.ErrNotFound, `UPDATE rule SET ordinal = ?, doc = ? WHERE id = ?`, r.Order, string(doc), r.ID)
	}, by)
	return r, err
}

// DeleteRule implements catalog.Rules.
func (db *DB) DeleteRule(ctx context.Context, id int64, by audit.Entry) error {
	return db.write(ctx, func(t tx) error {
		return t.must(ctx, catalog.ErrNotFound, `DELETE FROM rule WHERE id = ?`, id)
	}, by)
}
