package gate

import (
	"fmt"

	"github.com/seawall/seawall/finding"
)

// The ids under which a suppression of a hub or gate file sets denied packages and licences aside. Other sources
// cannot: a file that comes with the code must not undo what the gate file forbids.
const (
	rulePackagesDeny    = "packages.deny"
	ruleLicensesDeny    = "licenses.deny"
	ruleLicensesAllow   = "licenses.allow"
	ruleLicensesUnknown = "licenses.unknown"
)

// deniedPackages gives one reason for each entry of packages.deny that an image breaks.
func deniedPackages(c *trial) []finding.Reason {
	var out []finding.Reason
	for _, rule := range c.policy.Packages.Deny {
		names := c.packagesThat(rulePackagesDeny, rule.denies)
		if len(names) == 0 {
			continue
		}
		message := "denied package " + list(names)
		if rule.Reason != "" {
			message += ": " + plain(rule.Reason)
		}
		out = append(out, finding.Reason{
			Decision: finding.Fail, Rule: rulePackagesDeny, Message: message, IDs: some(names),
		})
	}
	return out
}

func (r *PackageRule) denies(p *finding.Package) bool {
	return p.Matches(r.Package) && (r.Version == "" || finding.MatchPath(r.Version, p.Version))
}

// packagesThat returns the distinct names and versions of the packages for which is holds and for which no suppression
// with the rule's id speaks.
func (c *trial) packagesThat(rule string, is func(*finding.Package) bool) []string {
	var names []string
	for i := range c.result.Inventory.Packages {
		p := &c.result.Inventory.Packages[i]
		if is(p) && !c.excepted(rule, p) {
			names = append(names, fmt.Sprintf("%s %s", p.Name, p.Version))
		}
	}
	return distinct(names)
}

// excepted asks the suppressions that must have an owner about a package, as if the rule were an advisory.
func (c *trial) excepted(rule string, p *finding.Package) bool {
	positions := c.index.byID[rule]
	if len(positions) == 0 {
		return false
	}
	f := &finding.Finding{ID: rule, Package: *p, Paths: nonEmpty(p.Path)}
	return c.index.first(func(s *finding.Suppression) bool {
		r, _, _ := s.Rule()
		return r.NeedsOwner && s.Covers(f, c.now)
	}, positions) != nil
}
