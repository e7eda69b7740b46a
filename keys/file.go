package keys

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/seawall/seawall/internal/durable"
)

// fileProvider keeps key-encryption keys in a text file: a line each, the last one wraps. It reads the file for every
// call, so that taking the file away revokes the key.
type fileProvider struct{ path string }

const (
	kekIDSize = 8
	maxKEKs   = 1 << 16 // bytes of a file of keys
	fileNote  = "# Key-encryption keys of Seawall. Whoever has this file and the hub's data can read the data; without it nobody can.\n" +
		"# Keep a copy in a safe place. The last key is used for new wraps, the others only to read what they wrapped.\n"
)

// kek is one key-encryption key with the id that follows from it.
type kek struct {
	id  [kekIDSize]byte
	key []byte
}

func kekOf(key []byte) kek {
	sum := sha256.Sum256(append([]byte("seawall kek id v1\n"), key...))
	return kek{id: [kekIDSize]byte(sum[:]), key: key}
}

func newKEK() kek {
	key := make([]byte, KeySize)
	rand.Read(key) // never fails, see crypto/rand
	return kekOf(key)
}

func (k kek) line() string {
	return "kek1 " + hex.EncodeToString(k.id[:]) + " " + base64.StdEncoding.EncodeToString(k.key) + "\n"
}

// openFile returns the provider of a file, which create makes if it is missing.
func openFile(path string, create bool) (provider, error) {
	if path == "" {
		return nil, errors.New("key provider: file: needs a path")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("key provider: %w", err)
	}
	p := &fileProvider{path: path}
	if create {
		if err := p.create(); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("making the key file %s: %w", path, err)
		}
	}
	_, err = p.read()
	return p, err
}

// create makes the file with one key. It never overwrites.
func (p *fileProvider) create() error {
	if err := os.MkdirAll(filepath.Dir(p.path), 0o700); err != nil {
		return err
	}
	if _, err := os.Lstat(p.path); err == nil {
		return fs.ErrExist
	}
	f, err := os.CreateTemp(filepath.Dir(p.path), filepath.Base(p.path)+".new*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = io.WriteString(f, fileNote+newKEK().line())
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), p.path); err != nil { // in contrast to a rename, fails where the file exists
		return err
	}
	return durable.SyncDir(filepath.Dir(p.path))
}

// read returns the keys, oldest first; at least one. The caller clears them.
func (p *fileProvider) read() ([]kek, error) {
	f, err := os.Open(p.path)
	if err != nil {
		return nil, fmt.Errorf("%w: reading the key file: %w", errRefused, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("reading the key file %s: %w", p.path, err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: the key file %s is not a regular file", errRefused, p.path)
	}
	if m := info.Mode().Perm(); m&0o077 != 0 {
		return nil, fmt.Errorf("%w: others may read the key file %s (mode %04o): chmod 600 it", errRefused, p.path, m)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxKEKs+1))
	if err != nil {
		return nil, fmt.Errorf("reading the key file %s: %w", p.path, err)
	}
	defer clear(text)
	keys, err := parseKEKs(text)
	if err != nil {
		return nil, fmt.Errorf("%w: the key file %s: %w", errRefused, p.path, err)
	}
	return keys, nil
}

// parseKEKs reads lines "kek1 ID BASE64". Errors never quote a line.
func parseKEKs(text []byte) ([]kek, error) {
	if len(text) > maxKEKs {
		return nil, fmt.Errorf("has more than %d bytes", maxKEKs)
	}
	var keys []kek
	number := 0
	for line := range bytes.Lines(text) {
		number++
		fields := bytes.Fields(line)
		if len(fields) == 0 || fields[0][0] == '#' {
			continue
		}
		if len(fields) != 3 || string(fields[0]) != "kek1" {
			return nil, fmt.Errorf("line %d is no key", number)
		}
		key, err := base64.StdEncoding.DecodeString(string(fields[2]))
		if err != nil || len(key) != KeySize {
			return nil, fmt.Errorf("line %d is no key", number)
		}
		k := kekOf(key)
		if hex.EncodeToString(k.id[:]) != string(fields[1]) {
			return nil, fmt.Errorf("line %d is damaged: the key does not match its id", number)
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, errors.New("holds no key")
	}
	return keys, nil
}

func clearKEKs(keys []kek) {
	for _, k := range keys {
		clear(k.key)
	}
}

// wrap returns the key's id, a nonce and the sealed text.
func (p *fileProvider) wrap(_ context.Context, plaintext []byte) ([]byte, error) {
	keys, err := p.read()
	if err != nil {
		return nil, err
	}
	defer clearKEKs(keys)
	k := keys[len(keys)-1]
	aead, err := chacha20poly1305.NewX(k.key)
	if err != nil {
		return nil, fmt.Errorf("wrapping a key: %w", err)
	}
	out := make([]byte, kekIDSize+chacha20poly1305.NonceSizeX, kekIDSize+chacha20poly1305.NonceSizeX+len(plaintext)+aead.Overhead())
	copy(out, k.id[:])
	nonce := out[kekIDSize:]
	rand.Read(nonce) // never fails, see crypto/rand
	return aead.Seal(out, nonce, plaintext, k.id[:]), nil
}

func (p *fileProvider) unwrap(_ context.Context, wrapped []byte) ([]byte, error) {
	if len(wrapped) < kekIDSize+chacha20poly1305.NonceSizeX {
		return nil, fmt.Errorf("%w: a wrapped key is too short", errRefused)
	}
	keys, err := p.read()
	if err != nil {
		return nil, err
	}
	defer clearKEKs(keys)
	id, nonce, text := wrapped[:kekIDSize], wrapped[kekIDSize:kekIDSize+chacha20poly1305.NonceSizeX], wrapped[kekIDSize+chacha20poly1305.NonceSizeX:]
	for _, k := range keys {
		if !bytes.Equal(k.id[:], id) {
			continue
		}
		aead, err := chacha20poly1305.NewX(k.key)
		if err != nil {
			return nil, fmt.Errorf("unwrapping a key: %w", err)
		}
		plain, err := aead.Open(nil, nonce, text, id)
		if err != nil {
			return nil, fmt.Errorf("%w: a wrapped key does not open with key-encryption key %x", errRefused, id)
		}
		return plain, nil
	}
	return nil, fmt.Errorf("%w: key-encryption key %x is not in %s", errRefused, id, p.path)
}

// rotate adds a key. The old ones stay, or older backups of the ring could not be opened any more.
func (p *fileProvider) rotate() error {
	keys, err := p.read()
	if err != nil {
		return err
	}
	defer clearKEKs(keys)
	var b strings.Builder
	b.WriteString(fileNote)
	for _, k := range append(keys, newKEK()) {
		b.WriteString(k.line())
	}
	if b.Len() > maxKEKs {
		return fmt.Errorf("the key file %s is full: rotate to a new file", p.path)
	}
	if err := durable.Write(p.path, []byte(b.String())); err != nil {
		return fmt.Errorf("writing the key file: %w", err)
	}
	return nil
}

func (p *fileProvider) name() string { return "file:" + p.path }
func (p *fileProvider) close() error { return nil }
