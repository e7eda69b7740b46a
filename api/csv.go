package api

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"time"
)

// column is one column of an export.
type column[T any] struct {
	name string
	of   func(*T) any
}

// table turns a listing into CSV.
type table[T any] struct {
	name    string // of the file
	columns []column[T]
}

// wantsCSV reports whether rows are asked for: ?format=csv, or Accept with nothing else before it.
func (c *call) wantsCSV() bool {
	switch c.r.URL.Query().Get("format") {
	case "csv":
		return true
	case "json":
		return false
	}
	first, _, _ := strings.Cut(c.r.Header.Get("Accept"), ",")
	kind, _, _ := strings.Cut(first, ";")
	return strings.TrimSpace(kind) == "text/csv"
}

// listing answers one page as JSON, or all pages as CSV. fetch gives one page.
func listing[T any](c *call, t table[T], at span, fetch func(span) (List[T], error)) (reply, error) {
	if !c.wantsCSV() {
		l, err := fetch(at)
		if err != nil {
			return nil, err
		}
		return ok(l), nil
	}
	at.limit = maxLimit
	first, err := fetch(at)
	if err != nil {
		return nil, err
	}
	return stream{"text/csv; charset=utf-8; header=present", t.name + ".csv", func(w io.Writer) error {
		return t.writeAll(w, c.s.Limits.Rows, first, fetch)
	}}, nil
}

func (t table[T]) writeAll(w io.Writer, max int, page List[T], fetch func(span) (List[T], error)) error {
	out := csv.NewWriter(w)
	if err := out.Write(t.header()); err != nil {
		return err
	}
	for rows := 0; ; {
		for i := range page.Items {
			if rows++; rows > max {
				return errTooLong
			}
			if err := out.Write(t.row(&page.Items[i])); err != nil {
				return err
			}
		}
		if out.Flush(); out.Error() != nil || page.Next == "" {
			return out.Error()
		}
		var err error
		if page, err = fetch(span{page.Next, maxLimit}); err != nil {
			return err
		}
	}
}

func (t table[T]) header() []string {
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = c.name
	}
	return names
}

func (t table[T]) row(v *T) []string {
	cells := make([]string, len(t.columns))
	for i, c := range t.columns {
		cells[i] = cell(c.of(v))
	}
	return cells
}

// cell writes one value. Texts come from images and people: one that a spreadsheet would run as a formula gets a quote
// before it (OWASP, CSV injection). Numbers and times are ours and stay as they are.
func cell(v any) string {
	switch v := v.(type) {
	case time.Time:
		if v.IsZero() {
			return ""
		}
		return v.UTC().Format(time.RFC3339)
	case []string:
		return guard(strings.Join(v, " "))
	case int, int64, bool, float64:
		return fmt.Sprint(v)
	}
	return guard(fmt.Sprint(v))
}

func guard(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r\n", rune(s[0])) || strings.HasPrefix(s, "\uff1d") || strings.HasPrefix(s, "\uff0b") ||
		strings.HasPrefix(s, "\uff0d") || strings.HasPrefix(s, "\uff20") {
		return "'" + s
	}
	return s
}
