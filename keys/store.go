package keys

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/seawall/seawall/internal/durable"
)

// Store keeps the ring's file. What it holds is no secret, but must not be lost.
type Store interface {
	// Load returns what was saved last, nil where nothing was.
	Load(ctx context.Context) ([]byte, error)
	// Save replaces old, nil for nothing, by new, durably and at once or not at all. It returns ErrChanged where something
	// else than old is stored.
	Save(ctx context.Context, old, new []byte) error
}

// RingFile is the ring's name in Config.Dir.
const RingFile = "keys.json"

// directory is the Store of Config.Dir.
type directory string

func (d directory) Load(context.Context) ([]byte, error) {
	f, err := os.Open(filepath.Join(string(d), RingFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxRing+1))
	if err == nil && len(b) == 0 {
		return nil, fmt.Errorf("%w: %s is empty; restore it from a backup", ErrTampered, f.Name())
	}
	return b, err
}

// Save holds a lock beside the file while it compares and replaces, since other processes may rotate too.
func (d directory) Save(ctx context.Context, old, new []byte) error {
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return err
	}
	lock, err := os.OpenFile(filepath.Join(string(d), RingFile+".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("locking %s: %w", lock.Name(), err)
	}
	now, err := d.Load(ctx)
	if err != nil {
		return err
	}
	if !bytes.Equal(now, old) {
		return ErrChanged
	}
	return durable.Write(filepath.Join(string(d), RingFile), new)
}
