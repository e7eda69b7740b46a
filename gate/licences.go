package gate

import (
	"strings"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/gate/license"
)

// licences judges the licences of every package. All licences of a package apply together; within an expression the
// user may choose, so that "MIT OR GPL-3.0-only" passes where GPL is denied.
func licences(c *trial) []finding.Reason {
	rules := &c.policy.Licenses
	var out []finding.Reason
	add := func(d finding.Decision, rule, what string, is func(*finding.Package) bool) {
		if d == finding.Pass {
			return
		}
		if names := c.packagesThat(rule, is); len(names) > 0 {
			message := number(len(names), "package") + " " + what + ": " + list(names)
			out = append(out, finding.Reason{Decision: d, Rule: rule, Message: message, IDs: some(names)})
		}
	}
	if len(rules.Deny) > 0 {
		add(finding.Fail, ruleLicensesDeny, "with a denied licence", rules.denied)
	}
	if len(rules.Allow) > 0 {
		add(finding.Fail, ruleLicensesAllow, "with a licence that is not allowed", rules.notAllowed)
		add(rules.Unknown.decision(), ruleLicensesUnknown, "without a known licence",
			func(p *finding.Package) bool { return len(p.Licenses) == 0 })
	}
	return out
}

func (l *LicenseRules) denied(p *finding.Package) bool {
	acceptable := func(id, exception string) bool {
		if exception != "" && matchesLicence(l.Allow, id+" WITH "+exception) {
			return true
		}
		return !matchesLicence(l.Deny, id) && !matchesLicence(l.Deny, withException(id, exception))
	}
	return !allSatisfied(p.Licenses, acceptable)
}

func (l *LicenseRules) notAllowed(p *finding.Package) bool {
	return !allSatisfied(p.Licenses, func(id, exception string) bool {
		return matchesLicence(l.Allow, id) || matchesLicence(l.Allow, withException(id, exception))
	})
}

func withException(id, exception string) string {
	if exception == "" {
		return id
	}
	return id + " WITH " + exception
}

// allSatisfied reports whether every text can be satisfied. One that is no expression stands for itself.
func allSatisfied(texts []string, ok func(id, exception string) bool) bool {
	for _, text := range texts {
		e, err := license.Parse(text)
		if err != nil && !ok(text, "") || err == nil && !e.Satisfied(ok) {
			return false
		}
	}
	return true
}

// matchesLicence compares in any case, and with deprecated names in their present form.
func matchesLicence(patterns []string, id string) bool {
	for _, pattern := range patterns {
		if finding.MatchPath(strings.ToLower(license.Normal(pattern)), strings.ToLower(id)) {
			return true
		}
	}
	return false
}
