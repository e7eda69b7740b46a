package state

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
)

// sizes of the large catalog: SEAWALL_BENCH_REPOSITORIES and SEAWALL_BENCH_FINDINGS change them.
func size(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

// BenchmarkLarge prints how long the hub's pages take on 10,000 repositories of 10 tagged images. On SQLite encrypted;
// SEAWALL_BENCH_DSN names another, empty database.
func BenchmarkLarge(b *testing.B) {
	repos, findings := size("SEAWALL_BENCH_REPOSITORIES", 10_000), size("SEAWALL_BENCH_FINDINGS", 30)
	cfg := Config{DSN: os.Getenv("SEAWALL_BENCH_DSN"), Keys: newKeys("k1")}
	if cfg.DSN == "" {
		cfg.DSN = "sqlite:" + filepath.Join(b.TempDir(), "hub.db")
	}
	db, err := Open(b.Context(), cfg)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	seed(b, db, repos, findings)
	now := time.Now()
	list := func(q catalog.Images) func() error {
		return func() error { _, err := db.Manifests(b.Context(), q); return err }
	}
	found := func(q catalog.Findings) func() error {
		return func() error { _, err := db.Findings(b.Context(), q, now); return err }
	}
	for _, c := range []struct {
		name string
		f    func() error
	}{
		{"overview", func() error { _, err := db.Overview(b.Context(), now); return err }},
		{"repositories", func() error { _, err := db.Repositories(b.Context(), "", "", "", 100); return err }},
		{"repositories by verdict", func() error { _, err := db.Repositories(b.Context(), "", "verdict", "", 100); return err }},
		{"repositories search", func() error { _, err := db.Repositories(b.Context(), "app77", "", "", 100); return err }},
		{"images", list(catalog.Images{})},
		{"images by verdict", list(catalog.Images{Sort: "verdict"})},
		{"images by name", list(catalog.Images{Sort: "name"})},
		{"images search repository", list(catalog.Images{Search: "app777"})},
		{"images search tag", list(catalog.Images{Search: "v3"})},
		{"images search digest", list(catalog.Images{Search: digest(123 * 10)[60:]})},
		{"images search nothing", list(catalog.Images{Search: "no such thing"})},
		{"images by status", list(catalog.Images{Status: catalog.Rejected})},
		{"images by finding", list(catalog.Images{Finding: "CVE-7"})},
		{"images of a repository", list(catalog.Images{Repository: "team7/app77"})},
		{"findings", found(catalog.Findings{})},
		{"findings open", found(catalog.Findings{State: catalog.Open})},
		{"findings of a repository", found(catalog.Findings{Repository: "team7/app77"})},
		{"findings by id", found(catalog.Findings{ID: "CVE-7"})},
		{"findings overdue", found(catalog.Findings{Overdue: true})},
		{"note trend", func() error { return db.NoteTrend(b.Context(), now) }},
	} {
		measure(b, c.name, c.f)
	}
}

// measure prints the median and the slowest of 11 calls.
func measure(b *testing.B, name string, f func() error) {
	b.Helper()
	var took []time.Duration
	for range 11 {
		begin := time.Now()
		if err := f(); err != nil {
			b.Fatal(name, err)
		}
		took = append(took, time.Since(begin))
	}
	slices.Sort(took)
	fmt.Printf("%-28s median %8.2f ms   slowest %8.2f ms\n", name, ms(took[5]), ms(took[10]))
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// seed fills one repository through the front door, and copies it.
func seed(b *testing.B, db *DB, repos, findings int) {
	b.Helper()
	begin := time.Now()
	f := largeImage(findings, 500)
	for i := range 10 {
		m := catalog.Manifest{Repository: "team/app", Digest: digest(i), Kind: catalog.KindImage, MediaType: "m", Size: 1 << 20, Platform: "linux/amd64",
			Blobs: []string{digest(100 + i), digest(200)}, BlobSizes: []int64{100, 1000}, Pushed: time.Now(), PushedBy: "ci"}
		if err := db.PutManifest(b.Context(), m, nil); err != nil {
			b.Fatal(err)
		}
		if err := db.PutTag(b.Context(), catalog.Tag{Repository: "team/app", Name: fmt.Sprint("v", i), Digest: m.Digest, Updated: time.Now()}); err != nil {
			b.Fatal(err)
		}
		d := f
		d.Digest = m.Digest
		if err := db.PutDecided(b.Context(), d); err != nil {
			b.Fatal(err)
		}
	}
	for _, statement := range copies(repos, findings) {
		err := db.write(b.Context(), func(t tx) error { _, err := t.q.ExecContext(b.Context(), statement); return err })
		if err != nil {
			b.Fatalf("%s: %v", statement, err)
		}
	}
	if db.Engine() == "postgres" {
		db.write(b.Context(), func(t tx) error { return t.numberOn(b.Context()) })
	}
	db.write(b.Context(), func(t tx) error { _, err := t.q.ExecContext(b.Context(), "ANALYZE"); return err })
	fmt.Printf("seeded %d repositories of 10 images of %d findings in %s\n", repos, findings, time.Since(begin).Round(time.Second))
}

// copies are the statements that copy repository 1 so many times.
func copies(repos, findings int) []string {
	n := fmt.Sprintf("(WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n WHERE k < %d) SELECT k FROM n) n", repos-1)
	return []string{
		`INSERT INTO repository (id, name, created, pushed, images, tags, size, critical, high, medium, low, exploited, worst, released, rejected)
			SELECT 1 + k, 'team' || (k % 100) || '/app' || k, created, pushed + k, images, tags, size, critical, high, medium, low, exploited, worst + k % 50, released - k % 3, k % 3
			FROM repository, ` + n + ` WHERE id = 1`,
		`INSERT INTO manifest (id, repo_id, digest, kind, media_type, artifact_type, subject, size, platform, config, parts, created, pushed, pushed_by, pushed_from,
			origin, status, shown, reasons, scan, decision, worst, matched, tags, named, current, fingerprint)
			SELECT id + k * 10, 1 + k, 'sha256:' || substr('0000000000000000000000000000000000000000000000000000000000000000' || (id + k * 10), length('' || (id + k * 10)) + 1), kind,
			media_type, artifact_type, subject, size + k, platform, config, parts, created, pushed + k, pushed_by, pushed_from, origin, status,
			CASE WHEN (id + k) % 9 = 0 THEN 'rejected' ELSE shown END, reasons, scan, decision, worst + k % 77, matched, tags, named, current, fingerprint
			FROM manifest, ` + n + ` WHERE repo_id = 1`,
		`INSERT INTO tag (repo_id, name, manifest_id, updated, by_name) SELECT 1 + k, name, manifest_id + k * 10, updated, by_name FROM tag, ` + n + ` WHERE repo_id = 1`,
		`INSERT INTO manifest_blob (repo_id, digest, manifest_id, size) SELECT 1 + k, digest, manifest_id + k * 10, size FROM manifest_blob, ` + n + ` WHERE repo_id = 1`,
		fmt.Sprintf(`INSERT INTO finding (id, key, repo_id, source, type, vid, title, package, version, fixed_in, severity, exploited, epss, rank, state, first_seen, last_seen, due,
			owner, images, described, doc) SELECT id + k * %d, key || '-' || k, 1 + k, source, type, vid, title, package, version, fixed_in, severity, exploited, epss, rank,
			CASE WHEN (id + k) %% 7 = 0 THEN 'accepted' ELSE state END, first_seen, last_seen, due - (k %% 60) * 86400000000000, owner, images, described + k * 10, doc
			FROM finding, `+n+` WHERE repo_id = 1`, findings),
		fmt.Sprintf(`INSERT INTO occurrence (manifest_id, finding_id) SELECT manifest_id + k * 10, finding_id + k * %d FROM `+n+` CROSS JOIN occurrence WHERE manifest_id <= 10 ORDER BY 1, 2`, findings),
	}
}

// largeImage is an evaluation of so many findings and packages.
func largeImage(findings, packages int) catalog.Decided {
	r := finding.Result{Tool: "seawall", ScannedAt: time.Now(), Inventory: finding.Inventory{Analyser: "1"}, Verdict: &finding.Verdict{Decision: finding.Pass}}
	for i := range packages {
		r.Inventory.Packages = append(r.Inventory.Packages, finding.Package{
			Name: fmt.Sprint("package-", i), Version: "1.2.3-4+deb12u5", Type: "deb", Ecosystem: "Debian:12", SourceName: fmt.Sprint("source-", i/3),
			SourceVersion: "1.2.3-4+deb12u5", Arch: "amd64", PURL: fmt.Sprintf("pkg:deb/debian/package-%d@1.2.3-4+deb12u5?arch=amd64&distro=debian-12", i),
			Licenses: []string{"GPL-2.0-or-later"}, Path: "var/lib/dpkg/status", Layer: &finding.LayerRef{DiffID: digest(5), CreatedBy: "RUN apt-get install"},
		})
	}
	for i := range 2 * packages {
		r.Inventory.Executables = append(r.Inventory.Executables, finding.Executable{Path: fmt.Sprint("usr/bin/tool-", i), SHA256: digest(i)[7:], Size: 12345, Mode: 0o755, Owner: fmt.Sprint("package-", i/2)})
	}
	e := catalog.Evaluation{Scanned: time.Now(), Matched: time.Now(), Analyser: "1", Decision: finding.Pass}
	for i := range findings {
		v := vulnerability(fmt.Sprint("CVE-", i), fmt.Sprint("package-", i%packages), finding.Severity(1+i%5), fmt.Sprint("GHSA-", i), fmt.Sprint("DSA-", i))
		v.Title = "A heap-based buffer overflow in the frobnication of crafted input allows remote attackers to do things"
		v.Vector, v.Score, v.EPSS = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8, &finding.EPSS{Score: 0.01, Percentile: 0.5}
		e.Counts.Add(v.Severity)
		r.Findings = append(r.Findings, v)
	}
	return catalog.Decided{Repository: "team/app", Result: &r, Evaluation: e, Status: catalog.Released, Due: catalog.DefaultDue, Owner: "team", At: time.Now()}
}

// BenchmarkPutDecided prints how long the evaluation of an image of 300 findings and 500 packages takes to store: the
// first of its repository, a rebuild that has the same findings, a match that changes nothing, and one that changes one.
func BenchmarkPutDecided(b *testing.B) {
	dsn := os.Getenv("SEAWALL_BENCH_DSN")
	if dsn == "" {
		dsn = "sqlite:" + filepath.Join(b.TempDir(), "hub.db")
	}
	db, err := Open(b.Context(), Config{DSN: dsn, Keys: newKeys("k1")})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	image, n := largeImage(300, 500), 0
	put := func(m int, d catalog.Decided) error {
		d.Digest = digest(m)
		return db.PutDecided(b.Context(), d)
	}
	push := func(repository string) int {
		n++
		if err := db.PutManifest(b.Context(), catalog.Manifest{Repository: repository, Digest: digest(n), Kind: catalog.KindImage, Pushed: time.Now()}, nil); err != nil {
			b.Fatal(err)
		}
		return n
	}
	names, k := make([]string, 11), 0
	for i := range names {
		names[i] = fmt.Sprint("first/app", i)
		push(names[i])
	}
	measure(b, "first of a repository", func() error {
		d := image
		d.Repository = names[k]
		k++
		return put(k, d)
	})
	ids := []int{}
	for range 11 {
		ids = append(ids, push("first/app0"))
	}
	again := image
	again.Repository = "first/app0"
	k = 0
	measure(b, "rebuild", func() error { k++; return put(ids[k-1], again) })
	measure(b, "match, nothing new", func() error { return put(ids[0], again) })
	k = 0
	measure(b, "match, one finding changed", func() error {
		k++
		d, r := again, *again.Result
		r.Findings = slices.Clone(r.Findings)
		r.Findings[7].Title = fmt.Sprint("title ", k)
		d.Result = &r
		return put(ids[10], d)
	})
}
