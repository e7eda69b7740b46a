package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/seawall/seawall/catalog"
)

// manifestColumns are of manifest m and its repository r.
const manifestColumns = `m.id, m.repo_id, r.name, m.digest, m.kind, m.media_type, m.artifact_type, m.subject, m.size, m.platform,
	m.config, m.parts, m.created, m.pushed, m.pushed_by, m.pushed_from, m.origin, m.pulled, m.pulls, m.deleted, m.status,
	m.shown, m.override, m.reasons, m.scan, m.scan_error, m.worst, m.tags, m.named, m.current, m.matched, m.fingerprint`

const manifestTables = ` FROM manifest m JOIN repository r ON r.id = m.repo_id`

type manifestRow struct {
	catalog.Manifest
	id, repo, worst, matched  int64
	shown                     catalog.Status
	scanError, named, current bool
	tags                      int
	fingerprint               []byte
}

// parts are the lists of a manifest that are only ever read whole.
type parts struct {
	Blobs    []string `json:"blobs,omitempty"`
	Sizes    []int64  `json:"sizes,omitempty"`
	Children []string `json:"children,omitempty"`
}

func scanManifest(s scanner) (m manifestRow, err error) {
	var p, override, reasons, scan string
	var created, pushed, pulled, deleted int64
	err = s.Scan(&m.id, &m.repo, &m.Repository, &m.Digest, &m.Kind, &m.MediaType, &m.ArtifactType, &m.Subject, &m.Size,
		&m.Platform, &m.Config, &p, &created, &pushed, &m.PushedBy, &m.PushedFrom, &m.Origin, &pulled, &m.Pulls, &deleted,
		&m.Status, &m.shown, &override, &reasons, &scan, &m.scanError, &m.worst, &m.tags, &m.named, &m.current, &m.matched,
		&m.fingerprint)
	if err != nil {
		return m, err
	}
	m.Created, m.Pushed, m.Pulled, m.Deleted = when(created), when(pushed), when(pulled), when(deleted)
	var lists parts
	err = errors.Join(unJSON(p, &lists), unJSON(override, &m.Override), unJSON(reasons, &m.Reasons), unJSON(scan, &m.Scan))
	m.Blobs, m.BlobSizes, m.Children = lists.Blobs, lists.Sizes, lists.Children
	return m, err
}

// asJSON is "" for nothing.
func asJSON(v any) (string, error) {
	b, err := json.Marshal(v)
	if s := string(b); s != "null" && s != "{}" && s != "[]" {
		return s, err
	}
	return "", err
}

func unJSON(s string, into any) error {
	if s == "" {
		return nil
	}
	return json.Unmarshal([]byte(s), into)
}

// manifest finds a manifest, whose repository is locked.
func (t tx) manifest(ctx context.Context, repo int64, digest string) (manifestRow, error) {
	m, err := scanManifest(t.row(ctx, `SELECT `+manifestColumns+manifestTables+` WHERE m.repo_id = ? AND m.digest = ?`, repo, digest))
	return m, orAbsent(err, catalog.ErrNotFound)
}

// locked finds a manifest that is going to be changed, and locks its repository.
func (t tx) locked(ctx context.Context, repository, digest string) (manifestRow, error) {
	repo, err := t.repository(ctx, repository)
	if err != nil {
		return manifestRow{}, err
	}
	return t.manifest(ctx, repo, digest)
}

// Manifest implements catalog.Contents.
func (db *DB) Manifest(ctx context.Context, repository, digest string) (m catalog.Manifest, err error) {
	err = db.read(ctx, func(t tx) error {
		rows, err := t.manifests(ctx, ` WHERE r.name = ? AND m.digest = ?`, repository, digest)
		if err == nil && len(rows) == 0 {
			err = catalog.ErrNotFound
		}
		if err == nil {
			m = rows[0].Manifest
		}
		return err
	})
	return m, err
}

// manifests reads manifests with their tags.
func (t tx) manifests(ctx context.Context, rest string, args ...any) ([]manifestRow, error) {
	rows, err := list(ctx, t, scanManifest, `SELECT `+manifestColumns+manifestTables+rest, args...)
	if err != nil {
		return nil, err
	}
	at := map[int64]int{}
	var ids []int64
	for i := range rows {
		if rows[i].tags > 0 {
			at[rows[i].id] = i
			ids = append(ids, rows[i].id)
		}
	}
	if len(ids) == 0 {
		return rows, nil
	}
	err = each(ctx, t, func(s scanner) error {
		var id int64
		var name string
		if err := s.Scan(&id, &name); err != nil {
			return err
		}
		m := &rows[at[id]]
		m.Tags = append(m.Tags, name)
		return nil
	}, `SELECT manifest_id, name FROM tag WHERE manifest_id = ANY(?) ORDER BY name`, ids)
	return rows, err
}

func plainManifests(rows []manifestRow) []catalog.Manifest {
	out := make([]catalog.Manifest, len(rows))
	for i := range rows {
		out[i] = rows[i].Manifest
	}
	return out
}

// Locate implements catalog.Contents.
func (db *DB) Locate(ctx context.Context, digest string) (out []catalog.Manifest, err error) {
	err = db.read(ctx, func(t tx) error {
		rows, err := t.manifests(ctx, ` WHERE m.deleted = 0 AND m.id IN (
			SELECT id FROM manifest WHERE digest = ? UNION SELECT id FROM manifest WHERE config = ? AND config <> '')
			ORDER BY r.name, m.id`, digest, digest)
		out = plainManifests(rows)
		return err
	})
	return out, err
}

// Holding implements catalog.Contents.
func (db *DB) Holding(ctx context.Context, repository, blob string) (out []catalog.Manifest, err error) {
	err = db.read(ctx, func(t tx) error {
		rows, err := t.manifests(ctx, ` WHERE m.id IN (SELECT b.manifest_id FROM manifest_blob b JOIN repository h ON h.id = b.repo_id
			WHERE h.name = ? AND b.digest = ?) ORDER BY m.id`, repository, blob)
		out = plainManifests(rows)
		return err
	})
	return out, err
}

// Manifests implements catalog.Contents.
func (db *DB) Manifests(ctx context.Context, q catalog.Images) (page catalog.Page[catalog.Manifest], err error) {
	by, ok := map[string]order{
		"":        {column: "m.pushed", id: "m.id", down: true},
		"pushed":  {column: "m.pushed", id: "m.id", down: true},
		"name":    {column: "r.name", id: "m.id", text: true},
		"verdict": {column: "m.worst", id: "m.id", down: true},
		"size":    {column: "m.size", id: "m.id", down: true},
	}[q.Sort]
	if !ok {
		return page, fmt.Errorf("images are sorted by pushed, name, verdict or size, not by %q", q.Sort)
	}
	if err := db.expire(ctx, db.now()); err != nil {
		return page, err
	}
	err = db.read(ctx, func(t tx) error {
		f, err := t.imagesFilter(ctx, q)
		if err != nil {
			return err
		}
		all := f
		if err := by.after(&f, q.Cursor); err != nil {
			return err
		}
		n := limit(q.Limit)
		rows, err := t.manifests(ctx, f.sql()+by.sql()+` LIMIT ?`, append(f.args, n+1)...)
		page.Items, page.Next = cut(rows, n, func(m manifestRow) (catalog.Manifest, cursor) {
			return m.Manifest, imageCursor(q.Sort, &m)
		})
		if err != nil {
			return err
		}
		page.Total, err = t.total(ctx, manifestTables, all, whole(q.Cursor, page.Next, len(rows)), q.Search == "" && q.Finding == "")
		return err
	})
	return page, err
}

func imageCursor(sort string, m *manifestRow) cursor {
	switch sort {
	case "name":
		return cursor{Text: m.Repository, ID: m.id}
	case "verdict":
		return cursor{Num: m.worst, ID: m.id}
	case "size":
		return cursor{Num: m.Size, ID: m.id}
	}
	return cursor{Num: nano(m.Pushed), ID: m.id}
}

func (t tx) imagesFilter(ctx context.Context, q catalog.Images) (f filter, err error) {
	if q.Deleted {
		f.add(`m.deleted <> 0`)
	} else {
		f.add(`m.deleted = 0`)
	}
	for _, eq := range []struct{ column, value string }{
		{"m.digest", q.Digest}, {"m.kind", string(q.Kind)}, {"m.shown", string(q.Status)}, {"m.decision", string(q.Decision)},
	} {
		if eq.value != "" {
			f.add(eq.column+" = ?", eq.value)
		}
	}
	if q.Repository != "" {
		f.add(`m.repo_id IN (SELECT id FROM repository WHERE name = ?)`, q.Repository)
	}
	if q.Untagged != nil && *q.Untagged {
		f.add(`m.tags = 0`)
	} else if q.Untagged != nil {
		f.add(`m.tags > 0`)
	}
	if q.Search != "" {
		addSearch(&f, q.Search)
	}
	if q.Finding != "" {
		ids, err := t.idsOf(ctx, q.Finding)
		if err != nil {
			return f, err
		}
		if err := t.addAffected(ctx, &f, ids); err != nil {
			return f, err
		}
	}
	return f, nil
}

// dense is the number of hits from which it is cheaper to go through the images in their order until a page is full
// than to gather all hits and sort them.
const dense = 20_000

// many reports whether a query has more rows than that.
func (t tx) many(ctx context.Context, query string, args ...any) (bool, error) {
	var n int
	err := t.row(ctx, `SELECT count(*) FROM (`+query+` LIMIT ?) AS hits`, append(args[:len(args):len(args)], dense+1)...).Scan(&n)
	return n > dense, err
}

// addAffected selects the images that carry findings of these ids.
func (t tx) addAffected(ctx context.Context, f *filter, ids []string) error {
	var v filter
	addIDs(&v, "v.vid", ids)
	hits := `SELECT o.manifest_id FROM finding v JOIN occurrence o ON o.finding_id = v.id` + v.sql()
	all, err := t.many(ctx, hits, v.args...)
	if all {
		f.add(`EXISTS (SELECT 1 FROM finding v JOIN occurrence o ON o.finding_id = v.id AND o.manifest_id = m.id`+v.sql()+` AND v.repo_id = m.repo_id)`, v.args...)
	} else {
		f.add(`m.id IN (`+hits+`)`, v.args...)
	}
	return err
}

// addSearch selects images by a part of their repository's name, of a tag or of their digest.
func addSearch(f *filter, text string) {
	const tags = `SELECT manifest_id FROM tag WHERE name {{like}} ? ESCAPE '\'`
	like := contains(text)
	where := `m.repo_id IN (SELECT id FROM repository WHERE name {{like}} ? ESCAPE '\') OR m.id IN (` + tags + `)`
	args := []any{like, like}
	if digest := digestArgs(text); digest != nil {
		where += ` OR m.id IN (SELECT id FROM manifest WHERE {{instr}}(digest, ?) > 0)` // reads nothing but an index
		args = append(args, digest...)
	}
	f.add("("+where+")", args...)
}

// digestArgs adds digests to what is searched, where the text can be part of one.
func digestArgs(search string) []any {
	plain := strings.ToLower(search)
	if len(plain) < 4 || strings.Trim(plain, "sha256512:0123456789abcdef") != "" {
		return nil
	}
	return []any{plain}
}
