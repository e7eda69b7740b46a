package state

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
)

const exceptionColumns = `e.id, e.doc, (SELECT count(*) FROM finding f WHERE f.exception = e.id AND e.id <> 0)`

func scanException(s scanner) (e catalog.Exception, err error) {
	var id int64
	var doc string
	var covers int
	if err := s.Scan(&id, &doc, &covers); err != nil {
		return e, err
	}
	err = json.Unmarshal([]byte(doc), &e)
	e.ID, e.Covers = id, covers
	return e, err
}

// Exceptions implements catalog.Exceptions.
func (db *DB) Exceptions(ctx context.Context, state catalog.ExceptionState, repository string) (out []catalog.Exception, err error) {
	if err := db.expire(ctx, db.now()); err != nil {
		return nil, err
	}
	err = db.read(ctx, func(t tx) error {
		var f filter
		if state != "" {
			f.add(`e.state = ?`, string(state))
		}
		all, err := list(ctx, t, scanException, `SELECT `+exceptionColumns+` FROM exception e`+f.sql()+` ORDER BY e.id DESC`, f.args...)
		out = []catalog.Exception{}
		for _, e := range all {
			if repository == "" || finding.MatchPath(e.Repositories, repository) {
				out = append(out, e)
			}
		}
		return err
	})
	return out, err
}

// Exception implements catalog.Exceptions.
func (db *DB) Exception(ctx context.Context, id int64) (e catalog.Exception, err error) {
	if err := db.expire(ctx, db.now()); err != nil {
		return e, err
	}
	err = db.read(ctx, func(t tx) error { e, err = t.exception(ctx, id); return err })
	return e, err
}

func (t tx) exception(ctx context.Context, id int64) (catalog.Exception, error) {
	e, err := scanException(t.row(ctx, `SELECT `+exceptionColumns+` FROM exception e WHERE e.id = ?`, id))
	return e, orAbsent(err, catalog.ErrNotFound)
}

// PutException implements catalog.Exceptions. One that was decided cannot be changed any more: ErrConflict.
func (db *DB) PutException(ctx context.Context, e catalog.Exception, by audit.Entry) (catalog.Exception, error) {
	err := db.write(ctx, func(t tx) error {
		if e.ID == 0 {
			if e.State == "" {
				e.State = catalog.Requested
			}
			return t.createException(ctx, &e)
		}
		if err := t.lockException(ctx, e.ID); err != nil {
			return err
		}
		old, err := t.exception(ctx, e.ID)
		if err != nil {
			return err
		}
		if old.State != catalog.Requested || e.State != "" && e.State != catalog.Requested {
			return catalog.ErrConflict
		}
		e.State, e.RequestedBy, e.RequesterID, e.RequestedAt = old.State, old.RequestedBy, old.RequesterID, old.RequestedAt
		return t.storeException(ctx, &e)
	}, by)
	return e, err
}

func (t tx) lockException(ctx context.Context, id int64) error {
	var one int64
	return orAbsent(t.row(ctx, `SELECT id FROM exception WHERE id = ? {{lock}}`, id).Scan(&one), catalog.ErrNotFound)
}

func (t tx) createException(ctx context.Context, e *catalog.Exception) error {
	e.Suppression.Source = finding.SourceHub
	err := t.row(ctx, `INSERT INTO exception (state, expires, doc) VALUES (?, ?, '{}') RETURNING id`,
		string(e.State), nano(e.Suppression.Expires)).Scan(&e.ID)
	if err != nil {
		return err
	}
	if err := t.storeException(ctx, e); err != nil || e.State != catalog.Approved {
		return err
	}
	return t.reconsider(ctx, []catalog.Exception{*e}, t.db.now())
}

func (t tx) storeException(ctx context.Context, e *catalog.Exception) error {
	e.Suppression.Source = finding.SourceHub
	doc, err := json.Marshal(e)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `UPDATE exception SET state = ?, expires = ?, doc = ? WHERE id = ?`,
		string(e.State), nano(e.Suppression.Expires), string(doc), e.ID)
	return err
}

// DecideException implements catalog.Exceptions.
func (db *DB) DecideException(ctx context.Context, id int64, to catalog.ExceptionState, comment string, by audit.Entry) (e catalog.Exception, err error) {
	err = db.write(ctx, func(t tx) error {
		if err := t.lockException(ctx, id); err != nil {
			return err
		}
		if e, err = t.exception(ctx, id); err != nil {
			return err
		}
		if !mayMove(&e, to, &by) {
			return catalog.ErrConflict
		}
		before := e.State
		e.State, e.Comment, e.DecidedBy, e.DecidedAt = to, comment, nameOf(by.Actor), by.Time
		if err := t.storeException(ctx, &e); err != nil {
			return err
		}
		if before == catalog.Approved || to == catalog.Approved {
			if err := t.reconsider(ctx, []catalog.Exception{e}, by.Time); err != nil {
				return err
			}
			e, err = t.exception(ctx, id)
		}
		return err
	}, by)
	return e, err
}

// mayMove is the four-eyes rule and the order of the states.
func mayMove(e *catalog.Exception, to catalog.ExceptionState, by *audit.Entry) bool {
	switch to {
	case catalog.Approved:
		own := e.OwnedBy(by.Actor.ID, by.Actor.Name)
		return e.State == catalog.Requested && !own && !e.Suppression.Expired(by.Time)
	case catalog.Refused:
		return e.State == catalog.Requested
	case catalog.Revoked:
		return e.State == catalog.Approved
	}
	return false
}

func nameOf(a audit.Actor) string {
	if a.Name != "" {
		return a.Name
	}
	return a.ID
}

// Suppressions implements catalog.Exceptions.
func (db *DB) Suppressions(ctx context.Context, repository string, now time.Time) (out []finding.Suppression, err error) {
	err = db.read(ctx, func(t tx) error {
		rules, err := t.holding(ctx, repository, now)
		out = []finding.Suppression{}
		for _, e := range rules {
			s := e.Suppression
			s.Source = finding.SourceHub
			s.Origin = fmt.Sprintf("exception %d", e.ID)
			out = append(out, s)
		}
		return err
	})
	return out, err
}

// holding lists the exceptions that hold for a repository, the oldest first.
func (t tx) holding(ctx context.Context, repository string, now time.Time) ([]catalog.Exception, error) {
	all, err := list(ctx, t, scanException, `SELECT e.id, e.doc, 0 FROM exception e WHERE e.state = ? AND (e.expires = 0 OR e.expires > ?)
		ORDER BY e.id`, string(catalog.Approved), nano(now))
	var out []catalog.Exception
	for _, e := range all {
		if finding.MatchPath(e.Repositories, repository) {
			out = append(out, e)
		}
	}
	return out, err
}

// covering finds the exception that sets x aside, and until when: every row of x has to be covered, if by several
// exceptions, then until the first of them ends.
func covering(rules []catalog.Exception, x *tracked, now time.Time) (first *catalog.Exception, until int64) {
	parts := max(1, len(x.doc.Rows))
	for part := range parts {
		e := coveringPart(rules, x, part, now)
		if e == nil {
			return nil, 0
		}
		if first == nil {
			first = e
		}
		if end := nano(e.Suppression.Expires); end != 0 && (until == 0 || end < until) {
			until = end
		}
	}
	return first, until
}

func coveringPart(rules []catalog.Exception, x *tracked, part int, now time.Time) *catalog.Exception {
	for i := range rules {
		s := rules[i].Suppression
		s.Source = finding.SourceHub
		var yes bool
		switch {
		case x.doc.Secret != nil:
			yes = s.CoversSecret(x.doc.Secret, now)
		case x.doc.Check != nil:
			yes = s.CoversCheck(x.doc.Check, now)
		case len(x.doc.Rows) > 0:
			yes = s.Covers(&x.doc.Rows[part], now)
		}
		if yes {
			return &rules[i]
		}
	}
	return nil
}

// reconsider decides anew the state of the findings that exceptions speak of.
func (t tx) reconsider(ctx context.Context, changed []catalog.Exception, now time.Time) error {
	repos, err := t.repositories(ctx, changed)
	if err != nil {
		return err
	}
	for _, r := range repos {
		if err := t.reconsiderIn(ctx, r.id, r.name, changed, now); err != nil {
			return err
		}
	}
	return nil
}

type named struct {
	id   int64
	name string
}

// repositories lists those that the exceptions name, in the order in which they are locked.
func (t tx) repositories(ctx context.Context, es []catalog.Exception) (out []named, err error) {
	all, err := list(ctx, t, func(s scanner) (r named, err error) { return r, s.Scan(&r.id, &r.name) },
		`SELECT id, name FROM repository ORDER BY name`)
	for _, r := range all {
		for i := range es {
			if finding.MatchPath(es[i].Repositories, r.name) {
				out = append(out, r)
				break
			}
		}
	}
	return out, err
}

func (t tx) reconsiderIn(ctx context.Context, repo int64, name string, changed []catalog.Exception, now time.Time) error {
	f, err := t.spokenOf(ctx, repo, changed)
	if err != nil {
		return err
	}
	rows, err := list(ctx, t, scanWhole, `SELECT `+trackedColumns+trackedTables+f.sql(), f.args...)
	if err != nil || len(rows) == 0 {
		return err
	}
	if _, err := t.repository(ctx, name); err != nil {
		return err
	}
	rules, err := t.holding(ctx, name, now)
	if err != nil {
		return err
	}
	touched := false
	for i := range rows {
		x := rows[i]
		if err := x.judge(rules, now); err != nil {
			return err
		}
		if same(&rows[i], &x) {
			continue
		}
		touched = true
		_, err := t.exec(ctx, `UPDATE finding SET state = ?, exception = ?, exception_until = ? WHERE id = ?`,
			string(x.State), x.Exception, x.until, x.id)
		if err != nil {
			return err
		}
	}
	if !touched {
		return nil
	}
	return t.recount(ctx, repo)
}

// spokenOf selects the findings of a repository that exceptions may speak of, or that they set aside now.
func (t tx) spokenOf(ctx context.Context, repo int64, changed []catalog.Exception) (f filter, err error) {
	var ids []int64
	var names []string
	for _, e := range changed {
		ids = append(ids, e.ID)
		if id := e.Suppression.ID; id == "" || id == "*" {
			f.add(`f.repo_id = ? AND f.images > 0`, repo)
			return f, nil
		}
		vids, err := t.idsOf(ctx, e.Suppression.ID)
		if err != nil {
			return f, err
		}
		names = append(append(names, vids...), strings.ToLower(e.Suppression.ID))
	}
	f.add(`f.repo_id = ? AND f.images > 0 AND (f.vid = ANY(?) OR f.exception = ANY(?))`, repo, names, ids)
	return f, nil
}
