// Package api serves the hub's REST interface: everything that the console and the command line do goes through it.
//
// It promises that every route is in openapi.yaml and every operation of openapi.yaml is served; that a caller gets,
// in listings too, only what a permission gives; that what changes something is committed with its audit record, or
// announced before and concluded after where it happens outside of the state; and that every error is a
// application/problem+json with a status from one table. Bodies, pages, exports and queues are bounded.
//
// It leaves out who a request comes from (auth.Service.Middleware puts it into the context and guards cookies against
// cross-site requests), the registry protocol, and all work that outlives a request (jobs).
package api

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/auth"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/job"
	"github.com/seawall/seawall/notify"
)

// Prefix is where the interface is mounted.
const Prefix = "/api/v1"

// Config is what a Server stands on. Catalog, Auth, Users, Jobs, Notify, Audit and Actions are needed.
type Config struct {
	Catalog catalog.Store
	Auth    Auth
	Users   auth.Store
	Jobs    job.Store
	Notify  notify.Store
	Audit   Records
	// AuditLog is the tamper-evident log; nil answers its routes with 503.
	AuditLog AuditLog
	Settings SettingStore
	Actions  Actions
	// CheckRule says what only who reads gate files and keys can tell of a rule; nil checks neither. ErrInvalid.
	CheckRule func(*catalog.Rule) error
	// Credentials keeps what imports and mirrors sign in with; nil answers its routes with 503.
	Credentials CredentialStore
	// Answers keeps the answers of requests with an Idempotency-Key; nil keeps them in this process alone.
	Answers Answers
	// Events is where changes are published; nil makes a Broker of its own.
	Events *Broker
	// Providers are the OpenID Connect providers that the console offers.
	Providers []Provider
	// Allow is asked before every request: false refuses it with 429, for at least the time returned.
	Allow  func(*http.Request) (time.Duration, bool)
	Clock  func() time.Time // nil: time.Now
	Log    *slog.Logger     // nil: discarded
	Limits Limits
}

// Limits bound what one request may use. Zero values give the defaults.
type Limits struct {
	Body    int64         // bytes of a JSON body: 1 MiB
	Report  int64         // bytes of another scanner's report: 64 MiB
	Rows    int           // rows of one export: 1,000,000; an export that would be longer is cut off visibly
	Timeout time.Duration // of a request that streams nothing: 30 s
}

func (l Limits) withDefaults() Limits {
	if l.Body == 0 {
		l.Body = 1 << 20
	}
	if l.Report == 0 {
		l.Report = 64 << 20
	}
	if l.Rows == 0 {
		l.Rows = 1_000_000
	}
	if l.Timeout == 0 {
		l.Timeout = 30 * time.Second
	}
	return l
}

// Records reads audit records from the state.
type Records interface {
	Audit(ctx context.Context, q audit.Query) ([]audit.Stored, error)
}

// AuditLog is the tamper-evident log.
type AuditLog interface {
	Checkpoint(ctx context.Context) (Checkpoint, error)
	// Export writes the whole log as a tar that `seawall audit verify` reads.
	Export(ctx context.Context, w io.Writer) error
}

// SettingStore keeps settings by name; catalog.ErrNotFound is of one that was never set.
type SettingStore interface {
	Setting(ctx context.Context, key string) ([]byte, error)
	PutSetting(ctx context.Context, key string, value []byte, by audit.Entry) error
}

// CredentialStore keeps what imports and mirrors sign in with at other registries.
type CredentialStore interface {
	Credentials(ctx context.Context) ([]Credential, error)
	PutCredential(ctx context.Context, c Credential, secret string, by audit.Entry) error
	DeleteCredential(ctx context.Context, name string, by audit.Entry) error
}

// Actions is what the hub does beside keeping values. The API records the acts in the audit trail: actions that return
// an error are recorded as failed. by is who asked, for the jobs that follow.
type Actions interface {
	ImageActions
	AdvisoryActions
	SystemActions
	// RulesChanged and ExceptionChanged let the hub decide anew what depends on them.
	RulesChanged(ctx context.Context, patterns []string, by audit.Actor) error
	ExceptionChanged(ctx context.Context, e catalog.Exception, by audit.Actor) error
	// TestTarget sends a test and waits for the answer.
	TestTarget(ctx context.Context, t notify.Target) error
}

// ImageActions act on images.
type ImageActions interface {
	Scan(ctx context.Context, repository, digest string, by audit.Actor) (job int64, err error)
	// OverrideChanged follows PutOverride: whoever waits for the image is told, referrers are brought up to date.
	OverrideChanged(ctx context.Context, repository, digest string, by audit.Actor) error
	// DeleteImage, RestoreImage and DeleteTag change catalog and registry, and commit the record.
	DeleteImage(ctx context.Context, repository, digest string, by audit.Entry) error
	RestoreImage(ctx context.Context, repository, digest string, by audit.Entry) error
	DeleteTag(ctx context.Context, repository, tag string, by audit.Entry) error
	Referrers(ctx context.Context, repository, digest, artifactType string) ([]Referrer, error)
	// Provenance returns the verified build of an image: catalog.ErrNotFound where none is attached.
	Provenance(ctx context.Context, repository, digest string) (Build, error)
	// SBOM writes a result in a format ("cyclonedx", "spdx") and returns its media type.
	SBOM(ctx context.Context, r *finding.Result, format string, w io.Writer) (mediaType string, err error)
	// ReadReport reads another scanner's report about an image; source is a name for it, "" to take the report's own.
	ReadReport(ctx context.Context, repository, digest, source string, report []byte) (name string, found []catalog.Tracked, err error)
	Import(ctx context.Context, r ImportRequest, by audit.Actor) (job int64, err error)
	Collect(ctx context.Context, r CollectionRequest, by audit.Actor) (job int64, err error)
}

// AdvisoryActions read the advisory database.
type AdvisoryActions interface {
	// Advisory returns the group that an id or alias names, catalog.ErrNotFound where there is none.
	Advisory(ctx context.Context, id string) (Advisory, error)
	// Advisories returns at most limit groups whose id, alias, package or title contains search.
	Advisories(ctx context.Context, search string, limit int) ([]Advisory, error)
	Database(ctx context.Context) (DatabaseStatus, error)
	UpdateDatabase(ctx context.Context, by audit.Actor) (job int64, err error)
}

// SystemActions act on the hub.
type SystemActions interface {
	KeyStatus(ctx context.Context) (Keys, error)
	RotateKeys(ctx context.Context, r KeyRotation) (Keys, error)
	System(ctx context.Context) (System, error)
	Backup(ctx context.Context, w io.Writer) error
}

// Server serves the interface below Prefix.
type Server struct {
	Config
	mux    *http.ServeMux
	routes []route
	edits  locks // one change of a resource at a time, so that If-Match holds
}

// New returns the interface as a handler. It expects auth.Service.Middleware around it.
func New(c Config) *Server {
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Events == nil {
		c.Events = NewBroker(BrokerConfig{})
	}
	if c.Answers == nil {
		c.Answers = &memory{clock: c.Clock, kept: map[string]remembered{}}
	}
	c.Limits = c.Limits.withDefaults()
	s := &Server{Config: c, mux: http.NewServeMux()}
	s.mount()
	return s
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }
