package state

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/notify"
)

// targetDoc is a target with its secret. It is sealed whole: addresses of webhooks are secrets as well.
type targetDoc struct {
	notify.Target
	Secret []byte `json:"secret,omitempty"`
}

func numbered(table, column string, id int64) cell {
	return cell{table, column, strconv.FormatInt(id, 10)}
}

type numDoc struct {
	id  int64
	doc []byte
}

func scanNumDoc(s scanner) (d numDoc, err error) { return d, s.Scan(&d.id, &d.doc) }

func (t tx) openTarget(ctx context.Context, d numDoc) (notify.Target, error) {
	var doc targetDoc
	err := t.openJSON(ctx, numbered("target", "doc", d.id), d.doc, &doc)
	out := doc.Target
	out.ID, out.Secret, out.HasSecret = d.id, doc.Secret, len(doc.Secret) > 0
	return out, err
}

// Targets implements notify.Store.
func (db *DB) Targets(ctx context.Context) (out []notify.Target, err error) {
	err = db.read(ctx, func(t tx) error {
		rows, err := list(ctx, t, scanNumDoc, `SELECT id, doc FROM target ORDER BY id`)
		out = make([]notify.Target, 0, len(rows))
		for _, r := range rows {
			target, err := t.openTarget(ctx, r)
			if err != nil {
				return err
			}
			out = append(out, target)
		}
		return err
	})
	return out, err
}

// PutTarget implements notify.Store.
func (db *DB) PutTarget(ctx context.Context, n notify.Target, by audit.Entry) (notify.Target, error) {
	create := n.ID == 0
	err := db.write(ctx, func(t tx) error {
		if create {
			if err := t.row(ctx, `INSERT INTO target (doc) VALUES (?) RETURNING id`, []byte{}).Scan(&n.ID); err != nil {
				return err
			}
		} else if n.Secret == nil {
			old, err := scanNumDoc(t.row(ctx, `SELECT id, doc FROM target WHERE id = ? {{lock}}`, n.ID))
			if err != nil {
				return orAbsent(err, catalog.ErrNotFound)
			}
			was, err := t.openTarget(ctx, old)
			if err != nil {
				return err
			}
			n.Secret = was.Secret
		}
		n.HasSecret = len(n.Secret) > 0
		doc, err := t.sealJSON(ctx, numbered("target", "doc", n.ID), targetDoc{n, n.Secret})
		if err != nil {
			return err
		}
		return t.must(ctx, catalog.ErrNotFound, `UPDATE target SET doc = ? WHERE id = ?`, doc, n.ID)
	}, by)
	return n, err
}

// DeleteTarget implements notify.Store.
func (db *DB) DeleteTarget(ctx context.Context, id int64, by audit.Entry) error {
	return db.write(ctx, func(t tx) error {
		if _, err := t.exec(ctx, `DELETE FROM notify_rule WHERE target_id = ?`, id); err != nil {
			return err
		}
		_, err := t.exec(ctx, `UPDATE delivery SET state = 'failed', error = 'the target was deleted' WHERE target_id = ? AND state = 'waiting'`, id)
		if err != nil {
			return err
		}
		return t.must(ctx, catalog.ErrNotFound, `DELETE FROM target WHERE id = ?`, id)
	}, by)
}

// NotifyRules implements notify.Store.
func (db *DB) NotifyRules(ctx context.Context) (out []notify.Rule, err error) {
	err = db.read(ctx, func(t tx) error {
		out, err = list(ctx, t, func(s scanner) (r notify.Rule, err error) {
			d, err := scanNumDoc(s)
			if err != nil {
				return r, err
			}
			err = json.Unmarshal(d.doc, &r)
			r.ID = d.id
			return r, err
		}, `SELECT id, doc FROM notify_rule ORDER BY id`)
		return err
	})
	return out, err
}

// PutNotifyRule implements notify.Store.
func (db *DB) PutNotifyRule(ctx context.Context, r notify.Rule, by audit.Entry) (notify.Rule, error) {
	create := r.ID == 0
	err := db.write(ctx, func(t tx) error {
		var one int64
		if err := t.row(ctx, `SELECT id FROM target WHERE id = ?`, r.Target).Scan(&one); err != nil {
			return orAbsent(err, catalog.ErrNotFound)
		}
		doc, err := json.Marshal(r)
		if err != nil {
			return err
		}
		if create {
			return t.row(ctx, `INSERT INTO notify_rule (target_id, doc) VALUES (?, ?) RETURNING id`, r.Target, string(doc)).Scan(&r.ID)
		}
		return t.must(ctx, catalog.ErrNotFound, `UPDATE notify_rule SET target_id = ?, doc = ? WHERE id = ?`, r.Target, string(doc), r.ID)
	}, by)
	return r, err
}

// DeleteNotifyRule implements notify.Store.
func (db *DB) DeleteNotifyRule(ctx context.Context, id int64, by audit.Entry) error {
	return db.write(ctx, func(t tx) error {
		return t.must(ctx, catalog.ErrNotFound, `DELETE FROM notify_rule WHERE id = ?`, id)
	}, by)
}

const deliveryColumns = `id, rule_id, target_id, state, attempts, created, not_before, sent, error, events`

func (t tx) deliveries(ctx context.Context, query string, args ...any) ([]notify.Delivery, error) {
	type row struct {
		d      notify.Delivery
		events []byte
	}
	rows, err := list(ctx, t, func(s scanner) (r row, err error) {
		var created, notBefore, sent int64
		d := &r.d
		err = s.Scan(&d.ID, &d.Rule, &d.Target, &d.State, &d.Attempts, &created, &notBefore, &sent, &d.Error, &r.events)
		d.Created, d.NotBefore, d.Sent = when(created), when(notBefore), when(sent)
		return r, err
	}, query, args...)
	if err != nil {
		return nil, err
	}
	out := make([]notify.Delivery, 0, len(rows))
	for _, r := range rows {
		if err := t.openJSON(ctx, numbered("delivery", "events", r.d.ID), r.events, &r.d.Events); err != nil {
			return nil, err
		}
		out = append(out, r.d)
	}
	return out, nil
}

// maxJoined bounds the events of one delivery; further ones begin another.
const maxJoined = 1000

// AddDelivery implements notify.Store.
func (db *DB) AddDelivery(ctx context.Context, d notify.Delivery, join bool) (id int64, err error) {
	err = db.write(ctx, func(t tx) error {
		if join {
			waiting, err := t.deliveries(ctx, `SELECT `+deliveryColumns+` FROM delivery WHERE state = 'waiting' AND attempts = 0
				AND leased_until = 0 AND rule_id = ? ORDER BY id DESC LIMIT 1 {{lock}}`, d.Rule)
			if err != nil {
				return err
			}
			if len(waiting) > 0 && len(waiting[0].Events)+len(d.Events) <= maxJoined {
				id = waiting[0].ID
				return t.putEvents(ctx, id, append(waiting[0].Events, d.Events...))
			}
		}
		if d.Created.IsZero() {
			d.Created = db.now()
		}
		err = t.row(ctx, `INSERT INTO delivery (rule_id, target_id, state, created, not_before, events) VALUES (?, ?, 'waiting', ?, ?, ?) RETURNING id`,
			d.Rule, d.Target, nano(d.Created), nano(d.NotBefore), []byte{}).Scan(&id)
		if err != nil {
			return err
		}
		return t.putEvents(ctx, id, d.Events)
	})
	return id, err
}

func (t tx) putEvents(ctx context.Context, id int64, events []notify.Event) error {
	sealed, err := t.sealJSON(ctx, numbered("delivery", "events", id), events)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `UPDATE delivery SET events = ? WHERE id = ?`, sealed, id)
	return err
}

// DueDeliveries implements notify.Store.
func (db *DB) DueDeliveries(ctx context.Context, worker string, now, until time.Time, n int) (out []notify.Delivery, err error) {
	const due = `state = 'waiting' AND not_before <= ? AND leased_until < ?`
	var any bool
	err = db.read(ctx, func(t tx) error {
		return t.row(ctx, `SELECT EXISTS (SELECT 1 FROM delivery WHERE `+due+`)`, nano(now), nano(now)).Scan(&any)
	})
	if err != nil || !any {
		return []notify.Delivery{}, err
	}
	err = db.write(ctx, func(t tx) error {
		ids, err := list(ctx, t, scanInt, `SELECT id FROM delivery WHERE `+due+` ORDER BY not_before, id LIMIT ? {{skip}}`, nano(now), nano(now), limit(n))
		if err != nil {
			return err
		}
		if _, err := t.exec(ctx, `UPDATE delivery SET leased_by = ?, leased_until = ? WHERE id = ANY(?)`, worker, nano(until), ids); err != nil {
			return err
		}
		out, err = t.deliveries(ctx, `SELECT `+deliveryColumns+` FROM delivery WHERE id = ANY(?) ORDER BY not_before, id`, ids)
		return err
	})
	return out, err
}

// PutDelivery implements notify.Store.
func (db *DB) PutDelivery(ctx context.Context, d notify.Delivery) error {
	return db.write(ctx, func(t tx) error {
		return t.must(ctx, catalog.ErrNotFound, `UPDATE delivery SET state = ?, attempts = ?, not_before = ?, sent = ?, error = ?,
			leased_by = '', leased_until = 0 WHERE id = ?`, d.State, d.Attempts, nano(d.NotBefore), nano(d.Sent), d.Error, d.ID)
	})
}

// Deliveries implements notify.Store.
func (db *DB) Deliveries(ctx context.Context, before int64, n int) (out []notify.Delivery, err error) {
	var f filter
	if before > 0 {
		f.add(`id < ?`, before)
	}
	err = db.read(ctx, func(t tx) error {
		out, err = t.deliveries(ctx, `SELECT `+deliveryColumns+` FROM delivery`+f.sql()+` ORDER BY id DESC LIMIT ?`, append(f.args, limit(n))...)
		return err
	})
	return out, err
}
