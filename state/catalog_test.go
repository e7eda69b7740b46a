package state

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
)

func digest(n int) string { return fmt.Sprintf("sha256:%064x", n) }

// image is a manifest of two blobs, one of which all images share.
func (f *fixture) image(repository string, n int) catalog.Manifest {
	return catalog.Manifest{
		Repository: repository, Digest: digest(n), Kind: catalog.KindImage, MediaType: "application/vnd.oci.image.manifest.v1+json",
		Size: 1150, Platform: "linux/amd64", Config: digest(n + 1_000_000), Blobs: []string{digest(999), digest(n + 1_000_000)},
		BlobSizes: []int64{1000, 50}, Pushed: f.time(), PushedBy: "alice", PushedFrom: "192.0.2.1",
	}
}

func (f *fixture) push(m catalog.Manifest, tags ...string) {
	f.t.Helper()
	f.ok(f.PutManifest(f.t.Context(), m, nil, f.by("alice", "image.push", m.Repository+"@"+m.Digest)))
	for _, name := range tags {
		f.ok(f.PutTag(f.t.Context(), catalog.Tag{Repository: m.Repository, Name: name, Digest: m.Digest, Updated: f.time(), By: "alice"}))
	}
}

func vulnerability(id, name string, s finding.Severity, aliases ...string) finding.Finding {
	return finding.Finding{
		ID: id, Aliases: aliases, Advisories: []string{"OSV-" + id}, Title: "a flaw in " + name, Severity: s, State: finding.StateFixed,
		Package: finding.Package{Name: name, Version: "1.0", Type: "deb", PURL: "pkg:deb/debian/" + name + "@1.0"}, Fixed: "1.1",
		Paths: []string{"var/lib/dpkg/status"},
	}
}

// decide stores an evaluation that found these.
func (f *fixture) decide(m catalog.Manifest, found ...finding.Finding) {
	f.t.Helper()
	e := catalog.Evaluation{Scanned: f.time(), Matched: f.time(), Analyser: "1", Decision: finding.Pass}
	for i := range found {
		e.Counts.Add(found[i].Severity)
	}
	r := finding.Result{
		Tool: "seawall test", ScannedAt: f.time(), Findings: found, Coverage: []finding.Coverage{},
		Inventory: finding.Inventory{Analyser: "1", Image: finding.Image{Ref: m.Repository, ID: m.Digest},
			Packages: []finding.Package{{Name: "openssl", Version: "1.0", Type: "deb"}}},
		Verdict: &finding.Verdict{Decision: finding.Pass, DecidedAt: f.time()},
	}
	f.ok(f.PutDecided(f.t.Context(), catalog.Decided{
		Repository: m.Repository, Digest: m.Digest, Result: &r, Evaluation: e, Status: catalog.Released,
		Due: catalog.DefaultDue, Owner: "team", At: f.time(),
	}))
}

func TestPushAndRead(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		m := f.image("team/app", 1)
		f.push(m, "1.0", "latest")
		got := must(f.Manifest(t.Context(), "team/app", m.Digest))(t)
		m.Status, m.Tags = catalog.Received, []string{"1.0", "latest"}
		if d := cmp.Diff(m, got); d != "" {
			t.Error(d)
		}
		r := must(f.Repository(t.Context(), "team/app"))(t)
		want := catalog.Repository{Name: "team/app", Created: start, Pushed: start, Images: 1, Tags: 2, Size: 1150,
			ByStatus: map[catalog.Status]int{catalog.Received: 1}}
		if d := cmp.Diff(want, r); d != "" {
			t.Error(d)
		}
		f.push(f.image("team/app", 2), "latest")
		if r = must(f.Repository(t.Context(), "team/app"))(t); r.Size != 1300 || r.Tags != 2 || r.Images != 2 {
			t.Errorf("after a second image: %+v", r)
		}
		_, err := f.Manifest(t.Context(), "team/app", digest(7))
		f.want(err, catalog.ErrNotFound)
		if n := len(must(f.Audit(t.Context(), auditAll))(t)); n != 2 {
			t.Errorf("%d records, want 2", n)
		}
	})
}

func TestDecided(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		m := f.image("team/app", 1)
		f.push(m, "latest")
		a, b := vulnerability("CVE-1", "openssl", finding.SeverityHigh), vulnerability("CVE-2", "zlib", finding.SeverityLow)
		f.decide(m, a, b)
		page := must(f.Findings(t.Context(), catalog.Findings{Repository: "team/app"}, f.time()))(t)
		want := []catalog.Tracked{
			{Key: a.Key("team/app"), Repository: "team/app", Type: "vulnerability", ID: "CVE-1", Title: a.Title, Package: "openssl",
				Version: "1.0", FixedIn: "1.1", Severity: finding.SeverityHigh, State: catalog.Open, FirstSeen: start, LastSeen: start,
				Due: start.AddDate(0, 0, 30), Owner: "team", Digests: []string{m.Digest}, Source: "seawall"},
			{Key: b.Key("team/app"), Repository: "team/app", Type: "vulnerability", ID: "CVE-2", Title: b.Title, Package: "zlib",
				Version: "1.0", FixedIn: "1.1", Severity: finding.SeverityLow, State: catalog.Open, FirstSeen: start, LastSeen: start,
				Due: start.AddDate(0, 0, 180), Owner: "team", Digests: []string{m.Digest}, Source: "seawall"},
		}
		if d := cmp.Diff(want, page.Items, cmpopts.EquateEmpty()); d != "" {
			t.Error(d)
		}
		if page.Total != 2 {
			t.Errorf("total %d", page.Total)
		}
		r := must(f.Result(t.Context(), "team/app", m.Digest))(t)
		if len(r.Findings) != 2 || len(r.Inventory.Packages) != 1 || r.Tool != "seawall test" || !r.Verdict.DecidedAt.Equal(start) {
			t.Errorf("result read back: %+v", r)
		}
		repo := must(f.Repository(t.Context(), "team/app"))(t)
		if d := cmp.Diff(finding.Counts{High: 1, Low: 1}, repo.Counts); d != "" {
			t.Error(d)
		}
		o := must(f.Overview(t.Context(), f.time()))(t)
		if o.Images != 1 || o.Counts.High != 1 || o.ByStatus[catalog.Released] != 1 {
			t.Errorf("overview: %+v", o)
		}
	})
}
