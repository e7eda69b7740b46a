package verify

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
)

// span is a range of leaves.
type span struct{ from, to int64 }

// checkLeaves hashes the leaves to the root that the checkpoint signs. It returns the block in which they differ where
// the hashes of blocks tell it, and a *Problem where nothing tells.
func (v *verifier) checkLeaves(ctx context.Context) (*span, error) {
	m := &v.manifest
	leaves, err := v.sized(LeavesFile, (m.To-m.From)*HashSize, "leaves")
	if err != nil {
		return nil, err
	}
	defer leaves.Close()
	first, end := Blocks(m.From, m.To)
	blocks, err := v.sized(BlocksFile, (end-first)*HashSize, "hashes of blocks")
	if err != nil {
		return nil, err
	}
	defer blocks.Close()
	byLeaf, err := newTree(m)
	if err != nil {
		return nil, err
	}
	byBlock, err := newTree(m)
	if err != nil {
		return nil, err
	}
	bad, err := v.hashLeaves(ctx, bufio.NewReaderSize(leaves, 1<<20), bufio.NewReader(blocks), byLeaf, byBlock)
	if err != nil {
		return nil, err
	}
	return v.compareRoots(byLeaf, byBlock, bad)
}

// compareRoots says what the two roots tell about where an alteration is.
func (v *verifier) compareRoots(byLeaf, byBlock *tree, bad *span) (*span, error) {
	root, err := byLeaf.finish(&v.manifest)
	if err != nil {
		return nil, err
	}
	if bytes.Equal(root, v.checkpoint.Root) {
		if bad != nil {
			return nil, damaged("%s does not fit the leaves %d to %d, which are as signed", BlocksFile, bad.from, bad.to-1)
		}
		return nil, nil
	}
	if blockRoot, err := byBlock.finish(&v.manifest); err == nil && bad != nil && bytes.Equal(blockRoot, v.checkpoint.Root) {
		return bad, nil
	}
	return nil, problem(BadLeaves, -1, "", "the log's %d records hash to %x, the checkpoint signs %x: leaves were altered, or the log was rewritten", v.manifest.Size, root, v.checkpoint.Root)
}

// hashLeaves reads all leaves once, and returns the first block whose hash is not the one that is stored.
func (v *verifier) hashLeaves(ctx context.Context, leaves, blocks io.Reader, byLeaf, byBlock *tree) (*span, error) {
	var bad *span
	buf := make([]byte, BlockSize*HashSize)
	stored := make([]byte, HashSize)
	for next := v.manifest.From; next < v.manifest.To; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := v.compareOlder(byLeaf, next); err != nil {
			return nil, err
		}
		end := min(next-next%BlockSize+BlockSize, v.manifest.To)
		part := buf[:(end-next)*HashSize]
		if _, err := io.ReadFull(leaves, part); err != nil {
			return nil, reading(LeavesFile, err)
		}
		whole := end-next == BlockSize
		if !whole || v.older != nil && v.older.Size > next && v.older.Size < end {
			if err := v.addLeaves(byLeaf, next, part); err != nil {
				return nil, err
			}
		}
		if !whole {
			if err := v.addLeaves(byBlock, next, part); err != nil {
				return nil, err
			}
			next = end
			continue
		}
		hash := hashBlock(part)
		if err := byLeaf.addBlock(next, hash); err != nil {
			return nil, err
		}
		if _, err := io.ReadFull(blocks, stored); err != nil {
			return nil, reading(BlocksFile, err)
		}
		if bad == nil && !bytes.Equal(hash, stored) {
			bad = &span{next, end}
		}
		if err := byBlock.addBlock(next, bytes.Clone(stored)); err != nil {
			return nil, err
		}
		next = end
	}
	return bad, v.compareOlder(byLeaf, v.manifest.To)
}

// addLeaves adds leaves one by one, with a look at the older checkpoint at each.
func (v *verifier) addLeaves(t *tree, next int64, part []byte) error {
	for ; len(part) > 0; part = part[HashSize:] {
		if err := t.add(next, part[:HashSize]); err != nil {
			return err
		}
		next++
		if err := v.compareOlder(t, next); err != nil {
			return err
		}
	}
	return nil
}

// compareOlder holds the first size leaves against the older checkpoint if that is of this size.
func (v *verifier) compareOlder(t *tree, size int64) error {
	if v.older == nil || v.older.Size != size || v.report.Continues >= 0 {
		return nil
	}
	root, err := t.root()
	if err != nil {
		return err
	}
	if !bytes.Equal(root, v.older.Root) {
		return problem(Inconsistent, -1, "", "the log was rewritten: its first %d records are not those that the older checkpoint signs", size)
	}
	v.report.Continues = size
	return nil
}

// tree grows from the left hashes of a manifest.
type tree struct{ r *compact.Range }

func newTree(m *Manifest) (*tree, error) {
	r, err := ranges.NewRange(0, uint64(m.From), bytesClone(m.Left))
	if err != nil {
		return nil, damaged("%s: the hashes before the range: %v", ManifestFile, err)
	}
	return &tree{r: r}, nil
}

// bytesClone copies the list: a range appends to what it is given.
func bytesClone(list [][]byte) [][]byte { return append([][]byte(nil), list...) }

// add appends one leaf unless a block that holds it was added already.
func (t *tree) add(index int64, leaf []byte) error {
	if t.r.End() > uint64(index) {
		return nil
	}
	if err := t.r.Append(LeafHash(leaf), nil); err != nil {
		return fmt.Errorf("hashing leaf %d: %w", index, err)
	}
	return nil
}

// addBlock appends a complete block by its hash, unless its leaves were added one by one.
func (t *tree) addBlock(from int64, hash []byte) error {
	if t.r.End() > uint64(from) {
		return nil
	}
	block, err := ranges.NewRange(uint64(from), uint64(from+BlockSize), [][]byte{hash})
	if err == nil {
		err = t.r.AppendRange(block, nil)
	}
	if err != nil {
		return fmt.Errorf("hashing the leaves from %d: %w", from, err)
	}
	return nil
}

func (t *tree) root() ([]byte, error) {
	if t.r.End() == 0 {
		return rfc6962.DefaultHasher.EmptyRoot(), nil
	}
	return t.r.GetRootHash(nil)
}

// finish appends the hashes after the range and returns the root.
func (t *tree) finish(m *Manifest) ([]byte, error) {
	right, err := ranges.NewRange(uint64(m.To), uint64(m.Size), bytesClone(m.Right))
	if err != nil {
		return nil, damaged("%s: the hashes after the range: %v", ManifestFile, err)
	}
	if err := t.r.AppendRange(right, nil); err != nil {
		return nil, fmt.Errorf("hashing the log: %w", err)
	}
	return t.root()
}

// hashBlock returns the hash over BlockSize leaves, in place and without allocating for each.
func hashBlock(leaves []byte) []byte {
	var level [BlockSize][HashSize]byte
	var buf [1 + 2*HashSize]byte
	for i := range level {
		buf[0] = rfc6962.RFC6962LeafHashPrefix
		copy(buf[1:], leaves[i*HashSize:(i+1)*HashSize])
		level[i] = sha256.Sum256(buf[:1+HashSize])
	}
	for n := BlockSize / 2; n > 0; n /= 2 {
		for i := range n {
			buf[0] = rfc6962.RFC6962NodeHashPrefix
			copy(buf[1:], level[2*i][:])
			copy(buf[1+HashSize:], level[2*i+1][:])
			level[i] = sha256.Sum256(buf[:])
		}
	}
	return bytes.Clone(level[0][:])
}

// sized opens a file that must have exactly size bytes.
func (v *verifier) sized(name string, size int64, what string) (io.ReadCloser, error) {
	f, got, err := v.open(name)
	if err != nil {
		return nil, err
	}
	if got != size {
		f.Close()
		return nil, damaged("%s is cut off or has too much: %d bytes, %d %s have %d", name, got, size/HashSize, what, size)
	}
	return f, nil
}

func reading(name string, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return damaged("%s is cut off", name)
	}
	return fmt.Errorf("reading %s: %w", name, err)
}
