// Package sealed encrypts what a storage driver keeps.
//
// It promises that what is stored can be neither read nor changed unnoticed without the key: not altered, not cut short,
// not put together from two files, and not passed off under another name. Parts can be read without the rest, and
// writing goes on after a restart. docs/formats/sealed-blob.md draws the format.
//
// It leaves out the names and sizes of files and when they are used, which stay plain; an older version of a small file
// put back in place of the newer one, which the storage would have to be trusted for; and where keys come from.
package sealed

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// Keys gives data keys of 32 bytes by their id, of at most 63 bytes. Current is the one for what is written now. An
// error fails the reading or writing that asked.
type Keys interface {
	Current(ctx context.Context) (id string, key []byte, err error)
	Key(ctx context.Context, id string) (key []byte, err error)
}

// ErrCorrupt says that a file is not what was written under its name: it was altered, cut short or exchanged, or it is
// not sealed at all.
var ErrCorrupt = errors.New("the sealed file is damaged or was exchanged")

// A sealed file is a header and pieces, each of which seals pieceSize bytes, the last one fewer:
//
//	header: magic (8) · salt (32) · length of key id (1) · key id (63, zeros behind it) · zeros (24)
//	piece:  nonce (12) · AES-256-GCM of the bytes, with tag (16)
//
// The file's own key is HKDF-SHA256 of the data key with the salt. Each piece is bound to the header, to its place and
// to whether it is the last; the last one to the file's label too.
const (
	magic      = "SWSEAL\x00\x01"
	headerSize = 128
	saltSize   = 32
	idSize     = 63
	nonceSize  = 12
	tagSize    = 16
	pieceSize  = 64 << 10
	storedSize = nonceSize + pieceSize + tagSize
)

// seal is what a file is sealed with.
type seal struct {
	header [headerSize]byte
	aead   cipher.AEAD
}

// newSeal makes a seal for a new file.
func newSeal(ctx context.Context, keys Keys) (*seal, error) {
	id, key, err := keys.Current(ctx)
	if err != nil {
		return nil, fmt.Errorf("sealing: %w", err)
	}
	if id == "" || len(id) > idSize {
		return nil, fmt.Errorf("sealing: the key id %q has not 1 to %d bytes", id, idSize)
	}
	s := &seal{}
	copy(s.header[:], magic)
	rand.Read(s.header[len(magic) : len(magic)+saltSize])
	s.header[len(magic)+saltSize] = byte(len(id))
	copy(s.header[len(magic)+saltSize+1:], id)
	return s, s.derive(key)
}

// readSeal takes up the seal of a file by its header.
func readSeal(ctx context.Context, keys Keys, header []byte) (*seal, error) {
	s := &seal{}
	if len(header) < headerSize || !bytes.HasPrefix(header, []byte(magic)) {
		return nil, fmt.Errorf("%w: it has no header", ErrCorrupt)
	}
	copy(s.header[:], header)
	n := int(s.header[len(magic)+saltSize])
	rest := s.header[len(magic)+saltSize+1:]
	if n == 0 || n > idSize || !allZero(rest[n:]) {
		return nil, fmt.Errorf("%w: its header cannot be read", ErrCorrupt)
	}
	key, err := keys.Key(ctx, string(rest[:n]))
	if err != nil {
		return nil, fmt.Errorf("unsealing with key %q: %w", rest[:n], err)
	}
	return s, s.derive(key)
}

func allZero(p []byte) bool {
	for _, b := range p {
		if b != 0 {
			return false
		}
	}
	return true
}

func (s *seal) derive(key []byte) error {
	if len(key) != 32 {
		return fmt.Errorf("sealing: the key has %d bytes, not 32", len(key))
	}
	own, err := hkdf.Key(sha256.New, key, s.header[len(magic):len(magic)+saltSize], "seawall sealed file 1", 32)
	if err != nil {
		return fmt.Errorf("sealing: %w", err)
	}
	block, err := aes.NewCipher(own)
	if err != nil {
		return fmt.Errorf("sealing: %w", err)
	}
	s.aead, err = cipher.NewGCM(block)
	return err
}

// bound is the data that a piece is bound to: the header, its place, and for the last one the label.
func (s *seal) bound(place int64, last bool, label string) []byte {
	b := make([]byte, 0, headerSize+9+len(label))
	b = append(b, s.header[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(place))
	if !last {
		return append(b, 0)
	}
	return append(append(b, 1), label...)
}

// close seals one piece behind out. Nonces are random: a piece may be written twice, by an upload that was interrupted.
func (s *seal) close(out, plain []byte, place int64, last bool, label string) []byte {
	at := len(out)
	out = append(out, make([]byte, nonceSize)...)
	rand.Read(out[at:])
	return s.aead.Seal(out, out[at:at+nonceSize], plain, s.bound(place, last, label))
}

// open unseals one piece behind out.
func (s *seal) open(out, piece []byte, place int64, last bool, label string) ([]byte, error) {
	if len(piece) < nonceSize+tagSize {
		return nil, fmt.Errorf("%w: piece %d is too short", ErrCorrupt, place)
	}
	out, err := s.aead.Open(out, piece[:nonceSize], piece[nonceSize:], s.bound(place, last, label))
	if err != nil {
		return nil, fmt.Errorf("%w: piece %d", ErrCorrupt, place)
	}
	return out, nil
}

// layout tells from the size of a sealed file how many bytes it seals, in how many pieces.
func layout(stored int64) (plain, pieces int64, err error) {
	body := stored - headerSize
	full, rest := body/storedSize, body%storedSize
	switch {
	case body < nonceSize+tagSize, rest > 0 && rest < nonceSize+tagSize, rest == nonceSize+tagSize && full > 0:
		return 0, 0, fmt.Errorf("%w: no file has %d bytes", ErrCorrupt, stored)
	case rest == 0:
		return full * pieceSize, full, nil
	}
	return full*pieceSize + rest - nonceSize - tagSize, full + 1, nil
}
