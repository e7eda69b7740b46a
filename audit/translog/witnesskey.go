package translog

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seawall/seawall/audit/verify"
)

// WitnessKey signs the checkpoints of other logs, with the time: C2SP tlog-cosignature.
type WitnessKey struct {
	name  string
	hash  uint32
	key   ed25519.PrivateKey
	clock func() time.Time
}

// algCosignature is the kind of key in C2SP signed-note.
const algCosignature = 4

// OpenWitnessKey reads a witness's key, or makes one, as OpenKey does for a log's. The two must not be the same.
func OpenWitnessKey(ctx context.Context, at Blob, sealer Sealer, name string) (*WitnessKey, error) {
	private, err := openPrivate(ctx, at, sealer, name)
	if err != nil {
		return nil, err
	}
	fields := strings.SplitN(private, "+", 5)
	seed, err := privateSeed(fields)
	if err != nil {
		return nil, err
	}
	defer clear(seed)
	k := &WitnessKey{name: fields[2], key: ed25519.NewKeyFromSeed(seed), clock: time.Now}
	sum := sha256.Sum256(append([]byte(k.name+"\n"), k.raw()...))
	k.hash = binary.BigEndian.Uint32(sum[:])
	return k, nil
}

func (k *WitnessKey) raw() []byte {
	return append([]byte{algCosignature}, k.key.Public().(ed25519.PublicKey)...)
}

// Public returns the public key as "name+hash+key".
func (k *WitnessKey) Public() string {
	return fmt.Sprintf("%s+%08x+%s", k.name, k.hash, base64.StdEncoding.EncodeToString(k.raw()))
}

// cosign returns the signature's line in a note.
func (k *WitnessKey) cosign(text string) string {
	at := uint64(k.clock().Unix())
	sig := binary.BigEndian.AppendUint32(nil, k.hash)
	sig = binary.BigEndian.AppendUint64(sig, at)
	sig = append(sig, ed25519.Sign(k.key, verify.CosignatureMessage(at, []byte(text)))...)
	return fmt.Sprintf("— %s %s\n", k.name, base64.StdEncoding.EncodeToString(sig))
}

// privateSeed is the seed in the fields of a private key.
func privateSeed(fields []string) ([]byte, error) {
	if len(fields) != 5 {
		return nil, errors.New("the key is malformed")
	}
	raw, err := base64.StdEncoding.DecodeString(fields[4])
	if err != nil || len(raw) != 1+ed25519.SeedSize {
		return nil, errors.New("the key is malformed")
	}
	return raw[1:], nil
}
