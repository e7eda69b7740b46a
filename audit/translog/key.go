package translog

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/seawall/seawall/audit/verify"
	"github.com/seawall/seawall/internal/durable"
)

// Blob keeps one small value: a key, the last checkpoint. Hubs that share a log share it.
type Blob interface {
	// Load returns what was saved last, nil where nothing was.
	Load(ctx context.Context) ([]byte, error)
	// Save replaces old, nil for nothing, by new, durably. It fails where something else than old is stored.
	Save(ctx context.Context, old, new []byte) error
}

// Sealer encrypts the private key at rest. A purpose of package keys is one.
type Sealer interface {
	Seal(ctx context.Context, plaintext, aad []byte) ([]byte, error)
	Open(ctx context.Context, sealed, aad []byte) ([]byte, error)
}

// Key signs checkpoints: Ed25519, as C2SP signed-note has it.
type Key struct {
	signer   note.Signer
	verifier note.Verifier
	public   string
}

// Public returns the public key as "name+hash+key". Whoever verifies exports should have it from elsewhere than the
// export.
func (k *Key) Public() string { return k.public }

// storedKey begins what is kept: sealed or not.
const (
	plainKey  = "seawall audit key\n"
	sealedKey = "seawall audit key, sealed\n"
	maxKey    = 64 << 10
)

var keyAAD = []byte("audit log key")

// OpenKey reads the log's key, or makes one for a log of that name (without spaces and "+"). With a Sealer, a key that
// was kept plain is sealed from now on.
func OpenKey(ctx context.Context, at Blob, sealer Sealer, name string) (*Key, error) {
	private, err := openPrivate(ctx, at, sealer, name)
	if err != nil {
		return nil, err
	}
	return parseKey(private)
}

// openPrivate reads or makes a private key as C2SP signed-note writes it.
func openPrivate(ctx context.Context, at Blob, sealer Sealer, name string) (string, error) {
	stored, err := at.Load(ctx)
	if err != nil {
		return "", fmt.Errorf("reading the audit log's key: %w", err)
	}
	if stored == nil {
		return makePrivate(ctx, at, sealer, name)
	}
	if len(stored) > maxKey {
		return "", fmt.Errorf("the audit log's key has more than %d bytes", maxKey)
	}
	if text, ok := bytes.CutPrefix(stored, []byte(plainKey)); ok {
		if sealer == nil {
			return string(text), nil
		}
		return string(text), saveKey(ctx, at, stored, sealer, text)
	}
	text, ok := bytes.CutPrefix(stored, []byte(sealedKey))
	switch {
	case !ok:
		return "", errors.New("the audit log's key is damaged: restore it from a backup")
	case sealer == nil:
		return "", errors.New("the audit log's key is sealed: configure the key provider that it was sealed with")
	}
	plain, err := sealer.Open(ctx, text, keyAAD)
	if err != nil {
		return "", fmt.Errorf("opening the audit log's key: %w", err)
	}
	defer clear(plain)
	return string(plain), nil
}

func makePrivate(ctx context.Context, at Blob, sealer Sealer, name string) (string, error) {
	if name == "" || strings.ContainsAny(name, "+ \t\r\n") {
		return "", fmt.Errorf("%q cannot be the audit log's name: it needs a word without +", name)
	}
	private, _, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		return "", fmt.Errorf("making the audit log's key: %w", err)
	}
	return private, saveKey(ctx, at, nil, sealer, []byte(private))
}

func saveKey(ctx context.Context, at Blob, old []byte, sealer Sealer, private []byte) error {
	content := append([]byte(plainKey), private...)
	if sealer != nil {
		sealed, err := sealer.Seal(ctx, private, keyAAD)
		if err != nil {
			return fmt.Errorf("sealing the audit log's key: %w", err)
		}
		content = append([]byte(sealedKey), sealed...)
	}
	if err := at.Save(ctx, old, content); err != nil {
		return fmt.Errorf("writing the audit log's key: %w", err)
	}
	return nil
}

func parseKey(private string) (*Key, error) {
	signer, err := note.NewSigner(private)
	if err != nil {
		return nil, errors.New("the audit log's key is damaged: restore it from a backup") // without err, which might quote it
	}
	public, err := publicKey(private)
	if err != nil {
		return nil, err
	}
	v, err := verify.NewVerifier(public)
	if err != nil {
		return nil, err
	}
	return &Key{signer: signer, verifier: v, public: public}, nil
}

// File is a Blob in a file that only its owner may read.
type File string

// Load implements Blob.
func (f File) Load(context.Context) ([]byte, error) {
	r, err := os.Open(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(io.LimitReader(r, maxKey+1))
}

// Save implements Blob for one process: it compares, but takes no lock.
func (f File) Save(ctx context.Context, old, new []byte) error {
	now, err := f.Load(ctx)
	if err != nil {
		return err
	}
	if !bytes.Equal(now, old) {
		return fmt.Errorf("%s was changed meanwhile", string(f))
	}
	if err := os.MkdirAll(filepath.Dir(string(f)), 0o700); err != nil {
		return err
	}
	return durable.Write(string(f), new)
}
