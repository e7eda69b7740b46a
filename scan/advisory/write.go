package advisory

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/seawall/seawall/scan/advisory/record"
)

// WriteFile compiles what was added and puts it at path in one step: a reader sees the old file or the new one,
// also after a crash. The same records in the same order and the same Meta give the same bytes.
func (b *Builder) WriteFile(ctx context.Context, path string, meta Meta) (stats Stats, err error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return stats, fmt.Errorf("creating the database: %w", err)
	}
	defer func() {
		if err != nil {
			_ = tmp.Close()
			_ = os.Remove(tmp.Name())
		}
	}()
	if stats, err = b.writeTo(ctx, tmp, meta); err != nil {
		return stats, err
	}
	if err = errors.Join(tmp.Chmod(0o644), tmp.Sync(), tmp.Close()); err != nil {
		return stats, fmt.Errorf("writing the database: %w", err)
	}
	if err = os.Rename(tmp.Name(), path); err != nil {
		return stats, fmt.Errorf("putting the database in place: %w", err)
	}
	return stats, syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("making the database durable: %w", err)
	}
	// Some file systems cannot sync a directory; the rename then is as durable as they make it.
	_ = d.Sync()
	return d.Close()
}

// writing is the state of one compilation.
type writing struct {
	b        *Builder
	stats    Stats
	nameRank []uint32          // names number → place
	wordOff  []uint32          // words number → offset in secWords
	textOff  map[uint32]uint32 // texts number → offset in secVersions, for those that are there
	versions []byte
	ecos     map[uint32]*ecoDraft
	keys     map[keyID]int
	keyData  []keyDraft
	recName  []uint32    // record → names number
	nameRec  []int32     // names number → record, -1 for none
	refs     [][2]uint32 // names number, record that names it
	records  []byte
	recIndex []byte
	titles   titleWriter
}

type keyID struct{ eco, name uint32 }

// keyDraft gathers what the records say of one package, in the order of the records.
type keyDraft struct {
	keyID
	entries []byte // per entry: record, attrs, versions as draftAffected writes them
	n       int
}

type ecoDraft struct {
	id      uint32
	records uint32
	newest  int64
	last    uint32 // the last record counted, plus one
}

// writeTo writes the whole file. w must be at its start.
func (b *Builder) writeTo(ctx context.Context, w io.WriteSeeker, meta Meta) (Stats, error) {
	wr := &writing{b: b, stats: b.stats, ecos: map[uint32]*ecoDraft{}, keys: map[keyID]int{}, textOff: map[uint32]uint32{}}
	for cve := range b.kev {
		b.names.id(cve)
	}
	_, wr.nameRank = b.names.byText()
	if err := wr.readDrafts(ctx); err != nil {
		return wr.stats, err
	}
	// Everything left is about records and keys: the strings that no file needs are known only after the keys.
	keys, keyIndex, ecos, err := wr.compileKeys(ctx)
	if err != nil {
		return wr.stats, err
	}
	return wr.stats, wr.sections(w, meta, keys, keyIndex, ecos)
}

// readDrafts numbers the records by id and writes their section.
func (wr *writing) readDrafts(ctx context.Context) error {
	b := wr.b
	order := slices.Clone(b.added)
	slices.SortStableFunc(order, func(x, y addedDraft) int {
		return int(wr.nameRank[x.id]) - int(wr.nameRank[y.id])
	})
	wr.nameRec = make([]int32, len(b.names.texts))
	for i := range wr.nameRec {
		wr.nameRec[i] = -1
	}
	wr.wordOff = b.wordOffsets()
	var buf []byte
	for i := 0; i < len(order); {
		if i%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		d, n, err := b.draftsOf(order[i:], &buf)
		if err != nil {
			return err
		}
		wr.stats.Merged += n - 1
		i += n
		wr.record(&d)
	}
	wr.stats.Records = len(wr.recName)
	return nil
}

// draftsOf reads the first draft and merges those that follow with the same id; n is how many they are.
func (b *Builder) draftsOf(order []addedDraft, buf *[]byte) (d draft, n int, err error) {
	for n < len(order) && order[n].id == order[0].id {
		a := order[n]
		*buf = slices.Grow((*buf)[:0], int(a.len))[:a.len]
		if err := b.spool.read(*buf, a.off); err != nil {
			return d, n, err
		}
		c := cursor{b: *buf}
		next := readDraft(&c)
		if c.bad {
			return d, n, fmt.Errorf("a temporary file of the build changed: %w", ErrCorrupt)
		}
		if n == 0 {
			d = next
		} else {
			d.merge(&next)
		}
		n++
	}
	return d, n, nil
}

// record writes one record and hands its affected packages to their keys.
func (wr *writing) record(d *draft) {
	rec := uint32(len(wr.recName))
	wr.recName = append(wr.recName, d.id)
	wr.nameRec[d.id] = int32(rec)
	for _, ids := range [][]uint32{d.aliases, d.upstream, d.related} {
		for _, id := range ids {
			wr.refs = append(wr.refs, [2]uint32{id, rec})
		}
	}
	wr.recIndex = binary.LittleEndian.AppendUint32(wr.recIndex, uint32(len(wr.records)))
	wr.records = wr.appendRecord(wr.records, d)
	wr.titles.add(d.title)
	switch {
	case d.withdrawn != 0:
		wr.stats.Withdrawn++
		return
	case d.kind == record.Malware:
		wr.stats.Malware++
	}
	for i := range d.affected {
		wr.affected(rec, d, &d.affected[i])
	}
}

func (wr *writing) affected(rec uint32, d *draft, a *draftAffected) {
	e := wr.ecos[a.eco]
	if e == nil {
		e = &ecoDraft{id: a.eco}
		wr.ecos[a.eco] = e
	}
	if e.last != rec+1 {
		e.last = rec + 1
		e.records++
		e.newest = max(e.newest, d.modified)
	}
	id := keyID{a.eco, a.name}
	k, ok := wr.keys[id]
	if !ok {
		k = len(wr.keyData)
		wr.keys[id] = k
		wr.keyData = append(wr.keyData, keyDraft{keyID: id})
	}
	key := &wr.keyData[k]
	key.entries = binary.AppendUvarint(key.entries, uint64(rec))
	key.entries = binary.AppendUvarint(key.entries, uint64(a.attrs))
	key.entries = a.appendVersions(key.entries)
	key.n++
	wr.stats.Affected++
}

// Record flags.
const (
	recMalware = 1 << iota
	recWithdrawn
	recPublished
	recRated
	recSeverities
	recCWE
	recUpstream
	recRelated
)

func (wr *writing) appendRecord(b []byte, d *draft) []byte {
	flags := byte(0)
	set := func(on bool, bit byte) {
		if on {
			flags |= bit
		}
	}
	set(d.kind == record.Malware, recMalware)
	set(d.withdrawn != 0, recWithdrawn)
	set(d.published != 0, recPublished)
	set(d.rating != 0, recRated)
	set(len(d.severities) > 0, recSeverities)
	set(len(d.cwe) > 0, recCWE)
	set(len(d.upstream) > 0, recUpstream)
	set(len(d.related) > 0, recRelated)
	b = binary.AppendUvarint(append(b, flags), uint64(wr.nameRank[d.id]))
	b = wr.appendNames(b, d.aliases)
	b = binary.AppendUvarint(b, uint64(d.modified))
	if d.withdrawn != 0 {
		b = binary.AppendUvarint(b, uint64(d.withdrawn))
	}
	if d.published != 0 {
		b = appendVarint(b, d.modified-d.published)
	}
	if d.rating != 0 {
		b = binary.AppendUvarint(b, uint64(wr.wordOff[d.rating]))
	}
	if len(d.severities) > 0 {
		b = wr.appendSeverities(b, d.severities)
	}
	if len(d.cwe) > 0 {
		b = appendIDs(b, d.cwe)
	}
	if len(d.upstream) > 0 {
		b = wr.appendNames(b, d.upstream)
	}
	if len(d.related) > 0 {
		b = wr.appendNames(b, d.related)
	}
	return b
}

func (wr *writing) appendSeverities(b []byte, in []draftSeverity) []byte {
	b = binary.AppendUvarint(b, uint64(len(in)))
	for _, s := range in {
		b = binary.AppendUvarint(b, uint64(wr.wordOff[s.kind]))
		b = binary.AppendUvarint(b, uint64(wr.wordOff[s.text]))
		b = append(b, s.score)
	}
	return b
}

// appendNames writes places in the name table, sorted, each as the distance from the one before.
func (wr *writing) appendNames(b []byte, ids []uint32) []byte {
	places := make([]uint32, len(ids))
	for i, id := range ids {
		places[i] = wr.nameRank[id]
	}
	slices.Sort(places)
	places = slices.Compact(places)
	b = binary.AppendUvarint(b, uint64(len(places)))
	last := uint32(0)
	for _, p := range places {
		b = binary.AppendUvarint(b, uint64(p-last))
		last = p
	}
	return b
}

// wordOffsets places the strings that the file may need, the most used first.
func (b *Builder) wordOffsets() []uint32 {
	order, _ := b.words.byUse()
	off := make([]uint32, len(order))
	at := uint32(1) // offset 0 is the empty string
	for _, i := range order {
		if i == 0 {
			continue
		}
		off[i] = at
		n := len(b.words.texts[i])
		at += uint32(n + uvarintLen(uint64(n)))
	}
	return off
}

func uvarintLen(v uint64) int {
	n := 1
	for ; v >= 0x80; v >>= 7 {
		n++
	}
	return n
}

func (b *Builder) appendWords(out []byte) []byte {
	order, _ := b.words.byUse()
	out = append(out, 0)
	for _, i := range order {
		if i != 0 {
			out = appendSized(out, b.words.texts[i])
		}
	}
	return out
}

// sections writes header and sections, one after another, then the header again with the digest.
func (wr *writing) sections(w io.WriteSeeker, meta Meta, keys, keyIndex, ecos []byte) error {
	names, nameIndex := wr.nameSections()
	titles, titleIndex, dict, err := wr.titles.finish()
	if err != nil {
		return err
	}
	kev := wr.kevSection()
	epss := wr.epssSection()
	attrs := wr.attrsSection()
	info, err := json.Marshal(fileInfo{Meta: meta, Stats: wr.stats})
	if err != nil {
		return fmt.Errorf("describing the database: %w", err)
	}
	parts := [numSections]struct {
		count int
		b     []byte
	}{
		secMeta: {1, info}, secEcosystems: {len(wr.ecos), ecos}, secWords: {len(wr.b.words.texts), wr.b.appendWords(nil)},
		secVersions: {len(wr.textOff), wr.versions},
		secAttrs:    {len(wr.b.attrs.texts), attrs}, secKeyIndex: {len(keyIndex) / 8, keyIndex}, secKeys: {len(wr.keyData), keys},
		secRecIndex: {len(wr.recName), wr.recIndex}, secRecords: {len(wr.recName), wr.records},
		secNameIndex: {len(nameIndex) / 4, nameIndex}, secNames: {len(wr.b.names.texts) - 1, names},
		secTitleIndex: {len(titleIndex) / 8, titleIndex}, secTitles: {len(wr.recName), titles}, secTitleDict: {1, dict},
		secKEV: {wr.stats.KEV, kev}, secEPSS: {wr.stats.EPSS, epss},
	}
	h := header{built: meta.BuiltAt.UTC().Truncate(time.Second), records: uint32(wr.stats.Records)}
	if wr.b.opts.Starter {
		h.flags |= flagStarter
	}
	at := uint64(headerLen)
	for i, p := range parts {
		if len(p.b) > math.MaxUint32 && i != secKeys && i != secTitles {
			return fmt.Errorf("section %d has %d bytes, more than the format holds", i, len(p.b))
		}
		h.sections[i] = section{count: uint32(p.count), off: at, len: uint64(len(p.b))}
		at += uint64(len(p.b))
	}
	h.size = at
	return writeHashed(w, &h, func(out io.Writer) error {
		for _, p := range parts {
			if _, err := out.Write(p.b); err != nil {
				return err
			}
		}
		return nil
	})
}

func writeHashed(w io.WriteSeeker, h *header, body func(io.Writer) error) error {
	sum := sha256.New()
	buf := bufio.NewWriterSize(w, 1<<20)
	out := io.MultiWriter(buf, sum)
	_, err := out.Write(h.encode())
	if err = errors.Join(err, body(out), buf.Flush()); err != nil {
		return fmt.Errorf("writing the database: %w", err)
	}
	return sealHeader(w, h, sum)
}

func sealHeader(w io.WriteSeeker, h *header, sum hash.Hash) error {
	sum.Sum(h.digest[:0])
	if _, err := w.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("writing the database's digest: %w", err)
	}
	if _, err := w.Write(h.encode()); err != nil {
		return fmt.Errorf("writing the database's digest: %w", err)
	}
	return nil
}

// nameSections writes every id in order, front-coded in blocks, each with its record and those that refer to it.
func (wr *writing) nameSections() (names, index []byte) {
	pool := wr.b.names
	order, _ := pool.byText()
	slices.SortFunc(wr.refs, func(a, b [2]uint32) int {
		if a[0] != b[0] {
			return int(wr.nameRank[a[0]]) - int(wr.nameRank[b[0]])
		}
		return int(a[1]) - int(b[1])
	})
	wr.refs = slices.Compact(wr.refs)
	refs := wr.refs
	last := ""
	for place, id := range order {
		if place%blockSize == 0 {
			index = binary.LittleEndian.AppendUint32(index, uint32(len(names)))
			last = ""
		}
		names = appendFront(names, last, pool.texts[id])
		last = pool.texts[id]
		n := 0
		for n < len(refs) && refs[n][0] == id {
			n++
		}
		names = binary.AppendUvarint(names, uint64(n)<<1|uint64(boolByte(wr.nameRec[id] >= 0)))
		if rec := wr.nameRec[id]; rec >= 0 {
			names = binary.AppendUvarint(names, uint64(place)-uint64(rec))
		}
		prev := uint32(0)
		for _, r := range refs[:n] {
			names = binary.AppendUvarint(names, uint64(r[1]-prev))
			prev = r[1]
		}
		refs = refs[n:]
	}
	return names, index
}

// appendFront writes how much of last s repeats, and the rest.
func appendFront(b []byte, last, s string) []byte {
	n := 0
	for n < len(last) && n < len(s) && last[n] == s[n] {
		n++
	}
	return appendSized(binary.AppendUvarint(b, uint64(n)), s[n:])
}

// attrsSection is an index of u32 offsets, then the sets with their strings as offsets.
func (wr *writing) attrsSection() []byte {
	texts := wr.b.attrs.texts
	var index, body []byte
	for _, t := range texts {
		index = binary.LittleEndian.AppendUint32(index, uint32(len(texts)*4+len(body)))
		body = wr.appendAttrs(body, t)
	}
	return append(index, body...)
}

func (wr *writing) appendAttrs(b []byte, drafted string) []byte {
	if drafted == "" {
		return append(b, 0, 0, 0, 0, 0, 0, 0)
	}
	c := cursor{b: []byte(drafted)}
	ref := func() { b = binary.AppendUvarint(b, uint64(wr.wordOff[c.uvarint()])) }
	for range 4 {
		ref()
	}
	b = append(b, c.byte())
	n := c.count()
	b = binary.AppendUvarint(b, uint64(n))
	for range n {
		ref()
	}
	n = c.count()
	b = binary.AppendUvarint(b, uint64(n))
	for range n {
		ref()
		ref()
		b = append(b, c.byte())
	}
	return b
}

const (
	kevLen  = 16
	epssLen = 9
)

// kevSection: place in the name table u32, days since 1970 added and due u32 each (0 none), flags u32.
func (wr *writing) kevSection() (out []byte) {
	places := make([]uint32, 0, len(wr.b.kev))
	byPlace := map[uint32]string{}
	for cve := range wr.b.kev {
		p := wr.nameRank[wr.b.names.index[cve]]
		places, byPlace[p] = append(places, p), cve
	}
	slices.Sort(places)
	le := binary.LittleEndian
	for _, p := range places {
		k := wr.b.kev[byPlace[p]]
		out = le.AppendUint32(out, p)
		out = le.AppendUint32(out, dayOf(k.Added))
		out = le.AppendUint32(out, dayOf(k.Due))
		out = le.AppendUint32(out, uint32(boolByte(k.Ransomware)))
	}
	wr.stats.KEV = len(places)
	return out
}

func dayOf(date string) uint32 {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil || t.Unix() < 0 {
		return 0
	}
	return uint32(t.Unix() / 86400)
}

func dateOf(day uint32) string {
	if day == 0 {
		return ""
	}
	return time.Unix(int64(day)*86400, 0).UTC().Format(time.DateOnly)
}

// epssSection: place in the name table u32, then score and percentile in hundred-thousandths, 20 bits each.
func (wr *writing) epssSection() (out []byte) {
	type entry struct {
		place uint32
		cve   string
	}
	var all []entry
	for cve := range wr.b.epss {
		if id, ok := wr.b.names.index[cve]; ok {
			all = append(all, entry{wr.nameRank[id], cve})
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].place < all[j].place })
	for _, e := range all {
		v := wr.b.epss[e.cve]
		bits := uint64(fraction(v.Score))<<20 | uint64(fraction(v.Percentile))
		out = binary.LittleEndian.AppendUint32(out, e.place)
		out = append(out, byte(bits), byte(bits>>8), byte(bits>>16), byte(bits>>24), byte(bits>>32))
	}
	wr.stats.EPSS = len(all)
	return out
}

func fraction(f float64) uint32 {
	if !(f > 0) {
		return 0
	}
	return uint32(math.Round(min(f, 1) * 100_000))
}

// titleWriter compresses titles in blocks as they come, against a dictionary of the first ones.
type titleWriter struct {
	texts []string
}

func (t *titleWriter) add(s string) { t.texts = append(t.texts, s) }

const (
	dictID   = 1
	dictSize = 48 << 10
)

func (t *titleWriter) finish() (titles, index, dict []byte, err error) {
	dict = t.dictionary()
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBetterCompression), zstd.WithEncoderConcurrency(1),
		zstd.WithEncoderDictRaw(dictID, dict), zstd.WithEncoderCRC(false), zstd.WithSingleSegment(true))
	if err != nil {
		return nil, nil, nil, fmt.Errorf("compressing the summaries: %w", err)
	}
	defer enc.Close()
	var block []byte
	for i := 0; i < len(t.texts); i += titleBlock {
		index = binary.LittleEndian.AppendUint64(index, uint64(len(titles)))
		block = block[:0]
		for _, s := range t.texts[i:min(i+titleBlock, len(t.texts))] {
			block = appendSized(block, s)
		}
		titles = enc.EncodeAll(block, titles)
	}
	return titles, binary.LittleEndian.AppendUint64(index, uint64(len(titles))), dict, nil
}

// dictionary takes titles at even distances, so that every publisher's way of putting things is in it.
func (t *titleWriter) dictionary() []byte {
	var dict []byte
	total := 0
	for _, s := range t.texts {
		total += len(s)
	}
	step := max(1, total/dictSize)
	for i := 0; i < len(t.texts) && len(dict) < dictSize; i += step {
		dict = append(dict, t.texts[i]...)
	}
	if len(dict) < 64 { // too short to be one: zstd wants at least a few bytes
		dict = append(dict, "vulnerability in allows denial of service, remote code execution: security update"...)
	}
	return dict
}
