package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"slices"
	"time"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/internal/egress"
)

// Config says how notifications are sent. Zero values work, but for Store.
type Config struct {
	Store Store
	// PublicURL is the console's, "https://hub.example": what links begin with that do not tell their host.
	PublicURL string
	// AllowPrivate lets targets be on loopback and in private networks, where mail and log servers often are.
	// Link-local addresses and those that serve a cloud machine's credentials are never allowed.
	AllowPrivate bool
	// Roots are trusted beside the system's, for https, smtps, STARTTLS and tls.
	Roots *x509.CertPool
	// Worker is this process in leases; "": a random one.
	Worker string
	// Poll is how often due deliveries are looked for where nobody wakes: 5 seconds.
	Poll time.Duration
	// Workers is how many deliveries are sent at once: 8.
	Workers int
	// Timeout bounds one attempt: 30 seconds.
	Timeout time.Duration
	Now     func() time.Time // nil: time.Now
	Log     *slog.Logger     // nil: discarded
}

// Notifier sends what rules select. Several processes may run one on the same store.
type Notifier struct {
	Config
	http  *http.Client
	guard egress.Guard
	host  string // that this machine calls itself
	wake  chan struct{}
	down  downs
	forms map[Form]sender
}

// sender delivers a message to a target in one form. note says what went wrong though the message is delivered.
type sender func(ctx context.Context, t *Target, m *message) (note string, err error)

// New returns a notifier that sends nothing until Run.
func New(c Config) (*Notifier, error) {
	if c.Store == nil {
		return nil, errors.New("setting up notifications: no store is given")
	}
	if c.PublicURL != "" {
		if u, err := url.Parse(c.PublicURL); err != nil || u.Host == "" {
			return nil, fmt.Errorf("setting up notifications: %q is no URL", c.PublicURL)
		}
	}
	if c.Poll <= 0 {
		c.Poll = 5 * time.Second
	}
	if c.Workers <= 0 {
		c.Workers = 8
	}
	if c.Timeout <= 0 {
		c.Timeout = 30 * time.Second
	}
	if c.Worker == "" {
		c.Worker = audit.NewID()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	n := &Notifier{Config: c, guard: egress.Guard{Private: c.AllowPrivate}, host: hostname(c.PublicURL), wake: make(chan struct{}, 1)}
	n.http = &http.Client{Transport: n.guard.Transport(n.tls("")), CheckRedirect: stay}
	n.forms = map[Form]sender{Webhook: n.webhook, Email: n.email, Syslog: n.syslog, Slack: n.slack, Teams: n.teams}
	return n, nil
}

// stay follows no redirect: a signed body and a secret address belong to one place.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func (n *Notifier) tls(server string) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: n.Roots, ServerName: server}
}

// hostname is what a message says that it comes from.
func hostname(public string) string {
	if u, err := url.Parse(public); err == nil && u.Hostname() != "" {
		return u.Hostname()
	}
	if name, err := os.Hostname(); err == nil && name != "" {
		return name
	}
	return "localhost"
}

// Tell stores a delivery for each rule that selects the event, and returns without sending. It may be told an event
// twice, as who tells must when in doubt: receivers know it by its ID.
func (n *Notifier) Tell(ctx context.Context, e Event) error {
	rules, err := n.Store.NotifyRules(ctx)
	if err != nil {
		return fmt.Errorf("reading notification rules: %w", err)
	}
	e = n.complete(e)
	var failed error
	for i := range rules {
		if !rules[i].Selects(&e) {
			continue
		}
		if err := n.add(ctx, &rules[i], e); err != nil {
			failed = errors.Join(failed, fmt.Errorf("storing a notification for rule %s: %w", rules[i].Name, err))
		}
	}
	n.Wake()
	return failed
}

func (n *Notifier) add(ctx context.Context, r *Rule, e Event) error {
	now := n.Now().UTC()
	d := Delivery{Rule: r.ID, Target: r.Target, Events: []Event{e}, State: Waiting, Created: now, NotBefore: now}
	if r.Digest > 0 {
		d.NotBefore = now.Add(time.Duration(r.Digest) * time.Minute)
	}
	_, err := n.Store.AddDelivery(ctx, d, r.Digest > 0)
	return err
}

// complete fills in what an event lacks, and bounds what foreign names can make of it.
func (n *Notifier) complete(e Event) Event {
	if e.ID == "" {
		e.ID = audit.NewID()
	}
	if e.Time.IsZero() {
		e.Time = n.Now()
	}
	e.Time = e.Time.UTC()
	e.Title, e.Text = clip(e.Title, 500), clip(e.Text, 4000)
	if len(e.IDs) > 200 {
		e.IDs = slices.Clone(e.IDs[:200])
	}
	e.Link = absolute(n.PublicURL, e.Link)
	return e
}

// Wake has Run look for due deliveries now.
func (n *Notifier) Wake() {
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// Test sends a test event to a target at once, stores nothing, and says what went wrong.
func (n *Notifier) Test(ctx context.Context, t Target) error {
	e := n.complete(Event{Kind: "test", Title: "Test message", Text: "Notifications reach this target."})
	return n.now(ctx, &t, e, "Test")
}

// SendNow sends an event to a target at once and stores nothing: for when the store itself is what failed.
func (n *Notifier) SendNow(ctx context.Context, t Target, e Event) error {
	return n.now(ctx, &t, n.complete(e), "Alarm")
}

func (n *Notifier) now(ctx context.Context, t *Target, e Event, rule string) error {
	_, err := n.send(ctx, t, &Delivery{Target: t.ID, Events: []Event{e}, Created: e.Time}, rule)
	return err
}
