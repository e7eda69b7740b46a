package advisory

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/advisory/record"
)

// synthetic makes records in the mix of the public databases: hostile npm packages, distribution CVEs over several
// releases, errata over many binaries, and language advisories with aliases and vectors. The same seed gives the
// same records.
type synthetic struct {
	r *rand.Rand
	n int
}

func newSynthetic(seed uint64) *synthetic {
	return &synthetic{r: rand.New(rand.NewPCG(seed, seed))}
}

var (
	syntheticWords = []string{
		"buffer", "overflow", "in", "parser", "allows", "remote", "attackers", "to", "execute", "arbitrary", "code",
		"denial", "of", "service", "via", "crafted", "request", "header", "improper", "validation", "session", "token",
		"cross-site", "scripting", "when", "handling", "untrusted", "input", "memory", "leak", "race", "condition",
	}
	syntheticVectors = []string{
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N",
		"CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
	}
)

func (s *synthetic) next() record.Record {
	s.n++
	modified := time.Unix(1_500_000_000+int64(s.r.IntN(200_000_000)), 0).UTC()
	r := record.Record{Modified: modified, Published: modified.Add(-time.Duration(s.r.IntN(1000)) * time.Hour), Summary: s.words(6 + s.r.IntN(6))}
	switch k := s.r.IntN(100); {
	case k < 30:
		s.malware(&r)
	case k < 55:
		s.distribution(&r, "Debian", []string{"11", "12", "13", "14"}, 1)
	case k < 70:
		s.distribution(&r, "Ubuntu", []string{"14.04:LTS", "16.04:LTS", "18.04:LTS", "20.04:LTS", "22.04:LTS", "24.04:LTS", "25.10"}, 1)
	case k < 80:
		s.erratum(&r)
	case k < 85:
		s.distribution(&r, "Alpine", []string{"v3.17", "v3.18", "v3.19", "v3.20", "v3.21"}, 1)
	default:
		s.language(&r)
	}
	return r
}

func (s *synthetic) malware(r *record.Record) {
	name := s.name(400_000)
	r.ID, r.Summary = fmt.Sprintf("MAL-2025-%d", s.n), "Malicious code in "+name+" (npm)"
	r.Affected = []record.Affected{{Ecosystem: "npm", Name: name, Ranges: []record.Range{{Events: []record.Event{{Introduced: "0"}}}}}}
	r.CWE = []string{"CWE-506"}
}

func (s *synthetic) distribution(r *record.Record, eco string, releases []string, names int) {
	cve := s.cve()
	r.ID, r.Upstream, r.Summary = fmt.Sprintf("%s-%s-%d", eco, cve, s.n), []string{cve}, ""
	for range names {
		name := s.name(6000)
		base := s.version()
		for i, rel := range releases {
			events := []record.Event{{Introduced: "0"}}
			if s.r.IntN(10) > 2 {
				events = append(events, record.Event{Fixed: fmt.Sprintf("%s-%d+u%d", base, i, s.r.IntN(4))})
			}
			r.Affected = append(r.Affected, record.Affected{
				Ecosystem: eco + ":" + rel, Name: name, Ranges: []record.Range{{Kind: record.Ecosystem, Events: events}},
			})
		}
	}
}

func (s *synthetic) erratum(r *record.Record) {
	r.ID = fmt.Sprintf("SUSE-SU-2025:%d-1", s.n)
	for range 1 + s.r.IntN(6) {
		r.Upstream = append(r.Upstream, s.cve())
	}
	name, v := s.name(3000), s.version()
	for i := range 5 + s.r.IntN(30) {
		r.Affected = append(r.Affected, record.Affected{
			Ecosystem: "SUSE:Linux Enterprise Server 15 SP" + strconv.Itoa(s.r.IntN(6)), Name: name + "-" + strconv.Itoa(i),
			Ranges: []record.Range{{Kind: record.Ecosystem, Events: []record.Event{{Introduced: "0"}, {Fixed: v + "-150000.3.1"}}}},
		})
	}
}

func (s *synthetic) language(r *record.Record) {
	ecos := []string{"npm", "PyPI", "Go", "Maven", "crates.io", "RubyGems", "NuGet", "Packagist"}
	r.ID = fmt.Sprintf("GHSA-%04x-%04x-%04x", s.n>>16, s.n&0xffff, s.r.IntN(1<<16))
	r.Aliases = []string{s.cve()}
	r.Severities = []record.Severity{{Type: "CVSS_V3", Score: syntheticVectors[s.r.IntN(3)]}}
	r.Rating, r.CWE = "HIGH", []string{"CWE-" + strconv.Itoa(20+s.r.IntN(900))}
	a := record.Affected{Ecosystem: ecos[s.r.IntN(len(ecos))], Name: s.name(20_000)}
	a.Ranges = []record.Range{{Kind: record.Ecosystem, Events: []record.Event{{Introduced: "0"}, {Fixed: s.version()}}}}
	r.Affected = []record.Affected{a}
}

func (s *synthetic) cve() string {
	return fmt.Sprintf("CVE-20%02d-%d", 10+s.r.IntN(17), 1000+s.r.IntN(30_000))
}

func (s *synthetic) name(of int) string {
	n := s.r.IntN(of)
	return fmt.Sprintf("%s-%s%x", syntheticWords[n%len(syntheticWords)], syntheticWords[n/7%len(syntheticWords)], n)
}

func (s *synthetic) version() string {
	return fmt.Sprintf("%d.%d.%d", s.r.IntN(20), s.r.IntN(30), s.r.IntN(40))
}

func (s *synthetic) words(n int) string {
	out := ""
	for range n {
		out += syntheticWords[s.r.IntN(len(syntheticWords))] + " "
	}
	return out + strconv.Itoa(s.r.IntN(1000))
}

func writeSynthetic(t testing.TB, n int) (string, Stats) {
	t.Helper()
	b := NewBuilder(Options{})
	defer b.Close()
	for s := newSynthetic(7); s.n < n; {
		if err := b.Add(s.next()); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "db")
	stats, err := b.WriteFile(context.Background(), path, Meta{BuiltAt: time.Unix(1_700_000_000, 0)})
	if err != nil {
		t.Fatal(err)
	}
	return path, stats
}

// benchRecords is how many records the benchmarks build: 700,000 for the figure that the documentation gives.
func benchRecords() int {
	if n, err := strconv.Atoi(os.Getenv("SEAWALL_BENCH_RECORDS")); err == nil && n > 0 {
		return n
	}
	return 20_000
}

func BenchmarkBuild(b *testing.B) {
	n := benchRecords()
	for b.Loop() {
		path, _ := writeSynthetic(b, n)
		st, err := os.Stat(path)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(st.Size())/float64(n), "bytes/record")
		b.ReportMetric(float64(st.Size())/1e6, "MB")
	}
}

func BenchmarkOpen(b *testing.B) {
	path, _ := writeSynthetic(b, benchRecords())
	for b.Loop() {
		db, err := Open(path)
		if err != nil {
			b.Fatal(err)
		}
		db.Close()
	}
}

// BenchmarkInfo is what a scan asks of the database beside the matches.
func BenchmarkInfo(b *testing.B) {
	openReal(b)
	db, err := Open(realDB.path)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	for b.Loop() {
		_ = db.Info()
	}
}

// inventory500 is an image of 400 Debian packages and 100 of npm and PyPI, with the names that synthetic gives.
func inventory500() *finding.Inventory {
	s := newSynthetic(9)
	inv := &finding.Inventory{Distro: finding.Distro{ID: "debian", Ecosystem: "Debian:12"}}
	for i := range 500 {
		p := finding.Package{Name: s.name(6000), Version: s.version(), Type: "deb", Ecosystem: "Debian:12"}
		switch {
		case i >= 450:
			p.Type, p.Ecosystem, p.Name = "pypi", "PyPI", s.name(20_000)
		case i >= 400:
			p.Type, p.Ecosystem, p.Name = "npm", "npm", s.name(20_000)
		}
		p.SourceName, p.SourceVersion = p.Name, p.Version
		inv.Packages = append(inv.Packages, p)
	}
	return inv
}

// BenchmarkMatch500 opens, matches and closes each time, as a scan does.
func BenchmarkMatch500(b *testing.B) {
	path, _ := writeSynthetic(b, benchRecords())
	inv := inventory500()
	rows := 0
	for b.Loop() {
		db, err := Open(path)
		if err != nil {
			b.Fatal(err)
		}
		m, err := db.Match(inv, time.Unix(1_700_000_000, 0))
		if err != nil {
			b.Fatal(err)
		}
		rows = len(m.Findings)
		db.Close()
	}
	b.ReportMetric(float64(rows), "rows")
}

// BenchmarkMatchBookworm matches a real package list against the real advisories.
func BenchmarkMatchBookworm(b *testing.B) {
	openReal(b)
	inv := bookworm(b)
	for b.Loop() {
		db, err := Open(realDB.path)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := db.Match(inv, time.Unix(1_700_000_000, 0)); err != nil {
			b.Fatal(err)
		}
		db.Close()
	}
}
