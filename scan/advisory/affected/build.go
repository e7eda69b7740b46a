// Package affected keeps one inverted index from packages to the stored inventories that hold them, and asks a delta
// of the advisory database against it: which images do new or changed advisories hit, without scanning one again.
//
// It promises one memory-mapped file, in which each distinct package stands once with the list of its inventories,
// so that the work grows with distinct packages and not with images. It leaves out how inventories are stored and
// read (the caller's function does) and what to do about a hit.
package affected

import (
	"bufio"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/advisory"
)

// Read reads one stored inventory. A file that is none gives ErrSkip.
type Read func(path string) (*finding.Inventory, error)

// ErrSkip says that a file is no inventory and not meant to be one.
var ErrSkip = errors.New("not an inventory")

// BuildStats says what went into an index.
type BuildStats struct {
	Inventories int
	Packages    int // in all inventories together
	Distinct    int
	Bytes       int64
	// Failed are the files that could not be read, with the reason: they are not evaluated.
	Failed []Failure
}

// Failure is a file that could not be read.
type Failure struct {
	Path string
	Err  error
}

// The fields of a distinct package, in the order in which they are sorted and stored.
const (
	fieldEcosystem = iota
	fieldName      // normalised, by which advisories speak: the source's for deb and apk
	fieldShown     // as installed
	fieldVersion
	fieldType
	fieldSource
	fieldSourceVersion
	fieldArch
	fieldModule
	numFields
)

// Build reads every file below dir and writes the index to out in one step. Paths in it are relative to dir. A file
// that cannot be read is listed in the stats and does not stop the build.
func Build(ctx context.Context, dir, out string, read Read) (BuildStats, error) {
	b := &builder{packages: map[string]*postings{}}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err = cmp.Or(ctx.Err(), err); err != nil || !d.Type().IsRegular() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		inv, err := read(path)
		switch {
		case errors.Is(err, ErrSkip):
		case err != nil:
			b.stats.Failed = append(b.stats.Failed, Failure{rel, err})
		default:
			b.add(filepath.ToSlash(rel), inv)
		}
		return nil
	})
	if err != nil {
		return b.stats, fmt.Errorf("indexing the inventories in %s: %w", dir, err)
	}
	if err := b.write(out); err != nil {
		return b.stats, fmt.Errorf("writing the index %s: %w", out, err)
	}
	return b.stats, nil
}

type builder struct {
	stats       BuildStats
	inventories []Inventory
	packages    map[string]*postings
}

// postings are the inventories of one package, as distances.
type postings struct {
	b    []byte
	last uint32 // the last inventory, plus one
	n    uint32
}

func (b *builder) add(path string, inv *finding.Inventory) {
	at := uint32(len(b.inventories))
	b.inventories = append(b.inventories, Inventory{Path: path, Ref: inv.Image.Ref, ID: inv.Image.ID})
	b.stats.Inventories++
	var key []byte
	for i := range inv.Packages {
		p := &inv.Packages[i]
		eco := advisory.Ecosystem(p, &inv.Distro)
		if p.OwnedBy != "" || eco == "" {
			continue
		}
		b.stats.Packages++
		key = appendKey(key[:0], eco, p)
		po := b.packages[string(key)]
		if po == nil {
			po = &postings{}
			b.packages[string(key)] = po
		}
		if po.last == at+1 {
			continue
		}
		po.b = binary.AppendUvarint(po.b, uint64(at+1-po.last))
		po.last = at + 1
		po.n++
	}
}

// appendKey joins the fields with zero bytes; a field that holds one is cut there, as no real one does.
func appendKey(b []byte, eco string, p *finding.Package) []byte {
	module := p.Modularity
	if parts := strings.SplitN(module, ":", 3); len(parts) == 3 {
		module = parts[0] + ":" + parts[1]
	}
	source, sourceVersion := p.SourceName, p.SourceVersion
	if source == p.Name && sourceVersion == p.Version {
		source, sourceVersion = "", ""
	}
	name := p.Name
	if p.Type == "deb" || p.Type == "apk" { // whose advisories speak of sources
		name = cmp.Or(p.SourceName, p.Name)
	}
	fields := [numFields]string{
		eco, advisory.NormalName(eco, name), p.Name, p.Version, p.Type, source, sourceVersion, p.Arch, module,
	}
	for i, f := range fields {
		f, _, _ = strings.Cut(f, "\x00")
		if b = append(b, f...); i < numFields-1 {
			b = append(b, 0)
		}
	}
	return b
}

// The file; docs/formats/affected-index.md draws it.
const (
	magic     = "SWALLAFX"
	version   = 1
	headerLen = 64
	blockSize = 32
)

func (b *builder) write(out string) (err error) {
	keys := make([]string, 0, len(b.packages))
	for k := range b.packages {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	b.stats.Distinct = len(keys)
	var inventories []byte
	for _, inv := range b.inventories {
		for _, s := range []string{inv.Path, inv.Ref, inv.ID} {
			inventories = appendSized(inventories, s)
		}
	}
	index, packages := b.packageSection(keys)
	body := slices.Concat(inventories, index, packages)
	le := binary.LittleEndian
	head := make([]byte, headerLen)
	copy(head, magic)
	le.PutUint32(head[8:], version)
	le.PutUint32(head[12:], crc32.Checksum(body, castagnoli))
	le.PutUint32(head[16:], uint32(len(b.inventories)))
	le.PutUint32(head[20:], uint32(len(keys)))
	le.PutUint64(head[24:], uint64(len(inventories)))
	le.PutUint64(head[32:], uint64(len(index)))
	le.PutUint64(head[40:], uint64(len(packages)))
	b.stats.Bytes = int64(len(head) + len(body))
	return replace(out, func(w io.Writer) error {
		_, err := w.Write(head)
		if err == nil {
			_, err = w.Write(body)
		}
		return err
	})
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// packageSection front-codes the keys in blocks, each key with its inventories.
func (b *builder) packageSection(keys []string) (index, packages []byte) {
	last := ""
	for i, k := range keys {
		if i%blockSize == 0 {
			index = binary.LittleEndian.AppendUint64(index, uint64(len(packages)))
			last = ""
		}
		n := 0
		for n < len(last) && n < len(k) && last[n] == k[n] {
			n++
		}
		packages = appendSized(binary.AppendUvarint(packages, uint64(n)), k[n:])
		last = k
		po := b.packages[k]
		packages = binary.AppendUvarint(packages, uint64(po.n))
		packages = appendSized(packages, string(po.b))
	}
	return index, packages
}

func appendSized(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// replace writes a file beside path and renames it, so that a reader sees the old or the new one.
func replace(path string, write func(io.Writer) error) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = tmp.Close()
			_ = os.Remove(tmp.Name())
		}
	}()
	w := bufio.NewWriter(tmp)
	if err = errors.Join(write(w), w.Flush(), tmp.Chmod(0o644), tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
