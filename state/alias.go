package state

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
)

// seen remembers pairs that are in the table alias, so that they are not written again and again.
type seen struct {
	mu    sync.Mutex
	pairs map[[2]string]bool
}

// maxSeen bounds what is remembered; then it begins anew.
const maxSeen = 1 << 17

func (s *seen) has(p [2]string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pairs[p]
}

func (s *seen) add(pairs map[[2]string]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pairs == nil || len(s.pairs) > maxSeen {
		s.pairs = map[[2]string]bool{}
	}
	maps.Copy(s.pairs, pairs)
}

// alias notes the names of findings, so that they are found by any of them.
func (t tx) alias(ctx context.Context, xs []tracked) error {
	var rows [][]any
	mine := map[[2]string]bool{}
	for i := range xs {
		for _, names := range [][]string{{xs[i].ID}, xs[i].doc.Aliases, xs[i].doc.Names} {
			for _, name := range names {
				p := [2]string{strings.ToLower(name), xs[i].ID}
				if !mine[p] && !t.db.aliases.has(p) {
					mine[p] = true
					rows = append(rows, []any{p[0], p[1]})
				}
			}
		}
	}
	slices.SortFunc(rows, func(a, b []any) int { return compare(a[0].(string), b[0].(string), a[1].(string), b[1].(string)) })
	t.after(func() { t.db.aliases.add(mine) })
	return t.insert(ctx, "alias (name, vid)", "ON CONFLICT DO NOTHING", rows)
}

// idsOf lists the ids that findings of an advisory bear.
func (t tx) idsOf(ctx context.Context, name string) ([]string, error) {
	return list(ctx, t, scanText, `SELECT vid FROM alias WHERE name = ?`, strings.ToLower(name))
}
