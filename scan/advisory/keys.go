package advisory

import (
	"encoding/binary"
	"fmt"
)

// findKey returns what the database holds of one package, nil where it holds nothing. The name is normalised.
func (db *DB) findKey(e *ecosystem, name string) ([]byte, error) {
	n, hi := 0, e.last-e.first // the first of n blocks that begins after the name
	for n < hi {
		mid := int(uint(n+hi) >> 1)
		first, err := db.firstKey(e.first + mid)
		if err != nil {
			return nil, err
		}
		if string(first) > name {
			hi = mid
		} else {
			n = mid + 1
		}
	}
	if n == 0 {
		return nil, nil
	}
	c, err := db.keyBlock(e.first + n - 1)
	if err != nil {
		return nil, err
	}
	var room [96]byte
	have := room[:0]
	for i := 0; i < blockSize && !c.done(); i++ {
		have = c.front(have)
		payload := c.sized()
		if string(have) == name {
			return payload, c.err("the packages of " + e.name)
		}
	}
	return nil, c.err("the packages of " + e.name)
}

func (db *DB) keyBlock(i int) (c cursor, err error) {
	index, keys := db.section(secKeyIndex), db.section(secKeys)
	at := binary.LittleEndian.Uint64(index[i*8:])
	end := uint64(len(keys))
	if (i+1)*8 < len(index) {
		end = binary.LittleEndian.Uint64(index[(i+1)*8:])
	}
	if at > end || end > uint64(len(keys)) {
		return c, fmt.Errorf("block %d of the packages: %w", i, ErrCorrupt)
	}
	return cursor{b: keys[at:end]}, nil
}

func (db *DB) firstKey(block int) ([]byte, error) {
	c, err := db.keyBlock(block)
	if err != nil {
		return nil, err
	}
	if c.uvarint() != 0 {
		c.bad = true
	}
	return c.sized(), c.err("the packages")
}

// front reads a front-coded string into the room of the one before.
func (c *cursor) front(last []byte) []byte {
	n := c.index(len(last) + 1)
	return append(last[:n], c.sized()...)
}
