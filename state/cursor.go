package state

import (
	"context"
	"encoding/base64"
	"encoding/json"

	"github.com/seawall/seawall/catalog"
)

// cursor is where a page ended: the value that it is sorted by, and the row's id. Callers see it as opaque text.
type cursor struct {
	Num  int64  `json:"n,omitempty"`
	Text string `json:"t,omitempty"`
	ID   int64  `json:"i"`
}

func (c cursor) String() string {
	b, _ := json.Marshal(c) // numbers and text always marshal
	return base64.RawURLEncoding.EncodeToString(b)
}

func parseCursor(s string) (c cursor, err error) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) > 4096 || json.Unmarshal(b, &c) != nil {
		return cursor{}, catalog.ErrCursor
	}
	return c, nil
}

// filter gathers conditions and their parameters.
type filter struct {
	where []string
	args  []any
}

func (f *filter) add(condition string, args ...any) {
	f.where = append(f.where, condition)
	f.args = append(f.args, args...)
}

// sql is the WHERE clause, "" for none.
func (f *filter) sql() string {
	out := ""
	for i, w := range f.where {
		if i == 0 {
			out = " WHERE " + w
		} else {
			out += " AND " + w
		}
	}
	return out
}

// order is how a listing is sorted: by a column, then by id, both in one direction.
type order struct {
	column string
	id     string
	text   bool // the column holds text
	down   bool
}

// after adds the condition that rows come after the cursor.
func (o order) after(f *filter, at string) error {
	if at == "" {
		return nil
	}
	c, err := parseCursor(at)
	if err != nil {
		return err
	}
	var v any = c.Num
	if o.text {
		v = c.Text
	}
	sign := ">"
	if o.down {
		sign = "<"
	}
	f.add("("+o.column+", "+o.id+") "+sign+" (?, ?)", v, c.ID)
	return nil
}

func (o order) sql() string {
	dir := ""
	if o.down {
		dir = " DESC"
	}
	return " ORDER BY " + o.column + dir + ", " + o.id + dir
}

// maxCounted bounds how far totals are counted; beyond, a listing says -1.
const maxCounted = 2000

// whole is the number of rows where the first page has them all, else -1.
func whole(at, next string, rows int) int {
	if at == "" && next == "" {
		return rows
	}
	return -1
}

// total is how many rows a listing has: known where it fits one page, counted where that is cheap.
func (t tx) total(ctx context.Context, tables string, f filter, known int, cheap bool) (n int, err error) {
	if known >= 0 || !cheap {
		return known, nil
	}
	err = t.row(ctx, `SELECT count(*) FROM (SELECT 1`+tables+f.sql()+` LIMIT ?) AS found`,
		append(f.args[:len(f.args):len(f.args)], maxCounted+1)...).Scan(&n)
	if n > maxCounted {
		n = -1
	}
	return n, err
}

// addIDs adds a condition on one of several ids. One alone is compared plainly: then an index also gives the order.
func addIDs(f *filter, column string, ids []string) {
	if len(ids) == 1 {
		f.add(column+" = ?", ids[0])
		return
	}
	f.add(column+" = ANY(?)", ids)
}
