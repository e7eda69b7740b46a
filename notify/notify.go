// Package notify tells people and systems outside: by webhook, e-mail, syslog and chat.
//
// It promises that a notification that a rule selects is delivered at least once, retried with growing pauses, signed
// where the form allows it, and that every attempt is in a log. It leaves out what is worth telling (its callers) and
// where rules and deliveries are kept (package state).
package notify

import (
	"context"
	"time"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/finding"
)

// Event is something worth telling.
type Event struct {
	ID   string    `json:"id"`
	Time time.Time `json:"time"`
	// Kind: "newly-affected", "image.rejected", "image.quarantined", "scan.failed", "exception.requested",
	// "exception.expiring", "key.unreachable", "report.outdated", "signin.locked", "test".
	Kind     string           `json:"kind"`
	Severity finding.Severity `json:"severity"`
	Title    string           `json:"title"`
	Text     string           `json:"text,omitempty"`
	// Repository and Digest say what it is about, "" where it is about no image.
	Repository string            `json:"repository,omitempty"`
	Digest     string            `json:"digest,omitempty"`
	IDs        []string          `json:"ids,omitempty"` // advisories
	Link       string            `json:"link,omitempty"`
	Detail     map[string]string `json:"detail,omitempty"`
}

// Form is how a target wants it.
type Form string

const (
	Webhook Form = "webhook" // JSON, signed by HMAC-SHA256
	Email   Form = "email"
	Syslog  Form = "syslog" // CEF over RFC 5424
	Slack   Form = "slack"
	Teams   Form = "teams"
)

// Target is where notifications go.
type Target struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
	Form Form   `json:"form"`
	// URL: https://…; for e-mail smtp://user@host:port or smtps://, for syslog udp://, tcp:// or tls://.
	URL string   `json:"url"`
	To  []string `json:"to,omitempty"` // addresses of e-mail
	// Secret is the webhook's key or the password; it is stored sealed and never sent out.
	Secret    []byte `json:"-"`
	HasSecret bool   `json:"hasSecret"`
}

// Rule selects what a target is told.
type Rule struct {
	ID       int64            `json:"id"`
	Name     string           `json:"name"`
	Target   int64            `json:"target"`
	Kinds    []string         `json:"kinds,omitempty"` // shell patterns; none: all
	Severity finding.Severity `json:"severity"`        // this one and higher
	// Repositories is a pattern, "" for all. Events about no image pass.
	Repositories string `json:"repositories,omitempty"`
	// Digest, when not 0, gathers what happened for so many minutes into one message.
	Digest   int  `json:"digest,omitempty"`
	Disabled bool `json:"disabled,omitempty"`
}

// Delivery is one message on its way.
type Delivery struct {
	ID        int64     `json:"id"`
	Rule      int64     `json:"rule"`
	Target    int64     `json:"target"`
	Events    []Event   `json:"events"`
	State     string    `json:"state"` // "waiting", "sent", "failed"
	Attempts  int       `json:"attempts"`
	Created   time.Time `json:"created"`
	NotBefore time.Time `json:"notBefore"`
	Sent      time.Time `json:"sent,omitzero"`
	Error     string    `json:"error,omitempty"`
}

// Store keeps targets, rules and deliveries.
type Store interface {
	Targets(ctx context.Context) ([]Target, error)
	PutTarget(ctx context.Context, t Target, by audit.Entry) (Target, error) // ID 0 creates; nil Secret keeps the old one
	DeleteTarget(ctx context.Context, id int64, by audit.Entry) error        // with its rules
	NotifyRules(ctx context.Context) ([]Rule, error)
	PutNotifyRule(ctx context.Context, r Rule, by audit.Entry) (Rule, error)
	DeleteNotifyRule(ctx context.Context, id int64, by audit.Entry) error
	// AddDelivery stores a delivery; with a digest it joins the one of the rule that waits, if there is one.
	AddDelivery(ctx context.Context, d Delivery, join bool) (int64, error)
	// DueDeliveries returns waiting deliveries whose NotBefore has passed, leased to worker until until.
	DueDeliveries(ctx context.Context, worker string, now, until time.Time, n int) ([]Delivery, error)
	// PutDelivery notes the end of an attempt.
	PutDelivery(ctx context.Context, d Delivery) error
	Deliveries(ctx context.Context, before int64, n int) ([]Delivery, error) // newest first
}
