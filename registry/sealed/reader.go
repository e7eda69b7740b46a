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

// reader unseals a file as it is read. It holds one piece.
type reader struct {
	src    source
	seal   *seal
	label  string
	stored int64
	size   int64
	pieces int64
	at     int64  // in the plain content
	place  int64  // of the piece in plain, -1 for none
	plain  []byte // of that piece
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
	return r, r.load(pieces - 1)
}

// load unseals a piece, if it is not the one at hand.
func (r *reader) load(place int64) error {
	if place == r.place {
		return nil
	}
	if r.sealed == nil {
		n := min(int64(storedSize), r.stored-headerSize)
		r.sealed, r.plain = make([]byte, n), make([]byte, 0, n)
	}
	from := headerSize + place*storedSize
	piece := r.sealed[:min(storedSize, r.stored-from)]
	r.place = -1
	if _, err := r.src.ReadAt(piece, from); err != nil && !(errors.Is(err, io.EOF) && place == r.pieces-1) {
		return fmt.Errorf("reading piece %d: %w", place, err)
	}
	plain, err := r.seal.open(r.plain[:0], piece, place, place == r.pieces-1, r.label)
	if err != nil {
		return err
	}
	r.plain, r.place = plain, place
	return nil
}

func (r *reader) Read(p []byte) (int, error) {
	if r.at >= r.size {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	if err := r.load(r.at / pieceSize); err != nil {
		return 0, err
	}
	n := copy(p, r.plain[r.at%pieceSize:])
	r.at += int64(n)
	return n, nil
}

// WriteSome sends up to n bytes piece by piece, without a second buffer.
func (r *reader) WriteSome(w io.Writer, n int64) (int64, error) {
	var sent int64
	for sent < n && r.at < r.size {
		if err := r.load(r.at / pieceSize); err != nil {
			return sent, err
		}
		piece := r.plain[r.at%pieceSize:]
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
