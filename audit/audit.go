// Package audit holds the record of administrative acts: what was done, by whom, from where, to what.
//
// It promises that a record is complete before it is stored: every act names its actor, its object and its outcome.
// Records reach the tamper-evident log by an outbox: state commits a record in the same transaction as the act, and
// package translog sequences what is in the outbox. What the log holds is a commitment to the record (see Commit), so
// that the log tells nothing of persons and old records can be dropped. Package verify checks an exported log offline.
// It leaves out who may act (package auth) and where records wait and are kept (package state).
package audit

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"time"
)

// ActorKind says what kind of principal acted.
type ActorKind string

const (
	ActorUser      ActorKind = "user"
	ActorService   ActorKind = "service"   // a service principal
	ActorWorkload  ActorKind = "workload"  // a token exchanged against a trusted issuer
	ActorSystem    ActorKind = "system"    // the hub itself: a job, a schedule
	ActorAnonymous ActorKind = "anonymous" // nobody: a refused sign-in
)

// Actor is who acted.
type Actor struct {
	Kind ActorKind `json:"kind"`
	ID   string    `json:"id"`
	Name string    `json:"name,omitempty"`
	// Via is the id of the session or token that was used, never the token itself.
	Via string `json:"via,omitempty"`
	// Address is the IP address that the request came from; "" for the hub itself.
	Address string `json:"address,omitempty"`
}

// System is the hub acting on its own.
func System(part string) Actor { return Actor{Kind: ActorSystem, ID: part, Name: part} }

// Object is what was acted on: kind "image" with name "team/app@sha256:…", kind "user" with name "alice".
type Object struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
}

// Outcome says how an act ended.
type Outcome string

const (
	// Intent is recorded before an act on an external store; a later record with the same Act tells its outcome.
	Intent  Outcome = "intent"
	Done    Outcome = "done"
	Refused Outcome = "refused" // not allowed
	Failed  Outcome = "failed"
)

// Entry is one record. The log holds a commitment to its Canonical form.
type Entry struct {
	// ID is unique: 32 hexadecimal digits. A record is appended to the log once per ID. It is random, and so it is also
	// what keeps a commitment from being guessed: use New or NewID.
	ID string `json:"id"`
	// Time is kept to the microsecond.
	Time time.Time `json:"time"`
	// Act joins an Intent to its outcome: the ID of the intent, "" elsewhere.
	Act     string  `json:"act,omitempty"`
	Actor   Actor   `json:"actor"`
	Action  string  `json:"action"` // "image.push", "user.create", "signin"
	Object  Object  `json:"object"`
	Outcome Outcome `json:"outcome"`
	// Reason is a sentence: why it was refused or failed, or what the actor gave as reason.
	Reason string `json:"reason,omitempty"`
	// Detail holds further facts by name; never a secret.
	Detail map[string]string `json:"detail,omitempty"`
	// Request is the id of the HTTP request, "" for the hub's own acts.
	Request string `json:"request,omitempty"`
}

// New returns a done act of actor at now with an ID of its own.
func New(now time.Time, actor Actor, action string, object Object) Entry {
	return Entry{ID: NewID(), Time: now.UTC().Truncate(time.Microsecond), Actor: actor, Action: action, Object: object, Outcome: Done}
}

// NewID returns 128 random bits in hexadecimal.
func NewID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails, see crypto/rand
	return hex.EncodeToString(b[:])
}

// Stored is an entry with its places in the state and in the log.
type Stored struct {
	Entry
	// Seq orders the outbox, from 1.
	Seq int64 `json:"seq"`
	// Index is the place in the log, from 0; -1 while it is not sequenced.
	Index int64 `json:"index"`
}

// Outbox is where committed records wait for the log.
type Outbox interface {
	// Pending returns at most n records that are not sequenced, in the order of Seq.
	Pending(ctx context.Context, n int) ([]Stored, error)
	// Sequenced notes the places of records in the log, by entry ID.
	Sequenced(ctx context.Context, index map[string]int64) error
}

// Archive is where records are kept once they are in the log, for exports and retention.
type Archive interface {
	// Records returns at most n records with an index of at least from, in the order of Index.
	Records(ctx context.Context, from int64, n int) ([]Stored, error)
	// DropRecords deletes the sequenced records with an index below before and notes by in the same transaction. It
	// returns how many it deleted.
	DropRecords(ctx context.Context, before int64, by Entry) (int64, error)
}

// Query selects records. Zero values select everything.
type Query struct {
	Actor, Action, Object string // Object is a name or its prefix up to a "*"
	From, To              time.Time
	Before                int64 // Seq: page on from the last one seen; 0 begins with the newest
	Limit                 int   // at most 1000; 0 means 100
}
