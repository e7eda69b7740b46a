package advisory

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/seawall/seawall/finding"
)

// known is a record as the database keeps it, ranges left out.
type known struct {
	rec, place                     uint32 // place of its id in the name table
	id                             string // "" until somebody reads it
	malware                        bool
	aliases, upstream, related     []uint32 // places in the name table
	published, modified, withdrawn time.Time
	rating                         string
	severities                     []scored
	cwe                            []uint32
	cves                           []uint32 // that it names itself, once hasCVEs
	hasCVEs                        bool
}

// recordCursor stands at the record's first byte.
func (db *DB) recordCursor(rec uint32) (c cursor, err error) {
	index, records := db.section(secRecIndex), db.section(secRecords)
	if uint64(rec)*4+4 > uint64(len(index)) {
		return c, fmt.Errorf("record %d does not exist: %w", rec, ErrCorrupt)
	}
	at := binary.LittleEndian.Uint32(index[rec*4:])
	if uint64(at) >= uint64(len(records)) {
		return c, fmt.Errorf("record %d lies outside its section: %w", rec, ErrCorrupt)
	}
	return cursor{b: records[at:]}, nil
}

// record reads a record with its id.
func (db *DB) record(rec uint32) (k known, err error) {
	if err = db.recordInto(&k, rec, &room[uint32]{}); err != nil {
		return k, err
	}
	k.id, err = db.name(k.place)
	return k, err
}

// recordInto reads a record without its id; its lists of numbers come from the room.
func (db *DB) recordInto(k *known, rec uint32, from *room[uint32]) error {
	c, err := db.recordCursor(rec)
	if err != nil {
		return err
	}
	k.rec = rec
	flags := c.byte()
	k.place = uint32(c.uvarint())
	k.malware = flags&recMalware != 0
	k.aliases = readPlaces(&c, from)
	modified := int64(c.uvarint())
	k.modified = timeOf(modified)
	if flags&recWithdrawn != 0 {
		k.withdrawn = timeOf(int64(c.uvarint()))
	}
	if flags&recPublished != 0 {
		k.published = timeOf(modified - c.varint())
	}
	if flags&recRated != 0 {
		k.rating = db.word(&c)
	}
	if flags&recSeverities != 0 {
		k.severities = db.readSeverities(&c)
	}
	if flags&recCWE != 0 {
		k.cwe = readNumbers(&c, from)
	}
	if flags&recUpstream != 0 {
		k.upstream = readPlaces(&c, from)
	}
	if flags&recRelated != 0 {
		k.related = readPlaces(&c, from)
	}
	return c.err("a record")
}

// modifiedOf reads no more of a record than is needed to know when it was last modified.
func (db *DB) modifiedOf(rec uint32) (time.Time, error) {
	c, err := db.recordCursor(rec)
	if err != nil {
		return time.Time{}, err
	}
	c.byte()
	c.uvarint()
	for n := c.count(); n > 0; n-- {
		c.uvarint()
	}
	t := timeOf(int64(c.uvarint()))
	return t, c.err("a record")
}

func readNumbers(c *cursor, from *room[uint32]) []uint32 {
	n := c.count()
	if n == 0 {
		return nil
	}
	out := from.take(n)
	for i := range out {
		out[i] = uint32(c.uvarint())
	}
	return out
}

func readPlaces(c *cursor, from *room[uint32]) []uint32 {
	out := readNumbers(c, from)
	for i := 1; i < len(out); i++ {
		out[i] += out[i-1]
	}
	return out
}

func (db *DB) readSeverities(c *cursor) []scored {
	out := make([]scored, c.index(maxSeverities+1))
	for i := range out {
		out[i] = scored{kind: db.word(c), text: db.word(c), score: float64(c.byte()) / 10}
	}
	return out
}

// word reads a reference to secWords and what it refers to.
func (db *DB) word(c *cursor) string {
	words := db.section(secWords)
	off := c.index(len(words))
	w := cursor{b: words, off: off}
	s := w.string()
	c.bad = c.bad || w.bad
	return s
}

func (db *DB) attrs(i uint32) (a attrs, err error) {
	sec := db.section(secAttrs)
	if uint64(i) >= uint64(db.h.sections[secAttrs].count) || uint64(i)*4+4 > uint64(len(sec)) {
		return a, fmt.Errorf("set %d of attributes does not exist: %w", i, ErrCorrupt)
	}
	off := binary.LittleEndian.Uint32(sec[i*4:])
	if uint64(off) > uint64(len(sec)) {
		return a, fmt.Errorf("set %d of attributes: %w", i, ErrCorrupt)
	}
	c := cursor{b: sec[off:]}
	a.state, a.rating, a.urgency, a.module = finding.State(db.word(&c)), db.word(&c), db.word(&c), db.word(&c)
	a.modular = c.byte() != 0
	for n := c.count(); n > 0; n-- {
		a.arch = append(a.arch, db.word(&c))
	}
	a.severities = db.readSeverities(&c)
	return a, c.err("attributes")
}

// titleCache holds blocks of titles, decompressed.
type titleCache map[uint32][]byte

// title returns a record's summary and address. The record's id must have been read.
func (db *DB) title(k *known, blocks titleCache) (title, url string, err error) {
	block := k.rec / titleBlock
	raw, ok := blocks[block]
	if !ok {
		if raw, err = db.titleBlock(block); err != nil {
			return "", "", err
		}
		blocks[block] = raw
	}
	c := cursor{b: raw}
	for range k.rec % titleBlock {
		c.sized()
	}
	if !c.done() {
		title, url, _ = strings.Cut(c.string(), "\x00")
	}
	if url == "" {
		url = addressOf(k.id)
	}
	return title, url, c.err("summaries")
}

// maxTitleBlock bounds a block of titles once decompressed.
const maxTitleBlock = titleBlock * (maxSummary + maxText + 16)

func (db *DB) titleBlock(block uint32) ([]byte, error) {
	dec, err := db.titleDecoder()
	if err != nil {
		return nil, err
	}
	index, titles := db.section(secTitleIndex), db.section(secTitles)
	if uint64(block)*8+16 > uint64(len(index)) {
		return nil, fmt.Errorf("summaries %d: %w", block, ErrCorrupt)
	}
	at, end := binary.LittleEndian.Uint64(index[block*8:]), binary.LittleEndian.Uint64(index[block*8+8:])
	if at > end || end > uint64(len(titles)) {
		return nil, fmt.Errorf("summaries %d: %w", block, ErrCorrupt)
	}
	raw, err := dec.DecodeAll(titles[at:end], nil)
	if err != nil {
		return nil, fmt.Errorf("summaries %d: %w (%v)", block, ErrCorrupt, err)
	}
	return raw, nil
}

func (db *DB) titleDecoder() (*zstd.Decoder, error) {
	t := &db.titles
	t.once.Do(func() {
		dict := db.section(secTitleDict)
		if len(dict) > 2*dictSize {
			t.err = fmt.Errorf("dictionary of the summaries: %w", ErrCorrupt)
			return
		}
		t.dec, t.err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxTitleBlock),
			zstd.WithDecoderDictRaw(dictID, dict))
	})
	return t.dec, t.err
}
