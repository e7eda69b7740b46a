package translog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/api/layout"
)

// leafSize is the length of a leaf: a commitment to a record.
const leafSize = 32

// ErrDamaged: a file of the log is missing or malformed. Restore the log's directory from a backup; while the records
// are in the state, an empty directory is filled again from them.
var ErrDamaged = errors.New("the audit log's directory is damaged")

// tiles reads the log's directory: C2SP tlog-tiles.
type tiles struct{ dir string }

var ranges = &compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}

// read returns a file that is partial at a tree of some size. When the tree has grown since, a fuller version stands for
// it: it begins with the same bytes.
func (t tiles) read(path func(p uint8) string, p uint8) ([]byte, error) {
	for n := int(p); n < layout.TileWidth; n++ {
		b, err := os.ReadFile(filepath.Join(t.dir, path(uint8(n))))
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return b, err
		}
		if n == 0 {
			break
		}
	}
	b, err := os.ReadFile(filepath.Join(t.dir, path(0)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s is missing", ErrDamaged, path(p))
	}
	return b, err
}

// bundle returns the leaves of the bundle with an index in a log of size leaves.
func (t tiles) bundle(index, size uint64) ([][]byte, error) {
	p := layout.PartialTileSize(0, index, size)
	b, err := t.read(func(p uint8) string { return layout.EntriesPath(index, p) }, p)
	if err != nil {
		return nil, fmt.Errorf("reading the leaves from %d: %w", index*layout.EntryBundleWidth, err)
	}
	var bundle api.EntryBundle
	if err := bundle.UnmarshalText(b); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrDamaged, layout.EntriesPath(index, p), err)
	}
	want := layout.EntryBundleWidth
	if p > 0 {
		want = int(p)
	}
	if len(bundle.Entries) < want {
		return nil, fmt.Errorf("%w: %s has %d leaves", ErrDamaged, layout.EntriesPath(index, p), len(bundle.Entries))
	}
	for _, leaf := range bundle.Entries[:want] {
		if len(leaf) != leafSize {
			return nil, fmt.Errorf("%w: %s has a leaf of %d bytes", ErrDamaged, layout.EntriesPath(index, p), len(leaf))
		}
	}
	return bundle.Entries[:want], nil
}

// leaves calls f for each leaf from index from up to to, in a log of size leaves.
func (t tiles) leaves(ctx context.Context, from, to, size uint64, f func(index uint64, leaf []byte) error) error {
	for next := from; next < to; {
		if err := ctx.Err(); err != nil {
			return err
		}
		number := next / layout.EntryBundleWidth
		bundle, err := t.bundle(number, size)
		if err != nil {
			return err
		}
		first := number * layout.EntryBundleWidth
		for i := next - first; i < uint64(len(bundle)) && next < to; i++ {
			if err := f(next, bundle[i]); err != nil {
				return err
			}
			next++
		}
	}
	return nil
}

// node returns the hash of a complete subtree in a log of size leaves.
func (t tiles) node(id compact.NodeID, size uint64) ([]byte, error) {
	level, index, _, _ := layout.NodeCoordsToTileAddress(uint64(id.Level), id.Index)
	p := layout.PartialTileSize(level, index, size)
	b, err := t.read(func(p uint8) string { return layout.TilePath(level, index, p) }, p)
	if err != nil {
		return nil, fmt.Errorf("reading the hash of subtree %d/%d: %w", id.Level, id.Index, err)
	}
	var tile api.HashTile
	if err := tile.UnmarshalText(b); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrDamaged, layout.TilePath(level, index, 0), err)
	}
	want := layout.TileWidth
	if p > 0 {
		want = int(p)
	}
	within := id.Level % layout.TileHeight
	count := uint64(1) << within
	first := id.Index * count % layout.TileWidth
	if len(tile.Nodes) < want || first+count > uint64(want) {
		return nil, fmt.Errorf("%w: %s has %d hashes, want %d", ErrDamaged, layout.TilePath(level, index, p), len(tile.Nodes), want)
	}
	return fold(tile.Nodes[first : first+count]), nil
}

// fold hashes a power of two of neighbouring nodes up to one.
func fold(nodes [][]byte) []byte {
	if len(nodes) == 1 {
		return nodes[0]
	}
	half := len(nodes) / 2
	return rfc6962.DefaultHasher.HashChildren(fold(nodes[:half]), fold(nodes[half:]))
}

// hashes returns those of the largest complete subtrees from begin up to end, left to right.
func (t tiles) hashes(begin, end, size uint64) ([][]byte, error) {
	var list [][]byte
	for _, id := range compact.RangeNodes(begin, end, nil) {
		h, err := t.node(id, size)
		if err != nil {
			return nil, err
		}
		list = append(list, h)
	}
	return list, nil
}

// root returns the root that the log had when it had size leaves.
func (t tiles) root(size uint64) ([]byte, error) {
	if size == 0 {
		return rfc6962.DefaultHasher.EmptyRoot(), nil
	}
	list, err := t.hashes(0, size, size)
	if err != nil {
		return nil, err
	}
	r, err := ranges.NewRange(0, size, list)
	if err != nil {
		return nil, fmt.Errorf("hashing the log: %w", err)
	}
	return r.GetRootHash(nil)
}
