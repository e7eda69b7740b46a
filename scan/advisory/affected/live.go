package affected

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/advisory/internal/mapped"
)

// Live is an index that grows with a store of inventories and remembers what the advisory database said of each
// distinct package, see Compare. It keeps two files in a directory of its own: what is in them needs little memory, and
// both can be lost: the store fills them again. It is safe for concurrent use.
type Live struct {
	dir string

	// working is held by what reads or replaces the files; mu guards the new inventories and is never held for long.
	// Who takes both takes working first.
	working sync.Mutex
	base    *Index // nil where there is no file yet
	pending *memoWriter

	mu    sync.Mutex
	grown *builder // inventories that are not in base
	last  int64
}

// The files of a Live.
const (
	baseName = "affected.index"
	memoName = "affected.memo"
)

// OpenLive opens the index in dir, which is made if it is not there. A file that is missing or damaged is an empty
// index, and is filled again from the store, see Last.
func OpenLive(dir string) (*Live, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the directory of the index: %w", err)
	}
	l := &Live{dir: dir, grown: newBuilder()}
	left, _ := filepath.Glob(filepath.Join(dir, ".affected.*")) // of writers that did not come to an end
	for _, path := range left {
		_ = os.Remove(path)
	}
	base, err := Open(l.path(baseName))
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrCorrupt):
	case err != nil:
		return nil, err
	default:
		l.base, l.last = base, base.last
	}
	return l, nil
}

func (l *Live) path(name string) string { return filepath.Join(l.dir, name) }

// Last is the store's number of the newest inventory that was added: go on with those after it.
func (l *Live) Last() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

// Inventories is how many the index holds.
func (l *Live) Inventories() int {
	l.working.Lock()
	defer l.working.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.grown.inventories)
	if l.base != nil {
		n += l.base.Inventories()
	}
	return n
}

// Add adds the inventory of an image. number is the store's, and grows; an inventory that was added is not added again.
// One of the same digest takes the place of that before. Add keeps it in memory until Save.
func (l *Live) Add(number int64, digest string, inv *finding.Inventory) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if number <= l.last {
		return
	}
	l.last = number
	l.grown.addAs(Inventory{ID: digest}, inv)
}

// Grown is how many inventories wait in memory for Save.
func (l *Live) Grown() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.grown.inventories)
}

// Save writes what was added to the file, and leaves out the images for which gone, where it is not nil, says so.
func (l *Live) Save(gone func(digest string) bool) error {
	l.working.Lock()
	defer l.working.Unlock()
	return l.save(gone)
}

func (l *Live) save(gone func(digest string) bool) (err error) {
	defer mapped.Guard(ErrCorrupt)(&err)
	l.mu.Lock()
	grown, last := l.grown, l.last
	if len(grown.inventories) == 0 && gone == nil && l.base != nil {
		l.mu.Unlock()
		return nil
	}
	l.grown = newBuilder()
	l.mu.Unlock()
	if err := l.merge(grown, last, gone); err != nil {
		l.putBack(grown)
		return fmt.Errorf("writing the index of inventories: %w", err)
	}
	return nil
}

// putBack keeps what could not be written: it goes before what came meanwhile.
func (l *Live) putBack(first *builder) {
	l.mu.Lock()
	defer l.mu.Unlock()
	first.append(l.grown)
	l.grown = first
}

// Close saves and gives the mapping back.
func (l *Live) Close() error {
	l.working.Lock()
	defer l.working.Unlock()
	err := l.save(nil)
	l.drop()
	if l.base != nil {
		err = errors.Join(err, l.base.Close())
		l.base = nil
	}
	return err
}

// merge writes base and grown as one file and opens it.
func (l *Live) merge(grown *builder, last int64, gone func(string) bool) error {
	m := newMerge(l.base, grown, gone)
	if err := m.run(); err != nil {
		return err
	}
	if _, err := writeIndex(l.path(baseName), m.inventories, &m.out, last); err != nil {
		return err
	}
	base, err := Open(l.path(baseName))
	if err != nil {
		return err
	}
	if l.base != nil {
		_ = l.base.Close()
	}
	l.base = base
	return nil
}

// merge joins a file and what came after it. The inventories get new numbers: those of the file that are gone or were
// taken anew get none.
type merge struct {
	base        *Index
	grown       *builder
	inventories []Inventory
	baseTo      []uint32 // new number plus one, 0 for none
	grownTo     []uint32
	out         section
	numbers     []uint32 // of the key at hand
	list        []byte
}

func newMerge(base *Index, grown *builder, gone func(string) bool) *merge {
	m := &merge{base: base, grown: grown}
	newest := map[string]int{}
	for i, inv := range grown.inventories {
		newest[inv.ID] = i
	}
	take := func(all []Inventory, keep func(i int, id string) bool) []uint32 {
		to := make([]uint32, len(all))
		for i, inv := range all {
			if keep(i, inv.ID) && (gone == nil || !gone(inv.ID)) {
				m.inventories = append(m.inventories, inv)
				to[i] = uint32(len(m.inventories))
			}
		}
		return to
	}
	if base != nil {
		m.baseTo = take(base.inventories, func(_ int, id string) bool { _, again := newest[id]; return !again })
	}
	m.grownTo = take(grown.inventories, func(i int, id string) bool { return newest[id] == i })
	return m
}

// run walks the keys of both in their order.
func (m *merge) run() error {
	keys := slices.Sorted(maps.Keys(m.grown.packages))
	upTo := func(key []byte) {
		for len(keys) > 0 && (key == nil || keys[0] < string(key)) {
			m.addGrown(keys[0])
			m.put([]byte(keys[0]))
			keys = keys[1:]
		}
	}
	if m.base != nil {
		err := m.base.each(0, func(key, list []byte, n int) (bool, error) {
			upTo(key)
			if err := m.renumber(list, n, m.baseTo); err != nil {
				return false, err
			}
			if len(keys) > 0 && keys[0] == string(key) {
				m.addGrown(keys[0])
				keys = keys[1:]
			}
			m.put(key)
			return true, nil
		})
		if err != nil {
			return err
		}
	}
	upTo(nil)
	return nil
}

func (m *merge) addGrown(key string) {
	po := m.grown.packages[key]
	_ = m.renumber(po.b, int(po.n), m.grownTo) // lists in memory are whole
}

// renumber adds the inventories of a list under their new numbers.
func (m *merge) renumber(list []byte, n int, to []uint32) error {
	r := reader{b: list}
	at := uint64(0)
	for range n {
		at += r.uvarint()
		if r.bad || at == 0 || at > uint64(len(to)) {
			return fmt.Errorf("a list of inventories: %w", ErrCorrupt)
		}
		if to[at-1] > 0 {
			m.numbers = append(m.numbers, to[at-1])
		}
	}
	return nil
}

// put writes the key at hand, unless nobody holds it any more.
func (m *merge) put(key []byte) {
	if len(m.numbers) > 0 {
		m.list = m.list[:0]
		last := uint32(0)
		for _, n := range m.numbers {
			m.list = binary.AppendUvarint(m.list, uint64(n-last))
			last = n
		}
		m.out.add(bytes.Clone(key), m.list, len(m.numbers))
	}
	m.numbers = m.numbers[:0]
}
