package client

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
)

// Error is what the hub answered in place of what was asked for (RFC 9457).
type Error struct {
	Status  int          `json:"status"`
	Type    string       `json:"type"` // "about:blank", or a name of docs/api.md: "totp-required"
	Title   string       `json:"title"`
	Detail  string       `json:"detail"`
	Request string       `json:"request"` // the id in the hub's log
	Fields  []FieldError `json:"errors"`
	// After is how long the hub asks to wait, 0 where it does not.
	After time.Duration `json:"-"`
}

// FieldError says what is wrong with one field.
type FieldError struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// Error tells status, reason and fields in one line.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("the hub answers ")
	fmt.Fprintf(&b, "%d %s", e.Status, e.Title)
	if e.Detail != "" {
		b.WriteString(": " + e.Detail)
	}
	if len(e.Fields) > 1 {
		for _, f := range e.Fields {
			b.WriteString("; " + f.Field + ": " + f.Message)
		}
	}
	switch {
	case e.Status == http.StatusUnauthorized:
		b.WriteString(" (run `seawall login` first)")
	case e.Status >= 500 && e.Request != "":
		b.WriteString(" (request " + e.Request + ")")
	}
	return b.String()
}

// maxProblem bounds a problem, in bytes.
const maxProblem = 64 << 10

// errorOf reads a bad answer. One that is no problem comes from something before the hub.
func errorOf(r *http.Response) *Error {
	defer r.Body.Close()
	e := &Error{}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind == "application/problem+json" {
		if err := json.NewDecoder(io.LimitReader(r.Body, maxProblem)).Decode(e); err != nil {
			*e = Error{}
		}
	}
	e.Status = r.StatusCode
	if e.Title == "" {
		e.Title, e.Detail = http.StatusText(r.StatusCode), "this is no answer of a hub: is the address right?"
	}
	for _, s := range []*string{&e.Type, &e.Title, &e.Detail, &e.Request} {
		*s = printable(*s)
	}
	for i := range e.Fields {
		e.Fields[i].Field, e.Fields[i].Message = printable(e.Fields[i].Field), printable(e.Fields[i].Message)
	}
	if r.StatusCode == http.StatusTooManyRequests || r.StatusCode == http.StatusServiceUnavailable {
		e.After = seconds(r.Header.Get("Retry-After"))
	}
	return e
}

// printable keeps a foreign text from moving the cursor of a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
}
