package state

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/seawall/seawall/internal/durable"
)

// fileKey is the key of a SQLite file. Which one it is stands beside the file, in NAME.key: the id, and a value that
// tells the right key from a wrong one without touching the database. The key itself is never written.
type fileKey struct {
	keys Keys // nil: the file is not encrypted
	id   string
}

// keyNote is the content of NAME.key.
type keyNote struct {
	Cipher string `json:"cipher"`
	Key    string `json:"key"`
	Check  []byte `json:"check"`
}

const cipherName = "adiantum"

func openFileKey(ctx context.Context, path string, keys Keys) (fileKey, error) {
	text, err := os.ReadFile(path + ".key")
	noted := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fileKey{}, err
	}
	info, err := os.Stat(path)
	exists := err == nil && info.Size() > 0
	switch {
	case noted && keys == nil:
		return fileKey{}, fmt.Errorf("%s is encrypted: configure its keys", path)
	case noted:
		return readFileKey(ctx, text, path, keys)
	case keys == nil:
		return fileKey{}, nil
	case exists:
		return fileKey{}, fmt.Errorf("%s exists and is not encrypted (there is no %s.key): back it up without the keys and restore the backup with them", path, path)
	}
	return makeFileKey(ctx, path, keys)
}

func readFileKey(ctx context.Context, text []byte, path string, keys Keys) (fileKey, error) {
	var note keyNote
	if err := json.Unmarshal(text, &note); err != nil {
		return fileKey{}, fmt.Errorf("reading %s.key: %w", path, err)
	}
	if note.Cipher != cipherName {
		return fileKey{}, fmt.Errorf("%s.key names the cipher %q: this version knows %s", path, note.Cipher, cipherName)
	}
	k := fileKey{keys: keys, id: note.Key}
	key, err := keys.Key(ctx, note.Key)
	if err != nil {
		return fileKey{}, fmt.Errorf("asking for the key %s of %s: %w", note.Key, path, err)
	}
	if !hmac.Equal(note.Check, checkOf(key)) {
		return fileKey{}, fmt.Errorf("the key %s is not the one that %s is encrypted with", note.Key, path)
	}
	return k, nil
}

// makeFileKey notes the key before anything is encrypted with it.
func makeFileKey(ctx context.Context, path string, keys Keys) (fileKey, error) {
	id, key, err := keys.Current(ctx)
	if err != nil {
		return fileKey{}, fmt.Errorf("asking for a key: %w", err)
	}
	text, err := json.Marshal(keyNote{Cipher: cipherName, Key: id, Check: checkOf(key)})
	if err != nil {
		return fileKey{}, err
	}
	if err := durable.Write(path+".key", append(text, '\n')); err != nil {
		return fileKey{}, err
	}
	return fileKey{keys: keys, id: id}, nil
}

// check fails where the key cannot be had any more, although the connections know it.
func (k *fileKey) check(ctx context.Context) error {
	if k.keys == nil {
		return nil
	}
	if _, err := k.keys.Key(ctx, k.id); err != nil {
		return fmt.Errorf("asking for the key of the database: %w", err)
	}
	return nil
}

func (k *fileKey) derive(key []byte) []byte { return derive(key, "seawall state file") }

// checkOf tells keys apart and gives nothing of them away.
func checkOf(key []byte) []byte { return derive(key, "seawall state check") }

// derive gives a key for one use. 32 bytes of SHA-256 are always to be had.
func derive(key []byte, use string) []byte {
	out, err := hkdf.Key(sha256.New, key, nil, use, 32)
	if err != nil {
		panic(err)
	}
	return out
}
