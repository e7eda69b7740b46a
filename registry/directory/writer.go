package directory

import (
	"context"
	"errors"
	"os"
)

// writer appends to a file. Nothing is sure to be on the disk before Commit; Close alone keeps what was written for
// as long as the system runs.
type writer struct {
	file    *os.File
	size    int64
	flushed int64 // up to where the system was told to begin writing
	closed  bool
}

var errClosed = errors.New("the file is closed")

// ahead is how many bytes are written before the system is told to bring them to the disk, so that Commit has little
// left to wait for.
const ahead = 8 << 20

func (w *writer) Write(p []byte) (int, error) {
	if w.closed {
		return 0, errClosed
	}
	n, err := w.file.Write(p)
	w.size += int64(n)
	if w.size-w.flushed >= ahead {
		startWriting(w.file, w.flushed, w.size-w.flushed)
		w.flushed = w.size
	}
	return n, err
}

func (w *writer) Size() int64 { return w.size }

func (w *writer) Close() error {
	if w.closed {
		return nil
	}
	w.closed = true
	return w.file.Close()
}

func (w *writer) Cancel(context.Context) error {
	if w.closed {
		return errClosed
	}
	return errors.Join(w.Close(), os.Remove(w.file.Name()))
}

func (w *writer) Commit(context.Context) error {
	if w.closed {
		return errClosed
	}
	return w.file.Sync()
}
