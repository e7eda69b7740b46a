package notify

import (
	"path"
	"slices"

	"github.com/seawall/seawall/finding"
)

// The states of a delivery.
const (
	Waiting = "waiting"
	Sent    = "sent"
	Failed  = "failed"
)

// Selects reports whether the rule wants the event.
func (r *Rule) Selects(e *Event) bool {
	if r.Disabled || e.Severity < r.Severity {
		return false
	}
	if len(r.Kinds) > 0 && !slices.ContainsFunc(r.Kinds, func(p string) bool { ok, _ := path.Match(p, e.Kind); return ok }) {
		return false
	}
	return r.Repositories == "" || e.Repository == "" || finding.MatchPath(r.Repositories, e.Repository)
}
