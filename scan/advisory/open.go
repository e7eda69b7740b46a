package advisory

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/advisory/internal/mapped"
)

// DB is an open database. It is safe for concurrent use until Close.
type DB struct {
	h       header
	data    []byte
	unmap   func() error
	ecos    []ecosystem // sorted by name
	trailer []byte      // the signature
	signer  string
	shared  bool // the starter set: every caller has the same one

	titles struct {
		once sync.Once
		dec  *zstd.Decoder
		err  error
	}
}

// ecosystem is one of the database's, with the blocks of secKeys that are its.
type ecosystem struct {
	name        string
	records     int
	newest      time.Time
	first, last int // blocks, last exclusive
}

// Info is what a database says of itself.
type Info struct {
	finding.Database
	Sources    []Source
	Stats      Stats
	Size       int64 // of the content in bytes
	Ecosystems []EcosystemInfo
}

// EcosystemInfo counts the records about one ecosystem.
type EcosystemInfo struct {
	Name    string    `json:"name"`
	Records int       `json:"records"`
	Newest  time.Time `json:"newest,omitzero"`
}

type fileInfo struct {
	Meta  Meta  `json:"meta"`
	Stats Stats `json:"stats"`
}

// Open maps the database at path. It reads the header and the list of ecosystems only, whatever the size; whether
// the rest is what the builder wrote is Verify's to say. Errors wrap ErrFormat, ErrCorrupt or the file system's.
func Open(path string) (*DB, error) {
	f, err := openRegular(path)
	if err != nil {
		return nil, fmt.Errorf("opening the advisory database: %w", err)
	}
	defer f.Close()
	db, err := openFile(f)
	if err != nil {
		return nil, fmt.Errorf("opening the advisory database %s: %w", path, err)
	}
	return db, nil
}

// openRegular does not wait for a writer where a named pipe lies in the file's place.
func openRegular(path string) (*os.File, error) {
	st, err := os.Stat(path)
	if err == nil && !st.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file: %w", path, ErrFormat)
	}
	if err != nil {
		return nil, err
	}
	return os.Open(path)
}

func openFile(f *os.File) (*DB, error) {
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("it is no regular file: %w", ErrFormat)
	}
	head := make([]byte, headerLen)
	if n, err := f.ReadAt(head, 0); n < headerLen {
		return nil, fmt.Errorf("reading its header: %w (%v)", ErrFormat, err)
	}
	h, err := decodeHeader(head, st.Size())
	if err != nil {
		return nil, err
	}
	trailer, err := readTrailer(f, &h, st.Size())
	if err != nil {
		return nil, err
	}
	data, unmap, err := mapped.File(f, int(h.size))
	if err != nil {
		return nil, err
	}
	db, err := openBytes(data, st.Size())
	if err != nil {
		_ = unmap()
		return nil, err
	}
	db.unmap, db.trailer = unmap, trailer
	return db, nil
}

// openBytes opens a database that is in memory.
func openBytes(data []byte, size int64) (db *DB, err error) {
	h, err := decodeHeader(data, size)
	if err != nil {
		return nil, err
	}
	db = &DB{h: h, data: data[:h.size], unmap: func() error { return nil }}
	defer mapped.Guard(ErrCorrupt)(&err)
	if db.h.records != uint32(len(db.section(secRecIndex))/4) {
		return nil, fmt.Errorf("it does not hold the %d records it speaks of: %w", db.h.records, ErrCorrupt)
	}
	db.ecos, err = db.readEcosystems()
	return db, err
}

// Close gives the mapping back. Nothing that the database returned refers to it.
func (db *DB) Close() error {
	if db.shared {
		return nil
	}
	if db.titles.dec != nil {
		db.titles.dec.Close()
	}
	return db.unmap()
}

// Info reports what the database says of itself. A description that does not parse is left empty: Verify tells.
func (db *DB) Info() (info Info) {
	var err error
	defer mapped.Guard(ErrCorrupt)(&err)
	info = Info{Size: int64(db.h.size)}
	var fi fileInfo
	if json.Unmarshal(db.section(secMeta), &fi) == nil {
		info.Sources, info.Stats = fi.Meta.Sources, fi.Stats
	}
	info.Database = finding.Database{
		Digest: "sha256:" + hex.EncodeToString(db.h.digest[:]), BuiltAt: db.h.built, Records: int(db.h.records),
		Starter: db.h.flags&flagStarter != 0, Signer: db.signer,
	}
	for _, e := range db.ecos {
		info.Ecosystems = append(info.Ecosystems, EcosystemInfo{e.name, e.records, e.newest})
	}
	return info
}

func (db *DB) section(i int) []byte {
	s := db.h.sections[i]
	return db.data[s.off : s.off+s.len]
}

func (db *DB) readEcosystems() ([]ecosystem, error) {
	c := cursor{b: db.section(secEcosystems)}
	blocks := len(db.section(secKeyIndex)) / 8
	var ecos []ecosystem
	for !c.done() {
		e := ecosystem{name: c.string(), records: int(c.uvarint()), newest: timeOf(int64(c.uvarint()))}
		e.first, e.last = int(c.uvarint()), int(c.uvarint())
		if e.first < 0 || e.first > e.last || e.last > blocks || len(ecos) > 0 && ecos[len(ecos)-1].name >= e.name {
			c.bad = true
		}
		ecos = append(ecos, e)
	}
	return ecos, c.err("the list of ecosystems")
}

// ecosystem finds one by its exact name.
func (db *DB) ecosystem(name string) (*ecosystem, bool) {
	i := sort.Search(len(db.ecos), func(i int) bool { return db.ecos[i].name >= name })
	if i < len(db.ecos) && db.ecos[i].name == name {
		return &db.ecos[i], true
	}
	return nil, false
}
