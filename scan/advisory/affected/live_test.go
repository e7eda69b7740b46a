package affected

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/advisory"
	"github.com/seawall/seawall/scan/advisory/record"
)

func openLive(t testing.TB, dir string) *Live {
	t.Helper()
	l, err := OpenLive(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func npm(names ...string) *finding.Inventory {
	inv := &finding.Inventory{}
	for _, n := range names {
		inv.Packages = append(inv.Packages, finding.Package{Name: n, Version: "1.0.0", Type: "npm", Ecosystem: "npm"})
	}
	return inv
}

// changes compares, accepts and tells what changed, a line for each package.
func changes(t testing.TB, l *Live, db *advisory.DB) (out []string) {
	t.Helper()
	c, err := l.Compare(context.Background(), db, func(c Change) error {
		line := c.Package.Name
		if c.New {
			line += " new"
		}
		for _, f := range c.Added {
			line += " +" + f.ID
		}
		for _, id := range c.Changed {
			line += " ~" + id
		}
		for _, id := range c.Removed {
			line += " -" + id
		}
		out = append(out, fmt.Sprint(line, " ", c.Digests))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Accept(c); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestCompare(t *testing.T) {
	dir := t.TempDir()
	l := openLive(t, dir)
	l.Add(1, "sha256:a", npm("x", "y"))
	l.Add(2, "sha256:b", npm("x", "z"))
	x := about("CVE-2026-1", old, "npm", "x", "2.0.0")
	y := about("GHSA-2222-2222-2222", old, "npm", "y", "2.0.0")
	step := func(name string, records []record.Record, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, changes(t, l, open(t, records...))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	step("the first time everything is new", []record.Record{x, y},
		"x new +CVE-2026-1 [sha256:a sha256:b]", "y new +GHSA-2222-2222-2222 [sha256:a]", "z new [sha256:b]")
	step("the same again", []record.Record{x, y})
	later := x
	later.Modified = since
	step("only the date of the record moved", []record.Record{later, y})
	fixed := about("CVE-2026-1", since, "npm", "x", "1.5.0")
	step("another fix", []record.Record{fixed, y}, "x ~CVE-2026-1 [sha256:a sha256:b]")
	named := y
	named.ID, named.Aliases = "CVE-2026-2", []string{"GHSA-2222-2222-2222"}
	step("a CVE was assigned", []record.Record{fixed, y, named}, "y ~CVE-2026-2 [sha256:a]")
	z := about("CVE-2026-3", since, "npm", "z", "2.0.0")
	step("a new advisory", []record.Record{fixed, y, named, z}, "z +CVE-2026-3 [sha256:b]")
	gone := z
	gone.Withdrawn = since
	step("it is withdrawn", []record.Record{fixed, y, named, gone}, "z -CVE-2026-3 [sha256:b]")
	step("another is removed", []record.Record{y, named}, "x -CVE-2026-1 [sha256:a sha256:b]")

	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = openLive(t, dir)
	if l.Last() != 2 || l.Inventories() != 2 {
		t.Fatalf("after opening again: last %d, %d inventories", l.Last(), l.Inventories())
	}
	l.Add(2, "sha256:b", npm("x"))
	l.Add(3, "sha256:b", npm("y", "new"))
	step("an image was scanned anew, and another database came", []record.Record{fixed, y, named},
		"new new [sha256:b]", "x +CVE-2026-1 [sha256:a]")
	if err := l.Save(func(digest string) bool { return digest == "sha256:a" }); err != nil {
		t.Fatal(err)
	}
	step("an image is gone", []record.Record{x}, "y -CVE-2026-2 [sha256:b]")
}

func TestCoverageChanges(t *testing.T) {
	l := openLive(t, t.TempDir())
	l.Add(1, "sha256:a", npm("x"))
	deb := about("CVE-2026-9", old, "Debian:12", "bash", "9")
	changes(t, l, open(t, deb))
	got := changes(t, l, open(t, deb, about("CVE-2026-8", old, "npm", "other", "2.0.0")))
	if diff := cmp.Diff([]string{"x ~coverage [sha256:a]"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAcceptOnlyTheLast(t *testing.T) {
	l := openLive(t, t.TempDir())
	l.Add(1, "sha256:a", npm("x"))
	one, two := open(t, about("CVE-2026-1", old, "npm", "x", "2.0.0")), open(t)
	none := func(Change) error { return nil }
	first, err := l.Compare(t.Context(), one, none)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Compare(t.Context(), two, none); err != nil {
		t.Fatal(err)
	}
	if l.Accept(first) == nil {
		t.Error("a comparison was accepted that another took the place of")
	}
}

func TestDamagedFilesAreFilledAgain(t *testing.T) {
	dir := t.TempDir()
	l := openLive(t, dir)
	l.Add(7, "sha256:a", npm("x"))
	db := open(t, about("CVE-2026-1", old, "npm", "x", "2.0.0"))
	changes(t, l, db)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{baseName, memoName} {
		path := filepath.Join(dir, name)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		broken := slices.Clone(whole)
		broken[max(headerLen, len(broken)/2)] ^= 0x40
		if err := os.WriteFile(path, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		l := openLive(t, dir)
		if name == baseName {
			if l.Last() != 0 {
				t.Errorf("a damaged index goes on after %d", l.Last())
			}
			l.Add(7, "sha256:a", npm("x"))
		}
		if name == memoName {
			if got := changes(t, l, db); !slices.Equal(got, []string{"x new +CVE-2026-1 [sha256:a]"}) {
				t.Errorf("with a damaged memo: %q", got)
			}
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// Property: the images that a comparison names, and what it says was added to them, are those that matching each image
// whole with both databases gives.
func TestCompareAgainstMatching(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	records := func(seed uint64) (out []record.Record) {
		r := rand.New(rand.NewPCG(seed, 9))
		for i := range 300 {
			if r.IntN(10) > 0 { // each database lacks some
				out = append(out, about(fmt.Sprintf("CVE-2026-%d", i), old, "npm", "package-"+strconv.Itoa(i%120), fmt.Sprintf("%d.%d.0", i%4, r.IntN(6))))
			}
		}
		return out
	}
	l := openLive(t, t.TempDir())
	images := map[string]*finding.Inventory{}
	for i := range 60 {
		inv := &finding.Inventory{}
		for range 30 {
			inv.Packages = append(inv.Packages, finding.Package{
				Name: "package-" + strconv.Itoa(r.IntN(150)), Version: fmt.Sprintf("%d.%d.0", r.IntN(4), r.IntN(6)), Type: "npm", Ecosystem: "npm",
			})
		}
		digest := fmt.Sprintf("sha256:%02d", i)
		images[digest] = inv
		l.Add(int64(i+1), digest, inv)
		if i%17 == 0 {
			if err := l.Save(nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	first, second := open(t, records(1)...), open(t, records(2)...)
	changes(t, l, first)
	want := map[string]map[string]bool{}
	for digest, inv := range images {
		a, b := found(t, first, inv), found(t, second, inv)
		for id, fixed := range b {
			if a[id] != fixed {
				note(want, digest, id)
			}
		}
		for id := range a {
			if b[id] == "" {
				note(want, digest, id)
			}
		}
	}
	got := map[string]map[string]bool{}
	if _, err := l.Compare(t.Context(), second, func(c Change) error {
		for _, d := range c.Digests {
			for _, f := range c.Added {
				note(got, d, f.ID+" "+c.Package.Name+" "+c.Package.Version)
			}
			for _, id := range slices.Concat(c.Changed, c.Removed) {
				note(got, d, id+" "+c.Package.Name+" "+c.Package.Version)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-matching +comparing):\n%s", diff)
	}
}

func note(in map[string]map[string]bool, digest, id string) {
	if in[digest] == nil {
		in[digest] = map[string]bool{}
	}
	in[digest][id] = true
}

func found(t *testing.T, db *advisory.DB, inv *finding.Inventory) map[string]string {
	t.Helper()
	m, err := db.Match(inv, since)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range m.Findings {
		out[f.ID+" "+f.Package.Name+" "+f.Package.Version] = f.Fixed + string(f.State)
	}
	return out
}

// FuzzMemo: whatever the bytes, reading them gives an error, nothing, or an answer.
func FuzzMemo(f *testing.F) {
	dir := f.TempDir()
	w, err := newMemoWriter(dir, "sha256:x")
	if err != nil {
		f.Fatal(err)
	}
	for i := range 20 {
		w.add([]byte("npm\x00x"+strconv.Itoa(100+i)), []row{{"CVE-1", uint64(i)}})
	}
	if err := w.finish(map[string]finding.GapKind{"npm": ""}); err != nil {
		f.Fatal(err)
	}
	whole, err := os.ReadFile(w.path)
	if err != nil {
		f.Fatal(err)
	}
	if m, ok := parseMemo(whole); !ok || m.database != "sha256:x" || m.left != 20 {
		f.Fatalf("what was written reads %+v, %v", m, ok)
	}
	f.Add(whole, uint64(20))
	f.Add([]byte{}, uint64(1))
	f.Fuzz(func(t *testing.T, b []byte, left uint64) {
		parseMemo(b)
		m := &memo{r: reader{b: b}, left: left}
		for i := range 50 {
			if _, _, err := m.next([]byte("npm\x00x" + strconv.Itoa(100+i))); err != nil {
				return
			}
		}
	})
}

// sharing is the inventory of image i out of a registry in which images share bases: 300 packages, of which 240 are
// those of one of 200 builds of a few bases; 2,000 names in all.
func sharing(i int) *finding.Inventory {
	inv := &finding.Inventory{Image: finding.Image{ID: fmt.Sprintf("sha256:%064d", i)}, Distro: finding.Distro{Ecosystem: "Debian:12"}}
	base := rand.New(rand.NewPCG(uint64(i%200), 1))
	own := rand.New(rand.NewPCG(uint64(i), 2))
	for j := range 300 {
		r, p := base, finding.Package{Type: "deb", Ecosystem: "Debian:12"}
		if j >= 240 {
			r, p = own, finding.Package{Type: "npm", Ecosystem: "npm"}
		}
		name := r.IntN(1000)
		p.Version = fmt.Sprintf("%d.%d.%d", 1+name%3, r.IntN(6), r.IntN(3))
		p.Name = "package-" + strconv.Itoa(name)
		inv.Packages = append(inv.Packages, p)
	}
	return inv
}

// BenchmarkCompare compares two databases of 100,000 records of which 1,000 differ, over SEAWALL_BENCH_INVENTORIES
// (50,000 for the figure in the documentation) stored inventories.
func BenchmarkCompare(b *testing.B) {
	n := 2000
	if v, err := strconv.Atoi(os.Getenv("SEAWALL_BENCH_INVENTORIES")); err == nil && v > 0 {
		n = v
	}
	l := openLive(b, b.TempDir())
	start := time.Now()
	for i := range n {
		l.Add(int64(i+1), fmt.Sprintf("sha256:%064d", i), sharing(i))
		if l.Grown() == 5000 {
			if err := l.Save(nil); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := l.Save(nil); err != nil {
		b.Fatal(err)
	}
	b.Logf("indexed %d inventories in %s: %d bytes, %d distinct packages", n, time.Since(start), len(l.base.data), l.base.distinct)
	dbs := [2]*advisory.DB{open(b, many(0)...), open(b, many(1)...)}
	changes(b, l, dbs[0])
	i := 0
	var images int
	for b.Loop() {
		i++
		touched := map[string]bool{}
		c, err := l.Compare(b.Context(), dbs[i%2], func(c Change) error {
			for _, d := range c.Digests {
				touched[d] = true
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
		if err := l.Accept(c); err != nil {
			b.Fatal(err)
		}
		images = len(touched)
	}
	b.ReportMetric(float64(images), "images")
}

func many(variant int) (records []record.Record) {
	r := rand.New(rand.NewPCG(1, 1))
	for i := range 100_000 {
		eco, name, fixed := "npm", fmt.Sprintf("package-%d", r.IntN(1000)), fmt.Sprintf("%d.%d.0", r.IntN(4), r.IntN(6))
		if i%3 == 0 {
			eco = "Debian:12"
		}
		if i%50 != 0 { // most records speak of packages that no image has
			name = "elsewhere-" + name
		}
		if i%100 == variant {
			continue
		}
		records = append(records, about(fmt.Sprintf("CVE-2026-%d", i), old, eco, name, fixed))
	}
	return records
}
