package api

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seawall/seawall/finding"
)

// query reads the request's parameters. Those that nothing read are refused: a misspelt filter must not select
// everything.
type query struct {
	values url.Values
	known  []string
	bad    []FieldError
}

// maxParameter bounds one parameter, in bytes.
const maxParameter = 1024

func (c *call) query() *query {
	values, err := url.ParseQuery(c.r.URL.RawQuery)
	q := &query{values: values, known: []string{"format"}}
	if err != nil {
		q.wrong("", "the query cannot be read: "+err.Error())
	}
	return q
}

func (q *query) wrong(name, message string) { q.bad = append(q.bad, FieldError{name, message}) }

// text returns a parameter, "" where it is absent.
func (q *query) text(name string) string {
	q.known = append(q.known, name)
	v := q.values[name]
	switch {
	case len(v) > 1:
		q.wrong(name, "is there twice")
	case len(v) == 1 && len(v[0]) > maxParameter:
		q.wrong(name, "is too long")
	case len(v) == 1 && strings.ContainsRune(v[0], 0):
		q.wrong(name, "has a zero byte")
	case len(v) == 1:
		return v[0]
	}
	return ""
}

// oneOf returns a parameter that is one of a set, "" where it is absent.
func oneOf[T ~string](q *query, name string, of ...T) T {
	v := T(q.text(name))
	if v != "" && !slices.Contains(of, v) {
		q.wrong(name, "must be one of "+join(of))
		return ""
	}
	return v
}

func join[T ~string](of []T) string {
	s := make([]string, len(of))
	for i, v := range of {
		s[i] = string(v)
	}
	return strings.Join(s, ", ")
}

// flag returns a parameter that is true or false, nil where it is absent.
func (q *query) flag(name string) *bool {
	text := q.text(name)
	if text == "" {
		return nil
	}
	v, err := strconv.ParseBool(text)
	if err != nil {
		q.wrong(name, "must be true or false")
		return nil
	}
	return &v
}

func (q *query) is(name string) bool {
	v := q.flag(name)
	return v != nil && *v
}

// number returns a parameter between min and max, or what holds where it is absent.
func (q *query) number(name string, absent, min, max int64) int64 {
	text := q.text(name)
	if text == "" {
		return absent
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < min || n > max {
		q.wrong(name, "must be a number from "+strconv.FormatInt(min, 10)+" to "+strconv.FormatInt(max, 10))
		return absent
	}
	return n
}

// time returns a moment (RFC 3339, or a day), zero where it is absent.
func (q *query) time(name string) time.Time {
	text := q.text(name)
	if text == "" {
		return time.Time{}
	}
	t, err := parseTime(text)
	if err != nil {
		q.wrong(name, "must be a time: 2026-01-31T12:00:00Z, or a day: 2026-01-31")
	}
	return t
}

// parseTime reads RFC 3339, or a day as its beginning in UTC.
func parseTime(text string) (time.Time, error) {
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return t, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	return t.UTC(), err
}

// err says what was wrong with the parameters that were read, and which nobody knows.
func (q *query) err() error {
	for name := range q.values {
		if !slices.Contains(q.known, name) {
			q.wrong(name, "there is no such parameter")
		}
	}
	if len(q.bad) == 0 {
		return nil
	}
	slices.SortFunc(q.bad, func(a, b FieldError) int { return strings.Compare(a.Field, b.Field) })
	return &invalid{http.StatusBadRequest, q.bad}
}

// severity returns the parameter severity, unknown (the lowest) where it is absent.
func (q *query) severity() finding.Severity {
	s, err := finding.ParseSeverity(q.text("severity"))
	if err != nil {
		q.wrong("severity", err.Error())
	}
	return s
}
