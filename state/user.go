package state

import (
	"context"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/auth"
)

// userDoc is a user with what its JSON leaves out.
type userDoc struct {
	auth.User
	Password string `json:"password,omitempty"`
	TOTP     []byte `json:"totp,omitempty"`
	TOTPLast int64  `json:"totpLast,omitempty"`
}

func userCell(id string) cell { return cell{"account", "doc", id} }

func (t tx) openUser(ctx context.Context, id string, doc []byte) (auth.User, error) {
	var d userDoc
	err := t.openJSON(ctx, userCell(id), doc, &d)
	u := d.User
	u.Password, u.TOTP, u.TOTPLast = d.Password, d.TOTP, d.TOTPLast
	return u, err
}

type idDoc struct {
	id  string
	doc []byte
}

func scanIDDoc(s scanner) (d idDoc, err error) { return d, s.Scan(&d.id, &d.doc) }

// Users implements auth.Store.
func (db *DB) Users(ctx context.Context) (out []auth.User, err error) {
	err = db.read(ctx, func(t tx) error {
		rows, err := list(ctx, t, scanIDDoc, `SELECT id, doc FROM account ORDER BY id`)
		out = make([]auth.User, 0, len(rows))
		for _, r := range rows {
			u, err := t.openUser(ctx, r.id, r.doc)
			if err != nil {
				return err
			}
			out = append(out, u)
		}
		return err
	})
	return out, err
}

// User implements auth.Store.
func (db *DB) User(ctx context.Context, id string) (u auth.User, err error) {
	err = db.read(ctx, func(t tx) error {
		var doc []byte
		if err := t.row(ctx, `SELECT doc FROM account WHERE id = ?`, id).Scan(&doc); err != nil {
			return orAbsent(err, auth.ErrNotFound)
		}
		u, err = t.openUser(ctx, id, doc)
		return err
	})
	return u, err
}

// PutUser implements auth.Store.
func (db *DB) PutUser(ctx context.Context, u auth.User, create bool, by audit.Entry) error {
	return db.write(ctx, func(t tx) error {
		doc, err := t.sealJSON(ctx, userCell(u.ID), userDoc{u, u.Password, u.TOTP, u.TOTPLast})
		if err != nil {
			return err
		}
		if create {
			return t.must(ctx, auth.ErrExists, `INSERT INTO account (id, doc) VALUES (?, ?) ON CONFLICT (id) DO NOTHING`, u.ID, doc)
		}
		return t.must(ctx, auth.ErrNotFound, `UPDATE account SET doc = ? WHERE id = ?`, doc, u.ID)
	}, by)
}

// DeleteUser implements auth.Store.
func (db *DB) DeleteUser(ctx context.Context, id string, by audit.Entry) error {
	return db.write(ctx, func(t tx) error {
		if err := t.must(ctx, auth.ErrNotFound, `DELETE FROM account WHERE id = ?`, id); err != nil {
			return err
		}
		return t.forget(ctx, id)
	}, by)
}

// forget removes tokens and grants of a principal.
func (t tx) forget(ctx context.Context, subject string) error {
	if _, err := t.exec(ctx, `DELETE FROM token WHERE subject = ?`, subject); err != nil {
		return err
	}
	_, err := t.exec(ctx, `DELETE FROM role_grant WHERE subject = ?`, subject)
	return err
}
