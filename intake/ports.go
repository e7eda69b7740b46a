package intake

import (
	"context"
	"time"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/job"
)

// Catalog is what intake asks of catalog.Store. The methods promise what they promise there.
type Catalog interface {
	Manifests(ctx context.Context, q catalog.Images) (catalog.Page[catalog.Manifest], error)
	Manifest(ctx context.Context, repository, digest string) (catalog.Manifest, error)
	Locate(ctx context.Context, digest string) ([]catalog.Manifest, error)
	Holding(ctx context.Context, repository, blob string) ([]catalog.Manifest, error)
	Repositories(ctx context.Context, search, sort, cursor string, limit int) (catalog.Page[catalog.Repository], error)
	Tags(ctx context.Context, repository, after string, limit int) ([]catalog.Tag, error)

	PutManifest(ctx context.Context, m catalog.Manifest, jobs []job.Job, by ...audit.Entry) error
	PutTag(ctx context.Context, t catalog.Tag, by ...audit.Entry) error
	DeleteTag(ctx context.Context, repository, name string, by ...audit.Entry) error
	DeleteManifest(ctx context.Context, repository, digest string, at time.Time, by ...audit.Entry) error
	PurgeManifest(ctx context.Context, repository, digest string, by ...audit.Entry) error
	NotePulls(ctx context.Context, pulls []catalog.Pull) error

	PutDecided(ctx context.Context, d catalog.Decided, by ...audit.Entry) error
	// PutScanError with the message "" only sets status and reasons: those of an index, which follow from its children.
	PutScanError(ctx context.Context, repository, digest, message string, status catalog.Status, reasons []catalog.Reason, by ...audit.Entry) error
	Result(ctx context.Context, repository, digest string) (finding.Result, error)
	Inventory(ctx context.Context, digest, analyser string) (finding.Inventory, error)
	Findings(ctx context.Context, q catalog.Findings, now time.Time) (catalog.Page[catalog.Tracked], error)

	Rules(ctx context.Context) ([]catalog.Rule, error)
	Exceptions(ctx context.Context, state catalog.ExceptionState, repository string) ([]catalog.Exception, error)
	Suppressions(ctx context.Context, repository string, now time.Time) ([]finding.Suppression, error)
}

// Jobs takes jobs. Of one kind and key at most one waits, see job.Job.
type Jobs interface {
	Enqueue(ctx context.Context, j job.Job) (int64, error)
}

// Settings keeps small values by key. Setting of a key that was never put gives nil or an error that wraps
// catalog.ErrNotFound.
type Settings interface {
	Setting(ctx context.Context, key string) ([]byte, error)
	PutSetting(ctx context.Context, key string, value []byte, by audit.Entry) error
}

// Scanner takes inventories: it reads the image out of the registry's storage, held or not.
type Scanner interface {
	// Inventory unpacks one image. progress, never nil, is told in a short sentence how far it is.
	Inventory(ctx context.Context, repository, digest string, progress func(string)) (finding.Inventory, error)
}

// Judge matches an inventory against the advisory database and asks the gate.
type Judge interface {
	// Evaluate gives a result with a verdict. gate is a gate file in YAML, "" for the default policy.
	Evaluate(inv finding.Inventory, gate string, suppressions []finding.Suppression, now time.Time) (finding.Result, error)
	// Database is the one that Evaluate asks now.
	Database() finding.Database
}

// Truster verifies signatures and attestations of an image.
type Truster interface {
	// Verify reports what is there, and what rule asks for and is missing. A nil rule asks for nothing. An error says that
	// it could not be found out; it is not an answer.
	Verify(ctx context.Context, repository, digest string, rule *catalog.TrustRule, now time.Time) (TrustReport, error)
}

// TrustReport is what a Truster found.
type TrustReport struct {
	Signers      []string // identities whose signature was verified
	Attestations []string // predicate types that were verified
	// Missing says what the rule asks for and is not there or was refused, one reason each.
	Missing []catalog.Reason
}

// Attacher keeps the hub's own referrers of an image, signed by the hub.
type Attacher interface {
	// SBOM writes a result's inventory as CycloneDX, the same bytes for the same inventory.
	SBOM(result *finding.Result) ([]byte, error)
	// Attached lists what the hub has attached to the image, of one artifact type.
	Attached(ctx context.Context, repository, digest, artifactType string) ([]Attached, error)
	Attach(ctx context.Context, a Attachment) error
	// Detach removes a referrer of the hub by its own digest.
	Detach(ctx context.Context, repository, referrer string) error
}

// Attachment is a signed statement about an image that is to be stored as its referrer.
type Attachment struct {
	Repository, Digest string
	ArtifactType       string
	PredicateType      string
	Payload            []byte
	// Fingerprint stays the same while what the payload says stays the same; it is kept with the referrer.
	Fingerprint string
}

// Attached is one referrer that is there.
type Attached struct {
	Digest      string // of the referrer's manifest
	Fingerprint string
}

// Index knows which stored inventories hold a package, and what the database said of each package when it was last
// asked. Package scan/advisory/affected is one.
type Index interface {
	// Compare asks the current database about every distinct package of all stored inventories and hands those to yield
	// about which it says something else than at the last accepted comparison.
	Compare(ctx context.Context, yield func(Change) error) (Comparison, error)
	// Accept makes the comparison the one that the next is compared with. It is called once everything that followed
	// from it is done.
	Accept(ctx context.Context, c Comparison) error
}

// Comparison sums up a comparison.
type Comparison struct {
	// From and To are the digests of the databases, From "" where there was no comparison before.
	From, To string
	// Inventories, Packages and Changed count all inventories, distinct packages, and those of them that changed.
	Inventories, Packages, Changed int
}

// Change is one distinct package about which the database says something else.
type Change struct {
	Package finding.Package
	// Added are findings of the package that were not there before, under any id; Changed and Removed the ids of those
	// that say something else now, and that are gone.
	Added            []finding.Finding
	Changed, Removed []string
	// New: nothing was remembered about the package. Added then holds all its findings.
	New bool
	// Digests are the images that hold the package.
	Digests []string
}
