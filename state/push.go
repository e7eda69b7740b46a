package state

import (
	"context"
	"slices"
	"time"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/job"
)

// PutManifest implements catalog.Contents.
func (db *DB) PutManifest(ctx context.Context, m catalog.Manifest, jobs []job.Job, by ...audit.Entry) error {
	return db.write(ctx, func(t tx) error {
		if err := t.putManifest(ctx, m); err != nil {
			return err
		}
		for _, j := range jobs {
			if _, err := t.enqueue(ctx, j); err != nil {
				return err
			}
		}
		return nil
	}, by...)
}

func (t tx) putManifest(ctx context.Context, m catalog.Manifest) error {
	_, err := t.exec(ctx, `INSERT INTO repository (name, created, pushed) VALUES (?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET pushed = CASE WHEN excluded.pushed > repository.pushed THEN excluded.pushed ELSE repository.pushed END`,
		m.Repository, nano(m.Pushed), nano(m.Pushed))
	if err != nil {
		return err
	}
	repo, err := t.repository(ctx, m.Repository)
	if err != nil {
		return err
	}
	old, err := t.manifest(ctx, repo, m.Digest)
	switch err {
	case nil:
		return t.pushAgain(ctx, old, m)
	case catalog.ErrNotFound:
		return t.pushNew(ctx, repo, m)
	}
	return err
}

// pushAgain notes that a manifest was pushed once more: it keeps its scan and its status.
func (t tx) pushAgain(ctx context.Context, old manifestRow, m catalog.Manifest) error {
	_, err := t.exec(ctx, `UPDATE manifest SET pushed = ?, pushed_by = ?, pushed_from = ?,
		origin = CASE WHEN ? <> '' THEN ? ELSE origin END WHERE id = ?`,
		nano(m.Pushed), m.PushedBy, m.PushedFrom, m.Origin, m.Origin, old.id)
	if err != nil || old.Deleted.IsZero() {
		return err
	}
	return t.undelete(ctx, old)
}

func (t tx) pushNew(ctx context.Context, repo int64, m catalog.Manifest) error {
	if m.Status == "" {
		m.Status = firstStatus(m.Kind)
	}
	lists, err := asJSON(parts{m.Blobs, m.BlobSizes, m.Children})
	if err != nil {
		return err
	}
	reasons, err := asJSON(m.Reasons)
	if err != nil {
		return err
	}
	var named bool
	err = t.row(ctx, `SELECT EXISTS (SELECT 1 FROM manifest_child WHERE repo_id = ? AND digest = ?)`, repo, m.Digest).Scan(&named)
	if err != nil {
		return err
	}
	var id int64
	err = t.row(ctx, `INSERT INTO manifest (repo_id, digest, kind, media_type, artifact_type, subject, size, platform, config, parts,
		created, pushed, pushed_by, pushed_from, origin, status, shown, reasons, named, worst)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
		repo, m.Digest, string(m.Kind), m.MediaType, m.ArtifactType, m.Subject, m.Size, m.Platform, m.Config, lists,
		nano(m.Created), nano(m.Pushed), m.PushedBy, m.PushedFrom, m.Origin, string(m.Status), string(m.Status), reasons,
		named, manifestWorst(m.Status, nil)).Scan(&id)
	if err != nil {
		return err
	}
	d, err := t.putParts(ctx, repo, id, m)
	if err != nil {
		return err
	}
	d.weigh(m.Kind, m.Status, false, 1)
	if err := t.count(ctx, repo, d); err != nil {
		return err
	}
	return t.settle(ctx, repo, append(slices.Clone(m.Children), m.Digest), m.Pushed)
}

func firstStatus(k catalog.Kind) catalog.Status {
	if k == catalog.KindArtifact {
		return catalog.NotScanned
	}
	return catalog.Received
}

// putParts stores which blobs and manifests a manifest names, and tells by how many bytes the repository grows.
func (t tx) putParts(ctx context.Context, repo, id int64, m catalog.Manifest) (d delta, err error) {
	known := len(m.BlobSizes) == len(m.Blobs)
	d.size = m.Size
	sizes := map[string]int64{}
	for i, b := range m.Blobs {
		size := int64(0)
		if known {
			size = m.BlobSizes[i]
			d.size -= size
		}
		sizes[b] = size
	}
	var rows [][]any
	for b, size := range sizes {
		var there bool
		if err := t.row(ctx, `SELECT EXISTS (SELECT 1 FROM manifest_blob WHERE repo_id = ? AND digest = ?)`, repo, b).Scan(&there); err != nil {
			return d, err
		}
		if !there {
			d.size += size
		}
		rows = append(rows, []any{repo, b, id, size})
	}
	if err := t.insert(ctx, "manifest_blob (repo_id, digest, manifest_id, size)", "", rows); err != nil {
		return d, err
	}
	rows = nil
	for _, c := range m.Children {
		rows = append(rows, []any{repo, c, id})
	}
	if err := t.insert(ctx, "manifest_child (repo_id, digest, manifest_id)", "ON CONFLICT DO NOTHING", rows); err != nil {
		return d, err
	}
	_, err = t.exec(ctx, `UPDATE manifest SET named = TRUE WHERE repo_id = ? AND digest = ANY(?)`, repo, m.Children)
	return d, err
}

// dropParts undoes putParts, and tells by how many bytes the repository shrinks.
func (t tx) dropParts(ctx context.Context, m manifestRow) (d delta, err error) {
	d.size = -m.Size
	for i, b := range m.Blobs {
		if len(m.BlobSizes) == len(m.Blobs) && slices.Index(m.Blobs, b) == i {
			d.size += m.BlobSizes[i] * int64(countOf(m.Blobs, b))
		}
	}
	if _, err := t.exec(ctx, `DELETE FROM manifest_blob WHERE repo_id = ? AND digest = ANY(?) AND manifest_id = ?`, m.repo, m.Blobs, m.id); err != nil {
		return d, err
	}
	if _, err := t.exec(ctx, `DELETE FROM manifest_child WHERE repo_id = ? AND digest = ANY(?) AND manifest_id = ?`, m.repo, m.Children, m.id); err != nil {
		return d, err
	}
	for i, b := range m.Blobs {
		if len(m.BlobSizes) != len(m.Blobs) || slices.Index(m.Blobs, b) != i {
			continue
		}
		var there bool
		if err := t.row(ctx, `SELECT EXISTS (SELECT 1 FROM manifest_blob WHERE repo_id = ? AND digest = ?)`, m.repo, b).Scan(&there); err != nil {
			return d, err
		}
		if !there {
			d.size -= m.BlobSizes[i]
		}
	}
	return d, nil
}

func countOf(list []string, v string) (n int) {
	for _, x := range list {
		if x == v {
			n++
		}
	}
	return n
}

// DeleteManifest implements catalog.Contents.
func (db *DB) DeleteManifest(ctx context.Context, repository, digest string, at time.Time, by ...audit.Entry) error {
	return db.write(ctx, func(t tx) error {
		m, err := t.locked(ctx, repository, digest)
		if err != nil {
			return err
		}
		if !m.Deleted.IsZero() {
			return catalog.ErrNotFound
		}
		return t.deleteManifest(ctx, m, at)
	}, by...)
}

func (t tx) deleteManifest(ctx context.Context, m manifestRow, at time.Time) error {
	if _, err := t.exec(ctx, `DELETE FROM tag WHERE manifest_id = ?`, m.id); err != nil {
		return err
	}
	if _, err := t.exec(ctx, `UPDATE manifest SET deleted = ?, tags = 0 WHERE id = ?`, nano(at), m.id); err != nil {
		return err
	}
	d := delta{tags: -m.tags}
	d.weigh(m.Kind, m.shown, m.scanError, -1)
	if err := t.count(ctx, m.repo, d); err != nil {
		return err
	}
	return t.settle(ctx, m.repo, []string{m.Digest}, at)
}

// RestoreManifest implements catalog.Contents.
func (db *DB) RestoreManifest(ctx context.Context, repository, digest string, by ...audit.Entry) error {
	return db.write(ctx, func(t tx) error {
		m, err := t.locked(ctx, repository, digest)
		if err != nil {
			return err
		}
		if m.Deleted.IsZero() {
			return catalog.ErrConflict
		}
		return t.undelete(ctx, m)
	}, by...)
}

func (t tx) undelete(ctx context.Context, m manifestRow) error {
	// It comes back without its tags: as if it had never been named, or nothing would keep it current.
	_, err := t.exec(ctx, `UPDATE manifest SET deleted = 0,
		named = EXISTS (SELECT 1 FROM manifest_child c WHERE c.repo_id = manifest.repo_id AND c.digest = manifest.digest) WHERE id = ?`, m.id)
	if err != nil {
		return err
	}
	var d delta
	d.weigh(m.Kind, m.shown, m.scanError, 1)
	if err := t.count(ctx, m.repo, d); err != nil {
		return err
	}
	return t.settle(ctx, m.repo, []string{m.Digest}, t.db.now())
}

// PurgeManifest implements catalog.Contents.
func (db *DB) PurgeManifest(ctx context.Context, repository, digest string, by ...audit.Entry) error {
	return db.write(ctx, func(t tx) error {
		m, err := t.locked(ctx, repository, digest)
		if err != nil {
			return err
		}
		if m.Deleted.IsZero() {
			if err := t.deleteManifest(ctx, m, t.db.now()); err != nil {
				return err
			}
		}
		return t.purge(ctx, m)
	}, by...)
}

func (t tx) purge(ctx context.Context, m manifestRow) error {
	d, err := t.dropParts(ctx, m)
	if err != nil {
		return err
	}
	for _, gone := range []string{
		`DELETE FROM occurrence WHERE manifest_id = ?`, `DELETE FROM result WHERE manifest_id = ?`, `DELETE FROM manifest WHERE id = ?`,
	} {
		if _, err := t.exec(ctx, gone, m.id); err != nil {
			return err
		}
	}
	if err := t.count(ctx, m.repo, d); err != nil {
		return err
	}
	if err := t.settle(ctx, m.repo, m.Children, t.db.now()); err != nil {
		return err
	}
	_, err = t.exec(ctx, `DELETE FROM inventory WHERE digest = ? AND NOT EXISTS (SELECT 1 FROM manifest WHERE digest = ?)`, m.Digest, m.Digest)
	return err
}

// NotePulls implements catalog.Contents.
func (db *DB) NotePulls(ctx context.Context, pulls []catalog.Pull) error {
	// In one order, so that hubs that note the same manifests do not wait for each other in a circle.
	pulls = slices.SortedFunc(slices.Values(pulls), func(a, b catalog.Pull) int {
		return compare(a.Repository, b.Repository, a.Digest, b.Digest)
	})
	return db.write(ctx, func(t tx) error {
		for _, p := range pulls {
			_, err := t.exec(ctx, `UPDATE manifest SET pulls = pulls + ?, pulled = CASE WHEN pulled < ? THEN ? ELSE pulled END
				WHERE digest = ? AND repo_id = (SELECT id FROM repository WHERE name = ?)`,
				p.Count, nano(p.Last), nano(p.Last), p.Digest, p.Repository)
			if err != nil {
				return err
			}
			_, err = t.exec(ctx, `UPDATE repository SET pulled = ? WHERE name = ? AND pulled < ?`, nano(p.Last), p.Repository, nano(p.Last))
			if err != nil {
				return err
			}
		}
		return nil
	})
}
