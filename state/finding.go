package state

import (
	"context"
	"time"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/catalog"
)

// Findings implements catalog.Results: worst first.
func (db *DB) Findings(ctx context.Context, q catalog.Findings, now time.Time) (page catalog.Page[catalog.Tracked], err error) {
	if err := db.expire(ctx, now); err != nil {
		return page, err
	}
	by := order{column: "f.rank", id: "f.id", down: true}
	err = db.read(ctx, func(t tx) error {
		f, err := t.findingsFilter(ctx, q, now)
		if err != nil {
			return err
		}
		all := f
		if err := by.after(&f, q.Cursor); err != nil {
			return err
		}
		n := limit(q.Limit)
		rows, err := list(ctx, t, scanWhole, `SELECT `+trackedColumns+trackedTables+f.sql()+by.sql()+` LIMIT ?`, append(f.args, n+1)...)
		if err != nil {
			return err
		}
		kept := rows[:min(n, len(rows))]
		if err := t.locate(ctx, kept); err != nil {
			return err
		}
		page.Items, page.Next = cut(rows, n, func(x tracked) (catalog.Tracked, cursor) {
			return x.Tracked, cursor{Num: x.rank, ID: x.id}
		})
		page.Total, err = t.total(ctx, trackedTables, all, whole(q.Cursor, page.Next, len(rows)), q.Repository != "" || q.Digest != "")
		return err
	})
	return page, err
}

func (t tx) findingsFilter(ctx context.Context, q catalog.Findings, now time.Time) (f filter, err error) {
	for _, eq := range []struct{ column, value string }{
		{"r.name", q.Repository}, {"f.type", q.Type}, {"f.state", string(q.State)}, {"f.owner", q.Owner}, {"f.source", q.Source},
	} {
		if eq.value != "" {
			f.add(eq.column+" = ?", eq.value)
		}
	}
	if q.Digest != "" {
		f.add(`f.id IN (SELECT o.finding_id FROM occurrence o JOIN manifest m ON m.id = o.manifest_id WHERE m.digest = ?)`, q.Digest)
	}
	if q.ID != "" {
		ids, err := t.idsOf(ctx, q.ID)
		if err != nil {
			return f, err
		}
		addIDs(&f, "f.vid", ids)
	}
	if q.Severity != 0 {
		f.add(`f.severity >= ?`, int64(q.Severity))
	}
	if q.Overdue {
		f.add(`f.state = 'open' AND f.due <> 0 AND f.due < ?`, nano(now))
	}
	if q.Exploited {
		f.add(`f.exploited`)
	}
	if q.Fixable {
		f.add(`f.fixed_in <> ''`)
	}
	if q.Search != "" {
		like := contains(q.Search)
		f.add(`(f.vid {{like}} ? ESCAPE '\' OR f.package {{like}} ? ESCAPE '\' OR f.title {{like}} ? ESCAPE '\'
			OR f.repo_id IN (SELECT id FROM repository WHERE name {{like}} ? ESCAPE '\'))`, like, like, like, like)
	}
	return f, nil
}

// locate fills in the images that carry findings now, and when they were last seen there.
func (t tx) locate(ctx context.Context, xs []tracked) error {
	at := map[int64]int{}
	var ids []int64
	for i := range xs {
		at[xs[i].id] = i
		ids = append(ids, xs[i].id)
	}
	if len(ids) == 0 {
		return nil
	}
	return each(ctx, t, func(s scanner) error {
		var id, matched int64
		var digest string
		if err := s.Scan(&id, &digest, &matched); err != nil {
			return err
		}
		x := &xs[at[id]]
		x.Digests = append(x.Digests, digest)
		if seen := when(matched); seen.After(x.LastSeen) {
			x.LastSeen = seen
		}
		return nil
	}, `SELECT o.finding_id, m.digest, m.matched FROM occurrence o JOIN manifest m ON m.id = o.manifest_id
		WHERE o.finding_id = ANY(?) AND m.current ORDER BY m.id`, ids)
}

// Finding implements catalog.Results.
func (db *DB) Finding(ctx context.Context, key string) (out catalog.Tracked, err error) {
	if err := db.expire(ctx, db.now()); err != nil {
		return out, err
	}
	err = db.read(ctx, func(t tx) error {
		x, err := t.byKey(ctx, key)
		if err != nil {
			return err
		}
		one := []tracked{x}
		err = t.locate(ctx, one)
		out = one[0].Tracked
		return err
	})
	return out, err
}

func (t tx) byKey(ctx context.Context, key string) (tracked, error) {
	x, err := scanWhole(t.row(ctx, `SELECT `+trackedColumns+trackedTables+` WHERE f.key = ?`, key))
	return x, orAbsent(err, catalog.ErrNotFound)
}

// PutFinding implements catalog.Results. What a person sets stays, whatever rules say later; an empty owner and a zero
// date are set too.
func (db *DB) PutFinding(ctx context.Context, key, owner string, due time.Time, by audit.Entry) error {
	return db.write(ctx, func(t tx) error {
		return t.must(ctx, catalog.ErrNotFound, `UPDATE finding SET
			owner_set = owner_set OR owner <> ?, owner = ?, due_set = due_set OR due <> ?, due = ? WHERE key = ?`,
			owner, owner, nano(due), nano(due), key)
	}, by)
}

// PutImported implements catalog.Results. Findings of other scanners have keys of their own, so that they stand beside
// ours and do not count.
func (db *DB) PutImported(ctx context.Context, repository, digest, source string, found []catalog.Tracked, by audit.Entry) error {
	return db.write(ctx, func(t tx) error {
		m, err := t.locked(ctx, repository, digest)
		if err != nil {
			return err
		}
		return t.reconcile(ctx, m, source, imported(repository, source, found), catalog.DueDays{}, "", t.db.now())
	}, by)
}

func imported(repository, source string, found []catalog.Tracked) []tracked {
	var out []tracked
	seen := map[string]bool{}
	for _, f := range found {
		x := tracked{Tracked: f}
		if x.Type == "" {
			x.Type = typeVulnerability
		}
		if x.Key == "" {
			row := ofImported(&f)
			x.Key = row.Key(repository)
		}
		x.Key = source + ":" + x.Key
		if seen[x.Key] {
			continue
		}
		seen[x.Key] = true
		x.Repository, x.Source = repository, source
		x.rank = rankOf(x.Severity, x.Exploited, x.EPSS)
		x.doc = trackedDoc{Aliases: f.Aliases, Rows: rowsOf(&x)}
		out = append(out, x)
	}
	return out
}
