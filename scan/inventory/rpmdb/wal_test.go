package rpmdb

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// smallLog is a log of one transaction that writes page to the first page of a database of one.
func smallLog(page []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, walMagic)
	for _, v := range []uint32{3007000, uint32(len(page)), 0, 1, 2} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	sum := walSum{order: binary.LittleEndian}
	sum.add(b)
	b = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, sum.s0), sum.s1)
	frame := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, 1), 1)
	sum.add(frame)
	sum.add(page)
	frame = append(frame, b[16:24]...)
	frame = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(frame, sum.s0), sum.s1)
	return append(append(b, frame...), page...)
}

func FuzzWithLog(f *testing.F) {
	page := append([]byte("SQLite format 3\x00\x02\x00"), make([]byte, 494)...)
	page[100] = sqliteLeaf
	f.Add(page, smallLog(page))
	f.Add(page, smallLog(page)[:500])
	f.Add([]byte{}, smallLog(page))
	f.Fuzz(func(t *testing.T, db, log []byte) {
		r, size := WithLog(bytes.NewReader(db), int64(len(db)), bytes.NewReader(log), int64(len(log)))
		if size > int64(len(db)+len(log)) {
			t.Errorf("%d bytes of %d and %d", size, len(db), len(log))
		}
		Read(r, size, func(Package) error { return nil })
	})
}

func TestSmallLog(t *testing.T) {
	page := bytes.Repeat([]byte{'p'}, 512)
	old := bytes.Repeat([]byte{'o'}, 1024)
	for name, tt := range map[string]struct {
		log  []byte
		size int64
		want byte
	}{
		"none": {nil, 1024, 'o'}, "one page": {smallLog(page), 512, 'p'}, "cut short": {smallLog(page)[:567], 1024, 'o'},
	} {
		r, size := WithLog(bytes.NewReader(old), 1024, bytes.NewReader(tt.log), int64(len(tt.log)))
		var got [8]byte
		if _, err := r.ReadAt(got[:], 100); err != nil || size != tt.size || got[0] != tt.want {
			t.Errorf("%s: %d bytes of %q, %v", name, size, got, err)
		}
	}
}
