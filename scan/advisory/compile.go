package advisory

import (
	"context"
	"encoding/binary"
	"math"
	"slices"

	"github.com/seawall/seawall/scan/advisory/record"
	"github.com/seawall/seawall/scan/advisory/version"
)

// The orders by which an entry's versions are placed. A package has a list of versions for each.
const (
	orderOwn    = iota // the ecosystem's own
	orderSemver        // SemVer's, in ecosystems whose own is another
	orderExact         // none: versions outside their ecosystem's rules, matched letter by letter
	numOrders
	orderUnread = numOrders // no order: an entry whose versions could not be read, kept so that a match can say so
)

// semverEcosystem is one whose order is SemVer's.
const semverEcosystem = "npm"

// compileKeys sorts the packages by ecosystem and name and writes their blocks, each ecosystem from a new block on.
func (wr *writing) compileKeys(ctx context.Context) (keys, index, ecos []byte, err error) {
	texts := wr.b.texts.texts
	slices.SortFunc(wr.keyData, func(a, b keyDraft) int {
		if a.eco != b.eco {
			return compareText(texts[a.eco], texts[b.eco])
		}
		return compareText(texts[a.name], texts[b.name])
	})
	last := ""
	inBlock := 0
	for i := range wr.keyData {
		if i%256 == 0 && ctx.Err() != nil {
			return nil, nil, nil, ctx.Err()
		}
		k := &wr.keyData[i]
		if i == 0 || k.eco != wr.keyData[i-1].eco {
			if i > 0 {
				ecos = binary.AppendUvarint(ecos, uint64(len(index)/8))
			}
			ecos = wr.appendEco(ecos, wr.ecos[k.eco], len(index)/8)
			inBlock = 0
		}
		if inBlock%blockSize == 0 {
			index = binary.LittleEndian.AppendUint64(index, uint64(len(keys)))
			last = ""
		}
		inBlock++
		keys = appendFront(keys, last, texts[k.name])
		last = texts[k.name]
		payload := wr.compileKey(k)
		keys = append(binary.AppendUvarint(keys, uint64(len(payload))), payload...)
		k.entries = nil
	}
	if len(wr.keyData) > 0 {
		ecos = binary.AppendUvarint(ecos, uint64(len(index)/8))
	}
	wr.stats.Packages = len(wr.keyData)
	return keys, index, ecos, nil
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// appendEco writes all of an ecosystem but the block at which it ends, which is not known yet.
func (wr *writing) appendEco(b []byte, e *ecoDraft, firstBlock int) []byte {
	b = appendSized(b, wr.b.texts.texts[e.id])
	b = binary.AppendUvarint(b, uint64(e.records))
	b = binary.AppendUvarint(b, uint64(e.newest))
	return binary.AppendUvarint(b, uint64(firstBlock))
}

// keyCompiler turns the drafted entries of one package into ranks and intervals.
type keyCompiler struct {
	texts    []string
	eco      string
	parsed   [2]map[string]version.Version // by order; a failed parse is not in it
	failed   [2]map[string]bool
	ranks    [2]ranks
	rankOf   [2]map[string]int
	exact    []string
	exactAt  map[string]int
	unparsed int
}

// entry is one record's word on one package in one order.
type entry struct {
	rec, attrs uint32
	order      int
	ivs        []interval
}

type draftEntry struct {
	rec, attrs uint32
	unread     bool // a range was dropped
	draftAffected
}

func (wr *writing) compileKey(k *keyDraft) []byte {
	kc := &keyCompiler{texts: wr.b.texts.texts, eco: wr.b.texts.texts[k.eco], exactAt: map[string]int{}}
	for i := range kc.parsed {
		kc.parsed[i], kc.failed[i] = map[string]version.Version{}, map[string]bool{}
	}
	drafts := make([]draftEntry, 0, k.n)
	c := cursor{b: k.entries}
	for !c.done() {
		d := draftEntry{rec: uint32(c.uvarint()), attrs: uint32(c.uvarint())}
		d.readVersions(&c)
		drafts = append(drafts, d)
	}
	kc.parseEvents(drafts)
	kc.rank()
	kc.keepVersions(drafts)
	kc.rank()
	var entries []entry
	for i := range drafts {
		entries = kc.entries(entries, &drafts[i])
	}
	wr.stats.UnparsedVersions += kc.unparsed
	return kc.encode(entries, wr)
}

func (kc *keyCompiler) orderOf(kind record.RangeKind) int {
	if kind == record.Semver && !semverNative[family(kc.eco)] {
		return orderSemver
	}
	return orderOwn
}

func (kc *keyCompiler) ecosystem(order int) string {
	if order == orderSemver {
		return semverEcosystem
	}
	return kc.eco
}

func (kc *keyCompiler) parse(order int, text string) (version.Version, bool) {
	if v, ok := kc.parsed[order][text]; ok {
		return v, true
	}
	if kc.failed[order][text] {
		return version.Version{}, false
	}
	v, err := version.Parse(kc.ecosystem(order), normalVersion(kc.eco, text))
	if err != nil {
		kc.failed[order][text] = true
		kc.unparsed++
		return v, false
	}
	return v, true
}

// parseEvents reads the versions of all events and drops the ranges that hold one outside the rules: a range with
// a missing end would affect too much or too little. Its versions, where listed too, still count, and the entry
// remembers that something could not be read.
func (kc *keyCompiler) parseEvents(drafts []draftEntry) {
	for i := range drafts {
		d := &drafts[i]
		n := len(d.ranges)
		d.ranges = slices.DeleteFunc(d.ranges, func(r draftRange) bool { return !kc.parseRange(r) })
		d.unread = len(d.ranges) < n
	}
}

func (kc *keyCompiler) parseRange(r draftRange) bool {
	order := kc.orderOf(r.kind)
	for _, e := range r.events {
		text := kc.texts[e.at]
		if e.what == eventIntroduced && text == "0" || e.what == eventLimit && text == "*" {
			continue
		}
		v, ok := kc.parse(order, text)
		if !ok {
			return false
		}
		kc.parsed[order][text] = v
	}
	return true
}

func (kc *keyCompiler) rank() {
	for o := range kc.ranks {
		kc.ranks[o] = newRanks(kc.parsed[o])
		kc.rankOf[o] = make(map[string]int, len(kc.parsed[o]))
		for text, v := range kc.parsed[o] {
			at, _ := slices.BinarySearchFunc(kc.ranks[o].sorted, v, version.Version.Compare)
			kc.rankOf[o][text] = at
		}
	}
}

// keepVersions drops from each list of versions those that the ranges of the same entry affect anyway, as most do:
// the two add up, so nothing is lost. What remains joins the ranked versions, or the exact ones.
func (kc *keyCompiler) keepVersions(drafts []draftEntry) {
	kept := map[string]version.Version{}
	for i := range drafts {
		d := &drafts[i]
		own := kc.intervals(d, orderOwn)
		d.versions = slices.DeleteFunc(d.versions, func(id uint32) bool {
			text := kc.texts[id]
			v, ok := kc.parse(orderOwn, text)
			switch {
			case !ok:
				kc.exactRank(text)
				return false
			case anyHas(own, kc.ranks[orderOwn].position(v)):
				return true
			}
			kept[text] = v
			return false
		})
	}
	for text, v := range kept {
		kc.parsed[orderOwn][text] = v
	}
}

func (kc *keyCompiler) exactRank(text string) int {
	at, ok := kc.exactAt[text]
	if !ok {
		at = len(kc.exact)
		kc.exactAt[text] = at
		kc.exact = append(kc.exact, text)
	}
	return at
}

// intervals compiles the ranges of one entry that have the given order.
func (kc *keyCompiler) intervals(d *draftEntry, order int) (out []interval) {
	for _, r := range d.ranges {
		if kc.orderOf(r.kind) == order {
			out = append(out, compile(kc.events(r), func(v string) int { return kc.rankOf[order][v] })...)
		}
	}
	return join(out)
}

func (kc *keyCompiler) events(r draftRange) []record.Event {
	out := make([]record.Event, len(r.events))
	for i, e := range r.events {
		switch text := kc.texts[e.at]; e.what {
		case eventIntroduced:
			out[i].Introduced = text
		case eventFixed:
			out[i].Fixed = text
		case eventLastAffected:
			out[i].LastAffected = text
		default:
			out[i].Limit = text
		}
	}
	return out
}

func (kc *keyCompiler) entries(out []entry, d *draftEntry) []entry {
	var byOrder [numOrders][]interval
	byOrder[orderOwn], byOrder[orderSemver] = kc.intervals(d, orderOwn), kc.intervals(d, orderSemver)
	for _, id := range d.versions {
		text := kc.texts[id]
		order := orderOwn
		r, ok := kc.rankOf[orderOwn][text]
		if !ok {
			order, r = orderExact, kc.exactRank(text)
		}
		byOrder[order] = append(byOrder[order], interval{atRank(r), afterRank(r)})
	}
	for o, ivs := range byOrder {
		if len(ivs) > 0 {
			out = append(out, entry{d.rec, d.attrs, o, join(ivs)})
		}
	}
	if d.unread {
		out = append(out, entry{d.rec, d.attrs, orderUnread, nil})
	}
	return out
}

// encode writes a package's versions and entries; docs/formats/advisory-db.md draws it.
func (kc *keyCompiler) encode(entries []entry, wr *writing) (b []byte) {
	b = wr.appendVersionRefs(b, kc.ranks[orderOwn].texts)
	b = wr.appendVersionRefs(b, kc.ranks[orderSemver].texts)
	b = wr.appendVersionRefs(b, kc.exact)
	last := uint32(0)
	for _, e := range entries {
		b = binary.AppendUvarint(b, uint64(e.rec-last))
		last = e.rec
		b = appendEntry(b, e)
	}
	return b
}

// appendVersionRefs writes where the versions stand, each as the distance from the one before: a package's versions
// stand side by side where its list was the first to need them, and those shared with other packages often do.
func (wr *writing) appendVersionRefs(b []byte, texts []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(texts)))
	last := uint32(0)
	for _, t := range texts {
		off := wr.versionOffset(t)
		b = appendVarint(b, int64(off)-int64(last))
		last = off
	}
	return b
}

func (wr *writing) versionOffset(text string) uint32 {
	id := wr.b.texts.index[text]
	off, ok := wr.textOff[id]
	if !ok {
		off = uint32(len(wr.versions))
		wr.textOff[id] = off
		wr.versions = appendSized(wr.versions, text)
	}
	return off
}

// appendEntry writes flags (order in two bits, attrs present, count of intervals in the rest), attrs, intervals.
func appendEntry(b []byte, e entry) []byte {
	flags := uint64(e.order) | uint64(boolByte(e.attrs != 0))<<2 | uint64(len(e.ivs))<<3
	b = binary.AppendUvarint(b, flags)
	if e.attrs != 0 {
		b = binary.AppendUvarint(b, uint64(e.attrs))
	}
	at := uint32(0)
	for _, i := range e.ivs {
		b = binary.AppendUvarint(b, uint64(i.lo-at))
		if i.hi == 0 {
			b = append(b, 0)
			at = math.MaxUint32
			continue
		}
		b = binary.AppendUvarint(b, uint64(i.hi-i.lo))
		at = i.hi
	}
	return b
}
