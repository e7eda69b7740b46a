package api

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/auth"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
)

func (s *Server) exceptionRoutes() []route {
	return []route{
		{method: "GET", path: "/exceptions", need: somewhere(auth.ImageList), handle: (*call).exceptions},
		{method: "POST", path: "/exceptions", need: need{auth.ExceptionRequest, inBody}, handle: (*call).requestException},
		{method: "GET", path: "/exceptions/{id}", need: somewhere(auth.ImageList), handle: (*call).exception},
		{method: "POST", path: "/exceptions/{id}/decision", need: somewhere(auth.ExceptionApprove), handle: (*call).decideException},
	}
}

var exceptionTable = table[catalog.Exception]{"exceptions", []column[catalog.Exception]{
	{"id", func(e *catalog.Exception) any { return e.ID }},
	{"state", func(e *catalog.Exception) any { return string(e.State) }},
	{"repositories", func(e *catalog.Exception) any { return e.Repositories }},
	{"finding", func(e *catalog.Exception) any { return e.Suppression.ID }},
	{"package", func(e *catalog.Exception) any { return e.Suppression.Package }},
	{"path", func(e *catalog.Exception) any { return e.Suppression.Path }},
	{"as", func(e *catalog.Exception) any { return string(e.As) }},
	{"reason", func(e *catalog.Exception) any { return e.Suppression.Reason }},
	{"owner", func(e *catalog.Exception) any { return e.Suppression.Owner }},
	{"expires", func(e *catalog.Exception) any { return e.Suppression.Expires }},
	{"covers", func(e *catalog.Exception) any { return e.Covers }},
	{"requestedBy", func(e *catalog.Exception) any { return e.RequestedBy }},
	{"requestedAt", func(e *catalog.Exception) any { return e.RequestedAt }},
	{"decidedBy", func(e *catalog.Exception) any { return e.DecidedBy }},
	{"decidedAt", func(e *catalog.Exception) any { return e.DecidedAt }},
	{"comment", func(e *catalog.Exception) any { return e.Comment }},
}}

func (c *call) exceptions() (reply, error) {
	q := c.query()
	state := oneOf(q, "state", catalog.Requested, catalog.Approved, catalog.Refused, catalog.Revoked, catalog.Expired)
	repository := q.text("repository")
	if err := q.err(); err != nil {
		return nil, err
	}
	found, err := c.s.Catalog.Exceptions(c.ctx(), state, repository)
	if err != nil {
		return nil, err
	}
	found = slices.DeleteFunc(found, func(e catalog.Exception) bool { return !c.seesException(&e) })
	slices.SortFunc(found, func(a, b catalog.Exception) int { return cmp.Compare(b.ID, a.ID) })
	return listing(c, exceptionTable, span{}, func(span) (List[catalog.Exception], error) { return all(found), nil })
}

// seesException: an exception shows to who sees all repositories that it is for, and to who requested it.
func (c *call) seesException(e *catalog.Exception) bool {
	return c.who.SignedIn() && e.OwnedBy(c.who.ID, c.who.Name) || c.sees(e.Repositories)
}

func (c *call) loadException() (catalog.Exception, error) {
	id, err := c.number("id")
	if err != nil {
		return catalog.Exception{}, err
	}
	e, err := c.s.Catalog.Exception(c.ctx(), id)
	if err != nil {
		return e, err
	}
	if !c.seesException(&e) {
		return catalog.Exception{}, errUnseen
	}
	return e, nil
}

func (c *call) exception() (reply, error) {
	e, err := c.loadException()
	if err != nil {
		return nil, err
	}
	return tagged(e), nil
}

// maxException bounds how far ahead an exception may expire.
const maxException = 366 * 24 * time.Hour

func (c *call) requestException() (reply, error) {
	in, err := body[ExceptionRequest](c)
	if err != nil {
		return nil, err
	}
	e := catalog.Exception{
		Repositories: in.Repositories, As: in.As, State: catalog.Requested, RequestedBy: c.who.Name, RequesterID: c.who.ID, RequestedAt: c.now,
		Suppression: finding.Suppression{Source: finding.SourceHub, ID: in.ID, Package: in.Package, Path: in.Path,
			Reason: in.Reason, Owner: in.Owner, Expires: in.Expires.UTC()},
	}
	if err := in.check(&e, c.now); err != nil {
		return nil, err
	}
	// Of a pattern, May answers whether all that it names is allowed.
	if err := c.mayOn(auth.ExceptionRequest, in.Repositories); err != nil {
		return nil, err
	}
	record := c.entry("exception.request", "exception", in.Repositories)
	record.Reason, record.Detail = in.Reason, exceptionDetail(&e)
	if e, err = c.s.Catalog.PutException(c.ctx(), e, record); err != nil {
		return nil, err
	}
	c.follow(c.s.Actions.ExceptionChanged(c.ctx(), e, c.who.Actor), "what follows an exception")
	c.publish("exceptions", fmt.Sprint(e.ID))
	return created(e, fmt.Sprintf("/exceptions/%d", e.ID)), nil
}

func (in *ExceptionRequest) check(e *catalog.Exception, now time.Time) error {
	var k check
	k.text(in.Repositories, "repositories", true, 512)
	k.err(finding.ValidPattern(in.Repositories), "repositories")
	k.that(in.As == catalog.Accepted || in.As == catalog.FalsePositive, "as", "must be accepted or false-positive")
	k.text(in.Reason, "reason", true, 2000)
	k.text(in.Owner, "owner", true, 200)
	k.that(in.Expires.After(now), "expires", "must be in the future")
	k.that(!in.Expires.After(now.Add(maxException)), "expires", "must be within a year")
	k.err(finding.ValidPattern(in.Package), "package")
	k.err(finding.ValidPattern(in.Path), "path")
	if len(k.fields) == 0 {
		k.err(e.Suppression.Validate(), "id")
	}
	return k.done()
}

func exceptionDetail(e *catalog.Exception) map[string]string {
	d := map[string]string{"as": string(e.As), "expires": e.Suppression.Expires.Format(time.RFC3339)}
	for name, v := range map[string]string{"id": e.Suppression.ID, "package": e.Suppression.Package, "path": e.Suppression.Path} {
		if v != "" {
			d[name] = v
		}
	}
	return d
}

func (c *call) decideException() (reply, error) {
	in, err := body[ExceptionDecision](c)
	if err != nil {
		return nil, err
	}
	var k check
	k.that(in.To == catalog.Approved || in.To == catalog.Refused || in.To == catalog.Revoked, "to", "must be approved, refused or revoked")
	k.text(in.Comment, "comment", false, 2000)
	if err := k.done(); err != nil {
		return nil, err
	}
	e, err := c.loadException()
	if err != nil {
		return nil, err
	}
	if err := c.mayOn(auth.ExceptionApprove, e.Repositories); err != nil {
		return nil, err
	}
	// A program's token may be in the hands of who requested it.
	if in.To == catalog.Approved && (e.OwnedBy(c.who.ID, c.who.Name) || c.who.Kind != audit.ActorUser) {
		return nil, c.refuseOwn(&e)
	}
	record := c.entry("exception."+verb(in.To), "exception", fmt.Sprint(e.ID))
	record.Reason, record.Detail = in.Comment, exceptionDetail(&e)
	record.Detail["repositories"] = e.Repositories
	if e, err = c.s.Catalog.DecideException(c.ctx(), e.ID, in.To, in.Comment, record); err != nil {
		return nil, err
	}
	c.follow(c.s.Actions.ExceptionChanged(c.ctx(), e, c.who.Actor), "what follows an exception")
	c.publish("exceptions", fmt.Sprint(e.ID))
	return ok(e), nil
}

// refuseOwn records that somebody tried to approve what they requested, or a program to approve at all.
func (c *call) refuseOwn(e *catalog.Exception) error {
	record := c.entry("exception.approve", "exception", fmt.Sprint(e.ID))
	record.Outcome, record.Reason = "refused", errFourEyes.Error()
	if err := c.record(record); err != nil {
		return err
	}
	return errFourEyes
}

func verb(s catalog.ExceptionState) string {
	return map[catalog.ExceptionState]string{catalog.Approved: "approve", catalog.Refused: "refuse", catalog.Revoked: "revoke"}[s]
}
