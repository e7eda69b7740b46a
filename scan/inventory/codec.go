package inventory

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/seawall/seawall/finding"
)

// The encoded form of a Layer, all integers little-endian or unsigned varints:
//
//	magic "SWL2" · one byte of kinds that were looked for · seven lengths of 8 bytes · seven sections:
//	packages · paths · executables · secrets · the rest · symbolic links · paths written through
//
// Packages, executables and links are a table of strings (count, lengths, bytes), a count and that many records whose texts
// are indexes into the table: the same names and versions stand in many layers' databases, and a warm scan has
// milliseconds. Paths are a PathSet as it is. Secrets and the rest are JSON. A section that is not wanted is skipped.
const (
	layerMagic   = "SWL2"
	sectionCount = 7
	layerHeader  = len(layerMagic) + 1 + 8*sectionCount
)

// rest is the part of a Layer that is small and seldom the same.
type rest struct {
	Releases []Release     `json:"releases,omitempty"`
	Links    []Link        `json:"links,omitempty"`
	Gaps     []finding.Gap `json:"gaps,omitempty"`
	Facts    Facts         `json:"facts,omitzero"`
}

// MarshalBinary gives the form in which a Layer is kept or sent; DecodeLayer reads it. The form changes with
// AnalyserVersion.
func (l *Layer) MarshalBinary() ([]byte, error) {
	secrets, err := json.Marshal(l.Secrets)
	if err != nil {
		return nil, fmt.Errorf("encoding secrets: %w", err)
	}
	other, err := json.Marshal(rest{l.Releases, l.Links, l.Gaps, l.Facts})
	if err != nil {
		return nil, fmt.Errorf("encoding layer: %w", err)
	}
	sections := [sectionCount][]byte{
		encodeRecords(l.Packages, packageFields), l.Paths, encodeRecords(l.Executables, executableFields), secrets, other,
		encodeRecords(l.Symlinks, linkFields), l.Through,
	}
	b := append([]byte(layerMagic), packScanned(l.Scanned))
	for _, s := range sections {
		b = binary.LittleEndian.AppendUint64(b, uint64(len(s)))
	}
	for _, s := range sections {
		b = append(b, s...)
	}
	return b, nil
}

// DecodeLayer reads what MarshalBinary wrote, of it only the kinds in want: packages and paths are cheap, and the
// only ones that most scans need. It trusts nothing in b, which must not change while the Layer is in use.
func DecodeLayer(b []byte, want finding.Scanned) (Layer, error) {
	sections, scanned, err := cutSections(b)
	if err != nil {
		return Layer{}, fmt.Errorf("decoding layer: %w", err)
	}
	l := Layer{Scanned: both(scanned, want), Paths: PathSet(sections[1]), Through: PathSet(sections[6])}
	var other rest
	err = errors.Join(
		decodeIf(l.Scanned.Packages, func() (err error) {
			l.Packages, err = decodeRecords(sections[0], packageFields)
			return err
		}),
		decodeIf(l.Scanned.Executables, func() (err error) {
			l.Executables, err = decodeRecords(sections[2], executableFields)
			return err
		}),
		decodeIf(l.Scanned.Secrets, func() error { return json.Unmarshal(sections[3], &l.Secrets) }),
		json.Unmarshal(sections[4], &other),
		decodeIf(true, func() (err error) {
			l.Symlinks, err = decodeRecords(sections[5], linkFields)
			return err
		}),
	)
	if err != nil {
		return Layer{}, fmt.Errorf("decoding layer: %w", err)
	}
	l.Releases, l.Links, l.Gaps = other.Releases, other.Links, other.Gaps
	if l.Scanned.Checks {
		l.Facts = other.Facts
	}
	return l, nil
}

func decodeIf(wanted bool, decode func() error) error {
	if !wanted {
		return nil
	}
	return decode()
}

var errDamaged = errors.New("damaged")

func cutSections(b []byte) (sections [sectionCount][]byte, s finding.Scanned, err error) {
	if len(b) < layerHeader || string(b[:len(layerMagic)]) != layerMagic {
		return sections, s, errors.New("not a layer of this version")
	}
	body := b[layerHeader:]
	for i := range sections {
		n := binary.LittleEndian.Uint64(b[len(layerMagic)+1+8*i:])
		if n > uint64(len(body)) {
			return sections, s, errDamaged
		}
		sections[i], body = body[:n:n], body[n:]
	}
	if len(sections[1])%markSize != 0 || len(sections[6])%markSize != 0 || len(body) != 0 {
		return sections, s, errDamaged
	}
	return sections, unpackScanned(b[len(layerMagic)]), nil
}

func packScanned(s finding.Scanned) (b byte) {
	for i, on := range []bool{s.Packages, s.Executables, s.Secrets, s.Checks} {
		if on {
			b |= 1 << i
		}
	}
	return b
}

func unpackScanned(b byte) finding.Scanned {
	return finding.Scanned{Packages: b&1 != 0, Executables: b&2 != 0, Secrets: b&4 != 0, Checks: b&8 != 0}
}

func both(a, b finding.Scanned) finding.Scanned {
	return finding.Scanned{
		Packages: a.Packages && b.Packages, Executables: a.Executables && b.Executables,
		Secrets: a.Secrets && b.Secrets, Checks: a.Checks && b.Checks,
	}
}

// coder writes fields, or reads them into the same places.
type coder interface {
	text(*string)
	texts(*[]string)
	number(*uint64)
	digest(*string) // SHA-256 in hex
}

func packageFields(c coder, p *Package) {
	for _, s := range [...]*string{&p.Name, &p.Version, &p.Type, &p.Ecosystem, &p.SourceName, &p.SourceVersion, &p.Arch,
		&p.Modularity, &p.PURL, &p.Path, &p.OwnedBy} {
		c.text(s)
	}
	c.texts(&p.Licenses)
	flag(c, &p.Declared)
}

func executableFields(c coder, x *finding.Executable) {
	c.text(&x.Path)
	c.digest(&x.SHA256)
	size, mode := uint64(x.Size), uint64(x.Mode)
	c.number(&size)
	c.number(&mode)
	x.Size, x.Mode = int64(size), uint32(mode)
	flag(c, &x.Script)
	c.text(&x.Interpreter)
	c.text(&x.Owner)
	c.texts(&x.Capabilities)
}

func linkFields(c coder, l *Link) {
	c.text(&l.Path)
	c.text(&l.Target)
}

func flag(c coder, b *bool) {
	var n uint64
	if *b {
		n = 1
	}
	c.number(&n)
	*b = n != 0
}

// minRecord is the least that a record takes, in bytes; links take less, of which there are few.
const minRecord = 8

// writer is the coder that writes.
type writer struct {
	records []byte
	index   map[string]uint64
	strings []string
}

func encodeRecords[T any](list []T, fields func(coder, *T)) []byte {
	w := writer{index: map[string]uint64{}}
	for i := range list {
		fields(&w, &list[i])
	}
	b := binary.AppendUvarint(nil, uint64(len(w.strings)))
	for _, s := range w.strings {
		b = binary.AppendUvarint(b, uint64(len(s)))
	}
	for _, s := range w.strings {
		b = append(b, s...)
	}
	b = binary.AppendUvarint(b, uint64(len(list)))
	return append(b, w.records...)
}

func (w *writer) number(n *uint64) { w.records = binary.AppendUvarint(w.records, *n) }

func (w *writer) text(s *string) {
	i, ok := w.index[*s]
	if !ok {
		i = uint64(len(w.strings))
		w.index[*s] = i
		w.strings = append(w.strings, *s)
	}
	w.number(&i)
}

func (w *writer) texts(list *[]string) {
	n := uint64(len(*list))
	w.number(&n)
	for i := range *list {
		w.text(&(*list)[i])
	}
}

func (w *writer) digest(s *string) {
	raw, _ := hex.DecodeString(*s) // ours, so it is hex
	n := uint64(len(raw))
	w.number(&n)
	w.records = append(w.records, raw...)
}

// reader is the coder that reads. After an error its fields stay empty.
type reader struct {
	b       []byte
	strings []string
	err     error
}

func decodeRecords[T any](b []byte, fields func(coder, *T)) ([]T, error) {
	r := reader{b: b}
	r.table()
	var n uint64
	r.number(&n)
	if n > uint64(len(r.b)) { // a record has more bytes than one
		return nil, errDamaged
	}
	if n == 0 {
		return nil, r.err
	}
	list := make([]T, 0, min(n, uint64(len(r.b)/minRecord)+1))
	for ; n > 0 && r.err == nil; n-- {
		var zero T
		list = append(list, zero)
		fields(&r, &list[len(list)-1])
	}
	return list, r.err
}

// table reads the strings; all share one copy of their bytes.
func (r *reader) table() {
	var n uint64
	r.number(&n)
	if n > uint64(len(r.b)) {
		r.err = errDamaged
		return
	}
	ends := make([]uint64, 0, n)
	var total uint64
	for range n {
		var size uint64
		r.number(&size)
		if total += size; size > uint64(len(r.b)) || total > uint64(len(r.b)) {
			r.err = errDamaged
			return
		}
		ends = append(ends, total)
	}
	if total > uint64(len(r.b)) || r.err != nil {
		r.err = errDamaged
		return
	}
	text := string(r.b[:total])
	r.b = r.b[total:]
	r.strings = make([]string, n)
	start := uint64(0)
	for i, end := range ends {
		r.strings[i], start = text[start:end], end
	}
}

func (r *reader) number(n *uint64) {
	if len(r.b) > 0 && r.b[0] < 0x80 && r.err == nil { // nearly always
		*n, r.b = uint64(r.b[0]), r.b[1:]
		return
	}
	v, size := binary.Uvarint(r.b)
	if size <= 0 || r.err != nil {
		r.err, *n = errDamaged, 0
		return
	}
	*n, r.b = v, r.b[size:]
}

func (r *reader) text(s *string) {
	var i uint64
	r.number(&i)
	if i >= uint64(len(r.strings)) {
		r.err = errDamaged
		return
	}
	*s = r.strings[i]
}

func (r *reader) texts(list *[]string) {
	var n uint64
	r.number(&n)
	if n > uint64(len(r.b)) {
		r.err = errDamaged
		return
	}
	for range n {
		var s string
		r.text(&s)
		*list = append(*list, s)
	}
}

func (r *reader) digest(s *string) {
	var n uint64
	r.number(&n)
	if n > uint64(len(r.b)) {
		r.err = errDamaged
		return
	}
	*s, r.b = hex.EncodeToString(r.b[:n]), r.b[n:]
}
