package state

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/job"
)

const jobColumns = `id, kind, key, payload, state, priority, attempts, max_attempts, run_at, created, started, finished,
	leased_by, leased_until, progress, error, actor`

func scanJob(s scanner) (j job.Job, err error) {
	var payload, actor string
	var runAt, created, started, finished, until int64
	err = s.Scan(&j.ID, &j.Kind, &j.Key, &payload, &j.State, &j.Priority, &j.Attempts, &j.MaxAttempts, &runAt, &created, &started,
		&finished, &j.LeasedBy, &until, &j.Progress, &j.Error, &actor)
	if err != nil {
		return j, err
	}
	j.RunAt, j.Created, j.Started, j.Finished, j.LeasedUntil = when(runAt), when(created), when(started), when(finished), when(until)
	if payload != "" {
		j.Payload = json.RawMessage(payload)
	}
	return j, json.Unmarshal([]byte(actor), &j.By)
}

// defaultAttempts is for jobs that name no number.
const defaultAttempts = 5

// Enqueue implements job.Store.
func (db *DB) Enqueue(ctx context.Context, j job.Job) (id int64, err error) {
	err = db.write(ctx, func(t tx) error { id, err = t.enqueue(ctx, j); return err })
	return id, err
}

func (t tx) enqueue(ctx context.Context, j job.Job) (id int64, err error) {
	now := t.db.now()
	if j.Created.IsZero() {
		j.Created = now
	}
	if j.RunAt.IsZero() {
		j.RunAt = j.Created
	}
	if j.MaxAttempts <= 0 {
		j.MaxAttempts = defaultAttempts
	}
	actor, err := json.Marshal(j.By)
	if err != nil {
		return 0, err
	}
	err = t.row(ctx, `INSERT INTO job (kind, key, payload, state, priority, max_attempts, run_at, created, actor)
		VALUES (?, ?, ?, 'waiting', ?, ?, ?, ?, ?)
		ON CONFLICT (kind, key) WHERE state = 'waiting' DO UPDATE SET
			priority = CASE WHEN excluded.priority < job.priority THEN excluded.priority ELSE job.priority END,
			run_at = CASE WHEN excluded.run_at < job.run_at THEN excluded.run_at ELSE job.run_at END
		RETURNING id`,
		j.Kind, j.Key, string(j.Payload), j.Priority, j.MaxAttempts, nano(j.RunAt), nano(j.Created), string(actor)).Scan(&id)
	t.after(t.db.wake)
	return id, err
}

// The jobs that can be leased are those that wait for their turn, and those whose worker is gone. Of one kind and key only
// one runs at a time. Each is one step into the index job_next, however many wait: the kind is compared so that no other
// index is taken.
const (
	alone     = `j.kind || '' = ANY(?) AND NOT EXISTS (SELECT 1 FROM job o WHERE o.kind = j.kind AND o.key = j.key AND o.state = 'running' AND o.id <> j.id AND o.leased_until >= ?)`
	ripe      = `SELECT j.id FROM job j WHERE j.state = 'waiting' AND j.priority = ? AND j.run_at <= ? AND ` + alone + ` ORDER BY j.run_at, j.id LIMIT 1 `
	abandoned = `SELECT j.id FROM job j WHERE j.state = 'running' AND j.leased_until < ? AND ` + alone + ` ORDER BY j.priority, j.run_at, j.id LIMIT 1 `
)

// next finds the job to lease, 0 for none. What was begun and left comes before what waits. lock is "{{skip}}" where it is
// going to be leased, "" where it is only looked for: nobody else is to pass over it for that.
func (t tx) next(ctx context.Context, kinds []string, now int64, lock string) (int64, error) {
	found, err := list(ctx, t, scanInt, abandoned+lock, now, kinds, now)
	if err != nil || len(found) > 0 {
		return first(found), err
	}
	for priority := int64(math.MinInt32); ; priority++ {
		// The next priority that any job waits at.
		at, err := list(ctx, t, scanInt, `SELECT priority FROM job WHERE state = 'waiting' AND priority >= ? ORDER BY priority LIMIT 1`, priority)
		if err != nil || len(at) == 0 {
			return 0, err
		}
		priority = at[0]
		if found, err = list(ctx, t, scanInt, ripe+lock, priority, now, kinds, now); err != nil || len(found) > 0 {
			return first(found), err
		}
	}
}

func first(ids []int64) int64 {
	if len(ids) == 0 {
		return 0
	}
	return ids[0]
}

// Lease implements job.Store.
func (db *DB) Lease(ctx context.Context, kinds []string, worker string, now, until time.Time) (out *job.Job, err error) {
	n := nano(now)
	var id int64
	err = db.read(ctx, func(t tx) error { // most of the time there is nothing to do, and nothing to write
		id, err = t.next(ctx, kinds, n, "")
		return err
	})
	if err != nil || id == 0 {
		return nil, err
	}
	err = db.write(ctx, func(t tx) error {
		out = nil
		if err := t.giveUp(ctx, n); err != nil {
			return err
		}
		id, err := t.next(ctx, kinds, n, "{{skip}}")
		if err != nil || id == 0 {
			return err
		}
		j, err := scanJob(t.row(ctx, `UPDATE job SET state = 'running', attempts = attempts + 1, started = ?, finished = 0, leased_by = ?,
			leased_until = ?, progress = '' WHERE id = ? RETURNING `+jobColumns, n, worker, nano(until), id))
		out = &j
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// giveUp ends jobs whose worker was lost in their last attempt: a job that brings workers down must not do so for ever.
func (t tx) giveUp(ctx context.Context, now int64) error {
	_, err := t.exec(ctx, `UPDATE job SET state = 'failed', finished = ?, leased_by = '', leased_until = 0,
		error = 'the worker was lost during the last attempt' WHERE state = 'running' AND leased_until < ? AND attempts >= max_attempts`, now, now)
	return err
}

// Extend implements job.Store.
func (db *DB) Extend(ctx context.Context, id int64, worker string, until time.Time, progress string) error {
	return db.write(ctx, func(t tx) error {
		return t.must(ctx, job.ErrLost, `UPDATE job SET leased_until = ?, progress = ? WHERE id = ? AND leased_by = ? AND state = 'running'`,
			nano(until), progress, id, worker)
	})
}

// Finish implements job.Store.
func (db *DB) Finish(ctx context.Context, id int64, worker, fault string, now, retry time.Time) error {
	return db.write(ctx, func(t tx) error {
		j, err := scanJob(t.row(ctx, `SELECT `+jobColumns+` FROM job WHERE id = ? AND leased_by = ? AND state = 'running' {{lock}}`, id, worker))
		if err != nil {
			return orAbsent(err, job.ErrLost)
		}
		switch {
		case fault == "":
			return t.end(ctx, id, job.Done, "", now)
		case retry.IsZero():
			return t.end(ctx, id, job.Failed, fault, now)
		}
		return t.retry(ctx, &j, fault, now, retry)
	})
}

func (t tx) end(ctx context.Context, id int64, s job.State, fault string, now time.Time) error {
	_, err := t.exec(ctx, `UPDATE job SET state = ?, error = ?, finished = ?, leased_by = '', leased_until = 0 WHERE id = ?`,
		string(s), fault, nano(now), id)
	return err
}

// retry makes a job wait again. Where another of the same kind and key waits already, that one does its work.
func (t tx) retry(ctx context.Context, j *job.Job, fault string, now, at time.Time) error {
	other, err := list(ctx, t, scanInt, `SELECT id FROM job WHERE kind = ? AND key = ? AND state = 'waiting' {{lock}}`, j.Kind, j.Key)
	if err != nil {
		return err
	}
	if len(other) > 0 {
		return t.end(ctx, j.ID, job.Cancelled, fmt.Sprintf("%s; job %d does it again", fault, other[0]), now)
	}
	_, err = t.exec(ctx, `UPDATE job SET state = 'waiting', error = ?, run_at = ?, leased_by = '', leased_until = 0 WHERE id = ?`,
		fault, nano(at), j.ID)
	t.after(t.db.wake)
	return err
}

// Cancel implements job.Store.
func (db *DB) Cancel(ctx context.Context, id int64, by audit.Entry) error {
	return db.write(ctx, func(t tx) error {
		return t.must(ctx, job.ErrNone, `UPDATE job SET state = 'cancelled', finished = ?, leased_by = '', leased_until = 0
			WHERE id = ? AND state IN ('waiting', 'running')`, nano(by.Time), id)
	}, by)
}

// Retry implements job.Store.
func (db *DB) Retry(ctx context.Context, id int64, now time.Time, by audit.Entry) error {
	return db.write(ctx, func(t tx) error {
		j, err := scanJob(t.row(ctx, `SELECT `+jobColumns+` FROM job WHERE id = ? AND state IN ('failed', 'cancelled') {{lock}}`, id))
		if err != nil {
			return orAbsent(err, job.ErrNone)
		}
		other, err := list(ctx, t, scanInt, `SELECT id FROM job WHERE kind = ? AND key = ? AND state = 'waiting'`, j.Kind, j.Key)
		if err != nil || len(other) > 0 {
			return err // it waits already
		}
		_, err = t.exec(ctx, `UPDATE job SET state = 'waiting', attempts = 0, run_at = ?, finished = 0, progress = '' WHERE id = ?`, nano(now), id)
		t.after(t.db.wake)
		return err
	}, by)
}

// Jobs implements job.Store.
func (db *DB) Jobs(ctx context.Context, q job.Filter) (out []job.Job, err error) {
	var f filter
	for _, eq := range []struct{ column, value string }{{"kind", q.Kind}, {"state", string(q.State)}, {"key", q.Key}} {
		if eq.value != "" {
			f.add(eq.column+" = ?", eq.value)
		}
	}
	if q.Before > 0 {
		f.add("id < ?", q.Before)
	}
	err = db.read(ctx, func(t tx) error {
		out, err = list(ctx, t, scanJob, `SELECT `+jobColumns+` FROM job`+f.sql()+` ORDER BY id DESC LIMIT ?`, append(f.args, limit(q.Limit))...)
		return err
	})
	return out, err
}

// JobCounts implements job.Store.
func (db *DB) JobCounts(ctx context.Context) (out []job.Count, err error) {
	err = db.read(ctx, func(t tx) error {
		out, err = list(ctx, t, func(s scanner) (c job.Count, err error) {
			var oldest int64
			err = s.Scan(&c.Kind, &c.State, &c.Count, &oldest)
			c.Oldest = when(oldest)
			return c, err
		}, `SELECT kind, state, count(*), min(created) FROM job GROUP BY kind, state ORDER BY kind, state`)
		return err
	})
	return out, err
}

// DropJobs removes jobs that ended before a time: done and cancelled ones; failed ones stay until somebody looked.
func (db *DB) DropJobs(ctx context.Context, before time.Time) (n int64, err error) {
	err = db.write(ctx, func(t tx) error {
		n, err = t.exec(ctx, `DELETE FROM job WHERE state IN ('done', 'cancelled') AND finished < ?`, nano(before))
		return err
	})
	return n, err
}
