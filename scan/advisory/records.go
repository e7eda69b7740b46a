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
	rec                            uint32
	id                             string
	malware                        bool
	aliases, upstream, related     []uint32 // places in the name table
	published, modified, withdrawn time.Time
	rating                         string
	severities                     []scored
	cwe                            []uint32
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

func (db *DB) record(rec uint32) (k known, err error) {
	c, err := db.recordCursor(rec)
	if err != nil {
		return k, err
	}
	k.rec = rec
	flags := c.byte()
	place := uint32(c.uvarint())
	k.malware = flags&recMalware != 0
	k.aliases = readPlaces(&c)
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
		k.cwe = readIDs(&c)
	}
	if flags&recUpstream != 0 {
		k.upstream = readPlaces(&c)
	}
	if flags&recRelated != 0 {
		k.related = readPlaces(&c)
	}
	if err := c.err("a record"); err != nil {
		return k, err
	}
	k.id, err = db.name(place)
	return k, err
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

func readPlaces(c *cursor) []uint32 {
	ids := readIDs(c)
	for i := 1; i < len(ids); i++ {
		ids[i] += ids[i-1]
	}
	return ids
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

// title returns a record's summary and address.
func (db *DB) title(k *known, blocks map[uint32][]string) (title, url string, err error) {
	block := k.rec / titleBlock
	texts, ok := blocks[block]
	if !ok {
		if texts, err = db.titleBlock(block); err != nil {
			return "", "", err
		}
		blocks[block] = texts
	}
	if i := int(k.rec % titleBlock); i < len(texts) {
		title, url, _ = strings.Cut(texts[i], "\x00")
	}
	if url == "" {
		url = addressOf(k.id)
	}
	return title, url, nil
}

// maxTitleBlock bounds a block of titles once decompressed.
const maxTitleBlock = titleBlock * (maxSummary + maxText + 16)

func (db *DB) titleBlock(block uint32) ([]string, error) {
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
	c := cursor{b: raw}
	texts := make([]string, 0, titleBlock)
	for !c.done() && len(texts) < titleBlock {
		texts = append(texts, c.string())
	}
	return texts, c.err("summaries")
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
