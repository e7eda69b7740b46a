package affected

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"sort"
	"strings"
	"time"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/advisory"
	"github.com/seawall/seawall/scan/advisory/internal/mapped"
)

// ErrCorrupt is wrapped by every error about an index whose bytes do not make sense: build it again.
var ErrCorrupt = errors.New("index of inventories is damaged")

// Inventory names one stored inventory.
type Inventory struct {
	Path string `json:"path"` // relative to the directory that was indexed
	Ref  string `json:"ref,omitempty"`
	ID   string `json:"id,omitempty"`
}

// Index is an open index. It is safe for concurrent use until Close.
type Index struct {
	data, index, packages []byte
	inventories           []Inventory
	distinct              int
	last                  int64 // the store's number of the newest inventory
	unmap                 func() error
}

// Hit is one distinct package that the delta affects.
type Hit struct {
	Package  finding.Package   `json:"package"`
	Findings []finding.Finding `json:"findings"`
	// Inventories hold the package, in the order of their paths.
	Inventories []Inventory `json:"inventories"`
}

// Summary counts what a query did.
type Summary struct {
	Records     int `json:"records"`  // modified since
	Packages    int `json:"packages"` // distinct ones that were asked
	Hits        int `json:"hits"`     // distinct ones that are affected
	Inventories int `json:"inventories"`
}

// Open maps the index at path and checks its sum.
func Open(path string) (*Index, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening the index of inventories: %w", err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("opening the index of inventories: %w", err)
	}
	if !st.Mode().IsRegular() || st.Size() < headerLen || st.Size() > 1<<40 {
		return nil, fmt.Errorf("opening the index of inventories %s: %w", path, ErrCorrupt)
	}
	data, unmap, err := mapped.File(f, int(st.Size()))
	if err != nil {
		return nil, fmt.Errorf("opening the index of inventories %s: %w", path, err)
	}
	x, err := parse(data)
	if err != nil {
		_ = unmap()
		return nil, fmt.Errorf("opening the index of inventories %s: %w", path, err)
	}
	x.unmap = unmap
	return x, nil
}

// Close gives the mapping back. Hits do not refer to it.
func (x *Index) Close() error { return x.unmap() }

// Inventories is how many the index holds.
func (x *Index) Inventories() int { return len(x.inventories) }

func parse(data []byte) (x *Index, err error) {
	defer mapped.Guard(ErrCorrupt)(&err)
	le := binary.LittleEndian
	if len(data) < headerLen || !bytes.HasPrefix(data, []byte(magic)) || le.Uint32(data[8:]) != version {
		return nil, fmt.Errorf("its header: %w", ErrCorrupt)
	}
	body := data[headerLen:]
	a, b, c := le.Uint64(data[24:]), le.Uint64(data[32:]), le.Uint64(data[40:])
	n := uint64(len(body))
	if a > n || b > n-a || c != n-a-b || le.Uint32(data[12:]) != crc32.Checksum(body, castagnoli) {
		return nil, fmt.Errorf("its sum: %w", ErrCorrupt)
	}
	x = &Index{
		data: data, index: body[a : a+b], packages: body[a+b:], distinct: int(le.Uint32(data[20:])),
		unmap: func() error { return nil },
	}
	r := reader{b: body[:a]}
	for count := le.Uint32(data[16:]); count > 0 && !r.bad; count-- {
		x.inventories = append(x.inventories, Inventory{Path: r.string(), Ref: r.string(), ID: r.string()})
	}
	if !r.bad && len(r.b) > 0 {
		x.last = int64(r.uvarint())
	}
	if r.bad || len(x.index) != (x.distinct+blockSize-1)/blockSize*8 {
		return nil, fmt.Errorf("its inventories: %w", ErrCorrupt)
	}
	return x, nil
}

// Query asks which packages the records modified at since or later affect and hands each hit to yield, in the order of
// ecosystem and name. An error of yield ends the query and is returned.
func (x *Index) Query(ctx context.Context, db *advisory.DB, since time.Time, yield func(Hit) error) (sum Summary, err error) {
	defer mapped.Guard(ErrCorrupt)(&err)
	delta, err := db.Since(since)
	if err != nil {
		return sum, err
	}
	sum.Records = delta.Records
	touched := make([]bool, len(x.inventories))
	err = x.each(0, func(key, list []byte, n int) (bool, error) {
		if sum.Packages++; sum.Packages%1024 == 0 && ctx.Err() != nil {
			return false, ctx.Err()
		}
		p := packageOf(key)
		rows, err := delta.Match(&p)
		if err != nil || len(rows) == 0 {
			return err == nil, err
		}
		h := Hit{Package: p, Findings: rows}
		if h.Inventories, err = x.expand(list, n, touched); err != nil {
			return false, err
		}
		sum.Hits++
		return true, yield(h)
	})
	for _, t := range touched {
		if t {
			sum.Inventories++
		}
	}
	return sum, err
}

// Find returns the inventories that hold a package of the ecosystem, by its version. The name is the one by which
// advisories speak of it: the source package's for deb and apk.
func (x *Index) Find(ecosystem, name string) (out map[string][]Inventory, err error) {
	defer mapped.Guard(ErrCorrupt)(&err)
	want := ecosystem + "\x00" + advisory.NormalName(ecosystem, name) + "\x00"
	blocks := len(x.index) / 8
	first := sort.Search(blocks, func(i int) bool {
		r := x.block(i)
		r.uvarint()
		return string(r.sized()) >= want
	})
	out = map[string][]Inventory{}
	err = x.each(max(first-1, 0), func(key, list []byte, n int) (bool, error) {
		if !bytes.HasPrefix(key, []byte(want)) {
			return string(key) < want, nil
		}
		p := packageOf(key)
		invs, err := x.expand(list, n, nil)
		out[p.Version] = append(out[p.Version], invs...)
		return err == nil, err
	})
	return out, err
}

// each walks the packages from a block on until f says no. key is only valid during the call.
func (x *Index) each(block int, f func(key, list []byte, n int) (more bool, err error)) error {
	var key []byte
	r := x.block(block)
	for i := block * blockSize; i < x.distinct; i++ {
		if i%blockSize == 0 {
			key = key[:0]
		}
		keep := r.uvarint()
		rest := r.sized()
		n := r.uvarint()
		list := r.sized()
		if r.bad || keep > uint64(len(key)) || n > uint64(len(x.inventories)) {
			return fmt.Errorf("package %d: %w", i, ErrCorrupt)
		}
		key = append(key[:keep], rest...)
		if more, err := f(key, list, int(n)); err != nil || !more {
			return err
		}
	}
	return nil
}

func (x *Index) block(i int) reader {
	if (i+1)*8 > len(x.index) {
		return reader{}
	}
	at := binary.LittleEndian.Uint64(x.index[i*8:])
	if at > uint64(len(x.packages)) {
		return reader{bad: true}
	}
	return reader{b: x.packages[at:]}
}

func (x *Index) expand(list []byte, n int, touched []bool) ([]Inventory, error) {
	out := make([]Inventory, 0, n)
	r := reader{b: list}
	at := uint64(0)
	for range n {
		at += r.uvarint()
		if r.bad || at == 0 || at > uint64(len(x.inventories)) {
			return nil, fmt.Errorf("a list of inventories: %w", ErrCorrupt)
		}
		out = append(out, x.inventories[at-1])
		if touched != nil {
			touched[at-1] = true
		}
	}
	return out, nil
}

func packageOf(key []byte) (p finding.Package) {
	fields := strings.Split(string(key), "\x00")
	for len(fields) < numFields {
		fields = append(fields, "")
	}
	return finding.Package{
		Ecosystem: fields[fieldEcosystem], Name: fields[fieldShown], Version: fields[fieldVersion], Type: fields[fieldType],
		SourceName: fields[fieldSource], SourceVersion: fields[fieldSourceVersion], Arch: fields[fieldArch],
		Modularity: fields[fieldModule],
	}
}

// reader reads the index; its first failure sticks.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) sized() []byte {
	n := r.uvarint()
	if r.bad || n > uint64(len(r.b)) {
		r.bad = true
		return nil
	}
	s := r.b[:n]
	r.b = r.b[n:]
	return s
}

func (r *reader) string() string { return string(r.sized()) }
