package affected

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/advisory"
	"github.com/seawall/seawall/scan/advisory/internal/mapped"
)

// Change is one distinct package about which the database says something else than at the last accepted comparison.
type Change struct {
	Package finding.Package
	// Added are its findings that were not there under any id. Changed and Removed are ids of findings of which
	// something changed that matters, and that are gone; "coverage" in Changed says that the database covers the
	// ecosystem otherwise than before, "unparsed-version" that another part of it could not be compared.
	Added            []finding.Finding
	Changed, Removed []string
	// New: nothing was remembered of the package. Added holds all its findings.
	New bool
	// Digests are the images that hold the package.
	Digests []string
}

// Comparison sums a comparison up.
type Comparison struct {
	// From and To are the databases' digests, From "" where nothing was remembered.
	From, To string
	// Inventories, Packages (distinct ones) and Changed count.
	Inventories, Packages, Changed int
}

// chunk is how many packages are matched at once.
const chunk = 4096

// Compare asks the database about every distinct package and hands those to yield about which it says something else
// than before. Records that were withdrawn, removed or rated anew count as much as new ones: what is said is compared,
// not when it was written. What it said now takes the place of what is remembered when Accept is called.
func (l *Live) Compare(ctx context.Context, db *advisory.DB, yield func(Change) error) (c Comparison, err error) {
	l.working.Lock()
	defer l.working.Unlock()
	if err := l.save(nil); err != nil {
		return c, err
	}
	defer mapped.Guard(ErrCorrupt)(&err)
	old, closeOld, err := openMemo(l.path(memoName))
	if err != nil {
		return c, err
	}
	defer closeOld()
	l.drop()
	w, err := newMemoWriter(l.dir, db.Info().Database.Digest)
	if err != nil {
		return c, err
	}
	k := &comparison{db: db, base: l.base, old: old, out: w, yield: yield, coverage: map[string]finding.GapKind{}}
	k.sum = Comparison{From: old.database, To: w.database, Inventories: l.base.Inventories()}
	if err := errors.Join(k.run(ctx), w.finish(k.coverage)); err != nil {
		w.drop()
		return k.sum, fmt.Errorf("comparing what the database says of %d packages: %w", l.base.distinct, err)
	}
	l.pending = w
	return k.sum, nil
}

// Accept remembers what the last comparison found, if it is this one.
func (l *Live) Accept(c Comparison) error {
	l.working.Lock()
	defer l.working.Unlock()
	if l.pending == nil || l.pending.database != c.To {
		return errors.New("keeping what the database said: there is no such comparison, compare again")
	}
	w := l.pending
	l.pending = nil
	if err := os.Rename(w.path, l.path(memoName)); err != nil {
		w.drop()
		return fmt.Errorf("keeping what the database said: %w", err)
	}
	return nil
}

// drop forgets a comparison that was not accepted.
func (l *Live) drop() {
	if l.pending != nil {
		l.pending.drop()
		l.pending = nil
	}
}

// comparison is one run.
type comparison struct {
	db    *advisory.DB
	base  *Index
	old   *memo
	out   *memoWriter
	yield func(Change) error
	sum   Comparison

	coverage map[string]finding.GapKind // by ecosystem; "" is covered
	batch    []asked
}

// asked is a package of the batch.
type asked struct {
	key, list []byte
	n         int
	findings  []*finding.Finding
	unparsed  []string
}

func (k *comparison) run(ctx context.Context) error {
	err := k.base.each(0, func(key, list []byte, n int) (bool, error) {
		k.batch = append(k.batch, asked{key: bytes.Clone(key), list: list, n: n})
		if len(k.batch) < chunk {
			return true, nil
		}
		return true, errors.Join(ctx.Err(), k.flush())
	})
	return cmp.Or(err, k.flush())
}

// flush matches the batch and compares.
func (k *comparison) flush() error {
	if len(k.batch) == 0 {
		return nil
	}
	inv := finding.Inventory{Packages: make([]finding.Package, len(k.batch))}
	for i := range k.batch {
		inv.Packages[i] = packageOf(k.batch[i].key)
		inv.Packages[i].Path = strconv.Itoa(i) // by which findings are told apart
	}
	// The time only decides about the end of distributions, which packages without one do not have.
	m, err := k.db.Match(&inv, time.Time{})
	if err != nil {
		return err
	}
	for i := range m.Findings {
		f := &m.Findings[i]
		for _, p := range f.Paths {
			at, _ := strconv.Atoi(p)
			k.batch[at].findings = append(k.batch[at].findings, f)
		}
	}
	for _, c := range m.Coverage {
		k.coverage[c.Ecosystem] = c.Gap
	}
	k.unparsed(&inv, m.Gaps)
	for i := range k.batch {
		if err := k.one(&k.batch[i], &inv.Packages[i]); err != nil {
			return err
		}
	}
	k.batch = k.batch[:0]
	return nil
}

// unparsed gives the gaps about versions to the packages that they name.
func (k *comparison) unparsed(inv *finding.Inventory, gaps []finding.Gap) {
	by := map[[2]string][]string{}
	for _, g := range gaps {
		if name, _, ok := strings.Cut(g.Detail, ": "); ok && g.Kind == finding.GapUnparsedVersion {
			by[[2]string{g.Where, name}] = append(by[[2]string{g.Where, name}], g.Detail)
		}
	}
	if len(by) == 0 {
		return
	}
	for i := range inv.Packages {
		p := &inv.Packages[i]
		k.batch[i].unparsed = by[[2]string{p.Ecosystem, p.Name + " " + p.Version}]
	}
}

// one compares what is said of one package.
func (k *comparison) one(a *asked, p *finding.Package) error {
	k.sum.Packages++
	rows := rowsOf(a)
	k.out.add(a.key, rows)
	before, known, err := k.old.next(a.key)
	if err != nil {
		return err
	}
	c := Change{New: !known}
	if known {
		k.compare(&c, a, rows, before)
		if was, had := k.old.coverage[p.Ecosystem]; had && was != k.coverage[p.Ecosystem] {
			c.Changed = append(c.Changed, "coverage")
		}
		if len(c.Added)+len(c.Changed)+len(c.Removed) == 0 {
			return nil
		}
	} else {
		for _, f := range a.findings {
			c.Added = append(c.Added, *f)
		}
	}
	k.sum.Changed++
	c.Package = *p
	c.Package.Path = ""
	for i := range c.Added {
		c.Added[i].Package.Path, c.Added[i].Paths = "", nil
	}
	holders, err := k.base.expand(a.list, a.n, nil)
	if err != nil {
		return err
	}
	c.Digests = make([]string, len(holders))
	for i, h := range holders {
		c.Digests[i] = h.ID
	}
	return k.yield(c)
}

// compare joins two lists of rows that are sorted by id. A finding that only goes by another id now has changed; it
// was neither added nor removed.
func (k *comparison) compare(c *Change, a *asked, rows, before []row) {
	was := map[string]uint64{}
	for _, r := range before {
		was[r.id] = r.sum
	}
	is := map[string]bool{}
	for _, r := range rows {
		is[r.id] = true
	}
	renamed := map[string]bool{}
	for _, f := range a.findings {
		if _, had := was[f.ID]; had {
			continue
		}
		if i := slices.IndexFunc(f.Aliases, func(id string) bool { _, had := was[id]; return had && !is[id] }); i >= 0 {
			renamed[f.Aliases[i]] = true
			c.Changed = append(c.Changed, f.ID)
			continue
		}
		c.Added = append(c.Added, *f)
	}
	for _, r := range rows {
		sum, had := was[r.id]
		if had && sum != r.sum || !had && r.id == unparsedRow {
			c.Changed = append(c.Changed, r.id)
		}
	}
	for _, r := range before {
		if !is[r.id] && !renamed[r.id] {
			c.Removed = append(c.Removed, r.id)
		}
	}
}

// row is what is remembered of one finding of one package: its id, and a sum over what matters.
type row struct {
	id  string
	sum uint64
}

// unparsedRow stands for what could not be compared.
const unparsedRow = "unparsed-version"

func rowsOf(a *asked) []row {
	rows := make([]row, 0, len(a.findings)+1)
	for _, f := range a.findings {
		rows = append(rows, row{f.ID, sumOf(f)})
	}
	if len(a.unparsed) > 0 {
		h := fnv.New64a()
		for _, text := range a.unparsed {
			h.Write([]byte(text))
		}
		rows = append(rows, row{unparsedRow, h.Sum64()})
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.id, b.id) })
	return rows
}

// epssStep is how far an EPSS score has to move to matter. Every score moves every day: what moves less reaches an
// image with its next match.
const epssStep = 0.05

// sumOf is over what a verdict, a due date or an exception may follow from, and what is shown in lists.
func sumOf(f *finding.Finding) uint64 {
	h := fnv.New64a()
	put := func(parts ...string) {
		for _, p := range parts {
			h.Write([]byte(p))
			h.Write([]byte{0})
		}
	}
	put(f.Fixed, string(f.State), f.Severity.String(), strconv.FormatFloat(f.Score, 'f', 1, 64))
	if f.KEV != nil {
		put("kev", f.KEV.Added, f.KEV.Due, strconv.FormatBool(f.KEV.Ransomware))
	}
	if f.EPSS != nil {
		put("epss", strconv.Itoa(int(f.EPSS.Score/epssStep)))
	}
	put(f.Aliases...)
	return h.Sum64()
}
