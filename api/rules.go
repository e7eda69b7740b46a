package api

import (
	"fmt"
	"slices"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/auth"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
)

func (s *Server) ruleRoutes() []route {
	return []route{
		{method: "GET", path: "/rules", need: on(auth.RuleRead), handle: (*call).rules},
		{method: "POST", path: "/rules", need: on(auth.RuleWrite), handle: (*call).createRule},
		{method: "GET", path: "/rules/effective", need: somewhere(auth.RuleRead), handle: (*call).effective},
		{method: "GET", path: "/rules/{id}", need: on(auth.RuleRead), handle: (*call).rule},
		{method: "PUT", path: "/rules/{id}", need: on(auth.RuleWrite), handle: (*call).changeRule},
		{method: "DELETE", path: "/rules/{id}", need: on(auth.RuleWrite), handle: (*call).deleteRule},
	}
}

func (c *call) rules() (reply, error) {
	found, err := c.s.Catalog.Rules(c.ctx())
	if err != nil {
		return nil, err
	}
	return ok(all(found)), nil
}

func (c *call) effective() (reply, error) {
	q := c.query()
	repository := q.text("repository")
	if repository == "" {
		q.wrong("repository", "is needed")
	}
	if err := q.err(); err != nil {
		return nil, err
	}
	if err := c.mayOn(auth.RuleRead, repository); err != nil {
		return nil, err
	}
	rules, err := c.s.Catalog.Rules(c.ctx())
	if err != nil {
		return nil, err
	}
	return ok(catalog.Resolve(repository, rules)), nil
}

func (c *call) loadRule() (catalog.Rule, error) {
	id, err := c.number("id")
	if err != nil {
		return catalog.Rule{}, err
	}
	rules, err := c.s.Catalog.Rules(c.ctx())
	if err != nil {
		return catalog.Rule{}, err
	}
	i := slices.IndexFunc(rules, func(r catalog.Rule) bool { return r.ID == id })
	if i < 0 {
		return catalog.Rule{}, errNothing
	}
	return rules[i], nil
}

func (c *call) rule() (reply, error) {
	r, err := c.loadRule()
	if err != nil {
		return nil, err
	}
	return tagged(r), nil
}

func (c *call) createRule() (reply, error) {
	in, err := body[catalog.Rule](c)
	if err != nil {
		return nil, err
	}
	in.ID = 0
	if err := c.checkRule(&in); err != nil {
		return nil, err
	}
	r, err := c.s.Catalog.PutRule(c.ctx(), in, c.ruleEntry("rule.create", &in))
	if err != nil {
		return nil, err
	}
	c.ruleChanged(r.Pattern)
	made := created(r, fmt.Sprintf("/rules/%d", r.ID)).(answer)
	made.tagged = true
	return made, nil
}

func (c *call) ruleEntry(action string, r *catalog.Rule) audit.Entry {
	e := c.entry(action, "rule", r.Name)
	e.Detail = map[string]string{"pattern": r.Pattern}
	if r.Mode != "" {
		e.Detail["mode"] = string(r.Mode)
	}
	return e
}

func (c *call) ruleChanged(patterns ...string) {
	c.follow(c.s.Actions.RulesChanged(c.ctx(), patterns, c.who.Actor), "what follows a rule")
	c.publish("rules", "")
}

func (c *call) changeRule() (reply, error) {
	in, err := body[catalog.Rule](c)
	if err != nil {
		return nil, err
	}
	defer c.s.edits.take("rules")()
	old, err := c.loadRule()
	if err != nil {
		return nil, err
	}
	if err := c.matches(old, true); err != nil {
		return nil, err
	}
	in.ID = old.ID
	if err := c.checkRule(&in); err != nil {
		return nil, err
	}
	r, err := c.s.Catalog.PutRule(c.ctx(), in, c.ruleEntry("rule.update", &in))
	if err != nil {
		return nil, err
	}
	c.ruleChanged(old.Pattern, r.Pattern)
	return tagged(r), nil
}

func (c *call) deleteRule() (reply, error) {
	defer c.s.edits.take("rules")()
	old, err := c.loadRule()
	if err != nil {
		return nil, err
	}
	if err := c.matches(old, false); err != nil {
		return nil, err
	}
	if err := c.s.Catalog.DeleteRule(c.ctx(), old.ID, c.ruleEntry("rule.delete", &old)); err != nil {
		return nil, err
	}
	c.ruleChanged(old.Pattern)
	return done(), nil
}

func (c *call) checkRule(r *catalog.Rule) error {
	if err := checkRule(r); err != nil || c.s.CheckRule == nil {
		return err
	}
	return c.s.CheckRule(r)
}

// checkRule says what is wrong with a rule, by field.
func checkRule(r *catalog.Rule) error {
	var k check
	k.text(r.Name, "name", true, 200)
	k.text(r.Pattern, "pattern", true, 512)
	k.err(finding.ValidPattern(r.Pattern), "pattern")
	k.that(r.Mode == "" || r.Mode == catalog.Observe || r.Mode == catalog.Enforce, "mode", "must be observe or enforce")
	k.that(len(r.Gate) <= 256<<10, "gate", "is longer than 256 KiB")
	k.that(r.Quota >= 0, "quota", "must not be below 0")
	k.text(r.Owner, "owner", false, 200)
	checkDue(&k, r.Due)
	checkRetention(&k, r.Retention)
	checkTrust(&k, r.Trust)
	if r.Tags != nil {
		checkTagPatterns(&k, r.Tags.Immutable, "tags.immutable")
	}
	if m := r.Mirror; m != nil {
		k.text(m.Source, "mirror.source", true, 512)
		k.that(m.OnPull || len(m.Tags) > 0, "mirror", "needs onPull or tags: without, it copies nothing")
		k.that(len(m.Tags) == 0 || m.Every > 0, "mirror.every", "is needed with tags")
		checkTagPatterns(&k, m.Tags, "mirror.tags")
	}
	return k.done()
}

func checkTagPatterns(k *check, patterns []string, field string) {
	k.that(len(patterns) <= 100, field, "has more than 100 patterns")
	for i, p := range patterns {
		k.that(p != "", fmt.Sprintf("%s[%d]", field, i), "is empty")
		k.err(finding.ValidPattern(p), fmt.Sprintf("%s[%d]", field, i))
	}
}

func checkDue(k *check, d *catalog.DueDays) {
	if d == nil {
		return
	}
	for name, days := range map[string]int{"critical": d.Critical, "high": d.High, "medium": d.Medium, "low": d.Low, "exploited": d.Exploited} {
		k.that(days >= 0 && days <= 3650, "due."+name, "must be from 0 to 3650 days")
	}
}

func checkRetention(k *check, r *catalog.Retention) {
	if r == nil {
		return
	}
	for name, n := range map[string]int{"keepNewest": r.KeepNewest, "keepDays": r.KeepDays, "keepPulled": r.KeepPulled, "untagged": r.Untagged, "graceDays": r.GraceDays} {
		k.that(n >= 0 && n <= 100_000, "retention."+name, "must be from 0 to 100000")
	}
	k.that(r.KeepNewest+r.KeepDays+r.KeepPulled+len(r.KeepTags)+r.Untagged > 0, "retention", "keeps nothing and says so nowhere: name what is kept, or untagged")
	checkTagPatterns(k, r.KeepTags, "retention.keepTags")
}

func checkTrust(k *check, t *catalog.TrustRule) {
	if t == nil {
		return
	}
	k.that(len(t.Signers)+len(t.Attestations) > 0, "trust", "asks for nothing")
	for i := range t.Signers {
		checkSigner(k, &t.Signers[i], fmt.Sprintf("trust.signers[%d]", i))
	}
	for i := range t.Attestations {
		field := fmt.Sprintf("trust.attestations[%d]", i)
		k.text(t.Attestations[i].Predicate, field+".predicate", true, 512)
		checkSigner(k, &t.Attestations[i].Signer, field+".signer")
	}
}

// checkSigner: exactly one of keys, keyless and notation.
func checkSigner(k *check, s *catalog.Signer, field string) {
	ways := 0
	for _, has := range []bool{len(s.Keys) > 0, s.Keyless != nil, s.Notation != nil} {
		if has {
			ways++
		}
	}
	k.that(ways == 1, field, "needs exactly one of keys, keyless and notation")
	k.text(s.Name, field+".name", true, 200)
	if l := s.Keyless; l != nil {
		k.text(l.Issuer, field+".keyless.issuer", true, 1024)
		k.text(l.Identity, field+".keyless.identity", true, 1024)
		k.that(l.Root != "", field+".keyless.root", "is needed: roots are pinned")
	}
	if n := s.Notation; n != nil {
		k.that(len(n.Certificates) > 0, field+".notation.certificates", "are needed")
		k.that(len(n.Identities) > 0, field+".notation.identities", "are needed: * for any")
	}
}
