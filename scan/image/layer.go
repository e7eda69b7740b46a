package image

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
)

// layer is one layer while it is walked. It has three shapes:
//
//	local and plain    window → tar;  a second goroutine reads and hashes the same section
//	streamed and plain pump (hash) → tar
//	compressed         pump (hash of the blob) → decompressor → pump (hash of the tar) → tar
type layer struct {
	in          Input
	lim         *Limits
	stage       *stage
	compression Compression

	tar    tarSource
	window *window // of a local, plain layer
	blob   *pump   // of a compressed layer: its blob
	plain  *pump   // of a stream or a compressed layer: its tar

	// What visit gets, made anew for each entry in the same place.
	current  Entry
	windowed windowContent
	streamed streamContent

	blobHash, tarHash hash.Hash // nil: not computed
	blobAlg, tarAlg   string
	sectionHashed     chan error // the second goroutine of a local, plain layer
	free              func()     // of the decompressor, after its goroutine has ended
	unhook            func() bool
}

func openLayer(ctx context.Context, in Input, lim *Limits) (*layer, error) {
	l := &layer{in: in, lim: lim, stage: newStage(), free: func() {}, unhook: func() bool { return true }}
	if err := l.prepareHashes(); err != nil {
		return nil, err
	}
	if in.Section != nil && in.Size > lim.MaxSize {
		return nil, fmt.Errorf("%d bytes: %w of %d", in.Size, ErrLimit, lim.MaxSize)
	}
	src, err := l.sniff()
	if err != nil {
		return nil, err
	}
	l.unhook = context.AfterFunc(ctx, l.abort)
	switch {
	case l.compression != Plain:
		l.openCompressed(src)
	case in.Section != nil:
		l.openSection()
	default:
		l.openStream(src)
	}
	return l, nil
}

func (l *layer) prepareHashes() (err error) {
	if l.in.Trusted {
		return nil
	}
	if l.tarAlg, l.tarHash, err = newHash(l.in.DiffID); err != nil {
		return err
	}
	if l.in.Digest != "" {
		l.blobAlg, l.blobHash, err = newHash(l.in.Digest)
	}
	return err
}

// sniff reads the magic and returns the blob from its start.
func (l *layer) sniff() (io.Reader, error) {
	src := l.in.Stream
	if l.in.Section != nil {
		src = io.NewSectionReader(l.in.Section, 0, l.in.Size)
	} else if src == nil {
		return nil, errors.New("no bytes to read: neither Section nor Stream is set")
	}
	head := make([]byte, magicLen)
	n, err := io.ReadFull(src, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	head = head[:n]
	l.compression = detect(head)
	return io.MultiReader(bytes.NewReader(head), src), nil
}

func (l *layer) openSection() {
	l.window = newWindow(l.in.Section, l.in.Size)
	l.tar = l.window
	l.sectionHashed = make(chan error, 1)
	if l.tarHash == nil {
		l.sectionHashed <- nil
		return
	}
	l.stage.wg.Go(func() { l.sectionHashed <- l.hashSection() })
}

// hashSection reads the whole section beside the walk.
func (l *layer) hashSection() error {
	w := io.Writer(l.tarHash)
	if l.blobHash != nil && l.blobAlg != l.tarAlg {
		w = io.MultiWriter(w, l.blobHash)
	}
	b := blocks.Get().(*block)
	defer blocks.Put(b)
	for off := int64(0); off < l.in.Size; {
		select {
		case <-l.stage.stopped:
			return errStopped
		default:
		}
		n, err := readAtLeast(l.in.Section, b.buf[:min(blockSize, l.in.Size-off)], off)
		if err != nil {
			return err
		}
		w.Write(b.buf[:n])
		off += int64(n)
	}
	return nil
}

func (l *layer) openStream(src io.Reader) {
	h := l.tarHash
	if l.blobHash != nil && l.blobAlg != l.tarAlg {
		h = pair{l.tarHash, l.blobHash}
	}
	none := func() int64 { return l.lim.MaxSize }
	l.plain = l.stage.pump(&bounded{src: src, packed: none, lim: l.lim}, h)
	l.tar = l.plain
}

func (l *layer) openCompressed(src io.Reader) {
	l.blob = l.stage.pump(src, l.blobHash)
	l.plain = l.stage.pump(&unpacker{l: l}, l.tarHash)
	l.tar = l.plain
}

// unpacker makes the decompressor at its first Read, on the goroutine that will read it: making one reads already.
type unpacker struct {
	l *layer
	r io.Reader
}

func (u *unpacker) Read(p []byte) (int, error) {
	if u.r == nil {
		r, free, err := decompress(u.l.compression, u.l.blob)
		if err != nil {
			return 0, u.named(err)
		}
		u.l.free = free
		u.r = &bounded{src: r, packed: u.l.blob.read.Load, lim: u.l.lim}
	}
	n, err := u.r.Read(p)
	if err != nil && err != io.EOF {
		err = u.named(err)
	}
	return n, err
}

func (u *unpacker) named(err error) error {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("unpacking %s: %w", u.l.compression, err)
}

// finish reads what follows the tar's end marker, which the digests cover too, and waits for the hashes.
func (l *layer) finish(ctx context.Context, st *Stats) error {
	if l.window != nil {
		st.Size = l.in.Size
		select {
		case err := <-l.sectionHashed:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := l.plain.drain(); err != nil {
		return err
	}
	st.Size = l.plain.pos
	if l.blob == nil {
		return nil
	}
	// The decompressor has seen its end and its goroutine reads no more. What is left of the blob belongs to its
	// digest.
	return l.blob.drain()
}

// verify fills in the digests and compares them with what the input names.
func (l *layer) verify(st *Stats) error {
	if l.in.Trusted {
		st.DiffID = l.in.DiffID
		return nil
	}
	st.DiffID = sumString(l.tarAlg, l.tarHash)
	switch {
	case l.compression == Plain && (l.blobHash == nil || l.blobAlg == l.tarAlg):
		st.Digest = st.DiffID
	case l.blobHash != nil:
		st.Digest = sumString(l.blobAlg, l.blobHash)
	}
	if l.in.Digest != "" {
		if err := compareDigest("the blob", l.in.Digest, st.Digest); err != nil {
			return err
		}
		st.DigestVerified = true
	}
	if l.in.DiffID != "" {
		if err := compareDigest("the uncompressed tar", l.in.DiffID, st.DiffID); err != nil {
			return err
		}
		st.DiffIDVerified = true
	}
	return nil
}

// abort ends all goroutines, also one that hangs in a Read of the stream.
func (l *layer) abort() {
	l.stage.stop()
	if c, ok := l.in.Stream.(io.Closer); ok && l.in.Section == nil {
		c.Close()
	}
}

func (l *layer) close() {
	if l.unhook() {
		l.abort()
	}
	l.stage.wait()
	l.free()
}

// pair hashes with two algorithms at once.
type pair struct {
	hash.Hash
	second hash.Hash
}

func (p pair) Write(b []byte) (int, error) {
	p.second.Write(b)
	return p.Hash.Write(b)
}
