package catalog

import (
	"time"

	"github.com/seawall/seawall/finding"
)

// State is what is known of a finding over time.
type State string

const (
	Open          State = "open"
	Accepted      State = "accepted"       // an approved exception: a known risk
	FalsePositive State = "false-positive" // an approved exception: does not apply
	Fixed         State = "fixed"          // no image of the repository has it any more
)

// Tracked is a finding, secret or check over time: one for each key of package finding, whatever images carry it.
type Tracked struct {
	Key        string           `json:"key"` // finding.Finding.Key(Repository)
	Repository string           `json:"repository"`
	Type       string           `json:"type"` // "vulnerability", "secret", "check"
	ID         string           `json:"id"`   // advisory group, secret rule, check id
	Aliases    []string         `json:"aliases,omitempty"`
	Title      string           `json:"title,omitempty"`
	Package    string           `json:"package,omitempty"`
	Version    string           `json:"version,omitempty"` // installed, in the newest occurrence
	FixedIn    string           `json:"fixedIn,omitempty"`
	Severity   finding.Severity `json:"severity"`
	Exploited  bool             `json:"exploited,omitempty"`
	EPSS       float64          `json:"epss,omitempty"`

	State     State     `json:"state"`
	FirstSeen time.Time `json:"firstSeen"`
	LastSeen  time.Time `json:"lastSeen"`
	FixedAt   time.Time `json:"fixedAt,omitzero"`
	Due       time.Time `json:"due,omitzero"`
	Owner     string    `json:"owner,omitempty"`
	// Exception is the id of the one that holds, 0 for none.
	Exception int64 `json:"exception,omitempty"`
	// Digests are the images that carry it.
	Digests []string `json:"digests,omitempty"`
	// Source is "seawall", or the scanner whose result was imported.
	Source string `json:"source"`
}

// Findings selects tracked findings. Zero values select everything.
type Findings struct {
	Repository string
	Digest     string
	ID         string // an id or an alias
	Type       string
	State      State
	Severity   finding.Severity // this one and higher
	Overdue    bool
	Exploited  bool
	Fixable    bool
	Owner      string
	Search     string
	Source     string
	Cursor     string
	Limit      int // at most 1000; 0 means 100
}

// DueDays are the days in which findings of a severity are to be fixed; 0 is no date.
type DueDays struct {
	Critical  int `json:"critical"`
	High      int `json:"high"`
	Medium    int `json:"medium"`
	Low       int `json:"low"`
	Exploited int `json:"exploited"` // whatever the severity
}

// ExceptionState says how far an exception is.
type ExceptionState string

const (
	Requested ExceptionState = "requested"
	Approved  ExceptionState = "approved"
	Refused   ExceptionState = "refused"
	Revoked   ExceptionState = "revoked"
	Expired   ExceptionState = "expired"
)

// Exception is a request to set findings aside, and what became of it. Its Suppression holds only while it is
// Approved; who requested it may not approve it.
type Exception struct {
	ID int64 `json:"id"`
	// Repositories is a pattern: "team/*", "**".
	Repositories string `json:"repositories"`
	// As is the state that its findings get: Accepted or FalsePositive.
	As          State               `json:"as"`
	Suppression finding.Suppression `json:"suppression"`
	State       ExceptionState      `json:"state"`
	RequestedBy string              `json:"requestedBy"`
	// RequesterID is the principal's id: names of a sign-in provider's users change.
	RequesterID string    `json:"requesterId,omitempty"`
	RequestedAt time.Time `json:"requestedAt"`
	DecidedBy   string    `json:"decidedBy,omitempty"`
	DecidedAt   time.Time `json:"decidedAt,omitzero"`
	Comment     string    `json:"comment,omitempty"` // of who decided
	// Covers counts the findings that it sets aside now.
	Covers int `json:"covers"`
}

// OwnedBy reports whether it was this principal who requested the exception, by its id or, where that was not kept, by
// its name.
func (e *Exception) OwnedBy(id, name string) bool {
	if e.RequesterID != "" {
		return e.RequesterID == id
	}
	return e.RequestedBy == id || name != "" && e.RequestedBy == name
}
