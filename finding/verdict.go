package finding

import "time"

// Decision is the answer to "may this image ship?".
type Decision string

const (
	Pass Decision = "pass"
	Warn Decision = "warn"
	Fail Decision = "fail"
	// NotEvaluated is not a pass: something that the gate asks about could not be looked at.
	NotEvaluated Decision = "not-evaluated"
)

// Verdict is a decision with everything that led to it.
type Verdict struct {
	Decision Decision `json:"decision"`
	// Reasons are sorted with the weightiest first; a pass may have none.
	Reasons []Reason `json:"reasons,omitempty"`
	// Counts are of the findings that count: neither suppressed nor set apart.
	Counts Counts `json:"counts"`
	// Suppressed counts findings, secrets and checks.
	Suppressed int `json:"suppressed,omitempty"`
	// SetApart counts the findings that the policy leaves out: without a fix, in an ignored state, kernel headers.
	SetApart int `json:"setApart,omitempty"`
	// Policy names the gate file, or "default". PolicyDigest is "sha256:…" of its bytes.
	Policy       string    `json:"policy"`
	PolicyDigest string    `json:"policyDigest,omitempty"`
	DecidedAt    time.Time `json:"decidedAt"`
}

// Reason is one rule of the gate that did not hold.
type Reason struct {
	// Decision is what this reason alone leads to; pass for a notice, such as an expired suppression.
	Decision Decision `json:"decision"`
	Rule     string   `json:"rule"`    // the gate file's key: "max.high", "kev", "gaps.end-of-life"
	Message  string   `json:"message"` // a sentence for a person
	// IDs are the findings, secrets, checks or packages that it is about, at most 20.
	IDs []string `json:"ids,omitempty"`
}

// Counts counts findings by severity.
type Counts struct {
	Critical   int `json:"critical"`
	High       int `json:"high"`
	Medium     int `json:"medium"`
	Low        int `json:"low"`
	Negligible int `json:"negligible"`
	Unknown    int `json:"unknown"`
}

// Of returns the count for s.
func (c *Counts) Of(s Severity) int { return *c.field(s) }

// Add counts one finding of severity s.
func (c *Counts) Add(s Severity) { *c.field(s)++ }

// Total is the sum over all severities.
func (c *Counts) Total() int {
	return c.Critical + c.High + c.Medium + c.Low + c.Negligible + c.Unknown
}

func (c *Counts) field(s Severity) *int {
	switch s {
	case SeverityCritical:
		return &c.Critical
	case SeverityHigh:
		return &c.High
	case SeverityMedium:
		return &c.Medium
	case SeverityLow:
		return &c.Low
	case SeverityNegligible:
		return &c.Negligible
	}
	return &c.Unknown
}
