package gate

import (
	"fmt"
	"time"

	"github.com/seawall/seawall/finding"
)

// maxNotices bounds the notices of one kind in a verdict.
const maxNotices = 50

// missed returns, once each, the expired suppressions that would still have covered something that counts now.
func (c *trial) missed(expired []finding.Suppression) []finding.Suppression {
	if len(expired) == 0 {
		return nil
	}
	revived := make([]finding.Suppression, len(expired))
	original := map[finding.Suppression]finding.Suppression{}
	for i, s := range expired {
		revived[i] = s
		revived[i].Expires = time.Time{}
		original[revived[i]] = s
	}
	x := newIndex(revived, c.now)
	var out []finding.Suppression
	note := func(s *finding.Suppression) {
		if s == nil {
			return
		}
		if was, ok := original[*s]; ok {
			out = append(out, was)
			delete(original, *s)
		}
	}
	for _, f := range c.counting {
		note(x.finding(f))
	}
	for i := range c.result.Inventory.Secrets {
		if s := &c.result.Inventory.Secrets[i]; s.Suppressed == nil {
			note(x.secret(s))
		}
	}
	for i := range c.result.Inventory.Checks {
		if k := &c.result.Inventory.Checks[i]; k.Suppressed == nil {
			note(x.check(k))
		}
	}
	return out
}

// expired tells about suppressions that no longer hold. It changes no decision: what they covered counts again.
func expired(c *trial) []finding.Reason {
	var out []finding.Reason
	for _, s := range c.expired[:min(len(c.expired), maxNotices)] {
		out = append(out, finding.Reason{
			Decision: finding.Pass, Rule: "suppressions.expired", IDs: nonEmpty(s.ID),
			Message: fmt.Sprintf("%s expired on %s and no longer applies", title(&s), s.Expires.UTC().Format(time.DateOnly)),
		})
	}
	return out
}

// refused tells about suppressions that lack what the precedence table asks for.
func refused(c *trial) []finding.Reason {
	var out []finding.Reason
	for _, s := range c.refused[:min(len(c.refused), maxNotices)] {
		out = append(out, finding.Reason{
			Decision: finding.Pass, Rule: "suppressions.refused", IDs: nonEmpty(s.ID),
			Message: fmt.Sprintf("%s does not apply: %v", title(&s), s.Validate()),
		})
	}
	return out
}

// tooWeak tells about suppressions that would cover a finding, were it not exploited or hostile: see the last column
// of the table in docs/suppressions.md. Without it, nobody sees why a line of an ignore file does nothing.
func tooWeak(c *trial) []finding.Reason {
	var out []finding.Reason
	told := map[finding.Suppression]bool{}
	for _, f := range c.counting {
		if f.KEV == nil && f.State != finding.StateMalware || len(out) == maxNotices {
			continue
		}
		harmless := *f
		harmless.KEV, harmless.State = nil, ""
		s := c.index.finding(&harmless)
		if s == nil || told[*s] {
			continue
		}
		told[*s] = true
		out = append(out, finding.Reason{
			Decision: finding.Pass, Rule: "suppressions.too-weak", IDs: nonEmpty(f.ID),
			Message: fmt.Sprintf("%s does not cover %s, which is exploited or hostile: only an exception or VEX may", title(s), plain(f.ID)),
		})
	}
	return out
}

// title names a suppression in a sentence: "the suppression of CVE-2024-1 (gate.yaml:12, owner team-a)".
func title(s *finding.Suppression) string {
	name := "the suppression"
	if s.ID != "" {
		name += fmt.Sprintf(" of %s", plain(s.ID))
	}
	switch {
	case s.Origin != "" && s.Owner != "":
		return fmt.Sprintf("%s (%s, owner %s)", name, plain(s.Origin), plain(s.Owner))
	case s.Origin != "":
		return fmt.Sprintf("%s (%s)", name, plain(s.Origin))
	}
	return name
}

func nonEmpty(id string) []string {
	if id == "" {
		return nil
	}
	return []string{id}
}
