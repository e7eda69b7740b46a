package state

import (
	"cmp"
	"context"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/catalog"
)

// compare orders by a1 against b1, then a2 against b2.
func compare(a1, b1, a2, b2 string) int { return cmp.Or(cmp.Compare(a1, b1), cmp.Compare(a2, b2)) }

// PutTag implements catalog.Contents.
func (db *DB) PutTag(ctx context.Context, tag catalog.Tag, by ...audit.Entry) error {
	return db.write(ctx, func(t tx) error {
		m, err := t.locked(ctx, tag.Repository, tag.Digest)
		if err != nil {
			return err
		}
		if !m.Deleted.IsZero() {
			return catalog.ErrNotFound
		}
		old, err := t.untag(ctx, m.repo, tag.Name)
		if err != nil && err != catalog.ErrNotFound {
			return err
		}
		_, err = t.exec(ctx, `INSERT INTO tag (repo_id, name, manifest_id, updated, by_name) VALUES (?, ?, ?, ?, ?)`,
			m.repo, tag.Name, m.id, nano(tag.Updated), tag.By)
		if err != nil {
			return err
		}
		if _, err := t.exec(ctx, `UPDATE manifest SET tags = tags + 1, named = TRUE WHERE id = ?`, m.id); err != nil {
			return err
		}
		if err := t.count(ctx, m.repo, delta{tags: 1}); err != nil {
			return err
		}
		return t.settle(ctx, m.repo, []string{m.Digest, old}, tag.Updated)
	}, by...)
}

// untag removes a tag and returns the digest that it pointed at, which then has to be settled.
func (t tx) untag(ctx context.Context, repo int64, name string) (digest string, err error) {
	var id int64
	err = t.row(ctx, `SELECT m.id, m.digest FROM tag g JOIN manifest m ON m.id = g.manifest_id WHERE g.repo_id = ? AND g.name = ?`,
		repo, name).Scan(&id, &digest)
	if err != nil {
		return "", orAbsent(err, catalog.ErrNotFound)
	}
	if _, err := t.exec(ctx, `DELETE FROM tag WHERE repo_id = ? AND name = ?`, repo, name); err != nil {
		return "", err
	}
	if _, err := t.exec(ctx, `UPDATE manifest SET tags = tags - 1 WHERE id = ?`, id); err != nil {
		return "", err
	}
	return digest, t.count(ctx, repo, delta{tags: -1})
}

// DeleteTag implements catalog.Contents.
func (db *DB) DeleteTag(ctx context.Context, repository, name string, by ...audit.Entry) error {
	return db.write(ctx, func(t tx) error {
		repo, err := t.repository(ctx, repository)
		if err != nil {
			return err
		}
		digest, err := t.untag(ctx, repo, name)
		if err != nil {
			return err
		}
		return t.settle(ctx, repo, []string{digest}, t.db.now())
	}, by...)
}

// Tags implements catalog.Contents.
func (db *DB) Tags(ctx context.Context, repository, after string, n int) (out []catalog.Tag, err error) {
	scan := func(s scanner) (g catalog.Tag, err error) {
		var updated int64
		err = s.Scan(&g.Name, &g.Digest, &updated, &g.By)
		g.Repository, g.Updated = repository, when(updated)
		return g, err
	}
	err = db.read(ctx, func(t tx) error {
		var repo int64
		if err := t.row(ctx, `SELECT id FROM repository WHERE name = ?`, repository).Scan(&repo); err != nil {
			return orAbsent(err, catalog.ErrNotFound)
		}
		out, err = list(ctx, t, scan, `SELECT g.name, m.digest, g.updated, g.by_name FROM tag g JOIN manifest m ON m.id = g.manifest_id
			WHERE g.repo_id = ? AND g.name > ? ORDER BY g.name LIMIT ?`, repo, after, limit(n))
		return err
	})
	return out, err
}

// Tag returns what a tag points at.
func (db *DB) Tag(ctx context.Context, repository, name string) (g catalog.Tag, err error) {
	g.Repository, g.Name = repository, name
	err = db.read(ctx, func(t tx) error {
		var updated int64
		err := t.row(ctx, `SELECT m.digest, g.updated, g.by_name FROM tag g JOIN manifest m ON m.id = g.manifest_id
			JOIN repository r ON r.id = g.repo_id WHERE r.name = ? AND g.name = ?`, repository, name).Scan(&g.Digest, &updated, &g.By)
		g.Updated = when(updated)
		return orAbsent(err, catalog.ErrNotFound)
	})
	return g, err
}
