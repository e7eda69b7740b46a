package verify

import (
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
)

// The files of an export, drawn in docs/formats/audit-export.md.
const (
	ManifestFile   = "export.json"
	CheckpointFile = "checkpoint"
	KeyFile        = "log.pub"
	LeavesFile     = "leaves"
	BlocksFile     = "blocks"
	RecordsDir     = "records"

	// Format is the version of the export's format.
	Format = 1
	// HashSize is the length of leaves and hashes in bytes.
	HashSize = sha256.Size
	// BlockSize is how many leaves one hash in BlocksFile stands for. Blocks begin at its multiples.
	BlockSize = 256
	// blockLevel is the level of a block's node in the tree.
	blockLevel = 8

	// Bounds of what is read.
	maxManifest   = 1 << 20
	maxCheckpoint = 64 << 10
	// MaxLine bounds one record's line, in bytes.
	MaxLine = 1 << 20
	// maxHashes bounds the hashes beside the exported range: a tree has at most 64 levels.
	maxHashes = 128
)

// Manifest says what an export covers: the records with indices from From up to To of a log that had Size of them.
type Manifest struct {
	Format   int       `json:"format"`
	Origin   string    `json:"origin"`
	Size     int64     `json:"size"`
	From     int64     `json:"from"`
	To       int64     `json:"to"`
	Exported time.Time `json:"exported"`
	// Left are the hashes of the largest subtrees before From, Right those after To: with the leaves between they give
	// the root that the checkpoint signs.
	Left  [][]byte `json:"left,omitempty"`
	Right [][]byte `json:"right,omitempty"`
}

func (m *Manifest) check() error {
	switch {
	case m.Format != Format:
		return fmt.Errorf("the export has format %d, this program reads %d: use the version that wrote it", m.Format, Format)
	case m.From < 0 || m.To < m.From || m.Size < m.To:
		return damaged("%s: the range %d to %d of %d is none", ManifestFile, m.From, m.To, m.Size)
	case len(m.Left) > maxHashes || len(m.Right) > maxHashes:
		return damaged("%s: it lists %d and %d hashes beside the range", ManifestFile, len(m.Left), len(m.Right))
	}
	for _, h := range append(append([][]byte(nil), m.Left...), m.Right...) {
		if len(h) != HashSize {
			return damaged("%s: a hash has %d bytes", ManifestFile, len(h))
		}
	}
	return nil
}

// PartName is the name of the part of the records that begins with index.
func PartName(index int64) string { return fmt.Sprintf("%s/%012d.jsonl", RecordsDir, index) }

// Line is one line of a part: the record as the log committed to it, and its place.
type Line struct {
	Index  int64 `json:"index"`
	Record raw   `json:"record"`
}

// raw keeps bytes as they stand in the line.
type raw []byte

func (r *raw) UnmarshalJSON(b []byte) error {
	*r = append((*r)[:0], b...)
	return nil
}

// Blocks returns the first complete block of the range and the one after the last, as multiples of BlockSize.
func Blocks(from, to int64) (first, end int64) {
	first, end = (from+BlockSize-1)/BlockSize, to/BlockSize
	return first, max(first, end)
}

// ranges makes compact ranges of RFC 6962 trees.
var ranges = &compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}

// LeafHash is the hash of a leaf: RFC 6962, section 2.1.
func LeafHash(leaf []byte) []byte { return rfc6962.DefaultHasher.HashLeaf(leaf) }
