package state

import (
	"bufio"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"io"

	"golang.org/x/crypto/chacha20poly1305"
)

// A backup is encrypted in pieces of streamPiece bytes with ChaCha20-Poly1305 under a key of its own. The nonce is the
// number of the piece in 11 bytes, then 1 for the last piece and 0 for the others, so that pieces can be neither
// exchanged nor cut off at the end (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015).
const streamPiece = 64 << 10

type streamNonce [chacha20poly1305.NonceSize]byte

func (n *streamNonce) next() { binary.BigEndian.PutUint64(n[3:11], binary.BigEndian.Uint64(n[3:11])+1) }

type sealWriter struct {
	to    io.Writer
	aead  cipher.AEAD
	nonce streamNonce
	buf   []byte
}

func newSealWriter(to io.Writer, key []byte) (*sealWriter, error) {
	aead, err := chacha20poly1305.New(key)
	return &sealWriter{to: to, aead: aead}, err
}

func (w *sealWriter) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if len(w.buf) == streamPiece { // only now is it known not to be the last
			if err := w.flush(0); err != nil {
				return n - len(p), err
			}
		}
		take := min(len(p), streamPiece-len(w.buf))
		w.buf, p = append(w.buf, p[:take]...), p[take:]
	}
	return n, nil
}

func (w *sealWriter) flush(last byte) error {
	w.nonce[len(w.nonce)-1] = last
	_, err := w.to.Write(w.aead.Seal(nil, w.nonce[:], w.buf, nil))
	w.buf = w.buf[:0]
	w.nonce.next()
	return err
}

// Close writes the last piece; it does not close what it writes to.
func (w *sealWriter) Close() error { return w.flush(1) }

type openReader struct {
	from  *bufio.Reader
	aead  cipher.AEAD
	nonce streamNonce
	plain []byte
	done  bool
}

func newOpenReader(from io.Reader, key []byte) (*openReader, error) {
	aead, err := chacha20poly1305.New(key)
	return &openReader{from: bufio.NewReaderSize(from, streamPiece+chacha20poly1305.Overhead+1), aead: aead}, err
}

var errStream = errors.New("the backup is damaged, cut off, or encrypted with another key")

func (r *openReader) Read(p []byte) (int, error) {
	for len(r.plain) == 0 {
		if r.done {
			return 0, io.EOF
		}
		if err := r.piece(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.plain)
	r.plain = r.plain[n:]
	return n, nil
}

func (r *openReader) piece() error {
	buf := make([]byte, streamPiece+chacha20poly1305.Overhead)
	n, err := io.ReadFull(r.from, buf)
	if err != nil && err != io.ErrUnexpectedEOF {
		if err == io.EOF {
			return errStream // the last piece says that it is the last
		}
		return err
	}
	_, err = r.from.Peek(1)
	r.done = err == io.EOF
	r.nonce[len(r.nonce)-1] = 0
	if r.done {
		r.nonce[len(r.nonce)-1] = 1
	}
	if r.plain, err = r.aead.Open(buf[:0], r.nonce[:], buf[:n], nil); err != nil {
		return errStream
	}
	r.nonce.next()
	return nil
}
