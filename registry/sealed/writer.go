package sealed

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/distribution/distribution/v3/registry/storage/driver"
)

// writer seals what is written to it. The last bytes, at most one piece, stay in memory until more comes or the file is
// committed; when the file is closed before, they are put beside it, sealed, in a file that ends in ".tail".
type writer struct {
	ctx    context.Context
	driver *Driver
	path   string
	label  string
	under  driver.FileWriter
	seal   *seal
	place  int64  // of the next piece
	rest   []byte // not sealed yet, at most pieceSize
	out    []byte // buffer
	done   bool
}

var errDone = errors.New("the file is closed")

func (w *writer) begin(ctx context.Context) error {
	s, err := newSeal(ctx, w.driver.keys)
	if err != nil {
		return err
	}
	w.seal = s
	_, err = w.under.Write(s.header[:])
	return err
}

// resume goes on with a file that was closed before it was committed. One that ends within a piece was interrupted
// while that was being written, and cannot be gone on with.
func (w *writer) resume(ctx context.Context) error {
	body := w.under.Size() - headerSize
	if body < 0 || body%storedSize != 0 {
		return fmt.Errorf("%w: it ends within a piece", ErrCorrupt)
	}
	header, err := w.header(ctx)
	if err != nil {
		return err
	}
	if w.seal, err = readSeal(ctx, w.driver.keys, header); err != nil {
		return err
	}
	w.place = body / storedSize
	return w.recallTail(ctx, header)
}

// tail is the label of what is put beside a file: it goes with this file and this many pieces alone.
func (w *writer) tail() string { return w.path + ".tail" }

// header is read from the file, or from the tail where the storage shows nothing of a file that is not committed.
func (w *writer) header(ctx context.Context) ([]byte, error) {
	header, err := w.driver.headerOf(ctx, w.path)
	if err == nil {
		return header, nil
	}
	if !isMissing(err) {
		return nil, err
	}
	p, err := w.driver.GetContent(ctx, w.tail())
	if err != nil {
		return nil, err
	}
	if len(p) < headerSize+8 {
		return nil, fmt.Errorf("%w: its tail is too short", ErrCorrupt)
	}
	return p[:headerSize], nil
}

// recallTail takes up what was put beside the file. What belongs to an earlier state of it, from before the process
// was killed, is of no use: the file then ends where it ends.
func (w *writer) recallTail(ctx context.Context, header []byte) error {
	p, err := w.driver.GetContent(ctx, w.tail())
	if isMissing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(p) < headerSize+8 || string(p[:headerSize]) != string(header) || binary.BigEndian.Uint64(p[headerSize:]) != uint64(w.place) {
		return nil
	}
	w.rest = append(make([]byte, 0, pieceSize), p[headerSize+8:]...)
	return nil
}

func (w *writer) putTail() error {
	p := append([]byte{}, w.seal.header[:]...)
	p = binary.BigEndian.AppendUint64(p, uint64(w.place))
	return w.driver.PutContent(context.WithoutCancel(w.ctx), w.tail(), append(p, w.rest...))
}

// Write seals every piece that more follows on.
func (w *writer) Write(p []byte) (int, error) {
	if w.done {
		return 0, errDone
	}
	total := len(p)
	if w.rest == nil {
		w.rest = make([]byte, 0, pieceSize)
	}
	for len(p) > 0 {
		if len(w.rest) == pieceSize {
			if err := w.flush(w.rest, false); err != nil {
				return total - len(p), err
			}
			w.rest = w.rest[:0]
		}
		if len(w.rest) == 0 && len(p) > pieceSize {
			if err := w.flush(p[:pieceSize], false); err != nil {
				return total - len(p), err
			}
			p = p[pieceSize:]
			continue
		}
		n := min(pieceSize-len(w.rest), len(p))
		w.rest = append(w.rest, p[:n]...)
		p = p[n:]
	}
	return total, nil
}

// flush seals one piece and writes it in one go, so that a file that was interrupted ends with a whole one.
func (w *writer) flush(plain []byte, last bool) error {
	if w.out == nil {
		w.out = make([]byte, 0, storedSize)
	}
	w.out = w.seal.close(w.out[:0], plain, w.place, last, w.label)
	if _, err := w.under.Write(w.out); err != nil {
		return err
	}
	w.place++
	return nil
}

// Size counts the bytes that were written, sealed or not yet.
func (w *writer) Size() int64 { return w.place*pieceSize + int64(len(w.rest)) }

// Bind says under which label the file will be read once it is committed; without it, that is its path.
func (w *writer) Bind(label string) { w.label = label }

// Commit seals the last piece. Nothing can be written after it.
func (w *writer) Commit(ctx context.Context) error {
	if w.done {
		return errDone
	}
	if err := w.flush(w.rest, true); err != nil {
		return err
	}
	w.done = true
	return w.under.Commit(ctx)
}

// Close puts the file aside, to be gone on with, if it was not committed.
func (w *writer) Close() error {
	if w.done {
		return w.under.Close()
	}
	w.done = true
	return errors.Join(w.under.Close(), w.putTail())
}

// Cancel removes what was written.
func (w *writer) Cancel(ctx context.Context) error {
	if w.done {
		return errDone
	}
	w.done = true
	if err := w.driver.under.Delete(ctx, w.tail()); err != nil && !isMissing(err) {
		return errors.Join(err, w.under.Cancel(ctx))
	}
	return w.under.Cancel(ctx)
}
