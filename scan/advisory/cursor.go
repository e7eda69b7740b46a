package advisory

import (
	"encoding/binary"
	"fmt"
)

// cursor reads a section. Its first failure sticks: whoever reads checks err once, at the end, and before using
// a count to allocate.
type cursor struct {
	b   []byte
	off int
	bad bool
}

func (c *cursor) err(what string) error {
	if c.bad {
		return fmt.Errorf("reading %s: %w", what, ErrCorrupt)
	}
	return nil
}

func (c *cursor) done() bool { return c.bad || c.off >= len(c.b) }

func (c *cursor) uvarint() uint64 {
	if c.bad {
		return 0
	}
	if c.off < len(c.b) && c.b[c.off] < 0x80 { // most are small
		c.off++
		return uint64(c.b[c.off-1])
	}
	v, n := binary.Uvarint(c.b[c.off:])
	if n <= 0 {
		c.bad = true
		return 0
	}
	c.off += n
	return v
}

// index reads a number that must be below limit.
func (c *cursor) index(limit int) int {
	v := c.uvarint()
	if v >= uint64(limit) {
		c.bad = true
		return 0
	}
	return int(v)
}

// count reads the number of elements that follow, each of at least one byte.
func (c *cursor) count() int {
	v := c.uvarint()
	if v > uint64(len(c.b)-c.off) {
		c.bad = true
		return 0
	}
	return int(v)
}

func (c *cursor) varint() int64 {
	u := c.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

func (c *cursor) byte() byte {
	if c.bad || c.off >= len(c.b) {
		c.bad = true
		return 0
	}
	c.off++
	return c.b[c.off-1]
}

func (c *cursor) bytes(n int) []byte {
	if c.bad || n < 0 || n > len(c.b)-c.off {
		c.bad = true
		return nil
	}
	c.off += n
	return c.b[c.off-n : c.off]
}

// sized reads bytes that their length precedes.
func (c *cursor) sized() []byte { return c.bytes(c.count()) }

func (c *cursor) string() string { return string(c.sized()) }

func appendVarint(b []byte, v int64) []byte {
	return binary.AppendUvarint(b, uint64(v)<<1^uint64(v>>63))
}

func appendSized(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}
