package inventory

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"path"
	"strings"

	"github.com/seawall/seawall/finding"
)

// wants says what a file is read for.
type wants struct {
	parser *parser
	exec   bool // it has an execute bit: an ELF file or a script, as its first bytes tell
	secret bool
}

// want decides by where a file lies and, where symbolic links lead there, by its name in the layer.
func (a *Analyser) want(e *Entry, named string) wants {
	x := wants{
		exec: e.Mode&0o111 != 0 && e.Size > 2 && (a.o.Executables || a.o.Packages),
		secret: a.o.Secrets != nil && e.Size > 0 && e.Size <= a.o.Limits.SecretFile &&
			(a.o.SecretWanted == nil || a.o.SecretWanted(e.Path, e.Size)),
	}
	if e.Size == 0 {
		return x
	}
	if x.parser = a.parserFor(e.Path); x.parser == nil && named != e.Path {
		x.parser = a.parserFor(named)
	}
	return x
}

// parserFor returns who parses the file at p, nil for nobody. It is asked for each file of an image, so it looks at
// the name before anything else.
func (a *Analyser) parserFor(p string) *parser {
	name := path.Base(p)
	if x := a.byName[name]; x != nil && x.wants(p) {
		return x
	}
	if dot := strings.LastIndexByte(name, '.'); dot >= 0 {
		for _, x := range a.byExt[name[dot:]] {
			if x.wants(p) {
				return x
			}
		}
	}
	if a.o.Packages && strings.HasPrefix(p, dpkgStatusDir) {
		return &dpkgStatusDirParser
	}
	if a.o.Packages && inNPMStore(p, name) {
		return &npmStoreParser
	}
	return nil
}

// headSize is how much of a file is looked at before deciding what else to read of it.
const headSize = 512

// file reads a regular file if anybody wants it.
func (w *Writer) file(ctx context.Context, e *Entry, named string) error {
	want := w.a.want(e, named)
	if want == (wants{}) || e.Content == nil {
		return nil
	}
	f := &file{path: e.Path, named: named, size: e.Size}
	if err := w.readHead(f, e, &want); err != nil {
		return fmt.Errorf("reading %s: %w", e.Path, err)
	}
	if e.Size > w.a.o.Limits.File && want.whole(w.a) {
		w.gap(finding.GapTooLarge, e.Path, fmt.Sprintf("%d bytes: files over %d bytes are not parsed", e.Size, w.a.o.Limits.File))
		want.parser = nil
		f.tooLarge = true
	}
	if err := w.readBody(f, e, want); err != nil {
		return fmt.Errorf("reading %s: %w", e.Path, err)
	}
	w.use(ctx, f, e, want)
	return nil
}

// whole reports whether the file is wanted with random access, not only its sum.
func (x wants) whole(a *Analyser) bool {
	return x.parser != nil || x.secret || x.exec && a.o.Packages
}

// file is a regular file being read.
type file struct {
	path string
	// named is the path as the layer has it, path where symbolic links lead it.
	named string
	size  int64
	head  []byte
	elf   bool
	// r gives the content, nil when only the sum was wanted. data is the same where it is in memory; both are only
	// valid until the next file is read.
	r        io.ReaderAt
	data     []byte
	sum      string // SHA-256 in hex, "" when not wanted
	tooLarge bool
}

// readHead reads the first bytes and drops the wants that they disappoint.
func (w *Writer) readHead(f *file, e *Entry, want *wants) error {
	f.head = w.head[:min(e.Size, headSize)]
	var n int
	var err error
	if at, ok := e.Content.(io.ReaderAt); ok {
		n, err = at.ReadAt(f.head, 0)
	} else {
		n, err = io.ReadFull(e.Content, f.head)
	}
	if n < len(f.head) && err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return err
	}
	f.head = f.head[:n]
	f.elf = bytes.HasPrefix(f.head, []byte("\x7fELF"))
	want.exec = want.exec && (f.elf || bytes.HasPrefix(f.head, []byte("#!")) && w.a.o.Executables)
	want.secret = want.secret && bytes.IndexByte(f.head, 0) < 0
	return nil
}

// readBody makes f's content available as far as it is wanted.
func (w *Writer) readBody(f *file, e *Entry, want wants) error {
	needSum := want.exec && w.a.o.Executables
	needAll := !f.tooLarge && (want.parser != nil || want.secret || f.elf && want.exec && w.a.o.Packages)
	var sum hash.Hash
	if needSum {
		sum = sha256.New()
	}
	defer func() {
		if sum != nil {
			f.sum = hex.EncodeToString(sum.Sum(nil))
		}
	}()
	if at, ok := e.Content.(io.ReaderAt); ok {
		return w.readAt(f, at, sum, needAll, want)
	}
	if !needSum && !needAll {
		return nil
	}
	in := io.MultiReader(bytes.NewReader(f.head), e.Content)
	if sum != nil {
		in = io.TeeReader(in, sum)
	}
	if !needAll {
		_, err := io.Copy(io.Discard, in)
		return err
	}
	err := w.spool.fill(f, in)
	if errors.Is(err, errNoRoom) {
		w.gap(finding.GapTooLarge, f.path, err.Error())
		_, err = io.Copy(io.Discard, in) // the sum still counts
	}
	return err
}

// readAt uses a local file where it lies.
func (w *Writer) readAt(f *file, at io.ReaderAt, sum hash.Hash, needAll bool, want wants) error {
	whole := io.NewSectionReader(at, 0, f.size)
	if sum != nil {
		if _, err := io.Copy(sum, whole); err != nil {
			return err
		}
	}
	if !needAll {
		return nil
	}
	f.r = io.NewSectionReader(at, 0, f.size)
	if !want.secret && (want.parser == nil || !want.parser.bytes) {
		return nil
	}
	return w.spool.load(f)
}
