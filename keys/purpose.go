package keys

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"
)

// Purpose hands out the data keys of one purpose. Ask it anew for everything that is opened; a key that is kept longer
// outlives its revocation. What it returns is the caller's to clear.
type Purpose struct {
	ring *Ring
	name string
}

// Purpose returns the keys of a purpose, such as "state": a lower-case letter, then at most 31 letters, digits and "-".
// Other names have no keys.
func (r *Ring) Purpose(name string) *Purpose { return &Purpose{ring: r, name: name} }

func (p *Purpose) usable() error {
	switch {
	case !p.ring.Enabled():
		return ErrNotEncrypted
	case p.name == ringPurpose || !purposeName.MatchString(p.name):
		return fmt.Errorf("%q is no name of a purpose of keys", p.name)
	}
	return nil
}

// Current returns the key for what is written now, of KeySize bytes, and its id, which Key takes. The first call makes it.
func (p *Purpose) Current(ctx context.Context) (id string, key []byte, err error) {
	if err := p.usable(); err != nil {
		return "", nil, err
	}
	v, _ := p.ring.snapshot()
	k, ok := v.current(p.name)
	if !ok {
		if k, err = p.ring.first(ctx, p.name); err != nil {
			return "", nil, fmt.Errorf("making the first key of %s: %w", p.name, err)
		}
	}
	key, err = p.ring.unwrapped(ctx, k)
	if err != nil {
		return "", nil, err
	}
	return k.ID, key, nil
}

// Key returns the key with an id that Current gave once.
func (p *Purpose) Key(ctx context.Context, id string) ([]byte, error) {
	if err := p.usable(); err != nil {
		return nil, err
	}
	v, _ := p.ring.snapshot()
	k, ok := v.find(id)
	if !ok && keyID.MatchString(id) { // another hub may have made it
		if err := p.ring.reload(ctx); err != nil {
			return nil, err
		}
		v, _ = p.ring.snapshot()
		k, ok = v.find(id)
	}
	if !ok || k.Purpose != p.name {
		return nil, fmt.Errorf("%w %q of %s: the key ring is older than the data, or another one's", ErrUnknownKey, id, p.name)
	}
	return p.ring.unwrapped(ctx, k)
}

// What Seal returns: a version, the length of the key's id, the id, a nonce, the sealed text.
const (
	sealVersion = 1
	maxKeyID    = 32
)

// ErrSealed: a sealed text does not open. It is damaged, of another purpose, or sealed with other additional data.
var ErrSealed = errors.New("sealed text does not open")

// Seal encrypts and authenticates plaintext with the current key, and binds it to the purpose and to aad, which Open
// must be given again.
func (p *Purpose) Seal(ctx context.Context, plaintext, aad []byte) ([]byte, error) {
	id, key, err := p.Current(ctx)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, fmt.Errorf("sealing: %w", err)
	}
	head := append([]byte{sealVersion, byte(len(id))}, id...)
	out := make([]byte, len(head)+aead.NonceSize(), len(head)+aead.NonceSize()+len(plaintext)+aead.Overhead())
	copy(out, head)
	nonce := out[len(head):]
	rand.Read(nonce) // never fails, see crypto/rand
	return aead.Seal(out, nonce, plaintext, p.bind(head, aad)), nil
}

// Open returns what was sealed with the same purpose and aad.
func (p *Purpose) Open(ctx context.Context, sealed, aad []byte) ([]byte, error) {
	head, id, err := sealHead(sealed)
	if err != nil {
		return nil, err
	}
	key, err := p.Key(ctx, id)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, fmt.Errorf("opening a sealed text: %w", err)
	}
	nonce, text := sealed[len(head):len(head)+aead.NonceSize()], sealed[len(head)+aead.NonceSize():]
	plain, err := aead.Open(nil, nonce, text, p.bind(head, aad))
	if err != nil {
		return nil, ErrSealed
	}
	return plain, nil
}

// sealHead returns the part before the nonce, and the key's id in it.
func sealHead(sealed []byte) (head []byte, id string, err error) {
	if len(sealed) < 2 || sealed[0] != sealVersion || sealed[1] > maxKeyID {
		return nil, "", ErrSealed
	}
	n := 2 + int(sealed[1])
	if len(sealed) < n+chacha20poly1305.NonceSizeX+chacha20poly1305.Overhead {
		return nil, "", ErrSealed
	}
	return sealed[:n], string(sealed[2:n]), nil
}

// bind is the additional data: each part with its length before it.
func (p *Purpose) bind(head, aad []byte) []byte {
	b := []byte("seawall sealed v1\n")
	for _, part := range [][]byte{head, []byte(p.name), aad} {
		b = binary.BigEndian.AppendUint64(b, uint64(len(part)))
		b = append(b, part...)
	}
	return b
}
