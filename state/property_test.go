package state

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
)

// TestCountsStayRight does random things to repositories, and counts everything again by another way.
func TestCountsStayRight(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		for seed := range uint64(3) {
			w := walk{fixture: f, r: rand.New(rand.NewPCG(seed, 7)), repo: fmt.Sprintf("team/app%d", seed)}
			for n := range 120 {
				w.step()
				f.advance(time.Hour)
				if n%10 == 9 {
					w.check()
				}
			}
		}
	})
}

type walk struct {
	*fixture
	r    *rand.Rand
	repo string
}

func (w *walk) pick() string { return digest(1 + w.r.IntN(6)) }

// step does one thing, which may well be refused.
func (w *walk) step() {
	ctx := w.t.Context()
	d := w.pick()
	switch w.r.IntN(10) {
	case 0, 1:
		w.push(w.image(w.repo, 1+w.r.IntN(4)))
	case 2:
		w.push(catalog.Manifest{Repository: w.repo, Digest: digest(5 + w.r.IntN(2)), Kind: catalog.KindIndex, Size: 10,
			Children: []string{digest(1 + w.r.IntN(2)), digest(3), digest(5)}, Pushed: w.time()})
	case 3, 4:
		w.refusable(w.PutTag(ctx, catalog.Tag{Repository: w.repo, Name: fmt.Sprint("tag", w.r.IntN(4)), Digest: d, Updated: w.time()}))
	case 5:
		w.refusable(w.DeleteTag(ctx, w.repo, fmt.Sprint("tag", w.r.IntN(4))))
	case 6:
		w.refusable([]func() error{
			func() error { return w.DeleteManifest(ctx, w.repo, d, w.time()) },
			func() error { return w.RestoreManifest(ctx, w.repo, d) },
			func() error { return w.PurgeManifest(ctx, w.repo, d) },
		}[w.r.IntN(3)]())
	case 7:
		w.refusable(w.PutScanError(ctx, w.repo, d, "broken", catalog.Quarantined, nil))
	case 8:
		o := &catalog.Override{Status: catalog.Rejected, By: "bob", At: w.time(), Expires: w.time().Add(time.Duration(w.r.IntN(6)) * time.Hour)}
		if w.r.IntN(3) == 0 {
			o = nil
		}
		w.refusable(w.PutOverride(ctx, w.repo, d, o, w.by("bob", "image.release", d)))
	default:
		if m, err := w.Manifest(ctx, w.repo, d); err == nil && m.Kind == catalog.KindImage {
			w.decide(m, w.found()...)
		}
	}
}

func (w *walk) found() (out []finding.Finding) {
	for i := range 6 {
		if w.r.IntN(2) == 0 {
			out = append(out, vulnerability(fmt.Sprint("CVE-", i), "openssl", finding.Severity(1+i%5)))
		}
	}
	return out
}

func (w *walk) refusable(err error) {
	w.t.Helper()
	if err != nil && err != catalog.ErrNotFound && err != catalog.ErrConflict {
		w.t.Fatal(err)
	}
}

// check compares what is kept with what follows from the rows.
func (w *walk) check() {
	w.t.Helper()
	if _, err := w.Expire(w.t.Context(), w.time()); err != nil {
		w.t.Fatal(err)
	}
	w.ok(w.read(w.t.Context(), func(t tx) error {
		for _, c := range []struct{ what, kept, counted string }{
			{"images", `images`, `SELECT count(*) FROM manifest m WHERE m.repo_id = r.id AND m.deleted = 0 AND m.kind = 'image'`},
			{"tags", `tags`, `SELECT count(*) FROM tag g WHERE g.repo_id = r.id`},
			{"size", `size`, `SELECT COALESCE((SELECT sum(s) FROM (SELECT max(b.size) AS s FROM manifest_blob b WHERE b.repo_id = r.id GROUP BY b.digest) AS x), 0)
				+ COALESCE((SELECT sum(CASE WHEN m.kind = 'image' THEN 100 ELSE m.size END) FROM manifest m WHERE m.repo_id = r.id), 0)`},
			{"rejected", `rejected`, `SELECT count(*) FROM manifest m WHERE m.repo_id = r.id AND m.deleted = 0 AND m.kind = 'image' AND m.shown = 'rejected'`},
			{"released", `released`, `SELECT count(*) FROM manifest m WHERE m.repo_id = r.id AND m.deleted = 0 AND m.kind = 'image' AND m.shown = 'released'`},
			{"errors", `scan_errors`, `SELECT count(*) FROM manifest m WHERE m.repo_id = r.id AND m.deleted = 0 AND m.kind = 'image' AND m.scan_error`},
			{"critical", `critical`, `SELECT count(*) FROM finding f WHERE f.repo_id = r.id AND f.state = 'open' AND f.severity = 5`},
			{"findings", `critical + high + medium + low + negligible + unknown`, `SELECT count(*) FROM finding f WHERE f.repo_id = r.id AND f.images > 0 AND f.state = 'open'`},
		} {
			rows, err := list(w.t.Context(), t, func(s scanner) (v [2]int, err error) { return v, s.Scan(&v[0], &v[1]) },
				`SELECT `+c.kept+`, (`+c.counted+`) FROM repository r WHERE name = ?`, w.repo)
			if err != nil {
				return err
			}
			for _, v := range rows {
				if v[0] != v[1] {
					w.t.Fatalf("%s: kept %d, counted %d", c.what, v[0], v[1])
				}
			}
		}
		for what, wrong := range map[string]string{
			"tags of manifests": `SELECT m.digest FROM manifest m WHERE m.tags <> (SELECT count(*) FROM tag g WHERE g.manifest_id = m.id)`,
			"images of findings": `SELECT f.vid FROM finding f WHERE f.images <> (SELECT count(*) FROM occurrence o JOIN manifest m ON m.id = o.manifest_id
				WHERE o.finding_id = f.id AND m.current)`,
			"fixed where no image has it": `SELECT f.vid FROM finding f WHERE (f.images = 0) <> (f.state = 'fixed')`,
			"the moment of fixing":        `SELECT f.vid FROM finding f WHERE (f.fixed_at <> 0) <> (f.state = 'fixed')`,
			"deleted and current":         `SELECT m.digest FROM manifest m WHERE m.current AND m.deleted <> 0`,
			"tagged and not current":      `SELECT m.digest FROM manifest m WHERE NOT m.current AND m.tags > 0`,
			"listed by a current index": `SELECT m.digest FROM manifest m WHERE NOT m.current AND m.deleted = 0 AND EXISTS (SELECT 1 FROM manifest_child c
				JOIN manifest p ON p.id = c.manifest_id WHERE c.repo_id = m.repo_id AND c.digest = m.digest AND p.current)`,
			"named, not tagged, not listed, and current": `SELECT m.digest FROM manifest m WHERE m.current AND m.named AND m.tags = 0 AND NOT EXISTS
				(SELECT 1 FROM manifest_child c JOIN manifest p ON p.id = c.manifest_id WHERE c.repo_id = m.repo_id AND c.digest = m.digest AND p.current)`,
		} {
			rows, err := list(w.t.Context(), t, scanText, wrong)
			if err != nil {
				return err
			}
			if d := cmp.Diff([]string{}, rows); d != "" {
				w.t.Fatalf("%s: %s", what, d)
			}
		}
		return nil
	}))
}
