package sealed

import (
	"context"
	"errors"
	"fmt"
	"io"
)

type source interface {
	io.ReaderAt
	io.Closer
}

// reader unseals a file as it is read. It holds a few pieces.
type reader struct {
	src    source
	seal   *seal
	label  string
	stored int64
	size   int64
	pieces int64
	at     int64  // in the plain content
	place  int64  // of the first piece in plain, -1 for none
	count  int64  // of the pieces in plain
	plain  []byte // of those pieces
	sealed []byte // buffer
}

// open begins to read. It unseals the last piece first: that proves the label, the size and the key.
func open(ctx context.Context, keys Keys, src source, stored int64, label string) (*reader, error) {
	size, pieces, err := layout(stored)
	if err != nil {
		return nil, err
	}
	var header [headerSize]byte
	if _, err := src.ReadAt(header[:], 0); err != nil {
		return nil, fmt.Errorf("reading header: %w", err)
	}
	s, err := readSeal(ctx, keys, header[:])
	if err != nil {
		return nil, err
	}
	r := &reader{src: src, seal: s, label: label, stored: stored, size: size, pieces: pieces, place: -1}
	return r, r.load(pieces-1, 1)
}

// ahead is how many pieces are read and sent at once: fewer calls, and fewer turns of who reads at the other end.
const ahead = 8

// load unseals a piece, if it is not among those at hand, and up to n that follow it.
func (r *reader) load(place, n int64) error {
	if r.place >= 0 && place >= r.place && place < r.place+r.count {
		return nil
	}
	n = min(n, r.pieces-place)
	if int64(cap(r.sealed)) < n*storedSize {
		size := min(n*storedSize, r.stored-headerSize)
		r.sealed, r.plain = make([]byte, size), make([]byte, 0, size)
	}
	from := headerSize + place*storedSize
	sealed := r.sealed[:min(n*storedSize, r.stored-from)]
	r.place = -1
	if _, err := r.src.ReadAt(sealed, from); err != nil && !(errors.Is(err, io.EOF) && place+n == r.pieces) {
		return fmt.Errorf("reading piece %d: %w", place, err)
	}
	plain := r.plain[:0]
	for k := place; k < place+n; k++ {
		piece := sealed[(k-place)*storedSize:]
		piece = piece[:min(storedSize, len(piece))]
		var err error
		if plain, err = r.seal.open(plain, piece, k, k == r.pieces-1, r.label); err != nil {
			return err
		}
	}
	r.plain, r.place, r.count = plain, place, n
	return nil
}

// rest is what is at hand from the place that is read next.
func (r *reader) rest() []byte { return r.plain[r.at-r.place*pieceSize:] }

func (r *reader) Read(p []byte) (int, error) {
	if r.at >= r.size {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	if err := r.load(r.at/pieceSize, 1); err != nil {
		return 0, err
	}
	n := copy(p, r.rest())
	r.at += int64(n)
	return n, nil
}

// WriteSome sends up to n bytes, a few pieces at a time, without a second buffer.
func (r *reader) WriteSome(w io.Writer, n int64) (int64, error) {
	var sent int64
	for sent < n && r.at < r.size {
		if err := r.load(r.at/pieceSize, ahead); err != nil {
			return sent, err
		}
		piece := r.rest()
		piece = piece[:min(int64(len(piece)), n-sent)]
		k, err := w.Write(piece)
		r.at += int64(k)
		sent += int64(k)
		if err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// WriteTo sends what is left.
func (r *reader) WriteTo(w io.Writer) (int64, error) { return r.WriteSome(w, r.size) }

func (r *reader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += r.size
	}
	if offset < 0 {
		return 0, errors.New("seeking before the beginning")
	}
	r.at = offset
	return offset, nil
}

func (r *reader) Close() error { return r.src.Close() }
