// Package job runs work that outlives a request: scans, imports, collections, notifications.
//
// It promises that a job which was enqueued is run to an end: it is leased, and a lease that runs out (a crash) gives
// the job to another worker; failures are retried with growing pauses up to a number; nothing is ever stuck without
// being seen. It leaves out where jobs are kept (package state) and what they do (the handlers that are given).
package job

import (
	"context"
	"encoding/json"
	"time"

	"github.com/seawall/seawall/audit"
)

// State says how far a job is.
type State string

const (
	Waiting   State = "waiting" // for its turn, or for its next attempt
	Running   State = "running"
	Done      State = "done"
	Failed    State = "failed" // gave up after MaxAttempts
	Cancelled State = "cancelled"
)

// Job is one piece of work.
type Job struct {
	ID   int64  `json:"id"`
	Kind string `json:"kind"` // "scan", "import", "collect", "notify", "rematch", …
	// Key names what it is about: "team/app@sha256:…". Of one kind and key at most one job waits; enqueueing it again
	// changes nothing but a lower Priority or an earlier RunAt.
	Key     string          `json:"key"`
	Payload json.RawMessage `json:"payload,omitempty"`
	State   State           `json:"state"`
	// Priority: lower runs first. 0 is what a person waits for.
	Priority    int       `json:"priority"`
	Attempts    int       `json:"attempts"`
	MaxAttempts int       `json:"maxAttempts"`
	RunAt       time.Time `json:"runAt"`
	Created     time.Time `json:"created"`
	Started     time.Time `json:"started,omitzero"`
	Finished    time.Time `json:"finished,omitzero"`
	LeasedBy    string    `json:"leasedBy,omitempty"`
	LeasedUntil time.Time `json:"leasedUntil,omitzero"`
	// Progress is a short sentence of the running attempt; Error is that of the last failed one.
	Progress string `json:"progress,omitempty"`
	Error    string `json:"error,omitempty"`
	// By is who asked for it.
	By audit.Actor `json:"by"`
}

// Filter selects jobs, newest first. Zero values select everything.
type Filter struct {
	Kind   string
	State  State
	Key    string
	Before int64 // ID to page on from
	Limit  int   // at most 1000; 0 means 100
}

// Count counts jobs of one kind and state.
type Count struct {
	Kind  string `json:"kind"`
	State State  `json:"state"`
	Count int    `json:"count"`
	// Oldest is when the oldest of them was created.
	Oldest time.Time `json:"oldest,omitzero"`
}

// Store keeps jobs.
type Store interface {
	// Enqueue stores a waiting job and returns its id: that of the waiting job of the same kind and key, if there is one.
	Enqueue(ctx context.Context, j Job) (int64, error)
	// Lease takes the next due job of the kinds, or one whose lease has run out, for worker until until.
	// It returns nil where there is none.
	Lease(ctx context.Context, kinds []string, worker string, now, until time.Time) (*Job, error)
	// Extend keeps a lease and notes progress. ErrLost: the job is somebody else's, or cancelled.
	Extend(ctx context.Context, id int64, worker string, until time.Time, progress string) error
	// Finish ends an attempt. fault "" is success; else the job runs again at retry, or has failed for good where
	// retry is zero. ErrLost as for Extend.
	Finish(ctx context.Context, id int64, worker, fault string, now, retry time.Time) error
	// Cancel ends a job that waits or runs, Retry makes a failed or cancelled one wait again; both with their record.
	Cancel(ctx context.Context, id int64, by audit.Entry) error
	Retry(ctx context.Context, id int64, now time.Time, by audit.Entry) error
	Jobs(ctx context.Context, f Filter) ([]Job, error)
	JobCounts(ctx context.Context) ([]Count, error)
}
