package catalog

import (
	"context"
	"errors"
	"time"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/job"
)

// ErrNotFound says that there is no such repository, manifest, tag, rule or exception.
var ErrNotFound = errors.New("not found")

// ErrConflict says that the thing changed since it was read, or is in a state that does not allow the change.
var ErrConflict = errors.New("changed in the meantime")

// ErrCursor says that a cursor is none that a listing gave out.
var ErrCursor = errors.New("the cursor is none that a listing gave out: begin again without one")

// Store keeps the catalog. Every change that a person or program made is committed together with its audit records, and
// with the jobs that follow from it.
type Store interface {
	Contents
	Results
	Rules
	Exceptions
}

// Contents keeps repositories, manifests and tags.
type Contents interface {
	// Repositories lists by name; search is part of a name in any case; sort is "name" (default), "pushed" or "verdict".
	Repositories(ctx context.Context, search, sort, cursor string, limit int) (Page[Repository], error)
	Repository(ctx context.Context, name string) (Repository, error)
	Manifests(ctx context.Context, q Images) (Page[Manifest], error)
	Manifest(ctx context.Context, repository, digest string) (Manifest, error)
	// Locate finds every repository's manifest with the digest, or with that configuration digest.
	Locate(ctx context.Context, digest string) ([]Manifest, error)
	// Holding returns the manifests of a repository that name the blob: to decide whether it is served.
	Holding(ctx context.Context, repository, blob string) ([]Manifest, error)

	// PutManifest stores what a push brought. A manifest that is there keeps its scan and its status, and is restored
	// if it was deleted softly.
	PutManifest(ctx context.Context, m Manifest, jobs []job.Job, by ...audit.Entry) error
	// PutTag points a tag at a manifest; the manifest that it pointed at before may have nothing left that keeps it current.
	PutTag(ctx context.Context, t Tag, by ...audit.Entry) error
	DeleteTag(ctx context.Context, repository, name string, by ...audit.Entry) error
	Tags(ctx context.Context, repository, after string, limit int) ([]Tag, error)
	// DeleteManifest deletes softly, with its tags; Restore undoes it (without tags); Purge forgets it.
	DeleteManifest(ctx context.Context, repository, digest string, at time.Time, by ...audit.Entry) error
	RestoreManifest(ctx context.Context, repository, digest string, by ...audit.Entry) error
	PurgeManifest(ctx context.Context, repository, digest string, by ...audit.Entry) error
	// NotePulls adds to the counts of pulls.
	NotePulls(ctx context.Context, pulls []Pull) error

	Overview(ctx context.Context, now time.Time) (Overview, error)
	Trend(ctx context.Context, repository string, days int) ([]TrendPoint, error)
	// NoteTrend writes today's point for every repository and for all.
	NoteTrend(ctx context.Context, now time.Time) error
}

// Pull counts pulls of one manifest.
type Pull struct {
	Repository, Digest string
	Count              int64
	Last               time.Time
}

// Decided is what one evaluation of one image in one repository led to.
type Decided struct {
	Repository, Digest string
	// Result holds everything; its Inventory is kept once per digest.
	Result     *finding.Result
	Evaluation Evaluation
	Status     Status
	Reasons    []Reason
	Due        DueDays
	Owner      string
	At         time.Time
}

// Results keeps inventories, results and findings over time.
type Results interface {
	// PutDecided stores an evaluation and brings the tracked findings of the repository up to date: new ones open,
	// those that no current image has any more are fixed, those that come back reopen with their first date.
	// A manifest is current while it is tagged, listed by a current index, or was never tagged.
	PutDecided(ctx context.Context, d Decided, by ...audit.Entry) error
	// PutScanError notes that a scan failed, and the status that follows.
	PutScanError(ctx context.Context, repository, digest, message string, status Status, reasons []Reason, by ...audit.Entry) error
	// PutOverride sets or (nil) lifts a person's decision.
	PutOverride(ctx context.Context, repository, digest string, o *Override, by audit.Entry) error
	// Result returns the newest result of an image in a repository, with its inventory. ErrNotFound: never evaluated.
	Result(ctx context.Context, repository, digest string) (finding.Result, error)
	// Inventory returns the stored inventory of an image: ErrNotFound where there is none of that analyser.
	Inventory(ctx context.Context, digest, analyser string) (finding.Inventory, error)
	// EachInventory hands the digests of stored inventories after seq to yield, in the order in which they were
	// stored, and the packages of each when yield calls load.
	EachInventory(ctx context.Context, after int64, yield func(seq int64, digest string, load func() (finding.Inventory, error)) error) error

	Findings(ctx context.Context, q Findings, now time.Time) (Page[Tracked], error)
	Finding(ctx context.Context, key string) (Tracked, error)
	// PutFinding changes owner and due date.
	PutFinding(ctx context.Context, key, owner string, due time.Time, by audit.Entry) error
	// PutImported replaces what another scanner (source) said about an image.
	PutImported(ctx context.Context, repository, digest, source string, found []Tracked, by audit.Entry) error
}

// Rules keeps rules.
type Rules interface {
	Rules(ctx context.Context) ([]Rule, error) // in their order
	// PutRule creates (ID 0) or changes a rule; PutRule of a rule that is gone is ErrNotFound.
	PutRule(ctx context.Context, r Rule, by audit.Entry) (Rule, error)
	DeleteRule(ctx context.Context, id int64, by audit.Entry) error
}

// Exceptions keeps exceptions.
type Exceptions interface {
	Exceptions(ctx context.Context, state ExceptionState, repository string) ([]Exception, error)
	Exception(ctx context.Context, id int64) (Exception, error)
	PutException(ctx context.Context, e Exception, by audit.Entry) (Exception, error) // ID 0 creates
	// DecideException moves a requested exception to Approved or Refused, or an approved one to Revoked. ErrConflict:
	// it is in another state, or by.Actor requested it and approves it.
	DecideException(ctx context.Context, id int64, to ExceptionState, comment string, by audit.Entry) (Exception, error)
	// Holding exceptions of a repository at now, as suppressions of SourceHub.
	Suppressions(ctx context.Context, repository string, now time.Time) ([]finding.Suppression, error)
}
