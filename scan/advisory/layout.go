package advisory

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// The file's outline; docs/formats/advisory-db.md draws it. All fixed-width numbers are little-endian.
const (
	magic         = "SWALLADV"
	FormatVersion = 1
	headerFixed   = 80
	sectionEntry  = 24
	// maxTrailer bounds the signature that may follow the content.
	maxTrailer = 64 << 10

	flagStarter = 1 << 0
)

// The sections, in file order.
const (
	secMeta       = iota // JSON: Meta and Stats
	secEcosystems        // the ecosystems, sorted, and where their keys begin
	secWords             // every distinct vector, rating, state and architecture; the more frequent the nearer to the front
	secVersions          // every distinct version, in the order in which the keys first need them
	secAttrs             // distinct sets of what a distribution says about an affected package
	secKeyIndex          // u64 per block of secKeys
	secKeys              // (ecosystem, package) → affected ranges, in blocks of 16
	secRecIndex          // u32 per record
	secRecords           // what is known of a record beyond its ranges
	secNameIndex         // u32 per block of secNames
	secNames             // every id and alias → record and the records that name it, in blocks of 16
	secTitleIndex        // u64 per title block and a last one for the end
	secTitles            // summaries and addresses, compressed in blocks
	secTitleDict         // what the title blocks are compressed against
	secKEV               // 16 bytes per id in CISA's catalogue, sorted by id
	secEPSS              // 9 bytes per id that FIRST has scored, sorted by id
	numSections
)

const (
	blockSize  = 16 // entries of a front-coded block
	titleBlock = 32 // titles of a compressed block
)

// ErrCorrupt is wrapped by every error about a database whose bytes do not make sense: build or fetch it again.
var ErrCorrupt = errors.New("advisory database is damaged")

// ErrFormat is wrapped by the error about a file that is no advisory database or one of another format version.
var ErrFormat = errors.New("not an advisory database of this version")

type section struct {
	count    uint32
	off, len uint64
}

type header struct {
	size     uint64 // of the content: what follows is the signature
	built    time.Time
	records  uint32
	flags    uint32
	digest   [32]byte // SHA-256 of the content with this field zeroed
	sections [numSections]section
}

const headerLen = headerFixed + numSections*sectionEntry

func (h *header) encode() []byte {
	le := binary.LittleEndian
	b := make([]byte, headerLen)
	copy(b, magic)
	le.PutUint32(b[8:], FormatVersion)
	le.PutUint32(b[12:], headerLen)
	le.PutUint64(b[16:], h.size)
	le.PutUint64(b[24:], uint64(h.built.Unix()))
	le.PutUint32(b[32:], h.records)
	le.PutUint32(b[36:], h.flags)
	copy(b[40:], h.digest[:])
	le.PutUint32(b[72:], numSections)
	for i, s := range h.sections {
		at := b[headerFixed+i*sectionEntry:]
		le.PutUint32(at, uint32(i))
		le.PutUint32(at[4:], s.count)
		le.PutUint64(at[8:], s.off)
		le.PutUint64(at[16:], s.len)
	}
	return b
}

// decodeHeader checks everything that makes later reads safe: that the file is as long as it claims to be and
// that every section lies inside it.
func decodeHeader(b []byte, fileSize int64) (h header, err error) {
	le := binary.LittleEndian
	if len(b) < headerLen || !bytes.HasPrefix(b, []byte(magic)) {
		return h, fmt.Errorf("reading its header: %w", ErrFormat)
	}
	if v := le.Uint32(b[8:]); v != FormatVersion {
		return h, fmt.Errorf("format version %d, this program reads %d: %w", v, FormatVersion, ErrFormat)
	}
	h.size = le.Uint64(b[16:])
	if h.size < headerLen || h.size > uint64(fileSize) || uint64(fileSize)-h.size > maxTrailer {
		return h, fmt.Errorf("file has %d bytes, its header speaks of %d: %w", fileSize, h.size, ErrCorrupt)
	}
	if le.Uint32(b[12:]) != headerLen || le.Uint32(b[72:]) != numSections {
		return h, fmt.Errorf("section table: %w", ErrCorrupt)
	}
	h.built = time.Unix(int64(le.Uint64(b[24:])), 0).UTC()
	h.records, h.flags = le.Uint32(b[32:]), le.Uint32(b[36:])
	copy(h.digest[:], b[40:72])
	for i := range h.sections {
		at := b[headerFixed+i*sectionEntry:]
		s := section{count: le.Uint32(at[4:]), off: le.Uint64(at[8:]), len: le.Uint64(at[16:])}
		if s.off < headerLen || s.off > h.size || s.len > h.size-s.off {
			return h, fmt.Errorf("section %d lies outside the file: %w", i, ErrCorrupt)
		}
		h.sections[i] = s
	}
	return h, nil
}
