package state

import (
	"context"
	"encoding/json"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/auth"
)

// scanJSON reads a row of one column of JSON.
func scanJSON[T any](s scanner) (v T, err error) {
	var doc string
	if err := s.Scan(&doc); err != nil {
		return v, err
	}
	return v, json.Unmarshal([]byte(doc), &v)
}

// Services implements auth.Store.
func (db *DB) Services(ctx context.Context) (out []auth.Service, err error) {
	err = db.read(ctx, func(t tx) error {
		out, err = list(ctx, t, scanJSON[auth.Service], `SELECT doc FROM service ORDER BY id`)
		return err
	})
	return out, err
}

// Service implements auth.Store.
func (db *DB) Service(ctx context.Context, id string) (s auth.Service, err error) {
	err = db.read(ctx, func(t tx) error {
		s, err = scanJSON[auth.Service](t.row(ctx, `SELECT doc FROM service WHERE id = ?`, id))
		return orAbsent(err, auth.ErrNotFound)
	})
	return s, err
}

// PutService implements auth.Store.
func (db *DB) PutService(ctx context.Context, s auth.Service, create bool, by audit.Entry) error {
	return db.write(ctx, func(t tx) error {
		doc, err := json.Marshal(s)
		if err != nil {
			return err
		}
		if create {
			return t.must(ctx, auth.ErrExists, `INSERT INTO service (id, doc) VALUES (?, ?) ON CONFLICT (id) DO NOTHING`, s.ID, string(doc))
		}
		return t.must(ctx, auth.ErrNotFound, `UPDATE service SET doc = ? WHERE id = ?`, string(doc), s.ID)
	}, by)
}

// DeleteService implements auth.Store.
func (db *DB) DeleteService(ctx context.Context, id string, by audit.Entry) error {
	return db.write(ctx, func(t tx) error {
		if err := t.must(ctx, auth.ErrNotFound, `DELETE FROM service WHERE id = ?`, id); err != nil {
			return err
		}
		return t.forget(ctx, id)
	}, by)
}

// Roles implements auth.Store.
func (db *DB) Roles(ctx context.Context) (out []auth.Role, err error) {
	err = db.read(ctx, func(t tx) error {
		out, err = list(ctx, t, scanJSON[auth.Role], `SELECT doc FROM role ORDER BY name`)
		return err
	})
	return out, err
}

// PutRole implements auth.Store.
func (db *DB) PutRole(ctx context.Context, r auth.Role, by audit.Entry) error {
	return db.write(ctx, func(t tx) error {
		doc, err := json.Marshal(r)
		if err != nil {
			return err
		}
		_, err = t.exec(ctx, `INSERT INTO role (name, doc) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET doc = excluded.doc`, r.Name, string(doc))
		return err
	}, by)
}

// DeleteRole implements auth.Store.
func (db *DB) DeleteRole(ctx context.Context, name string, by audit.Entry) error {
	return db.write(ctx, func(t tx) error {
		if err := t.must(ctx, auth.ErrNotFound, `DELETE FROM role WHERE name = ?`, name); err != nil {
			return err
		}
		_, err := t.exec(ctx, `DELETE FROM role_grant WHERE role = ?`, name)
		return err
	}, by)
}

const grantColumns = `id, subject, role, scope_kind, scope_name`

func scanGrant(s scanner) (g auth.Grant, err error) {
	return g, s.Scan(&g.ID, &g.Subject, &g.Role, &g.Scope.Kind, &g.Scope.Name)
}

// Grants implements auth.Store.
func (db *DB) Grants(ctx context.Context) (out []auth.Grant, err error) {
	err = db.read(ctx, func(t tx) error {
		out, err = list(ctx, t, scanGrant, `SELECT `+grantColumns+` FROM role_grant ORDER BY id`)
		return err
	})
	return out, err
}

// GrantsOf implements auth.Store.
func (db *DB) GrantsOf(ctx context.Context, subjects []string) (out []auth.Grant, err error) {
	err = db.read(ctx, func(t tx) error {
		out, err = list(ctx, t, scanGrant, `SELECT `+grantColumns+` FROM role_grant WHERE subject = ANY(?) ORDER BY id`, subjects)
		return err
	})
	return out, err
}

// PutGrant implements auth.Store. A grant that is there already is returned as it is.
func (db *DB) PutGrant(ctx context.Context, g auth.Grant, by audit.Entry) (auth.Grant, error) {
	err := db.write(ctx, func(t tx) error {
		// The update changes nothing: it makes RETURNING speak of the row that is there.
		return t.row(ctx, `INSERT INTO role_grant (subject, role, scope_kind, scope_name) VALUES (?, ?, ?, ?)
			ON CONFLICT (subject, role, scope_kind, scope_name) DO UPDATE SET role = excluded.role RETURNING id`,
			g.Subject, g.Role, string(g.Scope.Kind), g.Scope.Name).Scan(&g.ID)
	}, by)
	return g, err
}

// DeleteGrant implements auth.Store.
func (db *DB) DeleteGrant(ctx context.Context, id int64, by audit.Entry) error {
	return db.write(ctx, func(t tx) error {
		return t.must(ctx, auth.ErrNotFound, `DELETE FROM role_grant WHERE id = ?`, id)
	}, by)
}

// Issuers implements auth.Store.
func (db *DB) Issuers(ctx context.Context) (out []auth.Issuer, err error) {
	err = db.read(ctx, func(t tx) error {
		out, err = list(ctx, t, scanJSON[auth.Issuer], `SELECT doc FROM issuer ORDER BY id`)
		return err
	})
	return out, err
}

// PutIssuer implements auth.Store.
func (db *DB) PutIssuer(ctx context.Context, i auth.Issuer, by audit.Entry) error {
	return db.write(ctx, func(t tx) error {
		doc, err := json.Marshal(i)
		if err != nil {
			return err
		}
		_, err = t.exec(ctx, `INSERT INTO issuer (id, doc) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET doc = excluded.doc`, i.ID, string(doc))
		return err
	}, by)
}

// DeleteIssuer implements auth.Store.
func (db *DB) DeleteIssuer(ctx context.Context, id string, by audit.Entry) error {
	return db.write(ctx, func(t tx) error {
		return t.must(ctx, auth.ErrNotFound, `DELETE FROM issuer WHERE id = ?`, id)
	}, by)
}
