// Package catalog holds the nouns of what the hub keeps: repositories, the images and artifacts in them, the rules that
// apply to them, what was found in them over time, and the exceptions that people made.
//
// It promises values that marshal to the JSON of the API, and the decisions that follow from values alone: which rule
// applies to a repository, whether an image is served, when a finding is due. It does no I/O and leaves out where the
// values are kept (package state), who may change them (package auth) and how images are scanned (package intake).
package catalog

import (
	"time"

	"github.com/seawall/seawall/finding"
)

// Kind says what a manifest is.
type Kind string

const (
	KindImage    Kind = "image"    // for one platform
	KindIndex    Kind = "index"    // lists other manifests
	KindArtifact Kind = "artifact" // anything else: a chart, an SBOM, a signature
)

// Status says how far the hub is with an image. It follows from the verdict whatever the repository's mode; the mode
// decides whether it matters to who pulls, see Rule.Serves.
type Status string

const (
	Received    Status = "received"    // not scanned yet
	Quarantined Status = "quarantined" // held: not evaluated, or waiting for a person
	Released    Status = "released"
	Rejected    Status = "rejected"
	// NotScanned: an artifact that is no image. It is served.
	NotScanned Status = "not-scanned"
)

// Repository is one repository with what its images add up to.
type Repository struct {
	Name    string    `json:"name"`
	Created time.Time `json:"created"`
	Images  int       `json:"images"` // manifests of KindImage that are not deleted
	Tags    int       `json:"tags"`
	Size    int64     `json:"size"` // bytes of all blobs, each counted once
	Pushed  time.Time `json:"pushed,omitzero"`
	Pulled  time.Time `json:"pulled,omitzero"`
	// Counts are of the tagged images' findings, by finding key: a finding of ten images counts once.
	Counts finding.Counts `json:"counts"`
	// ByStatus counts images.
	ByStatus map[Status]int `json:"byStatus,omitempty"`
}

// Manifest is an image, an index or an artifact in one repository.
type Manifest struct {
	Repository   string `json:"repository"`
	Digest       string `json:"digest"` // of the manifest
	Kind         Kind   `json:"kind"`
	MediaType    string `json:"mediaType"`
	ArtifactType string `json:"artifactType,omitempty"`
	// Subject is the digest that it refers to, for signatures, SBOMs and the like.
	Subject string `json:"subject,omitempty"`
	// Size is that of the manifest and of the blobs that it names, in bytes.
	Size int64 `json:"size"`
	// Platform as os/arch[/variant]; Config is the configuration's digest; both of images only.
	Platform string `json:"platform,omitempty"`
	Config   string `json:"config,omitempty"`
	// Blobs are the digests of configuration and layers; Children those of the manifests that an index lists.
	Blobs []string `json:"blobs,omitempty"`
	// BlobSizes are the sizes of Blobs in bytes, in their order. Where they are missing, a repository's size counts Size
	// for each manifest, shared blobs or not.
	BlobSizes []int64  `json:"blobSizes,omitempty"`
	Children  []string `json:"children,omitempty"`
	Tags      []string `json:"tags,omitempty"` // that point here, sorted

	Created    time.Time `json:"created,omitzero"` // as the image's configuration tells it
	Pushed     time.Time `json:"pushed"`
	PushedBy   string    `json:"pushedBy"` // the principal's name
	PushedFrom string    `json:"pushedFrom,omitempty"`
	// Origin is where it was copied from, for imports and mirrors: "other.example/team/app:1".
	Origin string    `json:"origin,omitempty"`
	Pulled time.Time `json:"pulled,omitzero"`
	Pulls  int64     `json:"pulls"`
	// Deleted is when it was deleted softly: it is not served and can be restored until it is collected.
	Deleted time.Time `json:"deleted,omitzero"`

	Status Status `json:"status"`
	// Reasons say why Status is what it is: the verdict's reasons, trust's, a person's.
	Reasons []Reason `json:"reasons,omitempty"`
	// Override is set where a person released or rejected it against the verdict.
	Override *Override   `json:"override,omitempty"`
	Scan     *Evaluation `json:"scan,omitempty"`
}

// Reason is why an image has its status.
type Reason struct {
	Source   string           `json:"source"` // "gate", "trust", "scan", "person"
	Rule     string           `json:"rule,omitempty"`
	Message  string           `json:"message"`
	Decision finding.Decision `json:"decision,omitempty"`
}

// Override is a person's decision about one image.
type Override struct {
	Status  Status    `json:"status"` // Released or Rejected
	By      string    `json:"by"`
	Reason  string    `json:"reason"`
	At      time.Time `json:"at"`
	Expires time.Time `json:"expires,omitzero"` // zero: never
}

// Evaluation sums up the newest result of one image. The whole result is kept beside it.
type Evaluation struct {
	Scanned    time.Time        `json:"scanned"` // when the inventory was taken
	Matched    time.Time        `json:"matched"` // when it was last matched and decided
	Analyser   string           `json:"analyser"`
	Database   finding.Database `json:"database"`
	Decision   finding.Decision `json:"decision"`
	Counts     finding.Counts   `json:"counts"`
	Secrets    int              `json:"secrets"`
	Checks     int              `json:"checks"`
	Packages   int              `json:"packages"`
	Fixable    int              `json:"fixable"` // findings that count and have a fix
	Gaps       int              `json:"gaps"`
	Distro     string           `json:"distro,omitempty"`    // "Debian GNU/Linux 12"
	EndOfLife  string           `json:"endOfLife,omitempty"` // YYYY-MM-DD
	BaseName   string           `json:"baseName,omitempty"`
	BaseDigest string           `json:"baseDigest,omitempty"`
	// Signers are the identities that signed it and were verified; Attestations the predicate types verified.
	Signers      []string `json:"signers,omitempty"`
	Attestations []string `json:"attestations,omitempty"`
	// Error is set where the last attempt to scan failed; what stands above is then of the attempt before.
	Error string `json:"error,omitempty"`
}

// Tag is a name for a manifest.
type Tag struct {
	Repository string    `json:"repository"`
	Name       string    `json:"name"`
	Digest     string    `json:"digest"`
	Updated    time.Time `json:"updated"`
	By         string    `json:"by,omitempty"`
}

// Images selects manifests. Zero values select everything that is not deleted.
type Images struct {
	Repository string // exact
	Search     string // part of repository, tag or digest, in any case
	Digest     string
	Kind       Kind
	Status     Status
	Decision   finding.Decision
	// Finding selects images that an advisory id affects.
	Finding  string
	Untagged *bool
	Deleted  bool // only deleted ones
	// Sort: "pushed" (default, newest first), "name", "verdict" (worst first), "size".
	Sort   string
	Cursor string // opaque, from Page.Next
	Limit  int    // at most 1000; 0 means 100
}

// Page is one page of a listing. Next is "" on the last.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"`
	// Total counts all that match, -1 where it was not counted.
	Total int `json:"total"`
}

// Attention is one thing that somebody should look at, worst first on the overview.
type Attention struct {
	Kind     string           `json:"kind"` // "kev", "rejected", "overdue", "quarantined", "scan-failed", "database-stale", "job-failed", "exception-expiring", …
	Title    string           `json:"title"`
	Count    int              `json:"count"`
	Severity finding.Severity `json:"severity"`
	// Link is a path of the console that shows them.
	Link string `json:"link"`
}

// Overview is what the first page shows.
type Overview struct {
	Attention    []Attention      `json:"attention"`
	Repositories int              `json:"repositories"`
	Images       int              `json:"images"`
	ByStatus     map[Status]int   `json:"byStatus"`
	Counts       finding.Counts   `json:"counts"`
	Exploited    int              `json:"exploited"` // findings in CISA's catalogue
	Overdue      int              `json:"overdue"`
	Size         int64            `json:"size"`
	Trend        []TrendPoint     `json:"trend"` // oldest first, a point a day
	Database     finding.Database `json:"database"`
}

// TrendPoint is one day's figures over all repositories, or one.
type TrendPoint struct {
	Day    string         `json:"day"` // YYYY-MM-DD, UTC
	Counts finding.Counts `json:"counts"`
	New    int            `json:"new"`
	Fixed  int            `json:"fixed"`
	Images int            `json:"images"`
}
