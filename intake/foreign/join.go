package foreign

import (
	"cmp"
	"slices"
	"strings"

	"github.com/seawall/seawall/catalog"
)

// Beside is one finding as we and as others see it. Ours is nil where only others have it.
type Beside struct {
	Ours   *catalog.Tracked  `json:"ours,omitempty"`
	Theirs []catalog.Tracked `json:"theirs,omitempty"`
}

// Join sets findings of one repository beside each other: those of one package that share an id or an alias. What ours
// lack comes last.
func Join(ours, theirs []catalog.Tracked) []Beside {
	out := make([]Beside, len(ours))
	at := map[[2]string]int{}
	for i := range ours {
		out[i].Ours = &ours[i]
		for _, name := range names(&ours[i]) {
			at[name] = i
		}
	}
	for _, t := range sortedByKey(theirs) {
		i, known := find(at, &t)
		if !known {
			i = len(out)
			out = append(out, Beside{})
			for _, name := range names(&t) { // several scanners may have what ours lack
				at[name] = i
			}
		}
		out[i].Theirs = append(out[i].Theirs, t)
	}
	return out
}

func find(at map[[2]string]int, t *catalog.Tracked) (int, bool) {
	for _, name := range names(t) {
		if i, ok := at[name]; ok {
			return i, true
		}
	}
	return 0, false
}

// names are the pairs of id and package by which a finding is known, in lower case.
func names(t *catalog.Tracked) [][2]string {
	out := make([][2]string, 0, 1+len(t.Aliases))
	for _, id := range append([]string{t.ID}, t.Aliases...) {
		out = append(out, [2]string{strings.ToLower(id), strings.ToLower(t.Package)})
	}
	return out
}

func sortedByKey(list []catalog.Tracked) []catalog.Tracked {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b catalog.Tracked) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Key, b.Key))
	})
	return list
}
