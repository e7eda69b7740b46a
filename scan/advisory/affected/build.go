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
	"maps"
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
	b := newBuilder()
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

func newBuilder() *builder { return &builder{packages: map[string]*postings{}} }

// append adds what another builder holds, behind what is there.
func (b *builder) append(more *builder) {
	shift := uint32(len(b.inventories))
	b.inventories = append(b.inventories, more.inventories...)
	b.stats.Inventories += more.stats.Inventories
	b.stats.Packages += more.stats.Packages
	for key, from := range more.packages {
		r := reader{b: from.b}
		at := uint32(0)
		for range from.n {
			at += uint32(r.uvarint())
			b.note([]byte(key), shift+at)
		}
	}
}

// postings are the inventories of one package, as distances.
type postings struct {
	b    []byte
	last uint32 // the last inventory, plus one
	n    uint32
}

func (b *builder) add(path string, inv *finding.Inventory) {
	b.addAs(Inventory{Path: path, Ref: inv.Image.Ref, ID: inv.Image.ID}, inv)
}

func (b *builder) addAs(name Inventory, inv *finding.Inventory) {
	b.inventories = append(b.inventories, name)
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
		b.note(key, uint32(len(b.inventories)))
	}
}

// note adds an inventory, by its number plus one, to the list of a package.
func (b *builder) note(key []byte, inventory uint32) {
	po := b.packages[string(key)]
	if po == nil {
		po = &postings{}
		b.packages[string(key)] = po
	}
	if po.last == inventory {
		return
	}
	po.b = binary.AppendUvarint(po.b, uint64(inventory-po.last))
	po.last = inventory
	po.n++
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
	s := section{}
	for _, k := range slices.Sorted(maps.Keys(b.packages)) {
		po := b.packages[k]
		s.add([]byte(k), po.b, int(po.n))
	}
	b.stats.Distinct = s.distinct
	b.stats.Bytes, err = writeIndex(out, b.inventories, &s, 0)
	return err
}

// writeIndex writes an index file and returns its length. last is the number that the store gave to the newest
// inventory, 0 where the inventories are files.
func writeIndex(out string, all []Inventory, s *section, last int64) (int64, error) {
	var inventories []byte
	for _, inv := range all {
		for _, s := range []string{inv.Path, inv.Ref, inv.ID} {
			inventories = appendSized(inventories, s)
		}
	}
	inventories = binary.AppendUvarint(inventories, uint64(last))
	sum := crc32.Checksum(inventories, castagnoli)
	sum = crc32.Update(sum, castagnoli, s.index)
	sum = crc32.Update(sum, castagnoli, s.packages)
	le := binary.LittleEndian
	head := make([]byte, headerLen)
	copy(head, magic)
	le.PutUint32(head[8:], version)
	le.PutUint32(head[12:], sum)
	le.PutUint32(head[16:], uint32(len(all)))
	le.PutUint32(head[20:], uint32(s.distinct))
	le.PutUint64(head[24:], uint64(len(inventories)))
	le.PutUint64(head[32:], uint64(len(s.index)))
	le.PutUint64(head[40:], uint64(len(s.packages)))
	return int64(len(head) + len(inventories) + len(s.index) + len(s.packages)), replace(out, func(w io.Writer) error {
		for _, part := range [][]byte{head, inventories, s.index, s.packages} {
			if _, err := w.Write(part); err != nil {
				return err
			}
		}
		return nil
	})
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// section front-codes keys in blocks, each key with its inventories.
type section struct {
	index, packages, last []byte
	distinct              int
}

// add takes keys in their order; list holds the n inventories as distances.
func (s *section) add(key, list []byte, n int) {
	if s.distinct%blockSize == 0 {
		s.index = binary.LittleEndian.AppendUint64(s.index, uint64(len(s.packages)))
		s.last = s.last[:0]
	}
	s.distinct++
	shared := sharedPrefix(s.last, key)
	s.packages = appendSized(binary.AppendUvarint(s.packages, uint64(shared)), key[shared:])
	s.last = append(s.last[:0], key...)
	s.packages = binary.AppendUvarint(s.packages, uint64(n))
	s.packages = appendSized(s.packages, list)
}

func sharedPrefix(a, b []byte) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

func appendSized[T string | []byte](b []byte, s T) []byte {
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
