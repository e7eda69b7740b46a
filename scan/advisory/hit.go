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
	pos     uint32 // of the installed version in the frame
	attrs   *attrs
	ivs     []interval
	frame   *frame
	order   int
	payload []byte // everything the database holds of the package
	subject *subject
}

// subject is what is looked up: a package under the name and version by which an ecosystem's advisories speak.
type subject struct {
	eco           resolved
	name, version string
	pkg           *finding.Package
}

// want, where not nil, limits a look-up to some records.
type want func(rec uint32) bool

// finder looks packages up for one run. It remembers attributes and hands out memory in large pieces.
type finder struct {
	db        *DB
	attrs     map[uint32]*attrs
	frames    room[frame]
	refs      room[uint32]
	intervals room[interval]
}

func newFinder(db *DB) finder { return finder{db: db, attrs: map[uint32]*attrs{0: {}}} }

// looked is what the look-ups of one package gave.
type looked struct {
	hits []hit
	// unparsed is what is wrong with the installed version where its ecosystem's rules do not allow it and there was
	// something to compare it with.
	unparsed error
	// unread are records whose versions could not be read when the database was built.
	unread []uint32
	// ordinary is what the database holds of the package for the release itself, extended support left out.
	ordinary [][]byte
}

// find adds what there is about one subject.
func (fd *finder) find(l *looked, s *subject, only want) error {
	payload, err := fd.db.findKey(s.eco.ecosystem, normalName(s.eco.name, s.name))
	if err != nil || payload == nil {
		return err
	}
	if !s.eco.extended {
		l.ordinary = append(l.ordinary, payload)
	}
	c := cursor{b: payload}
	frames := fd.frames.take(numOrders)
	for o := range frames {
		frames[o] = frame{eco: s.eco.name, refs: fd.readRefs(&c), db: fd.db}
	}
	frames[orderSemver].eco = semverEcosystem
	if err := c.err("versions of " + s.name); err != nil {
		return err
	}
	if only != nil && !anyWanted(c, only) {
		return nil
	}
	at, unparsed, err := positions(frames, s)
	if err != nil {
		return err
	}
	if unparsed != nil {
		l.unparsed = unparsed
	}
	return fd.entries(l, &c, s, frames, at, only)
}

// entries reads the package's entries and keeps those that apply.
func (fd *finder) entries(l *looked, c *cursor, s *subject, frames []frame, at places, only want) error {
	var few [8]interval
	payload := c.b
	for rec := uint32(0); !c.done(); {
		rec += uint32(c.uvarint())
		order, attrsID, ivs := readEntry(c, few[:0])
		affected := order == orderUnread || at[order] >= 0 && anyHas(ivs, uint32(at[order]))
		if c.bad || !affected || only != nil && !only(rec) {
			continue
		}
		a, err := fd.attrsFor(attrsID)
		if err != nil {
			return err
		}
		if !applies(a, s.pkg) {
			continue
		}
		if order == orderUnread {
			l.unread = append(l.unread, rec)
			continue
		}
		h := hit{rec: rec, attrs: a, frame: &frames[order], pos: uint32(at[order]), order: order, payload: payload, subject: s}
		h.ivs = fd.intervals.take(len(ivs))
		copy(h.ivs, ivs)
		l.hits = append(l.hits, h)
	}
	return c.err("entries of " + s.name)
}

func (fd *finder) attrsFor(id uint32) (*attrs, error) {
	if a, ok := fd.attrs[id]; ok {
		return a, nil
	}
	a, err := fd.db.attrs(id)
	fd.attrs[id] = &a
	return &a, err
}

// places are where the installed version stands in each order, -1 where it has no place.
type places [numOrders]int64

func positions(frames []frame, s *subject) (at places, unparsed error, err error) {
	for o := range frames {
		f := &frames[o]
		pos := uint32(0)
		switch {
		case len(f.refs) == 0: // nothing to compare with: everything or nothing is affected
		case o == orderExact:
			pos, err = f.exactPosition(s.version)
		default:
			v, perr := version.Parse(f.eco, normalVersion(s.eco.name, s.version))
			if perr != nil {
				unparsed, at[o] = perr, -1
				continue
			}
			pos, err = f.position(v)
		}
		if err != nil {
			return at, unparsed, err
		}
		at[o] = int64(pos)
	}
	return at, unparsed, nil
}

// room hands out slices of larger pieces of memory: a run makes many small ones that live about as long.
type room[T any] struct{ free []T }

func (r *room[T]) take(n int) []T {
	if n > len(r.free) {
		r.free = make([]T, max(n, 256))
	}
	s := r.free[:n:n]
	r.free = r.free[n:]
	return s
}

func (fd *finder) readRefs(c *cursor) []uint32 {
	n := c.count()
	if n == 0 {
		return nil
	}
	refs := fd.refs.take(n)
	limit := int64(len(fd.db.section(secVersions)))
	last := int64(0)
	for i := range refs {
		off := last + c.varint()
		if off < 0 || off >= limit {
			c.bad = true
			return nil
		}
		refs[i] = uint32(off)
		last = off
	}
	return refs
}

// skipRefs passes over the versions at the beginning of what the database holds of a package.
func skipRefs(c *cursor) {
	for range numOrders {
		for n := c.count(); n > 0 && !c.bad; n-- {
			c.uvarint()
		}
	}
}

func readEntry(c *cursor, ivs []interval) (order int, attrsID uint32, out []interval) {
	flags := c.uvarint()
	order = int(flags & 3)
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
	for i := range hits {
		if hits[i].frame != hits[0].frame || hits[i].order == orderExact {
			return fixedAcross(hits)
		}
	}
	return fixedWithin(hits)
}

// fixedWithin is fixedVersion where all hits share one list of versions: then places decide.
func fixedWithin(hits []hit) (string, error) {
	for after := hits[0].pos; ; {
		next, from := uint32(0), (*hit)(nil)
		for i := range hits {
			h := &hits[i]
			for _, iv := range h.ivs {
				if iv.hi > after && iv.hi%2 == 1 && (from == nil || iv.hi < next) {
					next, from = iv.hi, h
				}
			}
		}
		if from == nil {
			return "", nil
		}
		after = next
		if anyHit(hits, next) {
			continue
		}
		text, err := from.text(int(next / 2))
		if err != nil || from.subject.offers(text) {
			return text, err
		}
	}
}

func anyHit(hits []hit, pos uint32) bool {
	for i := range hits {
		if anyHas(hits[i].ivs, pos) {
			return true
		}
	}
	return false
}

// fixedAcross is fixedVersion where the hits speak of several packages, ecosystems or orders.
func fixedAcross(hits []hit) (string, error) {
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
			v, err := version.Parse(h.subject.eco.name, normalVersion(h.subject.eco.name, text))
			if err != nil || bestText != "" && v.Compare(best) >= 0 || !h.subject.offers(text) {
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
			v, perr := version.Parse(h.frame.eco, normalVersion(h.subject.eco.name, text))
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
