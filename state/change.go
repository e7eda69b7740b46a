package state

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/seawall/seawall/catalog"
)

// change is one evaluation of one image on its way into the tracked findings.
type change struct {
	t      tx
	m      manifestRow
	due    catalog.DueDays
	owner  string
	at     time.Time
	rules  []catalog.Exception
	before map[int64]bool // findings that the image had

	opened, fixed int
	touched       bool
	fresh         []tracked // not stored yet
	added         []int64   // occurrences to add
	more, moved   []int64   // rows of which only the number of images, or only the describing image, changes
}

func (w *change) apply(ctx context.Context, want []tracked, have map[string]tracked) error {
	main := map[string]bool{}
	for i := range want {
		main[want[i].Key] = true
	}
	for i := range want {
		x := want[i]
		old, err := w.match(ctx, &x, have, main)
		switch {
		case err != nil:
			return err
		case old == nil:
			if err := w.open(&x); err != nil {
				return err
			}
		default:
			if err := w.keep(ctx, old, &x); err != nil {
				return err
			}
		}
	}
	if err := w.store(ctx); err != nil {
		return err
	}
	if err := w.storeNoted(ctx); err != nil {
		return err
	}
	return w.drop(ctx)
}

// match finds the row of x: under its key, or under another by which it was known. Rows under several are joined: they
// were taken for different findings until an advisory said that they are one.
func (w *change) match(ctx context.Context, x *tracked, have map[string]tracked, main map[string]bool) (*tracked, error) {
	var old *tracked
	if row, ok := have[x.Key]; ok {
		old = &row
	}
	for _, key := range x.otherKeys {
		row, ok := have[key]
		if !ok || main[key] || row.Source != x.Source {
			continue
		}
		delete(have, key)
		if old == nil {
			old = &row
			continue
		}
		if err := w.merge(ctx, old, &row); err != nil {
			return nil, err
		}
	}
	return old, nil
}

// merge moves the occurrences of gone to keep, with what people and time have written on it.
func (w *change) merge(ctx context.Context, keep, gone *tracked) error {
	_, err := w.t.exec(ctx, `INSERT INTO occurrence (manifest_id, finding_id) SELECT manifest_id, CAST(? AS BIGINT) FROM occurrence WHERE finding_id = ?
		ON CONFLICT DO NOTHING`, keep.id, gone.id)
	if err != nil {
		return err
	}
	for _, q := range []string{`DELETE FROM occurrence WHERE finding_id = ?`, `DELETE FROM finding WHERE id = ?`} {
		if _, err := w.t.exec(ctx, q, gone.id); err != nil {
			return err
		}
	}
	err = w.t.row(ctx, `SELECT count(*) FROM occurrence o JOIN manifest m ON m.id = o.manifest_id WHERE o.finding_id = ? AND m.current`,
		keep.id).Scan(&keep.images)
	if err != nil {
		return err
	}
	if w.before[gone.id] {
		delete(w.before, gone.id)
		w.before[keep.id] = true
	}
	if gone.FirstSeen.Before(keep.FirstSeen) {
		keep.FirstSeen = gone.FirstSeen
	}
	if gone.dueSet && !keep.dueSet || !keep.dueSet && !gone.Due.IsZero() && (keep.Due.IsZero() || gone.Due.Before(keep.Due)) {
		keep.Due, keep.dueSet = gone.Due, gone.dueSet
	}
	if gone.ownSet && !keep.ownSet {
		keep.Owner, keep.ownSet = gone.Owner, true
	}
	keep.dirty, w.touched = true, true
	return nil
}

// open prepares a finding that was never seen.
func (w *change) open(x *tracked) error {
	x.FirstSeen, x.LastSeen, x.Owner = w.at, w.at, w.owner
	x.Due = w.due.Date(x.Severity, x.Exploited, w.at)
	x.described = w.m.id
	if w.m.current {
		x.images = 1
	}
	if err := x.judge(w.rules, w.at); err != nil {
		return err
	}
	if x.State != catalog.Fixed {
		w.opened++
	}
	w.fresh = append(w.fresh, *x)
	w.touched = true
	return nil
}

// keep brings a row up to date. It writes nothing where nothing changed, as after most matches.
func (w *change) keep(ctx context.Context, old, x *tracked) error {
	row := *old
	if w.before[row.id] {
		delete(w.before, row.id)
	} else {
		w.added = append(w.added, row.id)
		w.touched = true
		if w.m.current {
			row.images++
		}
	}
	if w.m.id >= row.described {
		if err := w.describe(&row, x); err != nil {
			return err
		}
	}
	if !row.ownSet {
		row.Owner = w.owner
	}
	if err := row.judge(w.rules, w.at); err != nil {
		return err
	}
	if same(old, &row) {
		w.note(old, &row)
		return nil
	}
	if old.State == catalog.Fixed && row.State != catalog.Fixed {
		w.opened++
	}
	w.touched = true
	return w.t.update(ctx, &row)
}

// note gathers the rows that a rebuild of an image changes alike, so that they are written together.
func (w *change) note(old, row *tracked) {
	if row.images != old.images {
		w.more = append(w.more, row.id)
	}
	if row.described != old.described {
		w.moved = append(w.moved, row.id)
	}
}

func (w *change) storeNoted(ctx context.Context) error {
	if len(w.more) > 0 {
		if _, err := w.t.exec(ctx, `UPDATE finding SET images = images + 1 WHERE id = ANY(?)`, w.more); err != nil {
			return err
		}
	}
	if len(w.moved) == 0 {
		return nil
	}
	_, err := w.t.exec(ctx, `UPDATE finding SET described = ? WHERE id = ANY(?)`, w.m.id, w.moved)
	return err
}

// describe takes over what the newest image that has the finding says of it. A rise in severity sets a nearer date,
// counted from now: nobody could have met one before.
func (w *change) describe(row, x *tracked) error {
	rise := x.Severity > row.Severity || x.Exploited && !row.Exploited
	was := row.Tracked
	row.Tracked = x.Tracked
	row.FirstSeen, row.LastSeen, row.FixedAt, row.Due = was.FirstSeen, was.LastSeen, was.FixedAt, was.Due
	row.Owner, row.State, row.Exception, row.Repository, row.Source = was.Owner, was.State, was.Exception, was.Repository, was.Source
	row.doc, row.rank, row.described = x.doc, x.rank, w.m.id
	if rise && !row.dueSet {
		if d := w.due.Date(x.Severity, x.Exploited, w.at); row.Due.IsZero() || !d.IsZero() && d.Before(row.Due) {
			row.Due = d
		}
	}
	doc, err := json.Marshal(row.doc)
	row.docText = string(doc)
	return err
}

// judge decides the state.
func (x *tracked) judge(rules []catalog.Exception, at time.Time) error {
	was := x.State
	x.State, x.Exception, x.until = catalog.Fixed, 0, 0
	if x.images == 0 {
		if was != catalog.Fixed {
			x.FixedAt, x.LastSeen = at, at
		}
		return nil
	}
	x.FixedAt, x.State = time.Time{}, catalog.Open
	if len(rules) == 0 {
		return nil
	}
	if err := x.load(); err != nil {
		return err
	}
	if e, until := covering(rules, x, at); e != nil {
		x.State, x.Exception, x.until = e.As, e.ID, until
	}
	return nil
}

// same reports that nothing changed but the number of images and which of them describes it.
func same(a, b *tracked) bool {
	return !b.dirty && a.docText == b.docText && a.Key == b.Key && a.ID == b.ID && a.Title == b.Title && a.Package == b.Package &&
		a.Version == b.Version && a.FixedIn == b.FixedIn && a.Severity == b.Severity && a.Exploited == b.Exploited &&
		a.EPSS == b.EPSS && a.State == b.State && a.Due.Equal(b.Due) && a.Owner == b.Owner && a.Exception == b.Exception &&
		a.until == b.until && a.FirstSeen.Equal(b.FirstSeen) &&
		a.FixedAt.Equal(b.FixedAt) && a.dueSet == b.dueSet && a.ownSet == b.ownSet && a.Type == b.Type
}

// update writes a row whole.
func (t tx) update(ctx context.Context, x *tracked) error {
	if err := x.load(); err != nil {
		return err
	}
	if err := t.alias(ctx, []tracked{*x}); err != nil {
		return err
	}
	_, err := t.exec(ctx, `UPDATE finding SET key = ?, type = ?, vid = ?, title = ?, package = ?, version = ?, fixed_in = ?, severity = ?,
		exploited = ?, epss = ?, rank = ?, state = ?, first_seen = ?, last_seen = ?, fixed_at = ?, due = ?, due_set = ?, owner = ?,
		owner_set = ?, exception = ?, exception_until = ?, images = ?, described = ?, doc = ? WHERE id = ?`,
		x.Key, x.Type, x.ID, x.Title, x.Package, x.Version, x.FixedIn, int64(x.Severity), x.Exploited, x.EPSS, x.rank,
		string(x.State), nano(x.FirstSeen), nano(x.LastSeen), nano(x.FixedAt), nano(x.Due), x.dueSet, x.Owner, x.ownSet,
		x.Exception, x.until, x.images, x.described, x.docText, x.id)
	return err
}

// store inserts the new rows and the new occurrences.
func (w *change) store(ctx context.Context) error {
	if err := w.t.alias(ctx, w.fresh); err != nil {
		return err
	}
	var rows [][]any
	var keys []string
	for i := range w.fresh {
		x := &w.fresh[i]
		doc, err := json.Marshal(x.doc)
		if err != nil {
			return err
		}
		keys = append(keys, x.Key)
		rows = append(rows, []any{x.Key, w.m.repo, x.Source, x.Type, x.ID, x.Title, x.Package, x.Version, x.FixedIn,
			int64(x.Severity), x.Exploited, x.EPSS, x.rank, string(x.State), nano(x.FirstSeen), nano(x.LastSeen), nano(x.FixedAt),
			nano(x.Due), x.Owner, x.Exception, x.until, x.images, x.described, string(doc)})
	}
	err := w.t.insert(ctx, `finding (key, repo_id, source, type, vid, title, package, version, fixed_in, severity, exploited, epss, rank,
		state, first_seen, last_seen, fixed_at, due, owner, exception, exception_until, images, described, doc)`, "", rows)
	if err != nil {
		return err
	}
	if len(keys) > 0 {
		ids, err := list(ctx, w.t, scanInt, `SELECT id FROM finding WHERE key = ANY(?)`, keys)
		if err != nil {
			return err
		}
		w.added = append(w.added, ids...)
	}
	slices.Sort(w.added)
	_, err = w.t.exec(ctx, `INSERT INTO occurrence (manifest_id, finding_id) SELECT CAST(? AS BIGINT), id FROM finding WHERE id = ANY(?)`, w.m.id, w.added)
	return err
}

// drop removes the occurrences that the image has no more. Those that it described get described by the next image.
func (w *change) drop(ctx context.Context) error {
	if len(w.before) == 0 {
		return nil
	}
	w.touched = true
	var gone []int64
	for id := range w.before {
		gone = append(gone, id)
	}
	slices.Sort(gone)
	if _, err := w.t.exec(ctx, `DELETE FROM occurrence WHERE manifest_id = ? AND finding_id = ANY(?)`, w.m.id, gone); err != nil {
		return err
	}
	less := 0
	if w.m.current {
		less = 1
	}
	_, err := w.t.exec(ctx, `UPDATE finding SET images = images - ?, described = CASE WHEN described = ? THEN 0 ELSE described END
		WHERE id = ANY(?)`, less, w.m.id, gone)
	if err != nil {
		return err
	}
	n, err := w.t.fix(ctx, gone, w.at)
	w.fixed += n
	return err
}

// fix closes those of the findings that no current image has.
func (t tx) fix(ctx context.Context, ids []int64, at time.Time) (int, error) {
	n, err := t.exec(ctx, `UPDATE finding SET state = 'fixed', fixed_at = ?, last_seen = ?, exception = 0, exception_until = 0
		WHERE images = 0 AND state <> 'fixed' AND id = ANY(?)`, nano(at), nano(at), ids)
	return int(n), err
}

// finish counts.
func (w *change) finish(ctx context.Context) error {
	if !w.touched {
		return nil
	}
	if err := w.t.flow(ctx, w.m.repo, w.at, w.opened, w.fixed); err != nil {
		return err
	}
	return w.t.recount(ctx, w.m.repo)
}

// flow adds to the day's numbers of findings that came and went.
func (t tx) flow(ctx context.Context, repo int64, at time.Time, opened, fixed int) error {
	if opened == 0 && fixed == 0 {
		return nil
	}
	_, err := t.exec(ctx, `INSERT INTO trend (repo_id, day, opened, fixed) VALUES (?, ?, ?, ?)
		ON CONFLICT (repo_id, day) DO UPDATE SET opened = trend.opened + excluded.opened, fixed = trend.fixed + excluded.fixed`,
		repo, dayOf(at), opened, fixed)
	return err
}

func dayOf(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// turn closes or reopens findings after their numbers of images changed.
func (t tx) turn(ctx context.Context, m manifestRow, ids []int64, at time.Time) error {
	fixed, err := t.fix(ctx, ids, at)
	if err != nil {
		return fmt.Errorf("closing findings: %w", err)
	}
	back, err := list(ctx, t, scanTracked, `SELECT `+trackedColumns+trackedTables+` WHERE f.images > 0 AND f.state = 'fixed' AND f.id = ANY(?)`, ids)
	if err != nil {
		return err
	}
	rules, err := t.holding(ctx, m.Repository, at)
	if err != nil {
		return err
	}
	for i := range back {
		if err := back[i].judge(rules, at); err != nil {
			return err
		}
		if err := t.update(ctx, &back[i]); err != nil {
			return err
		}
	}
	return t.flow(ctx, m.repo, at, len(back), fixed)
}
