package gate

import (
	"github.com/seawall/seawall/finding"
)

// secrets judges what was found of credentials, those in deleted files too: their layers are still pulled.
func secrets(c *trial) []finding.Reason {
	l := c.policy.Secrets
	var fail, warn []string
	for i := range c.result.Inventory.Secrets {
		switch s := &c.result.Inventory.Secrets[i]; {
		case s.Suppressed != nil:
		case l.Fail.Reached(s.Severity):
			fail = append(fail, s.Rule)
		case l.Warn.Reached(s.Severity):
			warn = append(warn, s.Rule)
		}
	}
	return append(found(finding.Fail, "secrets.fail", "secret", fail), found(finding.Warn, "secrets.warn", "secret", warn)...)
}

// checks judges the failed checks of the image's configuration.
func checks(c *trial) []finding.Reason {
	rules := &c.policy.Checks
	var deny, fail, warn []string
	for i := range c.result.Inventory.Checks {
		switch k := &c.result.Inventory.Checks[i]; {
		case k.Suppressed != nil:
		case matchesAny(rules.Deny, k.ID):
			deny = append(deny, k.ID)
		case rules.Fail.Reached(k.Severity):
			fail = append(fail, k.ID)
		case rules.Warn.Reached(k.Severity):
			warn = append(warn, k.ID)
		}
	}
	out := found(finding.Fail, "checks.deny", "denied configuration", deny)
	out = append(out, found(finding.Fail, "checks.fail", "failed configuration check", fail)...)
	return append(out, found(finding.Warn, "checks.warn", "failed configuration check", warn)...)
}

// found gives one reason for all ids, none for none.
func found(d finding.Decision, rule, what string, ids []string) []finding.Reason {
	if len(ids) == 0 {
		return nil
	}
	message := number(len(ids), what) + ": " + list(distinct(ids))
	return []finding.Reason{{Decision: d, Rule: rule, Message: message, IDs: some(ids)}}
}

func matchesAny(patterns []string, name string) bool {
	for _, pattern := range patterns {
		if finding.MatchPath(pattern, name) {
			return true
		}
	}
	return false
}
