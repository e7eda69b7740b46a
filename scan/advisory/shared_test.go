package advisory

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/advisory/record"
)

// sharedData finds the public data that the repository does not hold.
func sharedData(t testing.TB, elem ...string) string {
	t.Helper()
	dir := os.Getenv("SEAWALL_SHARED_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	path := filepath.Join(append([]string{dir}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("shared data not found: %s (set SEAWALL_SHARED_DATA)", path)
	}
	return path
}

// osvJSON is as much of an OSV record as these tests need.
type osvJSON struct {
	ID                             string
	Aliases, Upstream, Related     []string
	Summary                        string
	Published, Modified, Withdrawn time.Time
	Severity                       []record.Severity
	DatabaseSpecific               struct {
		Severity any
		CWEIDs   []string `json:"cwe_ids"`
	} `json:"database_specific"`
	Affected []struct {
		Package  struct{ Ecosystem, Name string }
		Severity []record.Severity
		Ranges   []struct {
			Type   string
			Events []map[string]string
		}
		Versions []string
	}
}

func (o *osvJSON) record() record.Record {
	r := record.Record{
		ID: o.ID, Aliases: o.Aliases, Upstream: o.Upstream, Related: o.Related, Summary: o.Summary,
		Published: o.Published, Modified: o.Modified, Withdrawn: o.Withdrawn, Severities: o.Severity, CWE: o.DatabaseSpecific.CWEIDs,
	}
	r.Rating, _ = o.DatabaseSpecific.Severity.(string)
	for _, a := range o.Affected {
		ra := record.Affected{Ecosystem: a.Package.Ecosystem, Name: a.Package.Name, Versions: a.Versions, Severities: a.Severity}
		for _, g := range a.Ranges {
			rg := record.Range{Kind: map[string]record.RangeKind{"SEMVER": record.Semver, "ECOSYSTEM": record.Ecosystem, "GIT": record.Git}[g.Type]}
			for _, e := range g.Events {
				rg.Events = append(rg.Events, record.Event{
					Introduced: e["introduced"], Fixed: e["fixed"], LastAffected: e["last_affected"], Limit: e["limit"],
				})
			}
			ra.Ranges = append(ra.Ranges, rg)
		}
		r.Affected = append(r.Affected, ra)
	}
	return r
}

func eachRecord(t testing.TB, file string, f func(record.Record)) {
	t.Helper()
	raw, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	z, err := zstd.NewReader(raw)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var o osvJSON
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		f(o.record())
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}

var realDB struct {
	once  sync.Once
	path  string
	stats Stats
}

// openReal compiles all real advisories once per run.
func openReal(t testing.TB) *DB {
	t.Helper()
	dir := sharedData(t, "advisories", "osv")
	realDB.once.Do(func() {
		files, _ := filepath.Glob(filepath.Join(dir, "*.jsonl.zst"))
		sort.Strings(files)
		b := NewBuilder(Options{})
		defer b.Close()
		for _, f := range files {
			eachRecord(t, f, func(r record.Record) {
				if err := b.Add(r); err != nil {
					t.Error(err)
				}
			})
		}
		tmp, err := os.MkdirTemp("", "seawall-advisory-test")
		if err != nil {
			t.Fatal(err)
		}
		realDB.path = filepath.Join(tmp, "db")
		if realDB.stats, err = b.WriteFile(context.Background(), realDB.path, Meta{BuiltAt: time.Unix(1_700_000_000, 0)}); err != nil {
			t.Fatal(err)
		}
	})
	db, err := Open(realDB.path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestMain(m *testing.M) {
	code := m.Run()
	if realDB.path != "" {
		os.RemoveAll(filepath.Dir(realDB.path))
	}
	os.Exit(code)
}

// bookworm lists the packages of the Debian image's dpkg status file.
func bookworm(t testing.TB) *finding.Inventory {
	f, err := os.Open(sharedData(t, "images", "debian-bookworm-packages.tar.xz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := xz.NewReader(bufio.NewReader(f))
	if err != nil {
		t.Fatal(err)
	}
	inv := &finding.Inventory{Distro: finding.Distro{ID: "debian", VersionID: "12", Ecosystem: "Debian:12"}}
	tr := tar.NewReader(z)
	for {
		h, err := tr.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(h.Name, "var/lib/dpkg/status") {
			b, err := io.ReadAll(tr)
			if err != nil {
				t.Fatal(err)
			}
			inv.Packages = dpkgPackages(b)
		}
	}
	return inv
}

func dpkgPackages(status []byte) (out []finding.Package) {
	for _, para := range bytes.Split(status, []byte("\n\n")) {
		fields := map[string]string{}
		for _, line := range strings.Split(string(para), "\n") {
			if k, v, ok := strings.Cut(line, ": "); ok && !strings.HasPrefix(line, " ") {
				fields[k] = v
			}
		}
		if fields["Package"] == "" {
			continue
		}
		p := finding.Package{
			Name: fields["Package"], Version: fields["Version"], Arch: fields["Architecture"], Type: "deb",
			Ecosystem: "Debian:12", SourceName: fields["Package"], SourceVersion: fields["Version"],
		}
		if src := fields["Source"]; src != "" {
			name, ver, ok := strings.Cut(src, " ")
			p.SourceName = name
			if ok {
				p.SourceVersion = strings.Trim(ver, "()")
			}
		}
		out = append(out, p)
	}
	return out
}

func TestBookworm(t *testing.T) {
	db, inv := openReal(t), bookworm(t)
	raw, err := os.ReadFile(sharedData(t, "images", "expected-debian-bookworm.json"))
	if err != nil {
		t.Fatal(err)
	}
	var expected []struct{ Source, Installed, CVE, Fixed string }
	if err := json.Unmarshal(raw, &expected); err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, e := range expected {
		want = append(want, fmt.Sprint(e.Source, e.Installed, e.CVE, e.Fixed))
	}
	m, err := db.Match(inv, time.Unix(1_700_000_000, 0))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range m.Findings {
		got = append(got, fmt.Sprint(f.Package.SourceName, f.Package.SourceVersion, f.ID, f.Fixed))
	}
	sort.Strings(want)
	sort.Strings(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows of Debian bookworm (-want +got):\n%s", diff)
	}
}

func TestRealSize(t *testing.T) {
	db := openReal(t)
	info := db.Info()
	t.Logf("%d records, %d bytes, %.1f a record; %+v", info.Records, info.Size, float64(info.Size)/float64(info.Records), info.Stats)
	for i, s := range db.h.sections {
		t.Logf("section %2d: %8d elements %9d bytes %.1f a record", i, s.count, s.len, float64(s.len)/float64(info.Records))
	}
}
