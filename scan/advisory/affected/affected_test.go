package affected

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/advisory"
	"github.com/seawall/seawall/scan/advisory/record"
)

var (
	old   = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	since = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
)

func open(t testing.TB, records ...record.Record) *advisory.DB {
	t.Helper()
	b := advisory.NewBuilder(advisory.Options{})
	defer b.Close()
	for _, r := range records {
		if err := b.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "db")
	if _, err := b.WriteFile(context.Background(), path, advisory.Meta{BuiltAt: since}); err != nil {
		t.Fatal(err)
	}
	db, err := advisory.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func about(id string, modified time.Time, eco, name, fixed string) record.Record {
	return record.Record{ID: id, Modified: modified, Affected: []record.Affected{{Ecosystem: eco, Name: name, Ranges: []record.Range{{
		Kind: record.Ecosystem, Events: []record.Event{{Introduced: "0"}, {Fixed: fixed}}}}}}}
}

func TestQuery(t *testing.T) {
	dir := t.TempDir()
	write := func(name, body string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ssl := `{"name":"libssl3","version":"3.0-1","type":"deb","sourceName":"openssl","sourceVersion":"3.0-1"}`
	write("a.json", `{"analyser":"1","image":{"ref":"a:1","id":"sha256:a"},"distro":{"ecosystem":"Debian:12"},"packages":[`+ssl+`,`+ssl+`]}`)
	write("b.json", `{"inventory":{"analyser":"1","image":{"ref":"b:1"},"distro":{"ecosystem":"Debian:12"},"packages":[`+ssl+`,
		{"name":"x","version":"1.0.0","type":"npm","ecosystem":"npm"}]}}`)
	write("c.json", `{"analyser":"1","image":{"ref":"c:1"},"packages":[{"name":"x","version":"2.0.0","type":"npm"},{"name":"y","version":"1.0.0","type":"npm","ownedBy":"z"}]}`)
	write("broken.json", `{"analyser":`)
	write("notes.txt", `hello`)
	out := filepath.Join(t.TempDir(), "index")
	st, err := Build(context.Background(), dir, out, readJSON)
	if err != nil {
		t.Fatal(err)
	}
	if st.Inventories != 3 || st.Distinct != 3 || len(st.Failed) != 1 || st.Failed[0].Path != "broken.json" {
		t.Errorf("stats: %+v", st)
	}
	x, err := Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	db := open(t,
		about("CVE-2026-1", since, "Debian:12", "openssl", "3.1-1"),
		about("CVE-2025-1", old, "Debian:12", "openssl", "3.2-1"),
		about("CVE-2025-2", old, "npm", "x", "1.5.0"),
		about("CVE-2026-2", since, "npm", "y", "9.0.0"),
	)
	var got []string
	sum, err := x.Query(context.Background(), db, since, func(h Hit) error {
		for _, f := range h.Findings {
			for _, inv := range h.Inventories {
				got = append(got, fmt.Sprintln(f.ID, f.Fixed, h.Package.Name, inv.Path, inv.Ref))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"CVE-2026-1 3.1-1 libssl3 a.json a:1\n", "CVE-2026-1 3.1-1 libssl3 b.json b:1\n"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("hits (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(Summary{Records: 2, Packages: 3, Hits: 1, Inventories: 2}, sum); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
	found, err := x.Find("npm", "x")
	if err != nil {
		t.Fatal(err)
	}
	if len(found["1.0.0"]) != 1 || len(found["2.0.0"]) != 1 || found["1.0.0"][0].Path != "b.json" {
		t.Errorf("find: %+v", found)
	}
}

func TestDamaged(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "index")
	if _, err := Build(context.Background(), t.TempDir(), path, readJSON); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 10, len(b) - 1} {
		if err := os.WriteFile(path, b[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%d of %d bytes: %v", n, len(b), err)
		}
	}
}

// FuzzIndex: whatever the bytes, reading them gives an error or an answer. The sum is left out: who writes a
// hostile file writes its sum too.
func FuzzIndex(f *testing.F) {
	b := &builder{packages: map[string]*postings{}}
	for i := range 40 {
		b.add(strconv.Itoa(i), synthetic(i, 10))
	}
	path := filepath.Join(f.TempDir(), "index")
	if err := b.write(path); err != nil {
		f.Fatal(err)
	}
	x, err := Open(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte{}, []byte{})
	f.Add(append([]byte(nil), x.index...), append([]byte(nil), x.packages...))
	f.Fuzz(func(t *testing.T, index, packages []byte) {
		y := &Index{index: index, packages: packages, inventories: x.inventories, distinct: len(index) / 8 * blockSize}
		_ = y.each(0, func(key, list []byte, n int) (bool, error) {
			packageOf(key)
			_, err := y.expand(list, n, nil)
			return err == nil, err
		})
		_, _ = y.Find("npm", "x")
	})
}

// synthetic is the inventory of image i: most packages are those of one of a few dozen base images.
func synthetic(i, n int) *finding.Inventory {
	base := rand.New(rand.NewPCG(uint64(i%40), 1))
	own := rand.New(rand.NewPCG(uint64(i), 2))
	inv := &finding.Inventory{Image: finding.Image{Ref: fmt.Sprintf("registry.example/team/app%d:1", i)}}
	for j := range n {
		r := base
		if j%5 == 0 {
			r = own
		}
		p := finding.Package{
			Name: fmt.Sprintf("package-%d", r.IntN(8000)), Version: fmt.Sprintf("%d.%d.%d", r.IntN(4), r.IntN(6), r.IntN(4)), Type: "npm", Ecosystem: "npm",
		}
		if j%5 > 2 {
			p.Type, p.Ecosystem, p.Version = "deb", "Debian:12", p.Version+"-1"
		}
		inv.Packages = append(inv.Packages, p)
	}
	return inv
}

// BenchmarkQuery asks a delta of 1,000 records among 100,000 against SEAWALL_BENCH_INVENTORIES (50,000 for the figure
// that the documentation gives) of 300 packages each.
func BenchmarkQuery(b *testing.B) {
	n := 2000
	if v, err := strconv.Atoi(os.Getenv("SEAWALL_BENCH_INVENTORIES")); err == nil && v > 0 {
		n = v
	}
	bu := &builder{packages: map[string]*postings{}}
	for i := range n {
		bu.add(fmt.Sprintf("inventories/%06d.json", i), synthetic(i, 300))
	}
	path := filepath.Join(b.TempDir(), "index")
	if err := bu.write(path); err != nil {
		b.Fatal(err)
	}
	b.Logf("%+v", bu.stats)
	bu = nil
	var records []record.Record
	r := rand.New(rand.NewPCG(1, 1))
	for i := range 100_000 {
		modified, eco, fixed := old, "npm", fmt.Sprintf("%d.%d.0", r.IntN(4), r.IntN(6))
		if i%100 == 0 {
			modified = since
		}
		if i%3 == 0 {
			eco, fixed = "Debian:12", fixed+"-1"
		}
		records = append(records, about(fmt.Sprintf("CVE-2026-%d", i), modified, eco, fmt.Sprintf("package-%d", r.IntN(8000)), fixed))
	}
	db := open(b, records...)
	var sum Summary
	for b.Loop() {
		x, err := Open(path)
		if err != nil {
			b.Fatal(err)
		}
		if sum, err = x.Query(context.Background(), db, since, func(Hit) error { return nil }); err != nil {
			b.Fatal(err)
		}
		x.Close()
	}
	b.Logf("%+v", sum)
}

// readJSON reads a finding.Inventory, or the one inside a finding.Result, from a JSON file; files of other names
// are skipped.
func readJSON(path string) (*finding.Inventory, error) {
	if filepath.Ext(path) != ".json" {
		return nil, ErrSkip
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var v struct {
		finding.Inventory
		Inside *finding.Inventory `json:"inventory"`
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil, fmt.Errorf("reading the inventory %s: %w", path, err)
	}
	if v.Inside != nil {
		return v.Inside, nil
	}
	if v.Inventory.Analyser == "" && v.Inventory.Packages == nil {
		return nil, ErrSkip
	}
	return &v.Inventory, nil
}
