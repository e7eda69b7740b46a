package affected

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io/fs"
	"maps"
	"os"
	"slices"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/advisory/internal/mapped"
)

// The memo: what the database said of each package, in the order of keys. docs/formats/affected-index.md draws it.
const (
	memoMagic   = "SWALLMEM"
	memoVersion = 1
	memoTail    = 4 + 8 // sum, offset of the end section
)

// memo reads what is remembered, in one pass beside the packages of an index.
type memo struct {
	database string
	coverage map[string]finding.GapKind

	r       reader
	key     []byte
	rows    []row
	pending bool // key and rows were read and not given out
	left    uint64
}

// openMemo opens a memo; one that is missing or damaged remembers nothing.
func openMemo(path string) (m *memo, done func(), err error) {
	none := &memo{}
	nothing := func() {}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return none, nothing, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("opening what the database said: %w", err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, nil, fmt.Errorf("opening what the database said: %w", err)
	}
	if !st.Mode().IsRegular() || st.Size() < int64(len(memoMagic)) || st.Size() > 1<<36 {
		return none, nothing, nil
	}
	data, unmap, err := mapped.File(f, int(st.Size()))
	if err != nil {
		return nil, nil, fmt.Errorf("opening what the database said: %w", err)
	}
	if m, ok := parseMemo(data); ok {
		return m, func() { _ = unmap() }, nil
	}
	_ = unmap()
	return none, nothing, nil
}

func parseMemo(data []byte) (*memo, bool) {
	n := len(data) - memoTail
	if n < len(memoMagic)+1 || !bytes.HasPrefix(data, []byte(memoMagic)) || data[len(memoMagic)] != memoVersion {
		return nil, false
	}
	end := binary.LittleEndian.Uint64(data[n+4:])
	if binary.LittleEndian.Uint32(data[n:]) != crc32.Checksum(data[:n], castagnoli) || end > uint64(n) || end < uint64(len(memoMagic)+1) {
		return nil, false
	}
	m := &memo{coverage: map[string]finding.GapKind{}, r: reader{b: data[len(memoMagic)+1 : end]}}
	tail := reader{b: data[end:n]}
	m.left = tail.uvarint()
	m.database = tail.string()
	for k := tail.uvarint(); k > 0 && !tail.bad; k-- {
		eco := tail.string()
		m.coverage[eco] = finding.GapKind(tail.string())
	}
	return m, !tail.bad
}

// next returns what is remembered of key, which comes after all keys that were asked before. known is false where
// nothing is.
func (m *memo) next(key []byte) (rows []row, known bool, err error) {
	for {
		if !m.pending {
			if m.left == 0 {
				return nil, false, nil
			}
			if err := m.read(); err != nil {
				return nil, false, err
			}
		}
		switch bytes.Compare(m.key, key) {
		case 0:
			m.pending = false
			return m.rows, true, nil
		case 1:
			return nil, false, nil
		}
		m.pending = false
	}
}

func (m *memo) read() error {
	m.left--
	shared, rest, n := m.r.uvarint(), m.r.sized(), m.r.uvarint()
	if m.r.bad || shared > uint64(len(m.key)) || n > uint64(len(m.r.b)) {
		return fmt.Errorf("what the database said: %w", ErrCorrupt)
	}
	m.key = append(m.key[:shared], rest...)
	m.rows = m.rows[:0]
	for range n {
		id := m.r.string()
		if len(m.r.b) < 8 {
			return fmt.Errorf("what the database said: %w", ErrCorrupt)
		}
		m.rows = append(m.rows, row{id, binary.LittleEndian.Uint64(m.r.b)})
		m.r.b = m.r.b[8:]
	}
	m.pending = true
	return nil
}

// memoWriter writes a memo beside the one in use. Its first failure sticks and is told by finish.
type memoWriter struct {
	path, database string
	f              *os.File
	w              *bufio.Writer
	sum            hash.Hash32
	last, buf      []byte
	n              uint64
	written        uint64
	err            error
}

func newMemoWriter(dir, database string) (*memoWriter, error) {
	f, err := os.CreateTemp(dir, "."+memoName+".*")
	if err != nil {
		return nil, fmt.Errorf("writing what the database says: %w", err)
	}
	w := &memoWriter{path: f.Name(), database: database, f: f, w: bufio.NewWriterSize(f, 1<<16), sum: crc32.New(castagnoli)}
	w.put(append([]byte(memoMagic), memoVersion))
	return w, nil
}

func (w *memoWriter) put(b []byte) {
	if w.err == nil {
		_, w.err = w.w.Write(b)
		w.sum.Write(b)
		w.written += uint64(len(b))
	}
}

func (w *memoWriter) add(key []byte, rows []row) {
	shared := sharedPrefix(w.last, key)
	b := appendSized(binary.AppendUvarint(w.buf[:0], uint64(shared)), key[shared:])
	b = binary.AppendUvarint(b, uint64(len(rows)))
	for _, r := range rows {
		b = binary.LittleEndian.AppendUint64(appendSized(b, r.id), r.sum)
	}
	w.put(b)
	w.last, w.buf = append(w.last[:0], key...), b
	w.n++
}

// finish writes the end and closes the file, which waits for Accept.
func (w *memoWriter) finish(coverage map[string]finding.GapKind) error {
	end := w.written
	b := appendSized(binary.AppendUvarint(nil, w.n), w.database)
	b = binary.AppendUvarint(b, uint64(len(coverage)))
	for _, eco := range slices.Sorted(maps.Keys(coverage)) {
		b = appendSized(appendSized(b, eco), string(coverage[eco]))
	}
	w.put(b)
	tail := binary.LittleEndian.AppendUint32(nil, w.sum.Sum32())
	tail = binary.LittleEndian.AppendUint64(tail, end)
	w.put(tail)
	return errors.Join(w.err, w.w.Flush(), w.f.Sync(), w.f.Close())
}

func (w *memoWriter) drop() {
	_ = w.f.Close()
	_ = os.Remove(w.path)
}
