package image

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"
)

// Cache keeps what was found in layers, and which bytes were verified, in a directory that processes share. Entries
// appear whole or not at all; one that does not match its checksum is removed and counts as missing. What was not
// used for longest goes first. See DESIGN.md for what may be trusted.
type Cache struct {
	root     *os.Root
	maxBytes int64
	sealer   Sealer       // nil: values are stored as they are
	written  atomic.Int64 // since the last Prune of this process
}

// Sealer encrypts what a cache keeps. bound is authenticated with it: what was sealed for one entry opens for no other.
type Sealer interface {
	Seal(plain, bound []byte) ([]byte, error)
	Open(sealed, bound []byte) ([]byte, error)
}

// SealWith has the cache seal every value that it stores from now on; keys, which are digests, stay readable. Entries
// that were not sealed count as missing. Call it before the cache is used.
func (c *Cache) SealWith(s Sealer) { c.sealer = s }

const (
	cacheVersion = "v1"
	layersDir    = cacheVersion + "/layers"
	verifiedDir  = cacheVersion + "/verified"

	// DefaultCacheBytes is what OpenCache takes for maxBytes 0: thousands of layers.
	DefaultCacheBytes = 1 << 30
)

// ErrCacheDir: the directory cannot be trusted, since others could write to it. Choose another one (--cache-dir).
var ErrCacheDir = errors.New("unsafe cache directory")

// OpenCache opens the cache in dir, which it makes if need be, readable by its owner alone. maxBytes bounds what
// Prune leaves, on disk; 0 is DefaultCacheBytes. A directory that belongs to somebody else, that others may write to,
// or that is a link is ErrCacheDir.
func OpenCache(dir string, maxBytes int64) (*Cache, error) {
	if maxBytes <= 0 {
		maxBytes = DefaultCacheBytes
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("opening the cache: %w", err)
	}
	root, err := openOwnDir(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the cache %s: %w", dir, err)
	}
	for _, sub := range []string{cacheVersion, layersDir, verifiedDir} {
		if err := root.Mkdir(sub, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			root.Close()
			return nil, fmt.Errorf("opening the cache %s: %w", dir, err)
		}
	}
	return &Cache{root: root, maxBytes: maxBytes}, nil
}

// openOwnDir checks what it has opened, not what the name meant a moment ago.
func openOwnDir(dir string) (*os.Root, error) {
	if st, err := os.Lstat(filepath.Clean(dir)); err != nil {
		return nil, err
	} else if st.Mode()&fs.ModeSymlink != 0 {
		return nil, fmt.Errorf("%w: it is a symbolic link", ErrCacheDir)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	st, err := root.Stat(".")
	if err == nil {
		err = ownAlone(st)
	}
	if err != nil {
		root.Close()
		return nil, err
	}
	return root, nil
}

func ownAlone(st fs.FileInfo) error {
	sys, ok := st.Sys().(*syscall.Stat_t)
	if !ok || int(sys.Uid) != os.Geteuid() {
		return fmt.Errorf("%w: it belongs to another user", ErrCacheDir)
	}
	if st.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("%w: others may write to it (mode %04o); chmod 700 it", ErrCacheDir, st.Mode().Perm())
	}
	return nil
}

// Close releases the directory. If this process has written to the cache, it prunes first.
func (c *Cache) Close() error {
	var err error
	if c.written.Load() > 0 {
		err = c.Prune()
	}
	return errors.Join(err, c.root.Close())
}

// Layer returns what PutLayer stored under key.
func (c *Cache) Layer(key string) ([]byte, bool) { return c.get(layersDir, key) }

// PutLayer stores value under key: "<analyser version>/<verified diff id>" or the like. A value that alone exceeds
// the cache is not stored, which is no error.
func (c *Cache) PutLayer(key string, value []byte) error { return c.put(layersDir, key, value) }

// Verified returns the diff id that the bytes with this Blob.Identity were verified to have. An empty identity
// has none.
func (c *Cache) Verified(identity string) (diffID string, ok bool) {
	if identity == "" {
		return "", false
	}
	v, ok := c.get(verifiedDir, identity)
	if !ok || checkDigest(string(v)) != nil {
		return "", false
	}
	return string(v), true
}

// PutVerified records the diff id that Walk computed for bytes with this identity. The caller has taken the identity
// before and after Walk, and they were equal. An empty identity is not recorded.
func (c *Cache) PutVerified(identity, diffID string) error {
	if identity == "" {
		return nil
	}
	if err := checkDigest(diffID); err != nil {
		return err
	}
	return c.put(verifiedDir, identity, []byte(diffID))
}

// An entry is a file:
//
//	magic "seawall1" | SHA-256 of the rest (32 bytes) | length of key (uint32, big endian) | key | value
//
// named by the SHA-256 of its key.
const (
	cacheMagic  = "seawall1"
	cacheHeader = len(cacheMagic) + sha256.Size + 4
)

func cacheName(dir, key string) string {
	sum := sha256.Sum256([]byte(key))
	return dir + "/" + hex.EncodeToString(sum[:])
}

func encodeEntry(key string, value []byte) []byte {
	b := make([]byte, cacheHeader, cacheHeader+len(key)+len(value))
	copy(b, cacheMagic)
	binary.BigEndian.PutUint32(b[cacheHeader-4:], uint32(len(key)))
	b = append(append(b, key...), value...)
	sum := sha256.Sum256(b[cacheHeader-4:])
	copy(b[len(cacheMagic):], sum[:])
	return b
}

func decodeEntry(b []byte, key string) ([]byte, bool) {
	if len(b) < cacheHeader+len(key) || string(b[:len(cacheMagic)]) != cacheMagic {
		return nil, false
	}
	sum := sha256.Sum256(b[cacheHeader-4:])
	body := b[cacheHeader:]
	if string(sum[:]) != string(b[len(cacheMagic):cacheHeader-4]) ||
		int(binary.BigEndian.Uint32(b[cacheHeader-4:])) != len(key) || string(body[:len(key)]) != key {
		return nil, false
	}
	return body[len(key):], true
}

// named is the key as it is stored: sealed entries and plain ones never take each other's place.
func (c *Cache) named(key string) string {
	if c.sealer != nil {
		return "sealed/" + key
	}
	return key
}

func (c *Cache) get(dir, key string) ([]byte, bool) {
	key = c.named(key)
	name := cacheName(dir, key)
	b, st, err := c.readFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false
	}
	value, ok := []byte(nil), false
	if err == nil {
		value, ok = decodeEntry(b, key)
	}
	if ok && c.sealer != nil {
		value, err = c.sealer.Open(value, []byte(key))
		ok = err == nil
	}
	if !ok {
		c.root.Remove(name)
		return nil, false
	}
	c.touch(name, st)
	return value, true
}

func (c *Cache) readFile(name string) ([]byte, fs.FileInfo, error) {
	// A pipe in an entry's place must not keep anybody waiting for a writer.
	f, err := c.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err == nil && (!st.Mode().IsRegular() || st.Size() > c.maxBytes) {
		err = fs.ErrInvalid
	}
	if err != nil {
		return nil, nil, err
	}
	b := make([]byte, st.Size())
	_, err = io.ReadFull(f, b)
	return b, st, err
}

// touchAfter spares most hits the write: the order of use need not be exact.
const touchAfter = 10 * time.Minute

func (c *Cache) touch(name string, st fs.FileInfo) {
	if now := time.Now(); now.Sub(st.ModTime()) > touchAfter {
		c.root.Chtimes(name, now, now)
	}
}

// put writes beside the entry and renames: readers see the old one or the new one.
func (c *Cache) put(dir, key string, value []byte) error {
	key = c.named(key)
	if c.sealer != nil {
		sealed, err := c.sealer.Seal(value, []byte(key))
		if err != nil {
			return fmt.Errorf("writing to the cache: %w", err)
		}
		value = sealed
	}
	b := encodeEntry(key, value)
	if int64(len(b)) > c.maxBytes {
		return nil
	}
	temp := dir + "/" + tempPrefix + rand.Text()
	if err := c.writeFile(temp, b); err != nil {
		c.root.Remove(temp)
		return fmt.Errorf("writing to the cache: %w", err)
	}
	if err := c.root.Rename(temp, cacheName(dir, key)); err != nil {
		c.root.Remove(temp)
		return fmt.Errorf("writing to the cache: %w", err)
	}
	if c.written.Add(onDisk(int64(len(b)))) > c.maxBytes/8 {
		return c.Prune()
	}
	return nil
}

func (c *Cache) writeFile(name string, b []byte) error {
	f, err := c.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Close())
}
