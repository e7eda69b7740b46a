package auth

import "slices"

// Everything is the scope of what is not about one repository, cluster or namespace.
var Everything = Scope{Kind: ScopeAll}

// Repository is the scope of one repository, or of those that a pattern names.
func Repository(name string) Scope { return Scope{Kind: ScopeRepository, Name: name} }

// May reports whether the principal may do a on all of s. Hub-wide actions (see HubWide) are given only by grants on
// everything, whatever s is.
func (p *Principal) May(a Action, s Scope) bool {
	if HubWide(a) {
		s = Everything
	}
	return p.Must == "" && p.holds(a, s) && p.narrowHolds(a, s)
}

// MayAny reports whether the principal may do a on anything at all: whether a listing is worth filtering. It never
// allows an act; ask May for that. For hub-wide actions it is the same as May.
func (p *Principal) MayAny(a Action) bool {
	if HubWide(a) {
		return p.May(a, Everything)
	}
	gives := func(g Grant) bool { return slices.Contains(p.actions(g.Role), a) }
	narrow := func(n Permission) bool { return n.Action == a }
	return p.Must == "" && slices.ContainsFunc(p.Grants, gives) &&
		(p.Narrow == nil || slices.ContainsFunc(p.Narrow, narrow))
}

// holds leaves Must and Narrow out: it is about what was granted.
func (p *Principal) holds(a Action, s Scope) bool {
	return slices.ContainsFunc(p.Grants, func(g Grant) bool {
		return g.Scope.Covers(s) && slices.Contains(p.actions(g.Role), a)
	})
}

func (p *Principal) narrowHolds(a Action, s Scope) bool {
	return p.Narrow == nil || slices.ContainsFunc(p.Narrow, func(n Permission) bool {
		return n.Action == a && n.Scope.Covers(s)
	})
}

func (p *Principal) actions(role string) []Action {
	if a, ok := builtin[role]; ok {
		return a
	}
	return p.Roles[role]
}

// Permissions lists what the principal may, for the console: each action of each grant that its token does not take
// away. A console uses it to show or hide; whether an act is allowed is May's to say.
func (p *Principal) Permissions() []Permission {
	all := []Permission{}
	for _, g := range p.Grants {
		for _, a := range p.actions(g.Role) {
			n := Permission{a, g.Scope}
			if p.Must == "" && p.narrowHolds(a, g.Scope) && (!HubWide(a) || g.Scope == Everything) && !slices.Contains(all, n) {
				all = append(all, n)
			}
		}
	}
	return all
}
