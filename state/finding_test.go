package state

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
)

const app = "team/app"

func day(n int) time.Time { return start.AddDate(0, 0, n) }

// one reads the tracked finding of v.
func (f *fixture) one(v finding.Finding) catalog.Tracked {
	f.t.Helper()
	return must(f.Finding(f.t.Context(), v.Key(app)))(f.t)
}

func TestRebuildKeepsTheDate(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		v := vulnerability("CVE-1", "openssl", finding.SeverityHigh)
		f.push(f.image(app, 1), "latest")
		f.decide(f.image(app, 1), v)
		f.advance(20 * 24 * time.Hour)
		f.push(f.image(app, 2), "latest") // the first image is not current any more
		if got := f.one(v); got.State != catalog.Fixed || !got.FixedAt.Equal(day(20)) {
			t.Errorf("while no current image was evaluated: %s at %s", got.State, got.FixedAt)
		}
		rebuilt := v
		rebuilt.Package.Version = "1.0.1"
		f.decide(f.image(app, 2), rebuilt)
		got := f.one(v)
		want := catalog.Tracked{Key: v.Key(app), Repository: app, Type: "vulnerability", ID: "CVE-1", Title: v.Title, Package: "openssl", Version: "1.0.1",
			FixedIn: "1.1", Severity: finding.SeverityHigh, State: catalog.Open, FirstSeen: start, LastSeen: day(20), Due: day(30), Owner: "team",
			Digests: []string{digest(2)}, Source: "seawall"}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	})
}

func TestFixedAndBack(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		v := vulnerability("CVE-1", "openssl", finding.SeverityHigh)
		m := f.image(app, 1)
		f.push(m, "latest")
		f.decide(m, v)
		f.advance(24 * time.Hour)
		f.decide(m)
		if got := f.one(v); got.State != catalog.Fixed || !got.FixedAt.Equal(day(1)) || len(got.Digests) != 0 {
			t.Errorf("fixed: %+v", got)
		}
		if c := must(f.Repository(t.Context(), app))(t).Counts; c.Total() != 0 {
			t.Errorf("a fixed finding counts: %+v", c)
		}
		f.advance(24 * time.Hour)
		f.decide(m, v)
		if got := f.one(v); got.State != catalog.Open || !got.FirstSeen.Equal(start) || !got.FixedAt.IsZero() || !got.Due.Equal(day(30)) {
			t.Errorf("back: %+v", got)
		}
		f.ok(f.NoteTrend(t.Context(), f.time()))
		trend := must(f.Trend(t.Context(), "", 30))(t)
		want := []catalog.TrendPoint{{Day: "2026-03-03", Counts: finding.Counts{High: 1}, New: 1, Images: 1}}
		if d := cmp.Diff(want, trend); d != "" {
			t.Error(d)
		}
	})
}

func TestSharedFindingCountsOnce(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		v := vulnerability("CVE-1", "openssl", finding.SeverityCritical)
		for n, tag := range []string{"a", "b", "c"} {
			f.push(f.image(app, n+1), tag)
			f.decide(f.image(app, n+1), v)
		}
		if c := must(f.Repository(t.Context(), app))(t).Counts; c.Critical != 1 {
			t.Errorf("counts %+v", c)
		}
		f.ok(f.DeleteTag(t.Context(), app, "a"))
		f.ok(f.DeleteManifest(t.Context(), app, digest(2), f.time()))
		if got := f.one(v); got.State != catalog.Open || !cmp.Equal(got.Digests, []string{digest(3)}) {
			t.Errorf("one image left: %+v", got)
		}
		f.ok(f.DeleteTag(t.Context(), app, "c"))
		if got := f.one(v); got.State != catalog.Fixed {
			t.Errorf("no image left: %s", got.State)
		}
		f.ok(f.RestoreManifest(t.Context(), app, digest(2)))
		if got := f.one(v); got.State != catalog.Open {
			t.Errorf("restored: %s", got.State)
		}
		page := must(f.Manifests(t.Context(), catalog.Images{Finding: "osv-cve-1", Sort: "name"}))(t)
		if len(page.Items) != 3 || page.Total != 3 {
			t.Errorf("%d images by the record's id, total %d", len(page.Items), page.Total)
		}
	})
}

// TestIndexKeepsItsImagesCurrent: children of a tagged index are current, those of one that lost its tag are not.
func TestIndexKeepsItsImagesCurrent(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		v := vulnerability("CVE-1", "openssl", finding.SeverityCritical)
		f.push(f.image(app, 1))
		f.decide(f.image(app, 1), v)
		index := catalog.Manifest{Repository: app, Digest: digest(8), Kind: catalog.KindIndex, Children: []string{digest(1)}, Pushed: f.time()}
		f.push(index, "latest")
		if got := f.one(v).State; got != catalog.Open {
			t.Errorf("listed by a tagged index: %s", got)
		}
		index.Digest, index.Children = digest(9), nil
		f.push(index, "latest")
		if got := f.one(v).State; got != catalog.Fixed {
			t.Errorf("listed by an index without a tag: %s", got)
		}
	})
}

// TestNewCanonicalID: a group gets a CVE. What is known of it stays, also where two were taken for two.
func TestNewCanonicalID(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		ghsa := vulnerability("GHSA-1", "lodash", finding.SeverityHigh)
		other := vulnerability("PYSEC-1", "lodash", finding.SeverityHigh)
		f.push(f.image(app, 1), "a")
		f.push(f.image(app, 2), "b")
		f.decide(f.image(app, 1), ghsa)
		f.advance(24 * time.Hour)
		f.decide(f.image(app, 2), other)
		due := day(3)
		f.ok(f.PutFinding(t.Context(), other.Key(app), "carol", due, f.by("bob", "finding.update", other.ID)))
		cve := vulnerability("CVE-9", "lodash", finding.SeverityHigh, "GHSA-1", "PYSEC-1")
		f.advance(24 * time.Hour)
		f.decide(f.image(app, 2), cve)
		got := f.one(cve)
		if !got.FirstSeen.Equal(start) || got.Owner != "carol" || !got.Due.Equal(due) || !cmp.Equal(got.Digests, []string{digest(1), digest(2)}) {
			t.Errorf("carried over: %+v", got)
		}
		_, err := f.Finding(t.Context(), ghsa.Key(app))
		f.want(err, catalog.ErrNotFound)
		for _, id := range []string{"CVE-9", "ghsa-1", "PYSEC-1"} {
			if n := len(must(f.Findings(t.Context(), catalog.Findings{ID: id}, f.time()))(t).Items); n != 1 {
				t.Errorf("%d findings by %s", n, id)
			}
		}
		if c := must(f.Repository(t.Context(), app))(t).Counts; c.High != 1 {
			t.Errorf("counts %+v", c)
		}
	})
}

func TestSeverityRises(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		v := vulnerability("CVE-1", "openssl", finding.SeverityMedium)
		m := f.image(app, 1)
		f.push(m, "latest")
		f.decide(m, v)
		f.advance(50 * 24 * time.Hour)
		v.Severity = finding.SeverityCritical
		f.decide(m, v)
		if got := f.one(v); !got.Due.Equal(day(57)) || got.Severity != finding.SeverityCritical {
			t.Errorf("critical on day 50: due %s", got.Due)
		}
		v.Severity, v.KEV = finding.SeverityLow, &finding.KEV{Added: "2026-04-20"}
		f.decide(m, v)
		if got := f.one(v); !got.Due.Equal(day(53)) || !got.Exploited {
			t.Errorf("exploited on day 50: due %s", got.Due)
		}
		if o := must(f.Overview(t.Context(), day(54)))(t); o.Exploited != 1 || o.Overdue != 1 {
			t.Errorf("overview: %d exploited, %d overdue", o.Exploited, o.Overdue)
		}
	})
}

func TestExceptions(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		v, w := vulnerability("CVE-1", "openssl", finding.SeverityHigh, "GHSA-1"), vulnerability("CVE-2", "zlib", finding.SeverityHigh)
		f.push(f.image(app, 1), "latest")
		f.decide(f.image(app, 1), v, w)
		e := must(f.PutException(ctx, f.exception("team/*", "ghsa-1"), f.by("alice", "exception.request", "1")))(t)
		_, err := f.DecideException(ctx, e.ID, catalog.Approved, "", f.by("alice", "exception.approve", "1"))
		f.want(err, catalog.ErrConflict) // her own
		_, err = f.DecideException(ctx, e.ID, catalog.Revoked, "", f.by("bob", "exception.revoke", "1"))
		f.want(err, catalog.ErrConflict) // not approved
		e = must(f.DecideException(ctx, e.ID, catalog.Approved, "fine", f.by("bob", "exception.approve", "1")))(t)
		if e.State != catalog.Approved || e.DecidedBy != "bob" || e.Covers != 1 {
			t.Errorf("approved: %+v", e)
		}
		if got := f.one(v); got.State != catalog.Accepted || got.Exception != e.ID {
			t.Errorf("covered: %s by %d", got.State, got.Exception)
		}
		if got := f.one(w).State; got != catalog.Open {
			t.Errorf("not covered: %s", got)
		}
		if n := len(must(f.Suppressions(ctx, app, f.time()))(t)) + len(must(f.Suppressions(ctx, "other/app", f.time()))(t)); n != 1 {
			t.Errorf("%d suppressions", n)
		}
		f.push(f.image(app, 2), "next")
		f.decide(f.image(app, 2), v)
		if got := f.one(v); got.State != catalog.Accepted {
			t.Errorf("found in another image: %s", got.State)
		}
		if c := must(f.Repository(ctx, app))(t).Counts; c.High != 1 {
			t.Errorf("counts %+v", c)
		}
		f.advance(60 * 24 * time.Hour) // beyond its end
		if got := f.one(v); got.State != catalog.Open || got.Exception != 0 {
			t.Errorf("expired: %s", got.State)
		}
		if e = must(f.Exception(ctx, e.ID))(t); e.State != catalog.Expired {
			t.Errorf("expired: %s", e.State)
		}
		if n := len(must(f.Audit(ctx, audit.Query{Action: "exception.expire"}))(t)); n != 1 {
			t.Errorf("%d records of the end", n)
		}
		// A failed decision leaves no record.
		if n := len(must(f.Audit(ctx, audit.Query{Action: "exception.approve"}))(t)); n != 1 {
			t.Errorf("%d records of approvals", n)
		}
	})
}

// TestExceptionNeedsEveryRow: a finding in two versions of a package is set aside only if both are.
func TestExceptionNeedsEveryRow(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		a, b := vulnerability("CVE-1", "lodash", finding.SeverityHigh), vulnerability("CVE-1", "lodash", finding.SeverityHigh)
		a.Paths, b.Paths = []string{"app/node_modules/lodash"}, []string{"srv/node_modules/lodash"}
		f.push(f.image(app, 1), "latest")
		f.decide(f.image(app, 1), a, b)
		for i, path := range []string{"app/**", "srv/**"} {
			e := f.exception("**", "CVE-1")
			e.Suppression.Path = path
			e = must(f.PutException(t.Context(), e, f.by("alice", "exception.request", path)))(t)
			must(f.DecideException(t.Context(), e.ID, catalog.Approved, "", f.by("bob", "exception.approve", path)))(t)
			want := []catalog.State{catalog.Open, catalog.Accepted}[i]
			if got := f.one(a).State; got != want {
				t.Errorf("after %s: %s, want %s", path, got, want)
			}
		}
	})
}

func TestSecretsAndChecks(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		m := f.image(app, 1)
		f.push(m, "latest")
		r := finding.Result{Inventory: finding.Inventory{Analyser: "1",
			Secrets: []finding.Secret{{Rule: "aws-access-key", Title: "AWS access key", Severity: finding.SeverityCritical, Path: "app/.env", Masked: "AKIA…", Suppressed: &finding.Suppression{Reason: "x"}}},
			Checks:  []finding.Check{{ID: "SW-IMG-001", Title: "Runs as root", Severity: finding.SeverityMedium}, {ID: "SW-IMG-002", Title: "setuid", Severity: finding.SeverityLow, Paths: []string{"bin/a", "bin/b"}}},
		}}
		f.ok(f.PutDecided(t.Context(), catalog.Decided{Repository: app, Digest: m.Digest, Result: &r, Status: catalog.Released, At: f.time()}))
		page := must(f.Findings(t.Context(), catalog.Findings{Repository: app}, f.time()))(t)
		var titles []string
		for _, x := range page.Items {
			titles = append(titles, x.Title)
		}
		if d := cmp.Diff([]string{"AWS access key in app/.env", "Runs as root", "setuid: bin/b", "setuid: bin/a"}, titles); d != "" {
			t.Error(d)
		}
		back := must(f.Result(t.Context(), app, m.Digest))(t)
		if back.Inventory.Secrets[0].Suppressed == nil {
			t.Error("the result lost what the gate made of a secret")
		}
		if inv := must(f.Inventory(t.Context(), m.Digest, "1"))(t); inv.Secrets[0].Suppressed != nil {
			t.Error("the shared inventory carries what one repository's gate made of a secret")
		}
		_, err := f.Inventory(t.Context(), m.Digest, "2")
		f.want(err, catalog.ErrNotFound)
	})
}

func TestImported(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		v := vulnerability("CVE-1", "openssl", finding.SeverityHigh)
		m := f.image(app, 1)
		f.push(m, "latest")
		f.decide(m, v)
		theirs := []catalog.Tracked{{Key: v.Key(app), ID: "CVE-1", Package: "openssl", Severity: finding.SeverityCritical}, {ID: "CVE-7", Package: "zlib"}}
		f.ok(f.PutImported(t.Context(), app, m.Digest, "trivy", theirs, f.by("alice", "report.import", app)))
		if n := len(must(f.Findings(t.Context(), catalog.Findings{Source: "trivy"}, f.time()))(t).Items); n != 2 {
			t.Errorf("%d findings of theirs", n)
		}
		if d := cmp.Diff(finding.Counts{High: 1}, must(f.Repository(t.Context(), app))(t).Counts); d != "" {
			t.Errorf("theirs count: %s", d)
		}
		f.decide(m) // ours is gone, theirs stay
		f.ok(f.PutImported(t.Context(), app, m.Digest, "trivy", theirs[1:], f.by("alice", "report.import", app)))
		page := must(f.Findings(t.Context(), catalog.Findings{State: catalog.Open}, f.time()))(t)
		if len(page.Items) != 1 || page.Items[0].ID != "CVE-7" {
			t.Errorf("left: %+v", page.Items)
		}
	})
}

// TestPagesJoin walks through listings in small pages, while rows that tie must neither be lost nor come twice.
func TestPagesJoin(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		var vs []finding.Finding
		for i := range 23 {
			vs = append(vs, vulnerability("CVE-"+string(rune('a'+i)), "openssl", finding.Severity(1+i%3)))
			f.push(f.image("team/app"+string(rune('a'+i%5)), 100+i))
		}
		f.push(f.image(app, 1), "latest")
		f.decide(f.image(app, 1), vs...)
		for _, sort := range []string{"", "name", "verdict", "size"} {
			seen, q := map[string]bool{}, catalog.Images{Sort: sort, Limit: 5}
			for {
				page := must(f.Manifests(t.Context(), q))(t)
				for _, m := range page.Items {
					seen[m.Digest] = true
				}
				if q.Cursor = page.Next; q.Cursor == "" {
					break
				}
			}
			if len(seen) != 24 {
				t.Errorf("sorted by %q: %d images", sort, len(seen))
			}
		}
		n, q := 0, catalog.Findings{Limit: 4}
		for {
			page := must(f.Findings(t.Context(), q, f.time()))(t)
			n += len(page.Items)
			if q.Cursor = page.Next; q.Cursor == "" {
				break
			}
		}
		if n != 23 {
			t.Errorf("%d findings", n)
		}
		for _, sort := range []string{"", "pushed", "verdict"} {
			n, at := 0, ""
			for {
				page := must(f.Repositories(t.Context(), "", sort, at, 2))(t)
				n += len(page.Items)
				if at = page.Next; at == "" {
					break
				}
			}
			if n != 6 {
				t.Errorf("sorted by %q: %d repositories", sort, n)
			}
		}
		for _, bad := range []string{"x", "!!", "bnVsbA", "eyJpIjoiYSJ9"} {
			if _, err := f.Manifests(t.Context(), catalog.Images{Cursor: bad}); bad != "bnVsbA" && err != catalog.ErrCursor {
				t.Errorf("cursor %q: %v", bad, err)
			}
		}
	})
}

func TestSearch(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		f.push(f.image("team/web_shop", 0xabc), "v1.2")
		f.push(f.image("team/api", 2), "v2.0")
		for search, want := range map[string]int{"SHOP": 1, "team": 2, "v1": 1, "0abc": 1, "sha256:0000": 2, "_": 1, "%": 0, "100%": 0, "v": 2} {
			page := must(f.Manifests(t.Context(), catalog.Images{Search: search}))(t)
			if len(page.Items) != want || page.Total != want {
				t.Errorf("%q finds %d of %d, want %d", search, len(page.Items), page.Total, want)
			}
		}
		yes := true
		if n := len(must(f.Manifests(t.Context(), catalog.Images{Untagged: &yes}))(t).Items); n != 0 {
			t.Errorf("%d untagged", n)
		}
	})
}
