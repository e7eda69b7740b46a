package state

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/crypto/chacha20poly1305"
)

// sealer encrypts single columns where the engine does not encrypt all of them. A value is
//
//	0 | plaintext
//	1 | length of key id (1 byte) | key id | nonce (24 bytes) | XChaCha20-Poly1305 ciphertext
//
// and its additional data is table, column and row, so that values cannot be exchanged for one another.
type sealer struct {
	keys Keys // nil: values are stored as they are
}

// cell names a value.
type cell struct{ table, column, row string }

func (c cell) bytes() []byte { return []byte(c.table + "\x00" + c.column + "\x00" + c.row) }

const (
	formPlain  = 0
	formSealed = 1
)

func (s *sealer) seal(ctx context.Context, c cell, plain []byte) ([]byte, error) {
	if s.keys == nil {
		return append([]byte{formPlain}, plain...), nil
	}
	id, key, err := s.keys.Current(ctx)
	if err != nil {
		return nil, fmt.Errorf("asking for a key: %w", err)
	}
	if len(id) > 255 {
		return nil, errors.New("the id of the key is longer than 255 bytes")
	}
	aead, err := chacha20poly1305.NewX(derive(key, "seawall state column"))
	if err != nil {
		return nil, err
	}
	out := append([]byte{formSealed, byte(len(id))}, id...)
	nonce := make([]byte, chacha20poly1305.NonceSizeX)
	rand.Read(nonce) // never fails, see crypto/rand
	return aead.Seal(append(out, nonce...), nonce, plain, c.bytes()), nil
}

var errSealed = errors.New("the stored value is damaged, or stands in another's place")

func (s *sealer) open(ctx context.Context, c cell, value []byte) ([]byte, error) {
	switch {
	case len(value) == 0:
		return nil, errSealed
	case value[0] == formPlain && s.keys == nil:
		return value[1:], nil
	case value[0] != formSealed || s.keys == nil || len(value) < 2:
		return nil, errSealed
	}
	id, rest := value[2:], []byte(nil)
	if len(id) < int(value[1])+chacha20poly1305.NonceSizeX {
		return nil, errSealed
	}
	id, rest = id[:value[1]], id[value[1]:]
	key, err := s.keys.Key(ctx, string(id))
	if err != nil {
		return nil, fmt.Errorf("asking for the key %q: %w", id, err)
	}
	aead, err := chacha20poly1305.NewX(derive(key, "seawall state column"))
	if err != nil {
		return nil, err
	}
	nonce, sealed := rest[:chacha20poly1305.NonceSizeX], rest[chacha20poly1305.NonceSizeX:]
	plain, err := aead.Open(nil, nonce, sealed, c.bytes())
	if err != nil {
		return nil, errSealed
	}
	return plain, nil
}

// sealJSON packs and seals v.
func (t tx) sealJSON(ctx context.Context, c cell, v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return t.sealText(ctx, c, text)
}

func (t tx) sealText(ctx context.Context, c cell, text []byte) ([]byte, error) {
	return t.db.sealer.seal(ctx, c, packer.EncodeAll(text, nil))
}

// openJSON undoes sealJSON.
func (t tx) openJSON(ctx context.Context, c cell, value []byte, into any) error {
	text, err := t.openText(ctx, c, value)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		return fmt.Errorf("reading %s %s of %s: %w", c.table, c.column, c.row, err)
	}
	return nil
}

func (t tx) openText(ctx context.Context, c cell, value []byte) ([]byte, error) {
	packed, err := t.db.sealer.open(ctx, c, value)
	if err != nil {
		return nil, err
	}
	return unpacker.DecodeAll(packed, nil)
}

// maxUnpacked bounds what a stored value may unpack to, in bytes.
const maxUnpacked = 1 << 30

// Both may be used from many goroutines.
var (
	packer, _   = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderConcurrency(2))
	unpacker, _ = zstd.NewReader(nil, zstd.WithDecoderMaxMemory(maxUnpacked), zstd.WithDecoderConcurrency(2))
)

// columnKeys fails reads and writes where the keys cannot be had any more, whether or not a statement touches a sealed
// column.
type columnKeys struct{ keys Keys }

func (k *columnKeys) check(ctx context.Context) error {
	if k.keys == nil {
		return nil
	}
	if _, _, err := k.keys.Current(ctx); err != nil {
		return fmt.Errorf("asking for the key of the database: %w", err)
	}
	return nil
}

// checkSeal refuses keys for a database whose columns are stored plainly, and the lack of keys for one that is sealed.
// The note is itself a sealed value.
func (db *DB) checkSeal(ctx context.Context) error {
	note := cell{"setting", "value", "seal"}
	return db.write(ctx, func(t tx) error {
		sealed, err := t.db.sealer.seal(ctx, note, []byte("seawall"))
		if err != nil {
			return err
		}
		if _, err := t.exec(ctx, `INSERT INTO setting (key, value) VALUES ('seal', ?) ON CONFLICT (key) DO NOTHING`, sealed); err != nil {
			return err
		}
		var have []byte
		if err := t.row(ctx, `SELECT value FROM setting WHERE key = 'seal'`).Scan(&have); err != nil {
			return err
		}
		_, err = t.db.sealer.open(ctx, note, have)
		if errors.Is(err, errSealed) {
			return errors.New("the database was filled with another key, with keys where there are none now, or without where there are: configure it as it was, or restore a backup into an empty one")
		}
		return err
	})
}
