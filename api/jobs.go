package api

import (
	"context"
	"fmt"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/auth"
	"github.com/seawall/seawall/job"
)

func (s *Server) jobRoutes() []route {
	return []route{
		{method: "GET", path: "/jobs", need: on(auth.JobRead), handle: (*call).jobs},
		{method: "GET", path: "/jobs/counts", need: on(auth.JobRead), handle: (*call).jobCounts},
		{method: "POST", path: "/jobs/{id}/cancel", need: on(auth.JobWrite), handle: (*call).cancelJob},
		{method: "POST", path: "/jobs/{id}/retry", need: on(auth.JobWrite), handle: (*call).retryJob},
	}
}

var jobTable = table[job.Job]{"jobs", []column[job.Job]{
	{"id", func(j *job.Job) any { return j.ID }},
	{"kind", func(j *job.Job) any { return j.Kind }},
	{"key", func(j *job.Job) any { return j.Key }},
	{"state", func(j *job.Job) any { return string(j.State) }},
	{"attempts", func(j *job.Job) any { return j.Attempts }},
	{"created", func(j *job.Job) any { return j.Created }},
	{"started", func(j *job.Job) any { return j.Started }},
	{"finished", func(j *job.Job) any { return j.Finished }},
	{"error", func(j *job.Job) any { return j.Error }},
	{"by", func(j *job.Job) any { return j.By.Name }},
}}

func (c *call) jobs() (reply, error) {
	q := c.query()
	want := job.Filter{Kind: q.text("kind"), Key: q.text("key"), State: oneOf(q, "state", job.Waiting, job.Running, job.Done, job.Failed, job.Cancelled)}
	at := q.before()
	if err := q.err(); err != nil {
		return nil, err
	}
	return listing(c, jobTable, at, func(at span) (List[job.Job], error) {
		want.Before, want.Limit = at.number(), at.limit
		found, err := c.s.Jobs.Jobs(c.ctx(), want)
		return backwards(found, at, func(j *job.Job) int64 { return j.ID }), err
	})
}

func (c *call) jobCounts() (reply, error) {
	found, err := c.s.Jobs.JobCounts(c.ctx())
	if err != nil {
		return nil, err
	}
	return ok(all(found)), nil
}

func (c *call) cancelJob() (reply, error) {
	return c.changeJob("job.cancel", func(ctx context.Context, id int64, e audit.Entry) error {
		return c.s.Jobs.Cancel(ctx, id, e)
	})
}

func (c *call) retryJob() (reply, error) {
	return c.changeJob("job.retry", func(ctx context.Context, id int64, e audit.Entry) error {
		return c.s.Jobs.Retry(ctx, id, c.now, e)
	})
}

func (c *call) changeJob(action string, do func(context.Context, int64, audit.Entry) error) (reply, error) {
	id, err := c.number("id")
	if err != nil {
		return nil, err
	}
	if err := do(c.ctx(), id, c.entry(action, "job", fmt.Sprint(id))); err != nil {
		return nil, err
	}
	c.publish("jobs", fmt.Sprint(id))
	return done(), nil
}
