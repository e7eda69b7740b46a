package state

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/auth"
)

const tokenColumns = `doc, hash, used`

func scanToken(s scanner) (k auth.Token, err error) {
	var doc string
	var hash []byte
	var used int64
	if err := s.Scan(&doc, &hash, &used); err != nil {
		return k, err
	}
	err = json.Unmarshal([]byte(doc), &k)
	k.Hash, k.Used = hash, when(used)
	return k, err
}

// PutToken implements auth.Store.
func (db *DB) PutToken(ctx context.Context, k auth.Token, by *audit.Entry) error {
	var records []audit.Entry
	if by != nil {
		records = []audit.Entry{*by}
	}
	return db.write(ctx, func(t tx) error {
		doc, err := json.Marshal(k)
		if err != nil {
			return err
		}
		return t.must(ctx, auth.ErrExists, `INSERT INTO token (id, hash, kind, subject, expires, used, doc) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT DO NOTHING`, k.ID, k.Hash, string(k.Kind), k.Subject, nano(k.Expires), nano(k.Used), string(doc))
	}, records...)
}

// Token implements auth.Store. It also returns tokens that have expired.
func (db *DB) Token(ctx context.Context, hash []byte) (k auth.Token, err error) {
	err = db.read(ctx, func(t tx) error {
		k, err = scanToken(t.row(ctx, `SELECT `+tokenColumns+` FROM token WHERE hash = ?`, hash))
		return orAbsent(err, auth.ErrNotFound)
	})
	return k, err
}

// Tokens implements auth.Store.
func (db *DB) Tokens(ctx context.Context, subject string) (out []auth.Token, err error) {
	err = db.read(ctx, func(t tx) error {
		var f filter
		f.add(`kind <> ?`, string(auth.TokenRegistry))
		if subject != "" {
			f.add(`subject = ?`, subject)
		}
		out, err = list(ctx, t, scanToken, `SELECT `+tokenColumns+` FROM token`+f.sql()+` ORDER BY id`, f.args...)
		return err
	})
	return out, err
}

// DeleteToken implements auth.Store.
func (db *DB) DeleteToken(ctx context.Context, id string, by audit.Entry) error {
	return db.write(ctx, func(t tx) error {
		return t.must(ctx, auth.ErrNotFound, `DELETE FROM token WHERE id = ?`, id)
	}, by)
}

// TouchTokens implements auth.Store.
func (db *DB) TouchTokens(ctx context.Context, used map[string]time.Time) error {
	return db.write(ctx, func(t tx) error {
		for _, id := range slices.Sorted(maps.Keys(used)) { // in one order: hubs must not wait for each other in a circle
			at := nano(used[id])
			if _, err := t.exec(ctx, `UPDATE token SET used = ? WHERE id = ? AND used < ?`, at, id, at); err != nil {
				return err
			}
		}
		return nil
	})
}

// DropTokens implements auth.Store.
func (db *DB) DropTokens(ctx context.Context, before time.Time) (n int, err error) {
	err = db.write(ctx, func(t tx) error {
		gone, err := t.exec(ctx, `DELETE FROM token WHERE expires <> 0 AND expires < ?`, nano(before))
		n = int(gone)
		return err
	})
	return n, err
}

// Record implements auth.Store.
func (db *DB) Record(ctx context.Context, e ...audit.Entry) error {
	return db.write(ctx, func(tx) error { return nil }, e...)
}
