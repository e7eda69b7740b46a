package gate

import (
	"slices"
	"strings"
	"time"

	"github.com/seawall/seawall/finding"
)

// Apply returns r with every finding, secret and check marked with the suppression that covers it at now, or with none:
// marks that r brings along are dropped. Where several apply, finding.Precedence decides, then the order in s. Expired
// suppressions and those that finding.Suppression.Validate refuses mark nothing. r itself is not changed.
func Apply(r *finding.Result, s []finding.Suppression, now time.Time) finding.Result {
	live, _, _ := sift(s, now)
	return mark(r, newIndex(live, now))
}

// sift sorts suppressions into those that hold, those that have expired and those that must be refused.
func sift(s []finding.Suppression, now time.Time) (live, expired, refused []finding.Suppression) {
	for i := range s {
		switch {
		case s[i].Validate() != nil:
			refused = append(refused, s[i])
		case s[i].Expired(now):
			expired = append(expired, s[i])
		default:
			live = append(live, s[i])
		}
	}
	return live, expired, refused
}

func mark(r *finding.Result, x *index) finding.Result {
	out := *r
	out.Findings = slices.Clone(r.Findings)
	for i := range out.Findings {
		out.Findings[i].Suppressed = x.finding(&out.Findings[i])
	}
	out.Inventory.Secrets = slices.Clone(r.Inventory.Secrets)
	for i := range out.Inventory.Secrets {
		out.Inventory.Secrets[i].Suppressed = x.secret(&out.Inventory.Secrets[i])
	}
	out.Inventory.Checks = slices.Clone(r.Inventory.Checks)
	for i := range out.Inventory.Checks {
		out.Inventory.Checks[i].Suppressed = x.check(&out.Inventory.Checks[i])
	}
	return out
}

// index finds the suppressions that may cover something without trying all: baselines hold thousands.
type index struct {
	now time.Time
	// list is in order of precedence, so that the lowest position that covers wins.
	list []finding.Suppression
	// byID and byIdentity hold positions in list, rising; any holds those that name neither id nor identity.
	byID, byIdentity map[string][]int
	any              []int
}

func newIndex(live []finding.Suppression, now time.Time) *index {
	x := &index{now: now, list: slices.Clone(live), byID: map[string][]int{}, byIdentity: map[string][]int{}}
	slices.SortStableFunc(x.list, func(a, b finding.Suppression) int {
		_, i, _ := a.Rule()
		_, j, _ := b.Rule()
		return i - j
	})
	for i := range x.list {
		switch s := &x.list[i]; {
		case s.Identity != "":
			x.byIdentity[s.Identity] = append(x.byIdentity[s.Identity], i)
		case s.ID == "" || s.ID == "*":
			x.any = append(x.any, i)
		default:
			id := strings.ToLower(s.ID)
			x.byID[id] = append(x.byID[id], i)
		}
	}
	return x
}

// first returns a copy of the first suppression among the candidates that covers, nil for none.
func (x *index) first(covers func(*finding.Suppression) bool, candidates ...[]int) *finding.Suppression {
	best := len(x.list)
	for _, positions := range candidates {
		for _, i := range positions {
			if i >= best {
				break
			}
			if covers(&x.list[i]) {
				best = i
			}
		}
	}
	if best == len(x.list) {
		return nil
	}
	s := x.list[best]
	return &s
}

func (x *index) finding(f *finding.Finding) *finding.Suppression {
	candidates := [][]int{x.any, x.byID[strings.ToLower(f.ID)]}
	for _, ids := range [][]string{f.Aliases, f.Advisories} {
		for _, id := range ids {
			candidates = append(candidates, x.byID[strings.ToLower(id)])
		}
	}
	if len(x.byIdentity) > 0 {
		for _, key := range f.Keys("") {
			candidates = append(candidates, x.byIdentity[key])
		}
	}
	return x.first(func(s *finding.Suppression) bool { return s.Covers(f, x.now) }, candidates...)
}

func (x *index) secret(s *finding.Secret) *finding.Suppression {
	covers := func(by *finding.Suppression) bool { return by.CoversSecret(s, x.now) }
	return x.first(covers, x.byID[strings.ToLower(s.Rule)], x.byIdentity[s.Key("")])
}

// check also covers a check all of whose paths are covered by identities, one by one: the baseline had all of them.
func (x *index) check(c *finding.Check) *finding.Suppression {
	covers := func(by *finding.Suppression) bool { return by.CoversCheck(c, x.now) }
	if by := x.first(covers, x.byID[strings.ToLower(c.ID)]); by != nil {
		return by
	}
	var by *finding.Suppression
	for _, key := range c.Keys("") {
		positions := x.byIdentity[key]
		if len(positions) == 0 {
			return nil
		}
		by = &x.list[positions[0]]
	}
	s := *by
	return &s
}
