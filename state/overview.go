package state

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
)

// Overview implements catalog.Contents. Database is that of the newest match; whoever knows the one in use replaces it.
func (db *DB) Overview(ctx context.Context, now time.Time) (o catalog.Overview, err error) {
	if err := db.expire(ctx, now); err != nil {
		return o, err
	}
	err = db.read(ctx, func(t tx) error {
		o = catalog.Overview{Attention: []catalog.Attention{}}
		var failed int
		if failed, err = t.sums(ctx, &o); err != nil {
			return err
		}
		if err := t.newestDatabase(ctx, &o); err != nil {
			return err
		}
		if err := t.row(ctx, `SELECT count(*) FROM finding {{by finding_due}} WHERE state = 'open' AND due <> 0 AND due < ?`, nano(now)).Scan(&o.Overdue); err != nil {
			return err
		}
		if o.Trend, err = t.trend(ctx, "", 30, now); err != nil {
			return err
		}
		o.Attention, err = t.attention(ctx, &o, failed, now)
		return err
	})
	return o, err
}

// sums adds up the repositories.
func (t tx) sums(ctx context.Context, o *catalog.Overview) (scanErrors int, err error) {
	var by [5]int
	c := &o.Counts
	err = t.row(ctx, `SELECT count(*), COALESCE(sum(images), 0), COALESCE(sum(size), 0),
		COALESCE(sum(critical), 0), COALESCE(sum(high), 0), COALESCE(sum(medium), 0), COALESCE(sum(low), 0),
		COALESCE(sum(negligible), 0), COALESCE(sum(unknown), 0), COALESCE(sum(exploited), 0), COALESCE(sum(received), 0),
		COALESCE(sum(quarantined), 0), COALESCE(sum(released), 0), COALESCE(sum(rejected), 0), COALESCE(sum(not_scanned), 0),
		COALESCE(sum(scan_errors), 0) FROM repository`).Scan(&o.Repositories, &o.Images, &o.Size,
		&c.Critical, &c.High, &c.Medium, &c.Low, &c.Negligible, &c.Unknown, &o.Exploited,
		&by[0], &by[1], &by[2], &by[3], &by[4], &scanErrors)
	o.ByStatus = statuses(by)
	return scanErrors, err
}

func (t tx) newestDatabase(ctx context.Context, o *catalog.Overview) error {
	return each(ctx, t, func(s scanner) error {
		var scan string
		if err := s.Scan(&scan); err != nil || scan == "" {
			return err
		}
		var e catalog.Evaluation
		err := json.Unmarshal([]byte(scan), &e)
		o.Database = e.Database
		return err
	}, `SELECT scan FROM manifest WHERE matched <> 0 ORDER BY matched DESC LIMIT 1`)
}

// attention says what somebody should look at, worst first.
func (t tx) attention(ctx context.Context, o *catalog.Overview, scanErrors int, now time.Time) ([]catalog.Attention, error) {
	var jobs, requested, expiring int
	err := t.row(ctx, `SELECT (SELECT count(*) FROM job WHERE state = 'failed'), (SELECT count(*) FROM exception WHERE state = 'requested'),
		(SELECT count(*) FROM exception WHERE state = 'approved' AND expires > ? AND expires < ?)`,
		nano(now), nano(now.AddDate(0, 0, 7))).Scan(&jobs, &requested, &expiring)
	if err != nil {
		return nil, err
	}
	out := []catalog.Attention{}
	for _, a := range []struct {
		one, many string
		catalog.Attention
	}{
		{"1 finding is known to be exploited", "%d findings are known to be exploited", catalog.Attention{Kind: "kev", Count: o.Exploited, Severity: finding.SeverityCritical, Link: "/findings?exploited=true&state=open"}},
		{"1 image is rejected", "%d images are rejected", catalog.Attention{Kind: "rejected", Count: o.ByStatus[catalog.Rejected], Severity: finding.SeverityCritical, Link: "/images?status=rejected"}},
		{"1 finding is overdue", "%d findings are overdue", catalog.Attention{Kind: "overdue", Count: o.Overdue, Severity: finding.SeverityHigh, Link: "/findings?overdue=true&state=open"}},
		{"1 image is held", "%d images are held", catalog.Attention{Kind: "quarantined", Count: o.ByStatus[catalog.Quarantined], Severity: finding.SeverityHigh, Link: "/images?status=quarantined"}},
		{"1 image could not be scanned", "%d images could not be scanned", catalog.Attention{Kind: "scan-failed", Count: scanErrors, Severity: finding.SeverityHigh, Link: "/jobs?kind=scan&state=failed"}},
		{"1 job has failed", "%d jobs have failed", catalog.Attention{Kind: "job-failed", Count: jobs, Severity: finding.SeverityMedium, Link: "/jobs?state=failed"}},
		{"1 exception waits for a decision", "%d exceptions wait for a decision", catalog.Attention{Kind: "exception-requested", Count: requested, Severity: finding.SeverityMedium, Link: "/exceptions?state=requested"}},
		{"1 exception ends within a week", "%d exceptions end within a week", catalog.Attention{Kind: "exception-expiring", Count: expiring, Severity: finding.SeverityLow, Link: "/exceptions?state=approved"}},
	} {
		if a.Title = a.one; a.Count > 1 {
			a.Title = fmt.Sprintf(a.many, a.Count)
		}
		if a.Count > 0 {
			out = append(out, a.Attention)
		}
	}
	return out, nil
}

// Trend implements catalog.Contents.
func (db *DB) Trend(ctx context.Context, repository string, days int) (out []catalog.TrendPoint, err error) {
	err = db.read(ctx, func(t tx) error { out, err = t.trend(ctx, repository, days, db.now()); return err })
	return out, err
}

func (t tx) trend(ctx context.Context, repository string, days int, now time.Time) ([]catalog.TrendPoint, error) {
	var repo int64
	if repository != "" {
		if err := t.row(ctx, `SELECT id FROM repository WHERE name = ?`, repository).Scan(&repo); err != nil {
			return nil, orAbsent(err, catalog.ErrNotFound)
		}
	}
	from := dayOf(now.AddDate(0, 0, -max(0, min(days, 3660)-1)))
	points, err := list(ctx, t, func(s scanner) (p catalog.TrendPoint, err error) {
		c := &p.Counts
		return p, s.Scan(&p.Day, &c.Critical, &c.High, &c.Medium, &c.Low, &c.Negligible, &c.Unknown, &p.New, &p.Fixed, &p.Images)
	}, `SELECT day, critical, high, medium, low, negligible, unknown, opened, fixed, images FROM trend
		WHERE repo_id = ? AND day >= ? ORDER BY day`, repo, from)
	if n := len(points); err == nil && n > 0 && points[n-1].Day == dayOf(now) {
		err = t.today(ctx, repo, &points[n-1])
	}
	return points, err
}

// today replaces what was noted of the day, which is not over, by what is so now. Repository 0 is all of them.
func (t tx) today(ctx context.Context, repo int64, p *catalog.TrendPoint) error {
	ofRepository, ofTrend := `id > ?`, `repo_id > ?`
	if repo != 0 {
		ofRepository, ofTrend = `id = ?`, `repo_id = ?`
	}
	c := &p.Counts
	err := t.row(ctx, `SELECT COALESCE(sum(critical), 0), COALESCE(sum(high), 0), COALESCE(sum(medium), 0), COALESCE(sum(low), 0),
		COALESCE(sum(negligible), 0), COALESCE(sum(unknown), 0), COALESCE(sum(images), 0) FROM repository WHERE `+ofRepository, repo).
		Scan(&c.Critical, &c.High, &c.Medium, &c.Low, &c.Negligible, &c.Unknown, &p.Images)
	if err != nil {
		return err
	}
	return t.row(ctx, `SELECT COALESCE(sum(opened), 0), COALESCE(sum(fixed), 0) FROM trend WHERE `+ofTrend+` AND day = ?`, repo, p.Day).
		Scan(&p.New, &p.Fixed)
}

// NoteTrend implements catalog.Contents.
func (db *DB) NoteTrend(ctx context.Context, now time.Time) error {
	const columns = `critical, high, medium, low, negligible, unknown, images`
	const replace = ` ON CONFLICT (repo_id, day) DO UPDATE SET critical = excluded.critical, high = excluded.high, medium = excluded.medium,
		low = excluded.low, negligible = excluded.negligible, unknown = excluded.unknown, images = excluded.images`
	day := dayOf(now)
	return db.write(ctx, func(t tx) error {
		_, err := t.exec(ctx, `INSERT INTO trend (repo_id, day, `+columns+`) SELECT id, CAST(? AS TEXT), `+columns+`
			FROM repository WHERE images > 0 ORDER BY id`+replace, day)
		if err != nil {
			return err
		}
		_, err = t.exec(ctx, `INSERT INTO trend (repo_id, day, `+columns+`, opened, fixed)
			SELECT 0, CAST(? AS TEXT), COALESCE(sum(critical), 0), COALESCE(sum(high), 0), COALESCE(sum(medium), 0), COALESCE(sum(low), 0),
			COALESCE(sum(negligible), 0), COALESCE(sum(unknown), 0), COALESCE(sum(images), 0), COALESCE(sum(opened), 0), COALESCE(sum(fixed), 0)
			FROM trend WHERE day = ? AND repo_id <> 0`+replace+`, opened = excluded.opened, fixed = excluded.fixed`, day, day)
		return err
	})
}
