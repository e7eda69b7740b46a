package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
)

const repositoryColumns = `id, name, created, pushed, pulled, images, tags, size,
	critical, high, medium, low, negligible, unknown, worst,
	received, quarantined, released, rejected, not_scanned`

type repositoryRow struct {
	catalog.Repository
	id, worst int64
}

func scanRepository(s scanner) (r repositoryRow, err error) {
	var created, pushed, pulled int64
	var by [5]int
	c := &r.Counts
	err = s.Scan(&r.id, &r.Name, &created, &pushed, &pulled, &r.Images, &r.Tags, &r.Size,
		&c.Critical, &c.High, &c.Medium, &c.Low, &c.Negligible, &c.Unknown, &r.worst,
		&by[0], &by[1], &by[2], &by[3], &by[4])
	r.Created, r.Pushed, r.Pulled = when(created), when(pushed), when(pulled)
	r.ByStatus = statuses(by)
	return r, err
}

// counted are the statuses that repositories count, with the columns that hold the counts.
var counted = [5]struct {
	status catalog.Status
	column string
}{
	{catalog.Received, "received"}, {catalog.Quarantined, "quarantined"}, {catalog.Released, "released"},
	{catalog.Rejected, "rejected"}, {catalog.NotScanned, "not_scanned"},
}

func statuses(by [5]int) map[catalog.Status]int {
	out := map[catalog.Status]int{}
	for i, n := range by {
		if n != 0 {
			out[counted[i].status] = n
		}
	}
	return out
}

// Repositories implements catalog.Contents.
func (db *DB) Repositories(ctx context.Context, search, sort, at string, n int) (page catalog.Page[catalog.Repository], err error) {
	by, ok := map[string]order{
		"":        {column: "name", id: "id", text: true},
		"name":    {column: "name", id: "id", text: true},
		"pushed":  {column: "pushed", id: "id", down: true},
		"verdict": {column: "worst", id: "id", down: true},
	}[sort]
	if !ok {
		return page, fmt.Errorf("repositories are sorted by name, pushed or verdict, not by %q", sort)
	}
	var f filter
	if search != "" {
		f.add(`name {{like}} ? ESCAPE '\'`, contains(search))
	}
	err = db.read(ctx, func(t tx) error {
		if err := t.row(ctx, `SELECT count(*) FROM repository`+f.sql(), f.args...).Scan(&page.Total); err != nil {
			return err
		}
		if err := by.after(&f, at); err != nil {
			return err
		}
		rows, err := list(ctx, t, scanRepository,
			`SELECT `+repositoryColumns+` FROM repository`+f.sql()+by.sql()+` LIMIT ?`, append(f.args, limit(n)+1)...)
		page.Items, page.Next = cut(rows, limit(n), func(r repositoryRow) (catalog.Repository, cursor) {
			return r.Repository, cursor{Text: textOf(by, r.Name), Num: numOf(sort, r.Pushed.UnixNano(), r.worst), ID: r.id}
		})
		return err
	})
	return page, err
}

func textOf(o order, text string) string {
	if o.text {
		return text
	}
	return ""
}

func numOf(sort string, pushed, worst int64) int64 {
	switch sort {
	case "pushed":
		return pushed
	case "verdict":
		return worst
	}
	return 0
}

// cut drops the row that was read beyond the page and makes the cursor of the last one that stays.
func cut[R, T any](rows []R, n int, item func(R) (T, cursor)) (items []T, next string) {
	items = make([]T, 0, min(n, len(rows)))
	for i := range rows[:min(n, len(rows))] {
		v, c := item(rows[i])
		items = append(items, v)
		if i == n-1 && len(rows) > n {
			next = c.String()
		}
	}
	return items, next
}

// contains is the LIKE pattern of texts that contain part, whose own wildcards mean nothing.
func contains(part string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(part)) + "%"
}

// Repository implements catalog.Contents.
func (db *DB) Repository(ctx context.Context, name string) (r catalog.Repository, err error) {
	err = db.read(ctx, func(t tx) error {
		row, err := scanRepository(t.row(ctx, `SELECT `+repositoryColumns+` FROM repository WHERE name = ?`, name))
		r = row.Repository
		return orAbsent(err, catalog.ErrNotFound)
	})
	return r, err
}

// orAbsent turns the lack of a row into absent.
func orAbsent(err, absent error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return absent
	}
	return err
}

// repository finds a repository that is going to be changed. Every change of a repository's contents begins with it:
// that orders them, so that counts stay right and transactions do not wait for each other in a circle.
func (t tx) repository(ctx context.Context, name string) (id int64, err error) {
	err = t.row(ctx, `SELECT id FROM repository WHERE name = ? {{lock}}`, name).Scan(&id)
	return id, orAbsent(err, catalog.ErrNotFound)
}

// delta is a change of a repository's counts.
type delta struct {
	images, tags int
	size         int64
	status       map[catalog.Status]int
	errors       int
}

// weigh adds sign times what a manifest counts for.
func (d *delta) weigh(kind catalog.Kind, shown catalog.Status, scanError bool, sign int) {
	if kind != catalog.KindImage {
		return
	}
	if d.status == nil {
		d.status = map[catalog.Status]int{}
	}
	d.images += sign
	d.status[shown] += sign
	if scanError {
		d.errors += sign
	}
}

func (t tx) count(ctx context.Context, repo int64, d delta) error {
	_, err := t.exec(ctx, `UPDATE repository SET images = images + ?, tags = tags + ?, size = size + ?, scan_errors = scan_errors + ?,
		received = received + ?, quarantined = quarantined + ?, released = released + ?, rejected = rejected + ?,
		not_scanned = not_scanned + ? WHERE id = ?`,
		d.images, d.tags, d.size, d.errors, d.status[catalog.Received], d.status[catalog.Quarantined],
		d.status[catalog.Released], d.status[catalog.Rejected], d.status[catalog.NotScanned], repo)
	return err
}

// recount brings the findings' counts of a repository up to date. They are few enough to be counted again.
func (t tx) recount(ctx context.Context, repo int64) error {
	var c finding.Counts
	exploited := 0
	err := each(ctx, t, func(s scanner) error {
		var severity, n int
		var kev bool
		if err := s.Scan(&severity, &kev, &n); err != nil {
			return err
		}
		for range n {
			c.Add(finding.Severity(severity))
		}
		if kev {
			exploited += n
		}
		return nil
	}, `SELECT severity, exploited, count(*) FROM finding WHERE repo_id = ? AND state = 'open' AND source = ?
		GROUP BY severity, exploited`, repo, ours)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `UPDATE repository SET critical = ?, high = ?, medium = ?, low = ?, negligible = ?, unknown = ?,
		exploited = ?, worst = ? WHERE id = ?`,
		c.Critical, c.High, c.Medium, c.Low, c.Negligible, c.Unknown, exploited, worstOf(0, c), repo)
	return err
}

// worstOf orders by first (0 to 9), then by the numbers of critical, high and medium findings.
func worstOf(first int64, c finding.Counts) int64 {
	const most = 99_999
	return ((first*(most+1)+int64(min(c.Critical, most)))*(most+1)+int64(min(c.High, most)))*1000 + int64(min(c.Medium, 999))
}
