package advisory

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/note"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/advisory/record"
)

var day = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// compiled makes a database in memory.
func compiled(t testing.TB, records ...record.Record) *DB {
	t.Helper()
	b := NewBuilder(Options{})
	defer b.Close()
	for _, r := range records {
		if err := b.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	return finish(t, b)
}

func finish(t testing.TB, b *Builder) *DB {
	t.Helper()
	var w memory
	if _, err := b.writeTo(context.Background(), &w, Meta{BuiltAt: day}); err != nil {
		t.Fatal(err)
	}
	db, err := openBytes(w.b, int64(len(w.b)))
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func ranged(eco, name string, events ...string) record.Affected {
	r := record.Range{Kind: record.Ecosystem}
	for _, e := range events {
		what, at, _ := strings.Cut(e, " ")
		switch what {
		case "introduced":
			r.Events = append(r.Events, record.Event{Introduced: at})
		case "fixed":
			r.Events = append(r.Events, record.Event{Fixed: at})
		case "last":
			r.Events = append(r.Events, record.Event{LastAffected: at})
		case "limit":
			r.Events = append(r.Events, record.Event{Limit: at})
		}
	}
	return record.Affected{Ecosystem: eco, Name: name, Ranges: []record.Range{r}}
}

func one(p finding.Package) *finding.Inventory {
	return &finding.Inventory{Packages: []finding.Package{p}}
}

func match(t testing.TB, db *DB, inv *finding.Inventory) Matches {
	t.Helper()
	m, err := db.Match(inv, day)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// summary is "id fixed state [advisories]" per finding.
func summary(m Matches) (out []string) {
	for _, f := range m.Findings {
		out = append(out, strings.TrimSpace(f.ID+" "+f.Fixed+" "+string(f.State)+" ["+strings.Join(f.Advisories, " ")+"]"))
	}
	return out
}

func TestEvaluation(t *testing.T) {
	f := func(name, version string, want bool, a record.Affected) {
		t.Helper()
		a.Name = "x"
		if a.Ecosystem == "" {
			a.Ecosystem = "npm"
		}
		db := compiled(t, record.Record{ID: "CVE-2020-1", Affected: []record.Affected{a}})
		p := finding.Package{Name: "x", Version: version, Ecosystem: a.Ecosystem, Type: "npm"}
		if got := len(match(t, db, one(p)).Findings) > 0; got != want {
			t.Errorf("%s: version %s affected: %v, want %v", name, version, got, want)
		}
	}
	all := ranged("npm", "x", "introduced 0")
	f("all versions", "0.0.1", true, all)
	f("all versions", "99.0.0", true, all)
	f("no introduced event", "1.0.0", false, ranged("npm", "x", "fixed 2.0.0"))

	fixed := ranged("npm", "x", "introduced 1.0.0", "fixed 1.2.0")
	f("before introduced", "0.9.9", false, fixed)
	f("at introduced", "1.0.0", true, fixed)
	f("inside", "1.1.5", true, fixed)
	f("at fixed", "1.2.0", false, fixed)
	f("pre-release of the fix", "1.2.0-rc.1", true, fixed)

	last := ranged("npm", "x", "introduced 0", "last 1.2.0")
	f("at last affected", "1.2.0", true, last)
	f("after last affected", "1.2.1", false, last)

	two := ranged("npm", "x", "fixed 2.3.0", "introduced 2.0.0", "fixed 1.5.0", "introduced 0")
	f("unsorted events, first part", "1.4.0", true, two)
	f("unsorted events, gap", "1.6.0", false, two)
	f("unsorted events, second part", "2.1.0", true, two)
	f("unsorted events, end", "2.3.0", false, two)

	empty := ranged("npm", "x", "introduced 0.23.0", "fixed 0.23.0", "introduced 0.23.13", "fixed 0.23.18")
	f("empty interval", "0.23.5", false, empty)
	f("after an empty interval", "0.23.14", true, empty)
	back := ranged("npm", "x", "introduced 0", "fixed 1.0.0", "introduced 1.0.0", "fixed 2.0.0")
	f("fixed and introduced at one version", "1.5.0", true, back)
	f("introduced twice", "1.5.0", true, ranged("npm", "x", "introduced 0", "introduced 1.0.0", "fixed 2.0.0"))
	f("last affected where introduced", "2.2.0", true, ranged("npm", "x", "introduced 2.2.0", "last 2.2.0"))
	f("after last affected where introduced", "2.2.1", false, ranged("npm", "x", "introduced 2.2.0", "last 2.2.0"))

	limit := ranged("npm", "x", "introduced 1.0.0", "limit 2.0.0", "limit 1.5.0")
	f("below the highest limit", "1.9.0", true, limit)
	f("at the highest limit", "2.0.0", false, limit)
	f("limit of infinity", "9.0.0", true, ranged("npm", "x", "introduced 1.0.0", "limit *", "limit 2.0.0"))

	f("versions add to ranges", "3.0.0", true, record.Affected{Versions: []string{"3.0.0"}, Ranges: fixed.Ranges})
	f("versions alone", "3.0.1", false, record.Affected{Versions: []string{"3.0.0"}})
	f("version outside its rules", "not-a-version", true, record.Affected{Versions: []string{"not-a-version"}})
	git := record.Affected{Ranges: []record.Range{{Kind: record.Git, Events: []record.Event{{Introduced: "0"}}}}}
	f("git ranges", "1.0.0", false, git)

	sem := record.Affected{Ecosystem: "RubyGems", Ranges: []record.Range{{Kind: record.Semver, Events: []record.Event{{Introduced: "0"}, {Fixed: "1.0.0-beta.11"}}}}}
	f("SEMVER range in an ecosystem with an order of its own", "1.0.0-beta.2", true, sem)
	f("debian epoch", "1:1.0-1", false, ranged("Debian:12", "x", "introduced 0", "fixed 9.0-1"))
	f("debian tilde", "9.0-1~bpo1", true, ranged("Debian:12", "x", "introduced 0", "fixed 9.0-1"))
}

func TestNames(t *testing.T) {
	f := func(eco, advisory, installed string, want bool) {
		t.Helper()
		db := compiled(t, record.Record{ID: "CVE-2020-1", Affected: []record.Affected{ranged(eco, advisory, "introduced 0")}})
		p := finding.Package{Name: installed, Version: "1.0.0", Ecosystem: eco}
		if got := len(match(t, db, one(p)).Findings) > 0; got != want {
			t.Errorf("%s: advisory about %q matches %q: %v, want %v", eco, advisory, installed, got, want)
		}
	}
	f("PyPI", "Foo.Bar__baz", "foo-bar-BAZ", true)
	f("PyPI", "foobar", "foo-bar", false)
	f("NuGet", "Newtonsoft.Json", "newtonsoft.json", true)
	f("Packagist", "Symfony/Runtime", "symfony/runtime", true)
	f("npm", "JSONStream", "jsonstream", false)
	f("Go", "github.com/A/b", "github.com/a/b", false)
	f("Maven", "g:a", "g:a", true)
}

func TestSources(t *testing.T) {
	db := compiled(t,
		record.Record{ID: "CVE-2020-1", Affected: []record.Affected{ranged("Debian:12", "openssl", "introduced 0", "fixed 3.0.2-1")}},
		record.Record{ID: "CVE-2020-2", Affected: []record.Affected{ranged("Debian:12", "libssl3", "introduced 0")}},
		record.Record{ID: "CVE-2020-3", Affected: []record.Affected{ranged("AlmaLinux:9", "openssl-libs", "introduced 0", "fixed 3-2")}},
		record.Record{ID: "CVE-2020-4", Affected: []record.Affected{ranged("AlmaLinux:9", "openssl", "introduced 0", "fixed 3-2")}},
		record.Record{ID: "CVE-2020-5", Affected: []record.Affected{ranged("SUSE:15", "openssl", "introduced 0", "fixed 3-2")}},
	)
	f := func(p finding.Package, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, summary(match(t, db, one(p)))); diff != "" {
			t.Errorf("%s of %s (-want +got):\n%s", p.Name, p.Ecosystem, diff)
		}
	}
	// The source's version decides: the binary's own is another (as gcc-12-base's or binNMUs').
	f(finding.Package{Name: "libssl3", Version: "9:1-1", SourceName: "openssl", SourceVersion: "3.0.1-1", Ecosystem: "Debian:12", Type: "deb"},
		"CVE-2020-1 3.0.2-1 fixed [CVE-2020-1]")
	f(finding.Package{Name: "libssl3", Version: "1-1", SourceName: "openssl", SourceVersion: "3.0.2-1", Ecosystem: "Debian:12", Type: "deb"})
	f(finding.Package{Name: "openssl-libs", Version: "3-1", SourceName: "openssl", SourceVersion: "3-1", Ecosystem: "AlmaLinux:9", Type: "rpm"},
		"CVE-2020-3 3-2 fixed [CVE-2020-3]")
	f(finding.Package{Name: "libopenssl3", Version: "3-1", SourceName: "openssl", SourceVersion: "3-1", Ecosystem: "SUSE:15", Type: "rpm"},
		"CVE-2020-5 3-2 fixed [CVE-2020-5]")
	f(finding.Package{Name: "x", Version: "1", SourceName: "openssl", SourceVersion: "3.0.1-1", Ecosystem: "Debian:12", Type: "deb", OwnedBy: "y"})
}

func TestModules(t *testing.T) {
	db := compiled(t,
		record.Record{ID: "ALSA-1", Summary: "Important: nodejs:18 security update", Affected: []record.Affected{
			ranged("AlmaLinux:8", "nodejs", "introduced 0", "fixed 1:18.20.4-1.module_el8.10.0+3877+0a1b")}},
		record.Record{ID: "ALSA-2", Summary: "Important: nodejs security update", Affected: []record.Affected{
			ranged("AlmaLinux:8", "nodejs", "introduced 0", "fixed 1:20.0.0-1.el8")}},
		record.Record{ID: "ALSA-3", Summary: "Moderate: go-toolset security update", Affected: []record.Affected{
			ranged("AlmaLinux:8", "nodejs", "introduced 0", "fixed 1:21.0.0-1.module_el8.10.0+1+2")}},
	)
	f := func(version, label string, want ...string) {
		t.Helper()
		var got []string
		p := finding.Package{Name: "nodejs", Version: version, Modularity: label, Ecosystem: "AlmaLinux:8", Type: "rpm"}
		for _, x := range match(t, db, one(p)).Findings {
			got = append(got, x.ID)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s %q (-want +got):\n%s", version, label, diff)
		}
	}
	f("1:18.1.0-1.module_el8.10.0+1+a", "nodejs:18:80100:abc", "ALSA-1", "ALSA-3")
	f("1:16.1.0-1.module_el8.10.0+1+a", "nodejs:16:80100:abc", "ALSA-3")
	f("1:16.1.0-1.module_el8.10.0+1+a", "", "ALSA-1", "ALSA-3")
	f("1:16.1.0-1.el8", "", "ALSA-2")
}

func TestArch(t *testing.T) {
	a := ranged("openEuler:22.03-LTS", "x", "introduced 0")
	a.Arch = []string{"aarch64"}
	db := compiled(t, record.Record{ID: "CVE-2020-1", Affected: []record.Affected{a}})
	for arch, want := range map[string]int{"aarch64": 1, "x86_64": 0, "": 1, "noarch": 1} {
		p := finding.Package{Name: "x", Version: "1-1", Arch: arch, Ecosystem: "openEuler:22.03-LTS", Type: "rpm"}
		if got := len(match(t, db, one(p)).Findings); got != want {
			t.Errorf("arch %q: %d rows, want %d", arch, got, want)
		}
	}
}

func TestStates(t *testing.T) {
	with := func(set func(*record.Affected), events ...string) record.Affected {
		a := ranged("Debian:12", "x", events...)
		set(&a)
		return a
	}
	f := func(a record.Affected, state finding.State, severity finding.Severity) {
		t.Helper()
		m := match(t, compiled(t, record.Record{ID: "CVE-2020-1", Affected: []record.Affected{a}}),
			one(finding.Package{Name: "x", Version: "1-1", Ecosystem: "Debian:12", Type: "deb"}))
		if len(m.Findings) != 1 || m.Findings[0].State != state || m.Findings[0].Severity != severity {
			t.Errorf("got %+v, want state %s, severity %s", m.Findings, state, severity)
		}
	}
	f(with(func(a *record.Affected) {}, "introduced 0"), finding.StateUnfixed, finding.SeverityUnknown)
	f(with(func(a *record.Affected) { a.State = finding.StateDeferred }, "introduced 0"), finding.StateDeferred, finding.SeverityUnknown)
	f(with(func(a *record.Affected) { a.State = finding.StateWontFix; a.Urgency = "low" }, "introduced 0"), finding.StateWontFix, finding.SeverityLow)
	f(with(func(a *record.Affected) { a.Urgency = "unimportant" }, "introduced 0"), finding.StateUnimportant, finding.SeverityNegligible)
	f(with(func(a *record.Affected) { a.Urgency = "end-of-life" }, "introduced 0"), finding.StateEndOfLife, finding.SeverityUnknown)
	f(with(func(a *record.Affected) { a.Urgency = "high" }, "introduced 0", "fixed 2-1"), finding.StateFixed, finding.SeverityHigh)
	f(with(func(a *record.Affected) { a.Urgency = "not yet assigned" }, "introduced 0"), finding.StateUnfixed, finding.SeverityUnknown)
}

func TestLeftOut(t *testing.T) {
	x := []record.Affected{ranged("npm", "x", "introduced 0")}
	b := NewBuilder(Options{})
	defer b.Close()
	for _, r := range []record.Record{
		{ID: "CVE-2020-1", Withdrawn: day, Affected: x},
		{ID: "ALBA-2020:1", Affected: x},
		{ID: "X-1", Kind: record.Enhancement, Affected: x},
		{ID: "MAL-2020-1", Affected: x},
	} {
		if err := b.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	db := finish(t, b)
	m := match(t, db, one(finding.Package{Name: "x", Version: "1.0.0", Ecosystem: "npm", Type: "npm"}))
	if diff := cmp.Diff([]string{"MAL-2020-1  malware [MAL-2020-1]"}, summary(m)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if m.Findings[0].Severity != finding.SeverityCritical {
		t.Errorf("a hostile package is %s, want critical", m.Findings[0].Severity)
	}
	want := Stats{Records: 2, Affected: 1, Packages: 1, Withdrawn: 1, Malware: 1, Bugs: 1, Enhancements: 1}
	if diff := cmp.Diff(want, db.Info().Stats); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}
	if got, err := db.Lookup("CVE-2020-1"); err != nil || len(got) != 1 || got[0].Withdrawn != day {
		t.Errorf("looking a withdrawn record up: %+v, %v", got, err)
	}
}

func TestMergedRecords(t *testing.T) {
	db := compiled(t,
		record.Record{ID: "CVE-2020-1", Summary: "old", Modified: day, Affected: []record.Affected{
			ranged("Alpine:v3.20", "x", "introduced 0", "fixed 2-r0"), ranged("Alpine:v3.19", "x", "introduced 0")}},
		record.Record{ID: "CVE-2020-1", Summary: "new", Modified: day.Add(time.Hour), Affected: []record.Affected{
			ranged("Alpine:v3.20", "x", "introduced 0", "fixed 3-r0")}},
	)
	for eco, want := range map[string]string{"Alpine:v3.20": "3-r0", "Alpine:v3.19": ""} {
		m := match(t, db, one(finding.Package{Name: "x", Version: "1-r0", Ecosystem: eco, Type: "apk"}))
		if len(m.Findings) != 1 || m.Findings[0].Fixed != want || m.Findings[0].Title != "new" {
			t.Errorf("%s: %+v, want fixed %q", eco, m.Findings, want)
		}
	}
}

func TestDeterministic(t *testing.T) {
	build := func() []byte {
		path, _ := writeSynthetic(t, 3000)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if a, b := build(), build(); !bytes.Equal(a, b) {
		t.Error("the same records gave two different files")
	}
}

func TestSign(t *testing.T) {
	path, _ := writeSynthetic(t, 100)
	private, public, err := note.GenerateKey(rand.Reader, "builder.example")
	if err != nil {
		t.Fatal(err)
	}
	_, stranger, err := note.GenerateKey(rand.Reader, "stranger.example")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(path, []string{public}); !errors.Is(err, ErrUnsigned) {
		t.Errorf("an unsigned file: %v", err)
	}
	for range 2 { // the second signature replaces the first
		if err := Sign(path, private); err != nil {
			t.Fatal(err)
		}
	}
	if signer, err := Verify(path, []string{stranger, public}); err != nil || signer != "builder.example" {
		t.Errorf("signer %q, %v", signer, err)
	}
	if _, err := Verify(path, []string{stranger}); !errors.Is(err, ErrUnsigned) {
		t.Errorf("a stranger's key: %v", err)
	}
	db, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.SignedBy([]string{stranger}); !errors.Is(err, ErrUnsigned) || db.Info().Signer != "" {
		t.Errorf("a stranger's key: %v, signer %q", err, db.Info().Signer)
	}
	if err := db.SignedBy([]string{stranger, public}); err != nil {
		t.Fatal(err)
	}
	if got := db.Info().Signer; got != "builder.example" {
		t.Errorf("signer %q", got)
	}
	db.Close()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(path, []string{public}); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a changed byte: %v", err)
	}
}

func TestTruncated(t *testing.T) {
	path, _ := writeSynthetic(t, 5000)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 1, headerLen - 1, headerLen, len(b) / 2, len(b) - 1} {
		short := filepath.Join(t.TempDir(), "short")
		if err := os.WriteFile(short, b[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(short); !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrFormat) {
			t.Errorf("%d of %d bytes: %v", n, len(b), err)
		}
	}
	// Somebody cuts the file while it is open: an error, not a crash.
	db, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := os.Truncate(path, 4096); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Match(inventory500(), day); !errors.Is(err, ErrCorrupt) {
		t.Errorf("file cut under an open database: %v", err)
	}
}

func TestCoverage(t *testing.T) {
	db := compiled(t, record.Record{ID: "CVE-2020-1", Modified: day, Affected: []record.Affected{
		ranged("Debian:12", "x", "introduced 0", "fixed 2-1"), ranged("npm", "x", "introduced 0", "fixed 2.0.0")}})
	inv := &finding.Inventory{
		Distro: finding.Distro{ID: "debian", Name: "Debian 12", Ecosystem: "Debian:12", EndOfLife: "2025-06-30"},
		Packages: []finding.Package{
			{Name: "a", Version: "1-1", Type: "deb", Ecosystem: "Debian:12"},
			{Name: "x", Version: "?", Type: "npm", Ecosystem: "npm"},
			{Name: "b", Version: "1", Type: "pypi", Ecosystem: "PyPI"},
			{Name: "c", Version: "1", Type: "generic"},
			{Name: "d", Version: "1", Type: "npm", Ecosystem: "npm", OwnedBy: "a"},
		},
	}
	m := match(t, db, inv)
	var got []string
	for _, c := range m.Coverage {
		got = append(got, c.Ecosystem+" "+string(c.Gap))
	}
	if diff := cmp.Diff([]string{"Debian:12 end-of-life", "PyPI no-data", "generic no-data", "npm "}, got); diff != "" {
		t.Errorf("coverage (-want +got):\n%s", diff)
	}
	if len(m.Gaps) != 1 || m.Gaps[0].Kind != finding.GapUnparsedVersion {
		t.Errorf("gaps: %+v", m.Gaps)
	}
	unknown := match(t, db, one(finding.Package{Name: "a", Version: "1", Type: "rpm"}))
	if len(unknown.Coverage) != 1 || unknown.Coverage[0].Gap != finding.GapUnknownDistro {
		t.Errorf("coverage of an unknown distribution: %+v", unknown.Coverage)
	}
}

func TestUpgrades(t *testing.T) {
	db := compiled(t,
		record.Record{ID: "CVE-2020-1", Rating: "high", Affected: []record.Affected{ranged("Debian:12", "ssl", "introduced 0", "fixed 1.10-1")}},
		record.Record{ID: "CVE-2020-2", Rating: "low", Affected: []record.Affected{ranged("Debian:12", "ssl", "introduced 0", "fixed 1.9-1")}},
		record.Record{ID: "CVE-2020-3", Rating: "low", Affected: []record.Affected{ranged("npm", "x", "introduced 0", "fixed 2.0.0")}},
	)
	base, own := &finding.LayerRef{Index: 0, Base: true}, &finding.LayerRef{Index: 1}
	inv := &finding.Inventory{Packages: []finding.Package{
		{Name: "libssl", Version: "1.1-1", SourceName: "ssl", SourceVersion: "1.1-1", Type: "deb", Ecosystem: "Debian:12", Layer: base},
		{Name: "x", Version: "1.0.0", Type: "npm", Ecosystem: "npm", Layer: own, Path: "b/package.json"},
		{Name: "x", Version: "1.0.0", Type: "npm", Ecosystem: "npm", Layer: own, Path: "a/package.json"},
	}}
	m := match(t, db, inv)
	want := []finding.Upgrade{
		{Kind: "base", Fixes: finding.Counts{High: 1, Low: 1}, IDs: []string{"CVE-2020-1", "CVE-2020-2"}},
		{Kind: "package", Package: "ssl", From: "1.1-1", To: "1.10-1", Fixes: finding.Counts{High: 1, Low: 1}, IDs: []string{"CVE-2020-1", "CVE-2020-2"}},
		{Kind: "package", Package: "x", From: "1.0.0", To: "2.0.0", Fixes: finding.Counts{Low: 1}, IDs: []string{"CVE-2020-3"}},
	}
	if diff := cmp.Diff(want, Upgrades(m.Findings, inv.Image.BaseName())); diff != "" {
		t.Errorf("upgrades (-want +got):\n%s", diff)
	}
	last := m.Findings[len(m.Findings)-1]
	if diff := cmp.Diff([]string{"a/package.json", "b/package.json"}, last.Paths); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
}

func TestStarter(t *testing.T) {
	db, err := Starter()
	if err != nil {
		t.Fatal(err)
	}
	info := db.Info()
	if !info.Starter || info.Records < 60 || info.Stats.UnparsedVersions != 0 || info.Stats.BadVectors != 0 {
		t.Errorf("starter set: %+v", info)
	}
	f := func(eco, typ, name, version, id, fixed string) {
		t.Helper()
		m := match(t, db, one(finding.Package{Name: name, Version: version, Ecosystem: eco, Type: typ}))
		for _, x := range m.Findings {
			if x.ID == id && x.Fixed == fixed {
				return
			}
		}
		if id != "" || len(m.Findings) > 0 {
			t.Errorf("%s %s: %v, want %s fixed in %q", name, version, summary(m), id, fixed)
		}
	}
	const log4j, jwt = "org.apache.logging.log4j:log4j-core", "github.com/dgrijalva/jwt-go"
	f("Maven", "maven", log4j, "2.14.1", "CVE-2021-44228", "2.15.0")
	f("Maven", "maven", log4j, "2.3", "CVE-2021-44228", "2.3.1")
	f("Maven", "maven", log4j, "2.16.0", "CVE-2021-45105", "2.17.0")
	f("Maven", "maven", log4j, "2.17.1", "", "")
	f("Maven", "maven", "org.apache.struts:struts2-core", "2.5.10", "CVE-2017-5638", "2.5.10.1")
	f("Go", "golang", "stdlib", "1.21.1", "CVE-2023-39325", "1.21.3")
	f("Go", "golang", "golang.org/x/crypto", "v0.30.0", "CVE-2024-45337", "0.31.0")
	f("Go", "golang", "golang.org/x/crypto", "v0.31.0", "", "")
	f("Go", "golang", jwt, "v3.2.0+incompatible", "CVE-2020-26160", "")
	f("Go", "golang", jwt+"/v4", "v4.0.0-preview1", "", "")
	f("npm", "npm", "ua-parser-js", "0.7.29", "GHSA-pjwm-rvh2-c87w", "")
	f("npm", "npm", "ua-parser-js", "0.7.30", "", "")
	f("npm", "npm", "minimist", "1.2.5", "CVE-2021-44906", "1.2.6")
	f("npm", "npm", "minimist", "1.2.6", "", "")
	f("PyPI", "pypi", "pyyaml", "5.3.1", "CVE-2020-14343", "5.4")
	f("PyPI", "pypi", "pyyaml", "5.4", "", "")
	f("RubyGems", "gem", "actionview", "5.2.2", "CVE-2019-5418", "5.2.2.1")
	f("RubyGems", "gem", "actionview", "6.0.0.beta3", "", "")
	f("NuGet", "nuget", "log4net", "2.0.9", "CVE-2018-1285", "2.0.10")
	f("NuGet", "nuget", "log4net", "2.0.10", "", "")
	f("Packagist", "composer", "phpunit/phpunit", "5.6.2", "CVE-2017-9841", "5.6.3")
	f("Packagist", "composer", "phpunit/phpunit", "5.6.3", "", "")
	f("crates.io", "cargo", "smallvec", "1.6.0", "CVE-2021-25900", "1.6.1")
	f("crates.io", "cargo", "smallvec", "1.6.1", "", "")
	f("Debian:12", "deb", "glibc", "2.36-9+deb12u2", "CVE-2023-4911", "2.36-9+deb12u3")
	f("Debian:12", "deb", "glibc", "2.36-9+deb12u6", "", "")
	f("Ubuntu:22.04:LTS", "deb", "openssh", "1:8.9p1-3ubuntu0.9", "CVE-2024-6387", "1:8.9p1-3ubuntu0.10")
	f("Ubuntu:22.04:LTS", "deb", "openssh", "1:8.9p1-3ubuntu0.10", "", "")
	f("Alpine:v3.10", "apk", "musl", "1.1.22-r2", "CVE-2019-14697", "1.1.22-r3")
	f("Alpine:v3.10", "apk", "musl", "1.1.22-r3", "", "")
	f("AlmaLinux:9", "rpm", "glibc", "2.34-60.el9", "CVE-2023-4911", "2.34-60.el9_2.7")
	f("AlmaLinux:9", "rpm", "glibc", "2.34-60.el9_2.7", "", "")
	m := match(t, db, one(finding.Package{Name: "x", Version: "1.0.0", Type: "npm", Ecosystem: "npm"}))
	if m.Coverage[0].Gap != finding.GapStarterOnly {
		t.Errorf("coverage: %+v, want starter-only", m.Coverage)
	}
}

// TestConcurrent is for the race detector: one database serves several scans.
func TestConcurrent(t *testing.T) {
	path, _ := writeSynthetic(t, 2000)
	db, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var wg sync.WaitGroup
	rows := make([]int, 4)
	for i := range rows {
		wg.Go(func() {
			m, err := db.Match(inventory500(), day)
			if err != nil {
				t.Error(err)
			}
			rows[i] = len(m.Findings)
		})
	}
	wg.Wait()
	for _, n := range rows {
		if n != rows[0] || n == 0 {
			t.Errorf("rows of equal scans: %v", rows)
		}
	}
}

// FuzzOpenMatch: whatever the file, opening, matching and looking up give an error or an answer.
func FuzzOpenMatch(f *testing.F) {
	b := NewBuilder(Options{})
	for s := newSynthetic(3); s.n < 60; {
		if err := b.Add(s.next()); err != nil {
			f.Fatal(err)
		}
	}
	b.AddKEV("CVE-2020-1", finding.KEV{Added: "2020-01-01"})
	var w memory
	if _, err := b.writeTo(context.Background(), &w, Meta{BuiltAt: day}); err != nil {
		f.Fatal(err)
	}
	b.Close()
	inv := inventory500()
	seed, err := openBytes(w.b, int64(len(w.b)))
	if err != nil {
		f.Fatal(err)
	}
	for _, e := range seed.ecos {
		for i := range 60 {
			s := newSynthetic(3)
			s.n = i
			inv.Packages = append(inv.Packages, finding.Package{Name: s.name(100), Version: "1.0", Ecosystem: e.name})
		}
	}
	f.Add(uint32(0), byte(0), uint32(0), byte(0))
	for i := range 64 {
		f.Add(uint32(i*37), byte(0xff), uint32(i*1001), byte(i))
	}
	f.Fuzz(func(t *testing.T, at uint32, with byte, at2 uint32, with2 byte) {
		data := bytes.Clone(w.b)
		data[int(at)%len(data)] ^= with
		data[int(at2)%len(data)] ^= with2
		db, err := openBytes(data, int64(len(data)))
		if err != nil {
			return
		}
		defer db.Close()
		_, _ = db.Match(inv, day)
		_, _ = db.Lookup("CVE-2020-1")
		_, _, _ = db.changed(day)
		db.Info()
	})
}
