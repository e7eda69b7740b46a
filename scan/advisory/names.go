package advisory

import (
	"encoding/binary"
	"fmt"
	"sort"
)

// named is an entry of the name table.
type named struct {
	rec  int64    // the record with this id, -1 for none
	refs []uint32 // records that name it as alias, upstream or related
}

func (db *DB) nameBlock(i int) (c cursor, err error) {
	index, names := db.section(secNameIndex), db.section(secNames)
	if i < 0 || (i+1)*4 > len(index) {
		return c, fmt.Errorf("block %d of the ids does not exist: %w", i, ErrCorrupt)
	}
	at := binary.LittleEndian.Uint32(index[i*4:])
	if uint64(at) > uint64(len(names)) {
		return c, fmt.Errorf("block %d of the ids: %w", i, ErrCorrupt)
	}
	return cursor{b: names[at:]}, nil
}

// skipFront passes over a front-coded string.
func (c *cursor) skipFront() {
	c.uvarint()
	c.sized()
}

// skipEntry reads what follows an id in the name table without keeping it.
func skipEntry(c *cursor) {
	head := c.uvarint()
	n := int(head>>1) + int(head&1)
	for ; n > 0 && !c.bad; n-- {
		c.uvarint()
	}
}

// name returns the id at a place of the name table.
func (db *DB) name(place uint32) (string, error) {
	c, err := db.nameBlock(int(place / blockSize))
	if err != nil {
		return "", err
	}
	var room [64]byte
	have := c.front(room[:0])
	for range place % blockSize {
		skipEntry(&c)
		have = c.front(have)
	}
	return string(have), c.err("the ids")
}

// entryAt reads the entry at a place. The list of records comes from the room.
func (db *DB) entryAt(place uint32, from *room[uint32]) (n named, err error) {
	c, err := db.nameBlock(int(place / blockSize))
	if err != nil {
		return n, err
	}
	c.skipFront()
	for range place % blockSize {
		skipEntry(&c)
		c.skipFront()
	}
	n = named{rec: -1}
	head := c.uvarint()
	if head&1 != 0 {
		n.rec = int64(place) - int64(c.uvarint())
		if n.rec < 0 {
			c.bad = true
		}
	}
	if head>>1 > uint64(len(c.b)-c.off) {
		c.bad = true
		return n, c.err("the ids")
	}
	last := uint32(0)
	if head>>1 > 0 {
		n.refs = from.take(int(head >> 1))
	}
	for i := range n.refs {
		last += uint32(c.uvarint())
		n.refs[i] = last
	}
	return n, c.err("the ids")
}

// findName finds an id; ok is false where no record has it or names it, and place is then that of the next one.
func (db *DB) findName(id string) (place uint32, ok bool, err error) {
	n, hi := 0, len(db.section(secNameIndex))/4 // the first of n blocks that begins after the id
	for n < hi {
		mid := int(uint(n+hi) >> 1)
		c, err := db.nameBlock(mid)
		if err != nil {
			return 0, false, err
		}
		c.uvarint()
		if first := c.sized(); c.bad || string(first) > id {
			hi = mid
		} else {
			n = mid + 1
		}
	}
	if n == 0 {
		return 0, false, nil
	}
	c, err := db.nameBlock(n - 1)
	if err != nil {
		return 0, false, err
	}
	var room [64]byte
	have := room[:0]
	for i := 0; i < blockSize && !c.done(); i++ {
		if have = c.front(have); string(have) >= id {
			return uint32((n-1)*blockSize + i), string(have) == id, c.err("the ids")
		}
		skipEntry(&c)
	}
	return uint32(n * blockSize), false, c.err("the ids")
}

// kevOf and epssOf look an id's place up in the sorted tables.
func (db *DB) kevOf(place uint32) ([]byte, bool) { return findFixed(db.section(secKEV), kevLen, place) }

func (db *DB) epssOf(place uint32) ([]byte, bool) {
	return findFixed(db.section(secEPSS), epssLen, place)
}

func findFixed(b []byte, size int, place uint32) ([]byte, bool) {
	n := len(b) / size
	i := sort.Search(n, func(i int) bool { return binary.LittleEndian.Uint32(b[i*size:]) >= place })
	if i == n || binary.LittleEndian.Uint32(b[i*size:]) != place {
		return nil, false
	}
	return b[i*size+4 : (i+1)*size], true
}
