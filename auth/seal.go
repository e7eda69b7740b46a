package auth

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
)

// What is sealed begins with a version: 0 is followed by the plain text, 1 by the length of the key's id in one byte,
// the id, and AES-256-GCM's nonce, text and tag. The place that it belongs to is authenticated with it.
const (
	sealPlain = 0
	sealGCM   = 1
)

func (s *Authority) seal(ctx context.Context, plain []byte, place string) ([]byte, error) {
	if s.cfg.Keys == nil {
		return append([]byte{sealPlain}, plain...), nil
	}
	id, key, err := s.cfg.Keys.Current(ctx)
	if err != nil {
		return nil, fmt.Errorf("sealing %s: %w", place, err)
	}
	if len(id) > 255 {
		return nil, fmt.Errorf("sealing %s: the key's id is longer than 255 bytes", place)
	}
	gcm, err := newGCM(key)
	if err != nil {
		return nil, fmt.Errorf("sealing %s: %w", place, err)
	}
	head := append([]byte{sealGCM, byte(len(id))}, id...)
	return gcm.Seal(head, nil, plain, []byte(place)), nil
}

func (s *Authority) open(ctx context.Context, sealed []byte, place string) ([]byte, error) {
	if len(sealed) == 0 {
		return nil, fmt.Errorf("opening %s: nothing is stored", place)
	}
	if sealed[0] == sealPlain {
		return sealed[1:], nil
	}
	if sealed[0] != sealGCM || len(sealed) < 2 || len(sealed) < 2+int(sealed[1]) || s.cfg.Keys == nil {
		return nil, fmt.Errorf("opening %s: no form that can be read", place)
	}
	id, box := sealed[2:2+sealed[1]], sealed[2+sealed[1]:]
	key, err := s.cfg.Keys.Key(ctx, string(id))
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", place, err)
	}
	gcm, err := newGCM(key)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", place, err)
	}
	plain, err := gcm.Open(nil, nil, box, []byte(place))
	if err != nil {
		return nil, fmt.Errorf("opening %s: it was changed, or sealed for another place", place)
	}
	return plain, nil
}

func newGCM(key []byte) (cipher.AEAD, error) {
	if len(key) != 32 {
		return nil, errors.New("the key has not 32 bytes")
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}
