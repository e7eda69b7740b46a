package feed

import (
	"fmt"
	"slices"
	"strings"
)

// Change is a record count before and after.
type Change struct {
	Name   string `json:"name"` // a source ("osv/Debian", "kev") or an ecosystem without its release ("Debian")
	Before int    `json:"before"`
	After  int    `json:"after"`
}

// ShrinkError refuses a new database that has lost more than a tenth of something. Look at the source; where the
// loss is meant, update with AcceptShrink.
type ShrinkError struct{ Lost []Change }

func (e *ShrinkError) Error() string {
	var parts []string
	for _, c := range e.Lost {
		parts = append(parts, fmt.Sprintf("%s had %d records and now has %d", c.Name, c.Before, c.After))
	}
	return "the new database has lost more than a tenth: " + strings.Join(parts, "; ") +
		". The old one stays in use; --accept-shrink takes the new one if that is meant"
}

// shrink is an error where more than a tenth of anything is gone.
func shrink(changes []Change) error {
	var lost []Change
	for _, c := range changes {
		if c.After*10 < c.Before*9 {
			lost = append(lost, c)
		}
	}
	if lost == nil {
		return nil
	}
	return &ShrinkError{lost}
}

// compare lists every source and ecosystem of either database, sorted by name.
func compare(before, after Info) []Change {
	at := map[string]*Change{}
	of := func(name string) *Change {
		if at[name] == nil {
			at[name] = &Change{Name: name}
		}
		return at[name]
	}
	for name, n := range before.counts() {
		of(name).Before = n
	}
	for name, n := range after.counts() {
		of(name).After = n
	}
	out := make([]Change, 0, len(at))
	for _, c := range at {
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b Change) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// counts adds up the releases of an ecosystem: an old release may go, and its records with it, only as long as most
// of the ecosystem stays.
func (i Info) counts() map[string]int {
	out := map[string]int{}
	for _, e := range i.Ecosystems {
		name, _, _ := strings.Cut(e.Name, ":")
		out[name] += e.Records
	}
	for _, s := range i.Sources {
		out[s.Name] += s.Records
	}
	return out
}
