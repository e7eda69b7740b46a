package api

import (
	"time"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/auth"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/notify"
)

// List is the body of every listing. Next is the cursor of the next page, "" on the last; a page may be shorter than
// the limit that was asked for. Total counts all that match, -1 where it was not counted.
type List[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"`
	Total int    `json:"total"`
}

// Session says who asks and what they may do.
type Session struct {
	SignedIn  bool       `json:"signedIn"`
	Principal *Principal `json:"principal,omitempty"`
	// Must is what has to happen before anything else: "password", "totp".
	Must string `json:"must,omitempty"`
	// Permissions are actions on scopes; what is not listed is refused.
	Permissions []auth.Permission `json:"permissions"`
	// CSRF goes into the header X-CSRF-Token of every request that changes something with a cookie.
	CSRF      string     `json:"csrf,omitempty"`
	Expires   time.Time  `json:"expires,omitzero"`
	Providers []Provider `json:"providers"`
	// Banner is a text to show above the sign-in form.
	Banner string `json:"banner,omitempty"`
}

// Principal is who asks.
type Principal struct {
	Kind   audit.ActorKind `json:"kind"`
	ID     string          `json:"id"`
	Name   string          `json:"name"`
	Groups []string        `json:"groups,omitempty"`
}

// Provider is an OpenID Connect provider by which people sign in: its URL begins that.
type Provider struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	URL   string `json:"url"`
}

// SignIn is the body of POST /session.
type SignIn struct {
	Name     string `json:"name"`
	Password string `json:"password"`
	// TOTP is the six digits of an authenticator, or a recovery code; asked for by problem type "totp-required".
	TOTP string `json:"totp,omitempty"`
}

// PasswordChange is the body of POST /session/password.
type PasswordChange struct {
	Current string `json:"current"`
	New     string `json:"new"`
}

// Proof is the body of POST /session/totp: the password anew.
type Proof struct {
	Password string `json:"password"`
}

// TOTPRemoval is the body of DELETE /session/totp: the password and a code anew.
type TOTPRemoval struct {
	Password string `json:"password"`
	Code     string `json:"code"`
}

// TOTPCode is the body of POST /session/totp/confirm.
type TOTPCode struct {
	Code string `json:"code"`
}

// RecoveryCodes are shown once; each replaces a code of the authenticator one time.
type RecoveryCodes struct {
	Codes []string `json:"codes"`
}

// ImageFinding is a finding of one image with what is known of it over time.
type ImageFinding struct {
	finding.Finding
	// Tracked is nil for what is not followed over time.
	Tracked *Track `json:"tracked,omitempty"`
}

// Track is what is known of a finding over time.
type Track struct {
	Key       string        `json:"key"`
	State     catalog.State `json:"state"`
	FirstSeen time.Time     `json:"firstSeen"`
	Due       time.Time     `json:"due,omitzero"`
	Owner     string        `json:"owner,omitempty"`
	Exception int64         `json:"exception,omitempty"`
}

// ImageFindings is the newest result of an image without its inventory, and beside it what other scanners said.
type ImageFindings struct {
	Items     []ImageFinding     `json:"items"`
	Total     int                `json:"total"`
	Upgrades  []finding.Upgrade  `json:"upgrades"`
	Coverage  []finding.Coverage `json:"coverage"`
	Gaps      []finding.Gap      `json:"gaps"`
	Distro    finding.Distro     `json:"distro"`
	Database  finding.Database   `json:"database"`
	Verdict   *finding.Verdict   `json:"verdict,omitempty"`
	Tool      string             `json:"tool"`
	ScannedAt time.Time          `json:"scannedAt"`
	// Imported are the findings that other scanners reported.
	Imported []catalog.Tracked `json:"imported"`
}

// ImageLayer is one layer with what it brought.
type ImageLayer struct {
	finding.Layer
	Packages int            `json:"packages"`
	Secrets  int            `json:"secrets"`
	Counts   finding.Counts `json:"counts"`
}

// Custody is the chain of custody of one digest in one repository, oldest step first.
type Custody struct {
	Repository string        `json:"repository"`
	Digest     string        `json:"digest"`
	Steps      []CustodyStep `json:"steps"`
}

// CustodyStep is one step. Where the hub cannot know it, Known is false and Note says why.
type CustodyStep struct {
	// Kind: "built", "pushed", "imported", "scanned", "signed", "attested", "decided", "released", "rejected",
	// "ordered" (a scan), "lifted", "deleted", "restored", "reported", "admitted", "running".
	Kind  string    `json:"kind"`
	Known bool      `json:"known"`
	At    time.Time `json:"at,omitzero"`
	By    string    `json:"by,omitempty"`
	From  string    `json:"from,omitempty"`
	Note  string    `json:"note,omitempty"`
	// Detail holds further facts by name: "database", "analyser", "builder", "source", "predicate".
	Detail map[string]string `json:"detail,omitempty"`
	// Audit is the record that shows the step; nil where it is not an administrative act.
	Audit *AuditRef `json:"audit,omitempty"`
}

// AuditRef points at an audit record. Index is its place in the log, -1 while it is not sequenced.
type AuditRef struct {
	ID    string `json:"id"`
	Seq   int64  `json:"seq"`
	Index int64  `json:"index"`
}

// Build is what a verified provenance attestation tells (SLSA provenance 0.2 or 1).
type Build struct {
	Builder  string    `json:"builder"`
	Type     string    `json:"type,omitempty"`
	Source   string    `json:"source,omitempty"` // repository and revision
	Finished time.Time `json:"finished,omitzero"`
	Signer   string    `json:"signer,omitempty"`
}

// Referrer is a manifest that refers to an image: a signature, an SBOM, a verdict.
type Referrer struct {
	Digest       string            `json:"digest"`
	MediaType    string            `json:"mediaType"`
	ArtifactType string            `json:"artifactType,omitempty"`
	Size         int64             `json:"size"`
	Annotations  map[string]string `json:"annotations,omitempty"`
}

// OverrideRequest is the body of PUT …/override.
type OverrideRequest struct {
	Status  catalog.Status `json:"status"` // "released" or "rejected"
	Reason  string         `json:"reason"`
	Expires time.Time      `json:"expires,omitzero"`
}

// Accepted is the answer of what goes on after the request: the job's id.
type Accepted struct {
	Job int64 `json:"job"`
}

// FindingChange is the body of PATCH /findings/{key}; what is absent stays, "" clears.
type FindingChange struct {
	Owner *string `json:"owner,omitempty"`
	Due   *string `json:"due,omitempty"` // RFC 3339, or YYYY-MM-DD
}

// Advisory is one advisory group of the database.
type Advisory struct {
	ID         string            `json:"id"`
	Aliases    []string          `json:"aliases,omitempty"`
	Records    []string          `json:"records,omitempty"` // ids of the publishers' records
	Title      string            `json:"title,omitempty"`
	Details    string            `json:"details,omitempty"`
	URL        string            `json:"url,omitempty"`
	Severity   finding.Severity  `json:"severity"`
	Score      float64           `json:"score,omitempty"`
	Vector     string            `json:"vector,omitempty"`
	CWE        []string          `json:"cwe,omitempty"`
	KEV        *finding.KEV      `json:"kev,omitempty"`
	EPSS       *finding.EPSS     `json:"epss,omitempty"`
	Published  time.Time         `json:"published,omitzero"`
	Modified   time.Time         `json:"modified,omitzero"`
	Withdrawn  time.Time         `json:"withdrawn,omitzero"`
	References []string          `json:"references,omitempty"`
	Packages   []AdvisoryPackage `json:"packages,omitempty"`
	Images     *AdvisoryReach    `json:"images,omitempty"` // on GET /advisories/{id}
}

// AdvisoryPackage is a package that an advisory speaks of.
type AdvisoryPackage struct {
	Ecosystem string `json:"ecosystem"`
	Name      string `json:"name"`
	Fixed     string `json:"fixed,omitempty"`
	State     string `json:"state,omitempty"`
}

// AdvisoryReach says which images an advisory affects, among those that the caller may see.
type AdvisoryReach struct {
	Items []AffectedImage `json:"items"`
	Next  string          `json:"next,omitempty"`
	Total int             `json:"total"`
}

// AffectedImage is an image that an advisory affects. What is exploited or fixed stands in Findings.
type AffectedImage struct {
	Repository string            `json:"repository"`
	Digest     string            `json:"digest"`
	Tags       []string          `json:"tags,omitempty"`
	Platform   string            `json:"platform,omitempty"`
	Status     catalog.Status    `json:"status"`
	Findings   []catalog.Tracked `json:"findings"`
	// Running: "no source connected" until a cluster or node reports.
	Running string `json:"running"`
}

// ExceptionRequest is the body of POST /exceptions.
type ExceptionRequest struct {
	Repositories string        `json:"repositories"`
	As           catalog.State `json:"as"` // "accepted" or "false-positive"
	ID           string        `json:"id,omitempty"`
	Package      string        `json:"package,omitempty"`
	Path         string        `json:"path,omitempty"`
	Reason       string        `json:"reason"`
	Owner        string        `json:"owner"`
	Expires      time.Time     `json:"expires"`
}

// ExceptionDecision is the body of POST /exceptions/{id}/decision.
type ExceptionDecision struct {
	To      catalog.ExceptionState `json:"to"` // "approved", "refused", "revoked"
	Comment string                 `json:"comment,omitempty"`
}

// NewUser is the body of POST /users. Without a password one is made and shown once.
type NewUser struct {
	Name     string   `json:"name"`
	Email    string   `json:"email,omitempty"`
	Password string   `json:"password,omitempty"`
	Groups   []string `json:"groups,omitempty"`
	Roles    []string `json:"roles,omitempty"` // granted on everything
}

// UserCreated is the answer to NewUser. Password is set when it was made here: it must be changed at first sign-in.
type UserCreated struct {
	User     auth.User `json:"user"`
	Password string    `json:"password,omitempty"`
}

// PasswordReset is the body of POST /users/{id}/password. Without a password one is made and shown once.
type PasswordReset struct {
	Password string `json:"password,omitempty"`
}

// OneTimePassword is shown once; it must be changed at the next sign-in.
type OneTimePassword struct {
	Password string `json:"password,omitempty"`
}

// NewService is the body of POST /services.
type NewService struct {
	Name  string   `json:"name"`
	Title string   `json:"title,omitempty"`
	Roles []string `json:"roles,omitempty"` // granted on everything
}

// TokenCreated holds the token itself, which is shown once and not stored.
type TokenCreated struct {
	Token  auth.Token `json:"token"`
	Secret string     `json:"secret"`
}

// Keys says how data at rest is encrypted.
type Keys struct {
	// Encrypted: data at rest is sealed. The rest is empty without.
	Encrypted bool      `json:"encrypted"`
	Provider  string    `json:"provider,omitempty"` // of the key-encryption key, without credentials
	Healthy   bool      `json:"healthy"`
	Error     string    `json:"error,omitempty"`
	Checked   time.Time `json:"checked,omitzero"` // when the provider last answered
	Next      time.Time `json:"next,omitzero"`    // when it is asked again
	Items     []DataKey `json:"items"`
}

// DataKey is one data key, wrapped by the key-encryption key.
type DataKey struct {
	ID      string    `json:"id"`
	Purpose string    `json:"purpose"`
	Created time.Time `json:"created"`
	Wrapped time.Time `json:"wrapped,omitzero"` // last wrapped anew
	Current bool      `json:"current"`          // used for new data
}

// KeyRotation is the body of POST /keys/rotate.
type KeyRotation struct {
	// DataKeys makes new data keys for what is written from now on; without, keys are only wrapped anew.
	DataKeys bool `json:"dataKeys,omitempty"`
}

// Checkpoint is the signed head of the audit log.
type Checkpoint struct {
	Origin string `json:"origin"`
	Size   int64  `json:"size"` // records
	Root   string `json:"root"` // base64
	// Note is the signed note (C2SP tlog-checkpoint); Key its verifier key.
	Note string `json:"note"`
	Key  string `json:"key"`
	// Pending counts records that are committed and not yet in the log.
	Pending int `json:"pending"`
}

// ImportRequest is the body of POST /imports.
type ImportRequest struct {
	Source      string `json:"source"`      // "registry.example/team/app:1", or with @sha256:…
	Destination string `json:"destination"` // "team/app:1"
	// Credential names stored credentials of the source, "" for none.
	Credential string `json:"credential,omitempty"`
}

// Credential is what an import or a mirror signs in with; its secret is never sent out.
type Credential struct {
	Name string `json:"name"`
	// Host is the registry that the secret is for, "registry.example:5000": it is sent nowhere else.
	Host string `json:"host"`
	User string `json:"user"`
}

// CredentialInput is the body of POST /credentials: it makes or replaces one.
type CredentialInput struct {
	Name   string `json:"name"`
	Host   string `json:"host"`
	User   string `json:"user"`
	Secret string `json:"secret"`
}

// CollectionRequest is the body of POST /collections.
type CollectionRequest struct {
	// DryRun only reports what would go.
	DryRun bool `json:"dryRun,omitempty"`
}

// TargetInput is the body of POST and PUT of notification targets. An absent secret keeps the stored one.
type TargetInput struct {
	Name   string      `json:"name"`
	Form   notify.Form `json:"form"`
	URL    string      `json:"url"`
	To     []string    `json:"to,omitempty"`
	Secret *string     `json:"secret,omitempty"`
}

// DatabaseStatus says which advisory database is in use.
type DatabaseStatus struct {
	Database finding.Database `json:"database"`
	// Source is where updates come from, "" for none configured.
	Source  string    `json:"source,omitempty"`
	Checked time.Time `json:"checked,omitzero"`
	Error   string    `json:"error,omitempty"` // of the last update
	// Stale: older than the hub's limit.
	Stale      bool                `json:"stale"`
	Ecosystems []DatabaseEcosystem `json:"ecosystems,omitempty"`
}

// DatabaseEcosystem is one ecosystem's part of the database.
type DatabaseEcosystem struct {
	Name    string    `json:"name"`
	Records int       `json:"records"`
	Newest  time.Time `json:"newest,omitzero"`
}

// Settings are what an owner sets while the hub runs.
type Settings struct {
	// Banner is shown above the sign-in form.
	Banner string `json:"banner,omitempty"`
	// OutdatedAfter is the age at which an image is out of date; 0 means 90 days.
	OutdatedAfter catalog.Duration `json:"outdatedAfter,omitempty"`
	// ReportEvery sends the report of outdated images; 0 never does.
	ReportEvery catalog.Duration `json:"reportEvery,omitempty"`
	// DatabaseEvery updates the advisory database; 0 leaves it to POST /database/update.
	DatabaseEvery catalog.Duration `json:"databaseEvery,omitempty"`
}

// System says what the hub is and stands on.
type System struct {
	Version string    `json:"version"`
	Started time.Time `json:"started"`
	// Address is the public address of hub and registry: what follows "docker login".
	Address    string         `json:"address"`
	Storage    SystemStorage  `json:"storage"`
	Database   SystemDatabase `json:"database"`
	Encryption bool           `json:"encryption"`
	// SigningKey is the public key (PEM) of what the hub attaches to images: SBOMs and verdicts.
	SigningKey string `json:"signingKey,omitempty"`
	// Sources are what can report to the hub.
	Sources []Source `json:"sources"`
	// Dropped counts what bounded queues dropped since the start, by queue.
	Dropped map[string]int64 `json:"dropped"`
}

// SystemStorage is where blobs are.
type SystemStorage struct {
	Kind string `json:"kind"` // "directory", "s3"
	Used int64  `json:"used"` // bytes
	Free int64  `json:"free"` // bytes, -1 when unknown
}

// SystemDatabase is where the state is.
type SystemDatabase struct {
	Kind    string `json:"kind"` // "sqlite", "postgres"
	Version string `json:"version,omitempty"`
	Schema  int    `json:"schema,omitempty"`
}

// Source is something that can report to the hub: a cluster, a node.
type Source struct {
	Kind      string `json:"kind"`
	Name      string `json:"name,omitempty"`
	Connected bool   `json:"connected"`
	Detail    string `json:"detail"` // "no source connected"
}

// Outdated is one image that is out of date, and why.
type Outdated struct {
	Repository string           `json:"repository"`
	Digest     string           `json:"digest"`
	Tags       []string         `json:"tags,omitempty"`
	Created    time.Time        `json:"created,omitzero"`
	Pushed     time.Time        `json:"pushed"`
	Scanned    time.Time        `json:"scanned,omitzero"`
	BaseName   string           `json:"baseName,omitempty"`
	Fixable    int              `json:"fixable"`
	Counts     finding.Counts   `json:"counts"`
	Reasons    []OutdatedReason `json:"reasons"`
}

// OutdatedReason is one reason: "base-behind", "age", "fix-available", "not-scanned", "end-of-life".
type OutdatedReason struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
}

// ReportImported says what was read from another scanner's report.
type ReportImported struct {
	Source   string `json:"source"`
	Findings int    `json:"findings"`
}

// Event is one server-sent event's data.
type Event struct {
	Topic string `json:"topic"`
	Key   string `json:"key,omitempty"`
}

// Problem is every error's body (RFC 9457, application/problem+json).
type Problem struct {
	// Type is "about:blank", or one of the names in docs/api.md: "totp-required", "held".
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	// Request is the id to look for in the hub's log.
	Request string       `json:"request,omitempty"`
	Errors  []FieldError `json:"errors,omitempty"`
}

// FieldError says what is wrong with one field of the body, or one parameter.
type FieldError struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}
