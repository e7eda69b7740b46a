package inventory

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// A PathSet holds what a layer does to paths: for each one mark of eight bytes, little-endian, sorted. A mark is the
// upper 62 bits of the first eight bytes of the path's SHA-256, and an effect. SHA-256, because a shorter or seeded
// sum would let the maker of an image choose a harmless path that counts as the path of a package database.
type PathSet []byte

type effect uint64

const (
	// replaces: a file, link, device or whiteout. Hides what lower layers have at the path and below it.
	replaces effect = iota
	// makesDir: a directory. Hides what lower layers have at the path unless that is a directory.
	makesDir
	// hidesBelow: an opaque directory. Hides what lower layers have below the path.
	hidesBelow

	effectBits = 3
)

const markSize = 8

// hashPath returns the mark of path without an effect. buf is scratch space.
func hashPath(buf []byte, path string) (mark uint64, scratch []byte) {
	buf = append(buf[:0], path...)
	sum := sha256.Sum256(buf)
	return binary.BigEndian.Uint64(sum[:8]) &^ effectBits, buf
}

// newPathSet sorts marks in place.
func newPathSet(marks []uint64) PathSet {
	slices.Sort(marks)
	marks = slices.Compact(marks)
	set := make(PathSet, 0, len(marks)*markSize)
	for _, m := range marks {
		set = binary.LittleEndian.AppendUint64(set, m)
	}
	return set
}

// Len is the number of marks.
func (s PathSet) Len() int { return len(s) / markSize }

func (s PathSet) at(i int) uint64 { return binary.LittleEndian.Uint64(s[i*markSize:]) }

// find returns which effects the set has on the path whose mark is m: bit 1<<effect for each.
func (s PathSet) find(m uint64) (effects uint8) {
	for i := s.search(m); i < s.Len() && s.at(i)&^effectBits == m; i++ {
		effects |= 1 << (s.at(i) & effectBits)
	}
	return effects
}

// search returns the index of the first mark that is not below m. Marks are evenly spread, so the first guess is
// nearly right: a warm scan does this for each package path in each layer.
func (s PathSet) search(m uint64) int {
	lo, hi := 0, s.Len() // the answer is in [lo, hi]
	guess, step := int(float64(m)/(1<<64)*float64(hi)), 8
	for lo < hi {
		if guess < lo || guess >= hi {
			guess = int(uint(lo+hi) >> 1)
		}
		if s.at(guess) < m {
			lo = guess + 1
			guess += step
		} else {
			hi = guess
			guess -= step
		}
		step *= 2
	}
	return lo
}
