package advisory

import (
	"fmt"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/advisory/version"
)

// frame is one sorted list of versions of one package in the database: what positions refer to.
type frame struct {
	eco  string // by whose rules its versions are ordered
	refs []uint32
	db   *DB
}

// text returns version r of the frame as it is written.
func (f *frame) text(r int) (string, error) {
	c := cursor{b: f.db.section(secVersions), off: int(f.refs[r])}
	s := c.string()
	return s, c.err("a version")
}

// position places v among the frame's versions.
func (f *frame) position(v version.Version) (uint32, error) {
	lo, hi := 0, len(f.refs)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		text, err := f.text(mid)
		if err != nil {
			return 0, err
		}
		w, err := version.Parse(f.eco, normalVersion(f.eco, text))
		if err != nil {
			return 0, fmt.Errorf("a version of the database: %w (%v)", ErrCorrupt, err)
		}
		switch c := w.Compare(v); {
		case c == 0:
			return atRank(mid), nil
		case c < 0:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return uint32(2 * lo), nil
}

// exactPosition places text among versions that have no order.
func (f *frame) exactPosition(text string) (uint32, error) {
	for r := range f.refs {
		have, err := f.text(r)
		if err != nil {
			return 0, err
		}
		if have == text {
			return atRank(r), nil
		}
	}
	return 0, nil
}

// hit is one record that affects a package.
type hit struct {
	rec     uint32
	attrs   attrs
	ivs     []interval
	frame   *frame
	pos     uint32 // of the installed version in the frame
	order   int
	payload []byte // everything the database holds of the package
	eco     *ecosystem
}

// subject is what is looked up: a package under the name and version by which an ecosystem's advisories speak.
type subject struct {
	eco           *ecosystem
	name, version string
	pkg           *finding.Package
}

// want, where not nil, limits a look-up to some records.
type want func(rec uint32) bool

// find appends the hits of one subject. unparsed is what is wrong with the installed version where its ecosystem's
// rules do not allow it and there was something to compare it with.
func (db *DB) find(hits []hit, s *subject, only want) (out []hit, unparsed error, err error) {
	payload, err := db.findKey(s.eco, normalName(s.eco.name, s.name))
	if err != nil || payload == nil {
		return hits, nil, err
	}
	c := cursor{b: payload}
	var frames [numOrders]*frame
	for o := range frames {
		frames[o] = &frame{eco: s.eco.name, refs: readRefs(&c, len(db.section(secVersions))), db: db}
	}
	frames[orderSemver].eco = semverEcosystem
	if err := c.err("versions of " + s.name); err != nil {
		return hits, nil, err
	}
	entries := c
	if only != nil && !anyWanted(entries, only) {
		return hits, nil, nil
	}
	at, unparsed, err := positions(&frames, s)
	if err != nil {
		return hits, nil, err
	}
	var room [8]interval
	for rec := uint32(0); !c.done(); {
		rec += uint32(c.uvarint())
		order, attrsID, ivs := readEntry(&c, room[:0])
		if c.bad || at[order] == nil || !anyHas(ivs, *at[order]) || only != nil && !only(rec) {
			continue
		}
		h := hit{rec: rec, frame: frames[order], pos: *at[order], order: order, payload: payload, eco: s.eco}
		if h.attrs, err = db.attrsFor(attrsID); err != nil {
			return hits, unparsed, err
		}
		if applies(&h.attrs, s.pkg) {
			h.ivs = append([]interval(nil), ivs...)
			hits = append(hits, h)
		}
	}
	return hits, unparsed, c.err("entries of " + s.name)
}

func (db *DB) attrsFor(id uint32) (attrs, error) {
	if id == 0 {
		return attrs{}, nil
	}
	return db.attrs(id)
}

// positions places the installed version in each frame; nil where it has no place.
func positions(frames *[numOrders]*frame, s *subject) (at [numOrders]*uint32, unparsed error, err error) {
	for o := range frames {
		var pos uint32
		f := frames[o]
		switch {
		case o == orderExact:
			pos, err = f.exactPosition(s.version)
		case len(f.refs) == 0: // nothing to compare with: everything or nothing is affected
		default:
			v, perr := version.Parse(f.eco, normalVersion(s.eco.name, s.version))
			if perr != nil {
				unparsed = perr
				continue
			}
			pos, err = f.position(v)
		}
		if err != nil {
			return at, unparsed, err
		}
		at[o] = &pos
	}
	return at, unparsed, nil
}

func readRefs(c *cursor, limit int) []uint32 {
	n := c.count()
	if n == 0 {
		return nil
	}
	refs := make([]uint32, n)
	last := int64(0)
	for i := range refs {
		off := last + c.varint()
		if off < 0 || off >= int64(limit) {
			c.bad = true
			return nil
		}
		refs[i] = uint32(off)
		last = off
	}
	return refs
}

func readEntry(c *cursor, ivs []interval) (order int, attrsID uint32, out []interval) {
	flags := c.uvarint()
	if order = int(flags & 3); order >= numOrders {
		c.bad = true
		return 0, 0, nil
	}
	if flags&4 != 0 {
		attrsID = uint32(c.uvarint())
	}
	at := uint64(0)
	for n := flags >> 3; n > 0 && !c.bad; n-- {
		at += c.uvarint()
		i := interval{lo: uint32(at)}
		if length := c.uvarint(); length != 0 {
			at += length
			i.hi = uint32(at)
		}
		ivs = append(ivs, i)
	}
	return order, attrsID, ivs
}

func anyWanted(c cursor, only want) bool {
	var room [8]interval
	for rec := uint32(0); !c.done(); {
		rec += uint32(c.uvarint())
		readEntry(&c, room[:0])
		if !c.bad && only(rec) {
			return true
		}
	}
	return false
}

// applies checks what an entry demands beside the version.
func applies(a *attrs, p *finding.Package) bool {
	if p.Type == "rpm" && !moduleApplies(a, p) {
		return false
	}
	if len(a.arch) == 0 || p.Arch == "" {
		return true
	}
	for _, arch := range a.arch {
		if arch == p.Arch || arch == "noarch" || arch == "all" || p.Arch == "noarch" || p.Arch == "all" {
			return true
		}
	}
	return false
}

// fixedVersion is the lowest version above the installed one that fixes a hit and that none of them affects, ""
// where there is none.
func fixedVersion(hits []hit) (string, error) {
	var best version.Version
	bestText := ""
	for i := range hits {
		h := &hits[i]
		for _, iv := range h.ivs {
			if h.order == orderExact || iv.hi <= h.pos || iv.hi%2 == 0 {
				continue // not above the installed version, endless, or bounded by a last affected version
			}
			text, err := h.text(int(iv.hi / 2))
			if err != nil {
				return "", err
			}
			v, err := version.Parse(h.eco.name, normalVersion(h.eco.name, text))
			if err != nil || bestText != "" && v.Compare(best) >= 0 {
				continue
			}
			affected, err := anyAffects(hits, text)
			if err != nil {
				return "", err
			}
			if !affected {
				best, bestText = v, text
			}
		}
	}
	return bestText, nil
}

func (h *hit) text(r int) (string, error) {
	if r >= len(h.frame.refs) {
		return "", fmt.Errorf("version %d of a package: %w", r, ErrCorrupt)
	}
	return h.frame.text(r)
}

// anyAffects places another version of the package in every hit. One that cannot be placed is taken as affected:
// nobody has said that it is safe.
func anyAffects(hits []hit, text string) (bool, error) {
	for i := range hits {
		h := &hits[i]
		var pos uint32
		var err error
		if h.order == orderExact {
			pos, err = h.frame.exactPosition(text)
		} else {
			v, perr := version.Parse(h.frame.eco, normalVersion(h.eco.name, text))
			if perr != nil {
				return true, nil
			}
			pos, err = h.frame.position(v)
		}
		if err != nil || anyHas(h.ivs, pos) {
			return true, err
		}
	}
	return false, nil
}
