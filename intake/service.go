package intake

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/notify"
)

// Config joins what the service needs. Truster, Attacher, Index, Notify and Changed may be nil: nothing is then
// verified, attached, narrowed down or told.
type Config struct {
	Catalog  Catalog
	Jobs     Jobs
	Settings Settings
	Scanner  Scanner
	Judge    Judge
	Truster  Truster
	Attacher Attacher
	Index    Index
	// Analyser is the version of the scanner: inventories of another version are taken anew.
	Analyser string

	// Notify tells people; it must not block for long. Changed tells open consoles: topic "image" or "repository", and
	// which one.
	Notify  func(notify.Event)
	Changed func(topic, key string)
	// Console is the URL of the console, "https://hub.example", for messages; "" leaves links out.
	Console string

	// PullWait bounds how long a pull waits for a verdict that is on its way; 0 means 5 s.
	PullWait time.Duration
	// Memory bounds how long an answer to a pull is remembered where another hub may have changed it; 0 means 2 s.
	Memory time.Duration
	// Workers bounds how many images are matched at once; 0 means 4.
	Workers int

	Log *slog.Logger
	Now func() time.Time
}

// Service is safe for concurrent use.
type Service struct {
	Config
	answers *answers
	rules   ruleBook
	flights flights
	// matching holds a place for each match that runs because of a pull.
	matching chan struct{}
	pulls    pullCounts
	settled  settledCache
}

// New returns a service.
func New(c Config) *Service {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Notify == nil {
		c.Notify = func(notify.Event) {}
	}
	if c.Changed == nil {
		c.Changed = func(string, string) {}
	}
	if c.PullWait == 0 {
		c.PullWait = 5 * time.Second
	}
	if c.Memory == 0 {
		c.Memory = 2 * time.Second
	}
	if c.Workers == 0 {
		c.Workers = 4
	}
	c.Console = strings.TrimSuffix(c.Console, "/")
	return &Service{Config: c, answers: newAnswers(c.Memory), matching: make(chan struct{}, c.Workers)}
}

// now is the time, in UTC.
func (s *Service) now() time.Time { return s.Now().UTC() }

// system is who acts in the records of what follows by itself.
var system = audit.System("intake")

// imageName names one image of one repository: "team/app@sha256:…". It is the key of its jobs, events and records.
func imageName(repository, digest string) string { return repository + "@" + digest }

func imageObject(repository, digest string) audit.Object {
	return audit.Object{Kind: "image", Name: imageName(repository, digest)}
}

// link is a page of the console, "" where its address is not known.
func (s *Service) link(path string) string {
	if s.Console == "" {
		return ""
	}
	return s.Console + path
}

// gone reports that the manifest is not there any more: whatever was to be done about it is done.
func gone(err error) bool { return errors.Is(err, catalog.ErrNotFound) }

// each hands every manifest that q selects to f, page by page. What f changes may move manifests between pages only
// where q selects by status; such callers collect first.
func (s *Service) each(ctx context.Context, q catalog.Images, f func(*catalog.Manifest) error) error {
	q.Limit = 1000
	for {
		page, err := s.Catalog.Manifests(ctx, q)
		if err != nil {
			return err
		}
		for i := range page.Items {
			if err := f(&page.Items[i]); err != nil {
				return err
			}
		}
		if page.Next == "" {
			return nil
		}
		q.Cursor = page.Next
	}
}
