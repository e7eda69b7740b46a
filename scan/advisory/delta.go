package advisory

import (
	"fmt"
	"slices"
	"time"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/advisory/internal/mapped"
)

// Delta answers which packages the records modified since a moment affect. It is not safe for concurrent use.
type Delta struct {
	// Records is how many records were modified at the moment or later.
	Records int

	db  *DB
	set []uint64
	mt  *matcher
}

// Since collects the records modified at since or later. It reads a few bytes of every record.
func (db *DB) Since(since time.Time) (d *Delta, err error) {
	defer mapped.Guard(ErrCorrupt)(&err)
	d = &Delta{db: db}
	if d.set, d.Records, err = db.changed(since); err != nil {
		return nil, fmt.Errorf("collecting the records modified since %s: %w", since.Format(time.DateOnly), err)
	}
	return d, nil
}

func (d *Delta) has(rec uint32) bool {
	return int(rec/64) < len(d.set) && d.set[rec/64]&(1<<(rec%64)) != 0
}

// maxRemembered bounds the records that a Delta keeps in memory between packages.
const maxRemembered = 50_000

// Match returns the findings of one package in which a record of the delta takes part, with everything that the
// other records of the database add to them. The package must carry its ecosystem.
func (d *Delta) Match(p *finding.Package) (rows []finding.Finding, err error) {
	defer mapped.Guard(ErrCorrupt)(&err)
	if d.mt == nil || len(d.mt.groups.records) > maxRemembered {
		if d.mt, err = newMatcher(d.db, &finding.Inventory{}); err != nil {
			return nil, err
		}
	}
	eco := ecosystemOf(p, &finding.Distro{})
	if eco == "" || p.OwnedBy != "" || d.Records == 0 {
		return nil, nil
	}
	touched, err := d.touches(p, eco)
	if err != nil || !touched {
		return nil, err
	}
	out, err := d.mt.match(p, eco)
	if err != nil {
		return nil, fmt.Errorf("package %s: %w", p.Name, err)
	}
	if out == nil {
		return nil, nil
	}
	for _, f := range out.rows {
		changed, err := d.changedRow(&f)
		if err != nil {
			return nil, err
		}
		if changed {
			f.Package, f.KernelHeaders = *p, isKernelHeaders(p)
			rows = append(rows, f)
		}
	}
	slices.SortFunc(rows, func(a, b finding.Finding) int { return compareRows(&a, &b, p, p) })
	return rows, nil
}

// touches: a record of the delta affects the package.
func (d *Delta) touches(p *finding.Package, eco string) (bool, error) {
	mt := d.mt
	mt.looked = looked{hits: mt.looked.hits[:0]}
	for _, e := range mt.ecosystems(eco) {
		mt.subjects = appendSubjects(mt.subjects[:0], p, e)
		for i := range mt.subjects {
			err := mt.finder.find(&mt.looked, &mt.subjects[i], d.has)
			if err != nil || len(mt.looked.hits) > 0 {
				return len(mt.looked.hits) > 0, err
			}
		}
	}
	return false, nil
}

func (d *Delta) changedRow(f *finding.Finding) (bool, error) {
	for _, id := range f.Advisories {
		place, ok, err := d.db.findName(id)
		if err != nil {
			return false, err
		}
		if !ok {
			continue
		}
		n, err := d.db.entryAt(place, &room[uint32]{})
		if err != nil {
			return false, err
		}
		if n.rec >= 0 && d.has(uint32(n.rec)) {
			return true, nil
		}
	}
	return false, nil
}

// Ecosystem is the ecosystem under which a package of an image of distribution d is matched, "" where none is known.
func Ecosystem(p *finding.Package, d *finding.Distro) string { return ecosystemOf(p, d) }

// NormalName is the name under which the database keeps a package: equal for all spellings that the ecosystem's tool
// takes for one.
func NormalName(ecosystem, name string) string { return normalName(ecosystem, name) }
