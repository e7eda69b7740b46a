package advisory

import (
	"encoding/binary"
	"strings"
	"time"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/advisory/record"
)

// draft is a record while the database is being built: its strings are numbers of the builder's pools, so that a
// million of them fit into a temporary file and each string is kept once.
type draft struct {
	id                             uint32
	aliases, upstream, related     []uint32 // names
	published, modified, withdrawn int64    // Unix seconds, 0 for none
	severities                     []draftSeverity
	rating                         uint32
	cwe                            []uint32 // the numbers of "CWE-79"
	kind                           record.Kind
	affected                       []draftAffected
	title                          string // summary, NUL, address
}

type draftSeverity struct {
	kind, text uint32
	score      byte // tenths, 0 where text is no vector
}

type draftAffected struct {
	eco, name uint32
	attrs     uint32
	ranges    []draftRange
	versions  []uint32
}

type draftRange struct {
	kind   record.RangeKind
	events []draftEvent
}

type draftEvent struct {
	what byte // index into the fields of record.Event
	at   uint32
}

const (
	eventIntroduced = iota
	eventFixed
	eventLastAffected
	eventLimit
)

func unixOf(t time.Time) int64 {
	if t.IsZero() || t.Unix() <= 0 {
		return 0
	}
	return t.Unix()
}

func timeOf(unix int64) time.Time {
	if unix == 0 {
		return time.Time{}
	}
	return time.Unix(unix, 0).UTC()
}

func (d *draft) append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(d.id))
	for _, ids := range [][]uint32{d.aliases, d.upstream, d.related, d.cwe} {
		b = appendIDs(b, ids)
	}
	for _, t := range []int64{d.published, d.modified, d.withdrawn} {
		b = binary.AppendUvarint(b, uint64(t))
	}
	b = binary.AppendUvarint(b, uint64(len(d.severities)))
	for _, s := range d.severities {
		b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(s.kind)), uint64(s.text))
		b = append(b, s.score)
	}
	b = binary.AppendUvarint(b, uint64(d.rating))
	b = append(b, byte(d.kind))
	b = binary.AppendUvarint(b, uint64(len(d.affected)))
	for i := range d.affected {
		b = d.affected[i].append(b)
	}
	return appendSized(b, d.title)
}

func (a *draftAffected) append(b []byte) []byte {
	for _, v := range []uint32{a.eco, a.name, a.attrs} {
		b = binary.AppendUvarint(b, uint64(v))
	}
	return a.appendVersions(b)
}

func (a *draftAffected) appendVersions(b []byte) []byte {
	b = appendIDs(b, a.versions)
	b = binary.AppendUvarint(b, uint64(len(a.ranges)))
	for _, r := range a.ranges {
		b = append(b, byte(r.kind))
		b = binary.AppendUvarint(b, uint64(len(r.events)))
		for _, e := range r.events {
			b = binary.AppendUvarint(append(b, e.what), uint64(e.at))
		}
	}
	return b
}

func appendIDs(b []byte, ids []uint32) []byte {
	b = binary.AppendUvarint(b, uint64(len(ids)))
	for _, id := range ids {
		b = binary.AppendUvarint(b, uint64(id))
	}
	return b
}

func readDraft(c *cursor) (d draft) {
	d.id = uint32(c.uvarint())
	d.aliases, d.upstream, d.related, d.cwe = readIDs(c), readIDs(c), readIDs(c), readIDs(c)
	d.published, d.modified, d.withdrawn = int64(c.uvarint()), int64(c.uvarint()), int64(c.uvarint())
	for n := c.count(); n > 0; n-- {
		d.severities = append(d.severities, draftSeverity{uint32(c.uvarint()), uint32(c.uvarint()), c.byte()})
	}
	d.rating = uint32(c.uvarint())
	d.kind = record.Kind(c.byte())
	for n := c.count(); n > 0; n-- {
		a := draftAffected{eco: uint32(c.uvarint()), name: uint32(c.uvarint()), attrs: uint32(c.uvarint())}
		a.readVersions(c)
		d.affected = append(d.affected, a)
	}
	d.title = c.string()
	return d
}

func (a *draftAffected) readVersions(c *cursor) {
	a.versions = readIDs(c)
	for n := c.count(); n > 0; n-- {
		r := draftRange{kind: record.RangeKind(c.byte())}
		for m := c.count(); m > 0; m-- {
			r.events = append(r.events, draftEvent{c.byte(), uint32(c.uvarint())})
		}
		a.ranges = append(a.ranges, r)
	}
}

func readIDs(c *cursor) []uint32 {
	n := c.count()
	if n == 0 {
		return nil
	}
	ids := make([]uint32, n)
	for i := range ids {
		ids[i] = uint32(c.uvarint())
	}
	return ids
}

// merge takes over what a record with the same id says: its entries replace those about the same package, and the
// newer of the two gives the rest.
func (d *draft) merge(o *draft) {
	type key struct{ eco, name uint32 }
	replaced := map[key]bool{}
	for _, a := range o.affected {
		replaced[key{a.eco, a.name}] = true
	}
	all := append([]draftAffected(nil), o.affected...)
	for _, a := range d.affected {
		if !replaced[key{a.eco, a.name}] {
			all = append(all, a)
		}
	}
	newer, older := o, d
	if d.modified > o.modified {
		newer, older = d, o
	}
	merged := *newer
	merged.affected = all
	merged.aliases = append(append([]uint32(nil), newer.aliases...), older.aliases...)
	merged.upstream = append(append([]uint32(nil), newer.upstream...), older.upstream...)
	merged.related = append(append([]uint32(nil), newer.related...), older.related...)
	if len(merged.severities) == 0 {
		merged.severities = older.severities
	}
	if strings.HasPrefix(merged.title, "\x00") && older.title != "" {
		merged.title = older.title
	}
	if merged.rating == 0 {
		merged.rating = older.rating
	}
	if len(merged.cwe) == 0 {
		merged.cwe = older.cwe
	}
	*d = merged
}

// attrs is what a distribution says of one affected package beside its versions. Most entries have none.
type attrs struct {
	state      finding.State
	rating     string
	urgency    string
	modular    bool   // the fixed package belongs to a module
	module     string // "nodejs:18", "" where not known
	arch       []string
	severities []scored
}

// scored is a severity with the score of its vector.
type scored struct {
	kind, text string
	score      float64
}
