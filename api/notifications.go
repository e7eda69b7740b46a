package api

import (
	"context"
	"fmt"
	"net/mail"
	"net/url"
	"path"
	"slices"

	"github.com/seawall/seawall/auth"
	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/notify"
)

func (s *Server) targetRoutes() []route {
	return []route{
		{method: "GET", path: "/notify/targets", need: on(auth.NotifyRead), handle: (*call).targets},
		{method: "POST", path: "/notify/targets", need: on(auth.NotifyWrite), handle: (*call).createTarget},
		{method: "GET", path: "/notify/targets/{id}", need: on(auth.NotifyRead), handle: (*call).target},
		{method: "PUT", path: "/notify/targets/{id}", need: on(auth.NotifyWrite), handle: (*call).changeTarget},
		{method: "DELETE", path: "/notify/targets/{id}", need: on(auth.NotifyWrite), handle: (*call).deleteTarget},
		{method: "POST", path: "/notify/targets/{id}/test", need: on(auth.NotifyWrite), handle: (*call).testTarget},
		{method: "GET", path: "/notify/deliveries", need: on(auth.NotifyRead), handle: (*call).deliveries},
	}
}

func (c *call) targets() (reply, error) {
	found, err := c.s.Notify.Targets(c.ctx())
	if err != nil {
		return nil, err
	}
	return ok(all(found)), nil
}

func (c *call) loadTarget() (notify.Target, error) {
	id, err := c.number("id")
	if err != nil {
		return notify.Target{}, err
	}
	return c.targetOf(id)
}

func (c *call) targetOf(id int64) (notify.Target, error) {
	found, err := c.s.Notify.Targets(c.ctx())
	if err != nil {
		return notify.Target{}, err
	}
	i := slices.IndexFunc(found, func(t notify.Target) bool { return t.ID == id })
	if i < 0 {
		return notify.Target{}, errNothing
	}
	return found[i], nil
}

func (c *call) target() (reply, error) {
	t, err := c.loadTarget()
	if err != nil {
		return nil, err
	}
	return tagged(t), nil
}

func (c *call) createTarget() (reply, error) {
	in, err := body[TargetInput](c)
	if err != nil {
		return nil, err
	}
	t, err := in.target(0)
	if err != nil {
		return nil, err
	}
	if t, err = c.s.Notify.PutTarget(c.ctx(), t, c.entry("notify.target.create", "target", t.Name)); err != nil {
		return nil, err
	}
	c.publish("notify", "")
	return created(t, fmt.Sprintf("/notify/targets/%d", t.ID)), nil
}

func (c *call) changeTarget() (reply, error) {
	in, err := body[TargetInput](c)
	if err != nil {
		return nil, err
	}
	defer c.s.edits.take("targets")()
	old, err := c.loadTarget()
	if err != nil {
		return nil, err
	}
	if err := c.matches(old, false); err != nil {
		return nil, err
	}
	t, err := in.target(old.ID)
	if err != nil {
		return nil, err
	}
	// A stored secret must not go to another place than the one that it was given for.
	if in.Secret == nil && old.HasSecret && origin(old.URL) != origin(t.URL) {
		return nil, wrong("secret", "is needed again: the target is another one now")
	}
	if t, err = c.s.Notify.PutTarget(c.ctx(), t, c.entry("notify.target.update", "target", t.Name)); err != nil {
		return nil, err
	}
	c.publish("notify", "")
	return tagged(t), nil
}

// origin is where a URL leads: scheme and host.
func origin(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return text
	}
	return u.Scheme + "://" + u.Host
}

// schemes are those that each form is reached by.
var schemes = map[notify.Form][]string{
	notify.Webhook: {"https", "http"}, notify.Email: {"smtp", "smtps"}, notify.Syslog: {"udp", "tcp", "tls"},
	notify.Slack: {"https"}, notify.Teams: {"https"},
}

func (in *TargetInput) target(id int64) (notify.Target, error) {
	var k check
	k.text(in.Name, "name", true, 200)
	want, known := schemes[in.Form]
	k.that(known, "form", "must be webhook, email, syslog, slack or teams")
	u, err := url.Parse(in.URL)
	k.that(err == nil && len(in.URL) <= 2048 && u.Host != "", "url", "must be a URL with a host")
	if err == nil && known {
		k.that(slices.Contains(want, u.Scheme), "url", "must begin with one of "+join(want))
		_, password := u.User.Password()
		k.that(!password, "url", "must hold no password: give it as secret")
	}
	k.that(in.Form != notify.Email || len(in.To) > 0, "to", "is needed for e-mail")
	k.that(len(in.To) <= 100, "to", "has more than 100 addresses")
	for i, a := range in.To {
		_, err := mail.ParseAddress(a)
		k.that(err == nil, fmt.Sprintf("to[%d]", i), "is no e-mail address")
	}
	k.that(in.Secret == nil || len(*in.Secret) <= 4096, "secret", "is too long")
	t := notify.Target{ID: id, Name: in.Name, Form: in.Form, URL: in.URL, To: in.To}
	if in.Secret != nil {
		t.Secret = []byte(*in.Secret)
	}
	return t, k.done()
}

func (c *call) deleteTarget() (reply, error) {
	defer c.s.edits.take("targets")()
	t, err := c.loadTarget()
	if err != nil {
		return nil, err
	}
	if err := c.matches(t, false); err != nil {
		return nil, err
	}
	if err := c.s.Notify.DeleteTarget(c.ctx(), t.ID, c.entry("notify.target.delete", "target", t.Name)); err != nil {
		return nil, err
	}
	c.publish("notify", "")
	return done(), nil
}

func (c *call) testTarget() (reply, error) {
	t, err := c.loadTarget()
	if err != nil {
		return nil, err
	}
	err = c.act(c.entry("notify.target.test", "target", t.Name), func(ctx context.Context) error {
		return c.s.Actions.TestTarget(ctx, t)
	})
	if err != nil {
		return nil, err
	}
	return done(), nil
}

var deliveryTable = table[notify.Delivery]{"deliveries", []column[notify.Delivery]{
	{"id", func(d *notify.Delivery) any { return d.ID }},
	{"rule", func(d *notify.Delivery) any { return d.Rule }},
	{"target", func(d *notify.Delivery) any { return d.Target }},
	{"state", func(d *notify.Delivery) any { return d.State }},
	{"events", func(d *notify.Delivery) any { return len(d.Events) }},
	{"attempts", func(d *notify.Delivery) any { return d.Attempts }},
	{"created", func(d *notify.Delivery) any { return d.Created }},
	{"sent", func(d *notify.Delivery) any { return d.Sent }},
	{"error", func(d *notify.Delivery) any { return d.Error }},
}}

func (c *call) deliveries() (reply, error) {
	q := c.query()
	at := q.before()
	if err := q.err(); err != nil {
		return nil, err
	}
	return listing(c, deliveryTable, at, func(at span) (List[notify.Delivery], error) {
		found, err := c.s.Notify.Deliveries(c.ctx(), at.number(), at.limit)
		return backwards(found, at, func(d *notify.Delivery) int64 { return d.ID }), err
	})
}

func (s *Server) notifyRuleRoutes() []route {
	return []route{
		{method: "GET", path: "/notify/rules", need: on(auth.NotifyRead), handle: (*call).notifyRules},
		{method: "POST", path: "/notify/rules", need: on(auth.NotifyWrite), handle: (*call).createNotifyRule},
		{method: "GET", path: "/notify/rules/{id}", need: on(auth.NotifyRead), handle: (*call).notifyRule},
		{method: "PUT", path: "/notify/rules/{id}", need: on(auth.NotifyWrite), handle: (*call).changeNotifyRule},
		{method: "DELETE", path: "/notify/rules/{id}", need: on(auth.NotifyWrite), handle: (*call).deleteNotifyRule},
	}
}

func (c *call) notifyRules() (reply, error) {
	found, err := c.s.Notify.NotifyRules(c.ctx())
	if err != nil {
		return nil, err
	}
	return ok(all(found)), nil
}

func (c *call) loadNotifyRule() (notify.Rule, error) {
	id, err := c.number("id")
	if err != nil {
		return notify.Rule{}, err
	}
	found, err := c.s.Notify.NotifyRules(c.ctx())
	if err != nil {
		return notify.Rule{}, err
	}
	i := slices.IndexFunc(found, func(r notify.Rule) bool { return r.ID == id })
	if i < 0 {
		return notify.Rule{}, errNothing
	}
	return found[i], nil
}

func (c *call) notifyRule() (reply, error) {
	r, err := c.loadNotifyRule()
	if err != nil {
		return nil, err
	}
	return tagged(r), nil
}

func (c *call) createNotifyRule() (reply, error) {
	in, err := body[notify.Rule](c)
	if err != nil {
		return nil, err
	}
	in.ID = 0
	if err := c.checkNotifyRule(&in); err != nil {
		return nil, err
	}
	r, err := c.s.Notify.PutNotifyRule(c.ctx(), in, c.entry("notify.rule.create", "notify-rule", in.Name))
	if err != nil {
		return nil, err
	}
	c.publish("notify", "")
	return created(r, fmt.Sprintf("/notify/rules/%d", r.ID)), nil
}

func (c *call) changeNotifyRule() (reply, error) {
	in, err := body[notify.Rule](c)
	if err != nil {
		return nil, err
	}
	defer c.s.edits.take("notify rules")()
	old, err := c.loadNotifyRule()
	if err != nil {
		return nil, err
	}
	if err := c.matches(old, false); err != nil {
		return nil, err
	}
	in.ID = old.ID
	if err := c.checkNotifyRule(&in); err != nil {
		return nil, err
	}
	r, err := c.s.Notify.PutNotifyRule(c.ctx(), in, c.entry("notify.rule.update", "notify-rule", in.Name))
	if err != nil {
		return nil, err
	}
	c.publish("notify", "")
	return tagged(r), nil
}

func (c *call) checkNotifyRule(r *notify.Rule) error {
	var k check
	k.text(r.Name, "name", true, 200)
	k.err(finding.ValidPattern(r.Repositories), "repositories")
	k.that(r.Digest >= 0 && r.Digest <= 7*24*60, "digest", "must be from 0 to 10080 minutes")
	k.that(len(r.Kinds) <= 100, "kinds", "has more than 100 patterns")
	for i, kind := range r.Kinds {
		_, err := path.Match(kind, "")
		k.that(kind != "" && err == nil, fmt.Sprintf("kinds[%d]", i), "is no pattern")
	}
	if _, err := c.targetOf(r.Target); err != nil {
		k.that(false, "target", "there is no such target")
	}
	return k.done()
}

func (c *call) deleteNotifyRule() (reply, error) {
	defer c.s.edits.take("notify rules")()
	r, err := c.loadNotifyRule()
	if err != nil {
		return nil, err
	}
	if err := c.matches(r, false); err != nil {
		return nil, err
	}
	if err := c.s.Notify.DeleteNotifyRule(c.ctx(), r.ID, c.entry("notify.rule.delete", "notify-rule", r.Name)); err != nil {
		return nil, err
	}
	c.publish("notify", "")
	return done(), nil
}
