package verify

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// Checkpoint is what a log signs: C2SP tlog-checkpoint.
type Checkpoint struct {
	Origin string
	Size   int64
	Root   []byte
	// Cosigned are the witnesses whose signatures were checked.
	Cosigned []Cosignature
}

// Cosignature tells that a witness saw a checkpoint, and saw that it continues those before it.
type Cosignature struct {
	Name string    `json:"name"`
	Time time.Time `json:"time"`
}

// OpenCheckpoint checks the log's signature, and those of the witnesses that are known. Signatures of others are passed
// over.
func OpenCheckpoint(text []byte, log note.Verifier, witnesses ...note.Verifier) (Checkpoint, error) {
	if len(text) > maxCheckpoint {
		return Checkpoint{}, problem(BadCheckpoint, -1, "", "the checkpoint has more than %d bytes", maxCheckpoint)
	}
	n, err := note.Open(text, note.VerifierList(append(witnesses, log)...))
	var unsigned *note.UnverifiedNoteError
	switch {
	case errors.As(err, &unsigned):
		return Checkpoint{}, problem(BadSignature, -1, "", "the checkpoint is not signed by %s with the expected key %08x", log.Name(), log.KeyHash())
	case err != nil:
		return Checkpoint{}, problem(BadSignature, -1, "", "the checkpoint's signature does not hold: %v", err)
	}
	c, err := ParseCheckpoint(n.Text)
	if err != nil {
		return Checkpoint{}, err
	}
	signed := false
	for _, sig := range n.Sigs {
		if sig.Name == log.Name() && sig.Hash == log.KeyHash() {
			signed = true
			continue
		}
		c.Cosigned = append(c.Cosigned, Cosignature{Name: sig.Name, Time: cosignedAt(sig)})
	}
	if !signed {
		return Checkpoint{}, problem(BadSignature, -1, "", "the checkpoint is signed by witnesses, but not by the log %s", log.Name())
	}
	if c.Origin != log.Name() {
		return Checkpoint{}, problem(BadCheckpoint, -1, "", "the checkpoint is of the log %q, its key of %q", c.Origin, log.Name())
	}
	return c, nil
}

// ParseCheckpoint reads a checkpoint's text, the part before the signatures, without checking any.
func ParseCheckpoint(text string) (Checkpoint, error) {
	bad := problem(BadCheckpoint, -1, "", "the checkpoint is malformed")
	lines := strings.SplitN(text, "\n", 4)
	if len(lines) < 4 || lines[0] == "" {
		return Checkpoint{}, bad
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return Checkpoint{}, bad
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != HashSize {
		return Checkpoint{}, bad
	}
	return Checkpoint{Origin: lines[0], Size: size, Root: root}, nil
}

// The kinds of keys in C2SP signed-note.
const (
	algEd25519     = 1
	algCosignature = 4
)

// NewVerifier reads a public key as C2SP signed-note writes it, "name+hash+key": an Ed25519 key of a log, or that of a
// witness, whose signatures carry a time (C2SP tlog-cosignature).
func NewVerifier(key string) (note.Verifier, error) {
	key = strings.TrimSpace(key)
	name, rest, _ := strings.Cut(key, "+")
	hash, text, ok := strings.Cut(rest, "+")
	raw, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil || name == "" || len(raw) < 1 {
		return nil, errors.New("malformed public key: want NAME+HASH+KEY")
	}
	if raw[0] != algCosignature {
		v, err := note.NewVerifier(key)
		if err != nil {
			return nil, fmt.Errorf("malformed public key of %s: %w", name, err)
		}
		return v, nil
	}
	v := &witnessKey{name: name, key: raw[1:], hash: keyHash(name, raw)}
	if len(v.key) != ed25519.PublicKeySize || hash != hex.EncodeToString(binary.BigEndian.AppendUint32(nil, v.hash)) {
		return nil, fmt.Errorf("malformed public key of %s", name)
	}
	return v, nil
}

func keyHash(name string, key []byte) uint32 {
	sum := sha256.Sum256(append([]byte(name+"\n"), key...))
	return binary.BigEndian.Uint32(sum[:])
}

// witnessKey verifies cosignatures: 8 bytes of time and an Ed25519 signature.
type witnessKey struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (w *witnessKey) Name() string    { return w.name }
func (w *witnessKey) KeyHash() uint32 { return w.hash }

func (w *witnessKey) Verify(msg, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	at := binary.BigEndian.Uint64(sig)
	return ed25519.Verify(w.key, CosignatureMessage(at, msg), sig[8:])
}

// CosignatureMessage is what a witness signs at a time, in seconds since 1970.
func CosignatureMessage(at uint64, text []byte) []byte {
	return append(fmt.Appendf(nil, "cosignature/v1\ntime %d\n", at), text...)
}

// cosignedAt reads the time of a cosignature that was verified.
func cosignedAt(sig note.Signature) time.Time {
	b, err := base64.StdEncoding.DecodeString(sig.Base64)
	if err != nil || len(b) < 4+8 {
		return time.Time{}
	}
	return time.Unix(int64(binary.BigEndian.Uint64(b[4:])), 0).UTC() // after the key's hash
}

// same reports whether two checkpoints are of the same log with the same content.
func (c Checkpoint) same(d Checkpoint) bool {
	return c.Origin == d.Origin && c.Size == d.Size && bytes.Equal(c.Root, d.Root)
}
