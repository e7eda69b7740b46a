package advisory

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/advisory/record"
)

// deb is a record about the Debian package x.
func deb(id, fixed string, names ...string) record.Record {
	events := []string{"introduced 0"}
	if fixed != "" {
		events = append(events, "fixed "+fixed)
	}
	r := record.Record{ID: id, Modified: day, Affected: []record.Affected{ranged("Debian:12", "x", events...)}}
	for _, n := range names {
		switch kind, id, ok := strings.Cut(n, " "); {
		case !ok:
			r.Aliases = append(r.Aliases, n)
		case kind == "upstream":
			r.Upstream = append(r.Upstream, id)
		default:
			r.Related = append(r.Related, id)
		}
	}
	return r
}

var installedX = finding.Package{Name: "x", Version: "1-1", Type: "deb", Ecosystem: "Debian:12"}

func TestGroups(t *testing.T) {
	elsewhere := func(r record.Record) record.Record {
		r.Affected = []record.Affected{ranged("npm", "other", "introduced 0")}
		return r
	}
	f := func(name string, want []string, records ...record.Record) {
		t.Helper()
		m := match(t, compiled(t, records...), one(installedX))
		got := map[string]bool{}
		var rows []string
		for _, row := range m.Findings {
			if got[row.ID] {
				t.Errorf("%s: two rows called %s", name, row.ID)
			}
			got[row.ID] = true
		}
		for i, s := range summary(m) {
			rows = append(rows, strings.TrimSpace(s+" "+strings.Join(m.Findings[i].Aliases, " ")))
		}
		if diff := cmp.Diff(want, rows); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	f("one vulnerability, several publishers",
		[]string{"CVE-1-1 3-1 fixed [DEBIAN-CVE-1-1 GHSA-a] DEBIAN-CVE-1-1 GHSA-a"},
		deb("DEBIAN-CVE-1-1", "2-1", "upstream CVE-1-1"), deb("GHSA-a", "3-1", "CVE-1-1"))
	f("related never merges",
		[]string{"A-1 2-1 fixed [A-1]", "A-2 2-1 fixed [A-2]"},
		deb("A-1", "2-1", "related CVE-1-1"), deb("A-2", "2-1", "related CVE-1-1", "related A-1"))
	f("no CVE: shared ids merge, a GHSA names the row",
		[]string{"GHSA-a 2-1 fixed [A-1 A-2] A-1 A-2"},
		deb("A-1", "2-1", "GHSA-a"), deb("A-2", "2-1", "GHSA-a"))
	f("no CVE: a chain of ids, in any order",
		[]string{"A-1 2-1 fixed [A-1 A-2 A-3] A-2 A-3 B C"},
		deb("A-1", "2-1", "B"), deb("A-2", "2-1", "C"), deb("A-3", "2-1", "B", "C"))
	f("no CVE: the aliased record, about another package, knows it",
		[]string{"CVE-1-1 2-1 fixed [GO-1] GHSA-a GO-1"},
		deb("GO-1", "2-1", "GHSA-a"), elsewhere(deb("GHSA-a", "", "CVE-1-1")))
	f("two CVEs with a common alias stay two",
		[]string{"CVE-1-1 2-1 fixed [A-1] A-1 GHSA-a", "CVE-1-2 2-1 fixed [A-2] A-2 GHSA-a"},
		deb("A-1", "2-1", "CVE-1-1", "GHSA-a"), deb("A-2", "2-1", "CVE-1-2", "GHSA-a"))
	f("a bundle joins the rows of its CVEs and does not glue them",
		[]string{"CVE-1-1 3-1 fixed [A-1 DSA-1] A-1", "CVE-1-2 3-1 fixed [A-2 DSA-1] A-2"},
		deb("A-1", "2-1", "CVE-1-1"), deb("A-2", "3-1", "CVE-1-2"), deb("DSA-1", "3-1", "CVE-1-1", "CVE-1-2"))
	f("a bundle alone is one row",
		[]string{"DSA-1 3-1 fixed [DSA-1] CVE-1-1 CVE-1-2"},
		deb("DSA-1", "3-1", "CVE-1-1", "CVE-1-2"))
	f("two bundles of the same CVEs are one row",
		[]string{"DSA-1 4-1 fixed [DSA-1 DSA-2] CVE-1-1 CVE-1-2 DSA-2"},
		deb("DSA-1", "3-1", "CVE-1-1", "CVE-1-2"), deb("DSA-2", "4-1", "CVE-1-1", "upstream CVE-1-2"))
	f("what a bundle alone speaks of keeps a row",
		[]string{"CVE-1-1 3-1 fixed [A-1 DSA-1] A-1", "DSA-1 3-1 fixed [DSA-1] CVE-1-2"},
		deb("A-1", "2-1", "CVE-1-1"), deb("DSA-1", "3-1", "CVE-1-1", "CVE-1-2"))
	f("what another record has decided does not",
		[]string{"CVE-1-1 3-1 fixed [A-1 DSA-1] A-1"},
		deb("A-1", "2-1", "CVE-1-1"), deb("A-2", "1-1", "CVE-1-2"), deb("DSA-1", "3-1", "CVE-1-1", "CVE-1-2"))
	f("withdrawn",
		[]string{"CVE-1-1 2-1 fixed [A-1] A-1"},
		deb("A-1", "2-1", "CVE-1-1"), func() record.Record { r := deb("A-2", "", "CVE-1-1"); r.Withdrawn = day; return r }())
}

func TestFixed(t *testing.T) {
	f := func(want string, affected ...record.Affected) {
		t.Helper()
		var records []record.Record
		for i, a := range affected {
			records = append(records, record.Record{ID: "A-" + string(rune('1'+i)), Aliases: []string{"CVE-1-1"}, Affected: []record.Affected{a}})
		}
		m := match(t, compiled(t, records...), one(finding.Package{Name: "x", Version: "1.2.0", Type: "npm", Ecosystem: "npm"}))
		if len(m.Findings) != 1 || m.Findings[0].Fixed != want {
			t.Errorf("got %v, want one row fixed in %q", summary(m), want)
		}
	}
	f("1.2.1", ranged("npm", "x", "introduced 0", "fixed 1.2.1", "introduced 2.0.0", "fixed 2.1.0"))
	f("", ranged("npm", "x", "introduced 0", "last 1.9.0"))
	f("2.0.0", ranged("npm", "x", "introduced 0", "fixed 1.3.0"), ranged("npm", "x", "introduced 0", "fixed 2.0.0"))
	f("2.1.0", ranged("npm", "x", "introduced 0", "fixed 1.3.0"), ranged("npm", "x", "introduced 1.0.0", "fixed 2.1.0"))
	// The fix of one lies where the other begins again.
	f("2.5.0", ranged("npm", "x", "introduced 0", "fixed 2.0.0"), ranged("npm", "x", "introduced 0", "fixed 1.5.0", "introduced 1.9.0", "fixed 2.5.0"))
	f("", ranged("npm", "x", "introduced 0", "fixed 1.3.0"), ranged("npm", "x", "introduced 0"))
}

func TestSeverity(t *testing.T) {
	vector := func(typ, score string) []record.Severity { return []record.Severity{{Type: typ, Score: score}} }
	critical, medium := "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N"
	with := func(r record.Record, set func(*record.Record)) record.Record { set(&r); return r }
	f := func(name string, severity finding.Severity, source string, score float64, records ...record.Record) {
		t.Helper()
		m := match(t, compiled(t, records...), one(installedX))
		if len(m.Findings) != 1 {
			t.Fatalf("%s: %v, want one row", name, summary(m))
		}
		x := m.Findings[0]
		if x.Severity != severity || x.SeveritySource != source || x.Score != score {
			t.Errorf("%s: %s by %q, score %.1f; want %s by %q, score %.1f", name, x.Severity, x.SeveritySource, x.Score, severity, source, score)
		}
	}
	f("nobody", finding.SeverityUnknown, "", 0, deb("A-1", "", "CVE-1-1"))
	f("own vector", finding.SeverityCritical, "cvss:A-1", 9.8,
		with(deb("A-1", "", "CVE-1-1"), func(r *record.Record) { r.Severities = vector("CVSS_V3", critical) }))
	f("the newer CVSS, not the higher", finding.SeverityCritical, "cvss:A-1", 9.8,
		with(deb("A-1", "", "CVE-1-1"), func(r *record.Record) {
			r.Severities = append(vector("CVSS_V2", "AV:N/AC:L/Au:N/C:C/I:C/A:C"), vector("CVSS_V3", critical)...)
		}))
	f("the distribution before any vector", finding.SeverityLow, "distribution:Debian", 9.8,
		with(deb("A-1", "", "CVE-1-1"), func(r *record.Record) { r.Severities = vector("CVSS_V3", critical); r.Affected[0].Urgency = "low" }))
	f("Ubuntu's kind of severity", finding.SeverityMedium, "distribution:Debian", 0,
		with(deb("A-1", "", "CVE-1-1"), func(r *record.Record) { r.Severities = vector("Ubuntu", "medium") }))
	f("Red Hat's kind of summary", finding.SeverityHigh, "distribution:Debian", 0,
		with(deb("A-1", "", "CVE-1-1"), func(r *record.Record) { r.Summary = "Important: x security update" }))
	f("a record about another package that has the CVE", finding.SeverityMedium, "cvss:GHSA-a", 6.1, deb("A-1", "", "CVE-1-1"),
		record.Record{ID: "GHSA-a", Aliases: []string{"CVE-1-1"}, Severities: vector("CVSS_V3", medium), Affected: []record.Affected{ranged("npm", "x", "introduced 0")}})
	f("the CVE's own record", finding.SeverityCritical, "cvss:CVE-1-1", 9.8, deb("A-1", "", "CVE-1-1"),
		record.Record{ID: "CVE-1-1", Severities: vector("CVSS_V3", critical)})
	f("not of a bundle, nor by relation", finding.SeverityUnknown, "", 0, deb("A-1", "", "CVE-1-1"),
		record.Record{ID: "B-1", Aliases: []string{"CVE-1-1", "CVE-1-2"}, Severities: vector("CVSS_V3", critical)},
		record.Record{ID: "B-2", Related: []string{"CVE-1-1"}, Severities: vector("CVSS_V3", critical)})
}

func TestExploited(t *testing.T) {
	b := NewBuilder(Options{})
	defer b.Close()
	for _, r := range []record.Record{deb("A-1", "", "CVE-1-1"), deb("ALSA-1", "", "related CVE-1-2", "related CVE-1-3")} {
		if err := b.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	b.AddKEV("CVE-1-1", finding.KEV{Added: "2021-12-10", Due: "2021-12-24", Ransomware: true})
	b.AddKEV("CVE-1-2", finding.KEV{Added: "2022-01-01"})
	b.AddEPSS("CVE-1-1", finding.EPSS{Score: 0.97565, Percentile: 1})
	b.AddEPSS("CVE-1-3", finding.EPSS{Score: 0.00043, Percentile: 0.1})
	b.AddEPSS("CVE-9-9", finding.EPSS{Score: 0.5})
	m := match(t, finish(t, b), one(installedX))
	if len(m.Findings) != 2 {
		t.Fatal(summary(m))
	}
	if diff := cmp.Diff(&finding.KEV{Added: "2021-12-10", Due: "2021-12-24", Ransomware: true}, m.Findings[0].KEV); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(&finding.EPSS{Score: 0.97565, Percentile: 1}, m.Findings[0].EPSS); diff != "" {
		t.Error(diff)
	}
	// An erratum that names its CVEs as related only.
	if diff := cmp.Diff(&finding.KEV{Added: "2022-01-01"}, m.Findings[1].KEV); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(&finding.EPSS{Score: 0.00043, Percentile: 0.1}, m.Findings[1].EPSS); diff != "" {
		t.Error(diff)
	}
}

func TestKernelHeaders(t *testing.T) {
	for _, p := range []struct {
		typ, name, source string
		want              bool
	}{
		{"deb", "linux-libc-dev", "linux", true},
		{"deb", "linux-image-6.1.0-18-amd64", "linux-signed-amd64", false},
		{"deb", "linux-headers-generic", "linux-meta", true},
		{"deb", "libc6", "glibc", false},
		{"rpm", "kernel-headers", "kernel", true},
		{"rpm", "kernel-core", "kernel", false},
		{"apk", "linux-headers", "linux-headers", true},
	} {
		if got := isKernelHeaders(&finding.Package{Type: p.typ, Name: p.name, SourceName: p.source}); got != p.want {
			t.Errorf("%s %s: %v, want %v", p.typ, p.name, got, p.want)
		}
	}
}

func TestResolve(t *testing.T) {
	db := compiled(t, record.Record{ID: "A-1", Affected: []record.Affected{
		ranged("Ubuntu:22.04:LTS", "x", "introduced 0"), ranged("Ubuntu:Pro:22.04:LTS", "x", "introduced 0"),
		ranged("Red Hat:enterprise_linux:9::baseos", "x", "introduced 0"), ranged("Red Hat:enterprise_linux:9", "x", "introduced 0"),
		ranged("Red Hat:enterprise_linux:90::baseos", "x", "introduced 0"), ranged("Debian:12", "x", "introduced 0"),
		ranged("Debian", "x", "introduced 0"),
	}})
	f := func(name string, want ...string) {
		t.Helper()
		var got []string
		for _, e := range db.resolve(name) {
			name := e.name
			if e.extended {
				name += " (extended)"
			}
			got = append(got, name)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	f("Ubuntu:22.04", "Ubuntu:22.04:LTS", "Ubuntu:Pro:22.04:LTS (extended)")
	f("Ubuntu:22.04:LTS", "Ubuntu:22.04:LTS", "Ubuntu:Pro:22.04:LTS (extended)")
	f("Red Hat:9", "Red Hat:enterprise_linux:9", "Red Hat:enterprise_linux:9::baseos")
	f("Debian:12", "Debian", "Debian:12")
	f("Debian:1", "Debian")
}

func TestLookup(t *testing.T) {
	db := compiled(t, deb("A-1", "", "CVE-1-1"), deb("A-2", "", "related CVE-1-1"),
		record.Record{ID: "CVE-1-1", Summary: "a title", Modified: day, Published: day.Add(-time.Hour)})
	got, err := db.Lookup("cve-1-1")
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, e := range got {
		ids = append(ids, e.ID)
	}
	if diff := cmp.Diff([]string{"CVE-1-1", "A-1", "A-2"}, ids); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got[0].Title != "a title" || got[0].URL != "https://nvd.nist.gov/vuln/detail/CVE-1-1" || !got[0].Published.Equal(day.Add(-time.Hour)) {
		t.Errorf("%+v", got[0])
	}
	if got, err := db.Lookup("CVE-1"); err != nil || got != nil {
		t.Errorf("an unknown id: %v, %v", got, err)
	}
}
