package keys

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"time"
)

const (
	ringFormat = 1
	// ringPurpose is the purpose of the key that authenticates the ring itself.
	ringPurpose = "ring"
	// Bounds of a ring: a rotation a day of twenty purposes for a century does not reach them.
	maxRing = 64 << 20
	maxKeys = 1 << 20
	// maxWrapped bounds one wrapped key, in bytes. Services return a few hundred.
	maxWrapped = 16 << 10
)

// ring is the content of keys.json, drawn in docs/formats/keys.md.
type ring struct {
	Format   int          `json:"format"`
	Revision int64        `json:"revision"` // grows with every write
	Provider string       `json:"provider"` // that wrapped the keys, as it may be shown
	Rotated  time.Time    `json:"rotated"`  // when keys were wrapped anew, or the ring was made
	Keys     []wrappedKey `json:"keys"`     // oldest first
	MAC      []byte       `json:"mac"`
}

// wrappedKey is one data key. The last one of a purpose is its current one.
type wrappedKey struct {
	ID      string    `json:"id"`
	Purpose string    `json:"purpose"`
	Created time.Time `json:"created"`
	Wrapped []byte    `json:"wrapped"`
}

var (
	purposeName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)
	keyID       = regexp.MustCompile(`^k[0-9a-f]{12}$`)
)

func newKeyID() string {
	var b [6]byte
	rand.Read(b[:]) // never fails, see crypto/rand
	return "k" + hex.EncodeToString(b[:])
}

// parseRing reads keys.json and checks everything that can be checked without a key.
func parseRing(raw []byte) (ring, error) {
	var v ring
	if len(raw) > maxRing {
		return v, fmt.Errorf("%w: it has more than %d bytes", ErrTampered, maxRing)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		return v, fmt.Errorf("%w: %w", ErrTampered, err)
	}
	if v.Format != ringFormat {
		return v, fmt.Errorf("the key ring has format %d, this program knows %d: use the version that wrote it", v.Format, ringFormat)
	}
	return v, v.check()
}

func (v *ring) check() error {
	if len(v.Keys) > maxKeys {
		return fmt.Errorf("%w: it lists %d keys", ErrTampered, len(v.Keys))
	}
	seen := make(map[string]bool, len(v.Keys))
	for i, k := range v.Keys {
		if !keyID.MatchString(k.ID) || !purposeName.MatchString(k.Purpose) || len(k.Wrapped) == 0 || len(k.Wrapped) > maxWrapped || seen[k.ID] {
			return fmt.Errorf("%w: key %d of %d is malformed", ErrTampered, i+1, len(v.Keys))
		}
		seen[k.ID] = true
	}
	return nil
}

// marshal authenticates the ring with key and returns the file.
func (v *ring) marshal(key []byte) ([]byte, error) {
	v.MAC = v.code(key)
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return nil, fmt.Errorf("writing the key ring: %w", err)
	}
	return append(b, '\n'), nil
}

func (v *ring) authentic(key []byte) bool { return hmac.Equal(v.MAC, v.code(key)) }

// code is the authentication code over the ring without MAC, as JSON on one line.
func (v *ring) code(key []byte) []byte {
	bare := *v
	bare.MAC = nil
	text, err := json.Marshal(bare)
	if err != nil {
		panic(err) // of strings, numbers and times between the years 0 and 9999: it was parsed, or comes from the clock
	}
	h := hmac.New(sha256.New, key)
	h.Write([]byte("seawall key ring v1\n"))
	h.Write(text)
	return h.Sum(nil)
}

// current returns the newest key of a purpose.
func (v *ring) current(purpose string) (wrappedKey, bool) {
	for _, k := range slices.Backward(v.Keys) {
		if k.Purpose == purpose {
			return k, true
		}
	}
	return wrappedKey{}, false
}

func (v *ring) find(id string) (wrappedKey, bool) {
	i := slices.IndexFunc(v.Keys, func(k wrappedKey) bool { return k.ID == id })
	if i < 0 {
		return wrappedKey{}, false
	}
	return v.Keys[i], true
}

// purposes in the order of their first key.
func (v *ring) purposes() []string {
	var names []string
	for _, k := range v.Keys {
		if !slices.Contains(names, k.Purpose) {
			names = append(names, k.Purpose)
		}
	}
	return names
}

const envelopePrefix = "seawall data key v1\n"

// envelope is what the provider wraps: it names the key, so that one key cannot be passed off as another.
func envelope(k wrappedKey, key []byte) []byte {
	return append([]byte(envelopePrefix+k.Purpose+"\n"+k.ID+"\n"), key...)
}

// openEnvelope returns the key of an envelope that belongs to k.
func openEnvelope(k wrappedKey, text []byte) ([]byte, error) {
	head := envelope(k, nil)
	if key, ok := bytes.CutPrefix(text, head); ok && len(key) == KeySize {
		return key, nil
	}
	return nil, fmt.Errorf("%w: what is wrapped as key %s is another key", ErrTampered, k.ID)
}
