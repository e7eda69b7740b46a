package api

import (
	"context"
	"net/http"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/auth"
	"github.com/seawall/seawall/catalog"
)

// decisionRoutes order scans and decide about one image by hand.
func (s *Server) decisionRoutes() []route {
	return []route{
		{method: "POST", path: imagePath + "/scan", need: onImage(auth.ImageScan), handle: (*call).scan},
		{method: "PUT", path: imagePath + "/override", need: onImage(auth.ImageRelease), handle: (*call).putOverride},
		{method: "DELETE", path: imagePath + "/override", need: onImage(auth.ImageRelease), handle: (*call).liftOverride},
		{method: "POST", path: imagePath + "/reports", need: onImage(auth.ReportImport), handle: (*call).importReport, streams: true},
	}
}

func (c *call) scan() (reply, error) {
	m, err := c.manifest()
	if err != nil {
		return nil, err
	}
	return c.order(c.entry("image.scan.order", "image", c.imageName()), func(ctx context.Context) (int64, error) {
		return c.s.Actions.Scan(ctx, m.Repository, m.Digest, c.who.Actor)
	})
}

func (c *call) putOverride() (reply, error) {
	in, err := body[OverrideRequest](c)
	if err != nil {
		return nil, err
	}
	var k check
	k.that(in.Status == catalog.Released || in.Status == catalog.Rejected, "status", "must be released or rejected")
	k.text(in.Reason, "reason", true, 1000)
	k.that(in.Expires.IsZero() || in.Expires.After(c.now), "expires", "must be in the future")
	if err := k.done(); err != nil {
		return nil, err
	}
	action := "image.release"
	if in.Status == catalog.Rejected {
		action = "image.reject"
	}
	o := &catalog.Override{Status: in.Status, By: c.who.Name, Reason: in.Reason, At: c.now, Expires: in.Expires.UTC()}
	e := c.entry(action, "image", c.imageName())
	e.Reason = in.Reason
	if !in.Expires.IsZero() {
		e.Detail = map[string]string{"expires": in.Expires.UTC().Format("2006-01-02T15:04:05Z")}
	}
	return c.override(o, e)
}

func (c *call) liftOverride() (reply, error) {
	return c.override(nil, c.entry("image.override.lift", "image", c.imageName()))
}

func (c *call) override(o *catalog.Override, e audit.Entry) (reply, error) {
	defer c.s.edits.take("image " + c.imageName())()
	m, err := c.manifest()
	if err != nil {
		return nil, err
	}
	if err := c.matches(m, false); err != nil {
		return nil, err
	}
	if o == nil && m.Override == nil {
		return tagged(m), nil
	}
	if err := c.s.Catalog.PutOverride(c.ctx(), m.Repository, m.Digest, o, e); err != nil {
		return nil, err
	}
	c.follow(c.s.Actions.OverrideChanged(c.ctx(), m.Repository, m.Digest, c.who.Actor), "what follows an override")
	c.publish("images", c.imageName())
	if m, err = c.manifest(); err != nil {
		return nil, err
	}
	return tagged(m), nil
}

func (c *call) importReport() (reply, error) {
	q := c.query()
	source := q.text("source")
	if len(source) > 64 {
		q.wrong("source", "is too long")
	}
	if err := q.err(); err != nil {
		return nil, err
	}
	m, err := c.manifest()
	if err != nil {
		return nil, err
	}
	report, err := c.bytes(c.s.Limits.Report)
	if err != nil {
		return nil, err
	}
	name, found, err := c.s.Actions.ReadReport(c.ctx(), m.Repository, m.Digest, source, report)
	if err != nil {
		return nil, err
	}
	e := c.entry("report.import", "image", c.imageName())
	e.Detail = map[string]string{"source": name}
	if err := c.s.Catalog.PutImported(c.ctx(), m.Repository, m.Digest, name, found, e); err != nil {
		return nil, err
	}
	c.publish("findings", c.imageName())
	return answer{status: http.StatusCreated, body: ReportImported{name, len(found)}}, nil
}
