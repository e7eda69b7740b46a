package verify

import (
	"cmp"
	"maps"
	"slices"

	"github.com/seawall/seawall/audit"
)

const (
	// MaxOpenIntents bounds Report.OpenIntents.
	MaxOpenIntents = 1000
	// maxTracked bounds how many acts under way are remembered at a time.
	maxTracked = 100_000
)

// intents are the acts that were begun and whose outcome has not come.
type intents struct {
	byID      map[string]Intent
	untracked int64
}

func (o *intents) note(i int64, e audit.Entry) {
	if e.Act != "" {
		delete(o.byID, e.Act)
	}
	if e.Outcome != audit.Intent {
		return
	}
	if len(o.byID) >= maxTracked {
		o.untracked++
		return
	}
	o.byID[e.ID] = Intent{Index: i, ID: e.ID, Action: e.Action, Time: e.Time}
}

// list returns the oldest ones.
func (o *intents) list() []Intent {
	all := slices.SortedFunc(maps.Values(o.byID), func(a, b Intent) int { return cmp.Compare(a.Index, b.Index) })
	return all[:min(len(all), MaxOpenIntents)]
}
