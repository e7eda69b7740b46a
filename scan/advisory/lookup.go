package advisory

import (
	"strings"
	"time"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/advisory/internal/mapped"
)

// Entry is one record as a person who searches for an id wants it.
type Entry struct {
	ID        string        `json:"id"`
	Aliases   []string      `json:"aliases,omitempty"`
	Upstream  []string      `json:"upstream,omitempty"`
	Related   []string      `json:"related,omitempty"`
	Title     string        `json:"title,omitempty"`
	URL       string        `json:"url,omitempty"`
	Published time.Time     `json:"published,omitzero"`
	Modified  time.Time     `json:"modified,omitzero"`
	Withdrawn time.Time     `json:"withdrawn,omitzero"`
	Malware   bool          `json:"malware,omitempty"`
	Score     float64       `json:"score,omitempty"`
	Vector    string        `json:"vector,omitempty"`
	Rating    string        `json:"rating,omitempty"` // the publisher's word
	KEV       *finding.KEV  `json:"kev,omitempty"`
	EPSS      *finding.EPSS `json:"epss,omitempty"`
}

// maxEntries bounds a look-up: a CVE can be named by hundreds of errata.
const maxEntries = 500

// Lookup returns the records that have the id or name it, the one that has it first, then by id: at most 500. An id
// is found in upper case too; none is found for an id that the database does not know.
func (db *DB) Lookup(id string) (out []Entry, err error) {
	defer mapped.Guard(ErrCorrupt)(&err)
	place, ok, err := db.findName(id)
	if err == nil && !ok {
		place, ok, err = db.findName(strings.ToUpper(id))
	}
	if err != nil || !ok {
		return nil, err
	}
	n, err := db.entryAt(place, &room[uint32]{})
	if err != nil {
		return nil, err
	}
	recs := n.refs
	if n.rec >= 0 {
		recs = append([]uint32{uint32(n.rec)}, recs...)
	}
	titles := titleCache{}
	for _, rec := range recs[:min(len(recs), maxEntries)] {
		e, err := db.entry(rec, titles)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

func (db *DB) entry(rec uint32, titles titleCache) (e Entry, err error) {
	k, err := db.record(rec)
	if err != nil {
		return e, err
	}
	e = Entry{
		ID: k.id, Published: k.published, Modified: k.modified, Withdrawn: k.withdrawn, Malware: k.malware, Rating: k.rating,
	}
	if e.Title, e.URL, err = db.title(&k, titles); err != nil {
		return e, err
	}
	for _, l := range []struct {
		to     *[]string
		places []uint32
	}{{&e.Aliases, k.aliases}, {&e.Upstream, k.upstream}, {&e.Related, k.related}} {
		for _, p := range l.places {
			id, err := db.name(p)
			if err != nil {
				return e, err
			}
			*l.to = append(*l.to, id)
		}
	}
	var best foundScore
	for _, s := range k.severities {
		best.offer(s, k.id)
	}
	e.Score, e.Vector = best.score, best.text
	return e, db.exploitedEntry(&e, &k)
}

func (db *DB) exploitedEntry(e *Entry, k *known) error {
	g, err := newGrouper(db)
	if err != nil {
		return err
	}
	var f finding.Finding
	if err := g.exploited(&f, &group{cves: g.ownCVEs(k)}); err != nil {
		return err
	}
	e.KEV, e.EPSS = f.KEV, f.EPSS
	return nil
}

// changed returns the set of records modified at since or later, a bit each, and their number.
func (db *DB) changed(since time.Time) (set []uint64, n int, err error) {
	set = make([]uint64, (db.h.records+63)/64)
	for rec := range db.h.records {
		t, err := db.modifiedOf(rec)
		if err != nil {
			return nil, 0, err
		}
		if !t.Before(since) {
			set[rec/64] |= 1 << (rec % 64)
			n++
		}
	}
	return set, n, nil
}
