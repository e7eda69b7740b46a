package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/seawall/seawall/auth"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/job"
)

// What the interface itself refuses.
var (
	errNoRoute      = errors.New("there is no such path in this interface: see /api/v1/openapi.json")
	errMethod       = errors.New("this path has no such method: see the header Allow")
	errNothing      = errors.New("it does not exist")
	errUnseen       = errors.New("it does not exist, or you may not see it")
	errUnscanned    = errors.New("the image was not evaluated yet")
	errChanged      = errors.New("it changed since you read it: read it again, then decide whether your change still holds")
	errPrecondition = errors.New("say on which version the change is based: send its ETag in If-Match")
	errMedia        = errors.New("the body must be JSON: send Content-Type: application/json")
	errFourEyes     = errors.New("a second person has to approve: neither who requested it, nor a program")
	errShownOnce    = errors.New("this was done, and its secret was shown then: make another with a new Idempotency-Key, and revoke this one")
	errKey          = errors.New("an Idempotency-Key has 1 to 255 printable ASCII characters")
	errNoLog        = errors.New("this hub keeps no tamper-evident log")
)

// ErrUnavailable says that a part of the hub, or what it needs, is not there now (503). Actions wrap it.
var ErrUnavailable = errors.New("not available now")

// ErrUpstream says that something outside answered badly (502): a registry, a notification target. Actions wrap it.
var ErrUpstream = errors.New("what was asked outside failed")

// ErrInvalid says that a value that was given cannot be used (422). Actions wrap it; the text says why.
var ErrInvalid = errors.New("invalid")

// tooMany asks to come back later.
type tooMany struct{ wait time.Duration }

func (e *tooMany) Error() string { return "too many requests: try again in " + e.wait.String() }

type errMust string

func (e errMust) Error() string {
	if e == "password" {
		return "change your password first: POST /api/v1/session/password"
	}
	return "set up an authenticator first: POST /api/v1/session/totp"
}

// invalid is a body or a query with fields that are wrong.
type invalid struct {
	status int
	fields []FieldError
}

func (e *invalid) Error() string {
	if len(e.fields) == 1 {
		return strings.TrimPrefix(e.fields[0].Field+": "+e.fields[0].Message, ": ")
	}
	return fmt.Sprintf("%d fields are wrong", len(e.fields))
}

func wrong(field, format string, args ...any) error {
	return &invalid{http.StatusUnprocessableEntity, []FieldError{{field, fmt.Sprintf(format, args...)}}}
}

// statuses is the one table from errors to statuses: the first line that matches decides. typ is the problem's type.
// Errors that are not in it are the hub's own fault: 500, and their text goes to the log alone.
var statuses = []struct {
	err    error
	status int
	typ    string
}{
	{errNoRoute, http.StatusNotFound, ""},
	{errMethod, http.StatusMethodNotAllowed, ""},
	{errNothing, http.StatusNotFound, ""},
	{errUnseen, http.StatusNotFound, ""},
	{errUnscanned, http.StatusNotFound, "not-evaluated"},
	{errChanged, http.StatusPreconditionFailed, ""},
	{errPrecondition, http.StatusPreconditionRequired, ""},
	{errMedia, http.StatusUnsupportedMediaType, ""},
	{errFourEyes, http.StatusForbidden, "four-eyes"},
	{ErrReused, http.StatusUnprocessableEntity, "key-reused"},
	{ErrUnderWay, http.StatusConflict, "under-way"},
	{errShownOnce, http.StatusConflict, "shown-once"},
	{errKey, http.StatusBadRequest, ""},
	{errNoLog, http.StatusServiceUnavailable, ""},
	{auth.ErrCode, http.StatusUnauthorized, "totp-required"},
	{auth.ErrSignedOut, http.StatusUnauthorized, "signed-out"},
	{auth.ErrWrong, http.StatusUnauthorized, "wrong-credentials"},
	{auth.ErrToken, http.StatusUnauthorized, ""},
	{auth.ErrMust, http.StatusForbidden, "must-change"},
	{auth.ErrRefused, http.StatusForbidden, ""},
	{auth.ErrInvalid, http.StatusUnprocessableEntity, ""},
	{auth.ErrLast, http.StatusConflict, "last-owner"},
	{auth.ErrBusy, http.StatusServiceUnavailable, ""},
	{auth.ErrNotFound, http.StatusNotFound, ""},
	{auth.ErrExists, http.StatusConflict, "exists"},
	{catalog.ErrNotFound, http.StatusNotFound, ""},
	{catalog.ErrConflict, http.StatusConflict, ""},
	{catalog.ErrCursor, http.StatusBadRequest, ""},
	{job.ErrNone, http.StatusConflict, ""},
	{ErrInvalid, http.StatusUnprocessableEntity, ""},
	{ErrUpstream, http.StatusBadGateway, "upstream"},
	{ErrUnavailable, http.StatusServiceUnavailable, ""},
	{context.DeadlineExceeded, http.StatusServiceUnavailable, ""},
	{context.Canceled, 499, ""}, // nobody reads it: for the access log
}

// problemOf is what an error looks like outside.
func problemOf(err error) (p Problem, retry time.Duration) {
	p = Problem{Type: "about:blank", Status: http.StatusInternalServerError}
	var (
		fields *invalid
		large  *http.MaxBytesError
		many   *tooMany
		paused *auth.Paused
		must   errMust
	)
	switch {
	case errors.As(err, &fields):
		p.Status, p.Detail, p.Errors = fields.status, fields.Error(), fields.fields
	case errors.As(err, &large):
		p.Status, p.Detail = http.StatusRequestEntityTooLarge, fmt.Sprintf("the body has more than %d bytes", large.Limit)
	case errors.As(err, &many):
		p.Status, p.Detail, retry = http.StatusTooManyRequests, many.Error(), many.wait
	case errors.As(err, &paused):
		p.Status, p.Detail, retry = http.StatusTooManyRequests, paused.Error(), paused.For
	case errors.As(err, &must):
		p.Status, p.Detail, p.Type = http.StatusForbidden, must.Error(), "must-change"
	default:
		fromTable(&p, err)
	}
	p.Title = title(p.Status)
	return p, retry
}

func fromTable(p *Problem, err error) {
	for _, line := range statuses {
		if errors.Is(err, line.err) {
			p.Status, p.Detail = line.status, err.Error()
			if line.typ != "" {
				p.Type = line.typ
			}
			return
		}
	}
	p.Detail = "the hub failed: its log says why, under this request's id"
}

func title(status int) string {
	if t := http.StatusText(status); t != "" {
		return t
	}
	return "Request ended"
}

// fail answers with the problem that err is.
func (c *call) fail(err error) {
	p, retry := problemOf(err)
	p.Request = auth.RequestID(c.ctx())
	if p.Status == http.StatusInternalServerError {
		c.s.Log.ErrorContext(c.ctx(), "request failed", slog.String("request", p.Request),
			slog.String("path", c.r.URL.Path), slog.Any("error", err))
	}
	writeProblem(c.w, p, retry)
}

func writeProblem(w http.ResponseWriter, p Problem, retry time.Duration) {
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	h.Del("ETag")
	if retry > 0 {
		h.Set("Retry-After", strconv.Itoa(int((retry+time.Second-1)/time.Second)))
	}
	var b bytes.Buffer
	json.NewEncoder(&b).Encode(p) // a Problem always encodes
	w.WriteHeader(p.Status)
	w.Write(b.Bytes()) // an error means that the client has gone
}
