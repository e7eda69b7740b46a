package inventory

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// spool gives random access to one streamed file after another: in memory up to a size, in one temporary file above.
// Both are used again for the next file.
type spool struct {
	memory int64
	dir    string
	buf    []byte
	file   *os.File
}

// errNoRoom: the file itself could be read, but there is nowhere to put it.
var errNoRoom = errors.New("no room for a large file")

// fill copies in to where f can be read from, f.size bytes.
func (s *spool) fill(f *file, in io.Reader) error {
	want := min(f.size, s.memory)
	head := s.room(want)
	n, err := io.ReadFull(in, head)
	if err != nil && err != io.ErrUnexpectedEOF && err != io.EOF {
		return err
	}
	head = head[:n]
	if f.size <= s.memory || int64(n) < want {
		f.data, f.r, f.size = head, readerAt(head), int64(n)
		return nil
	}
	return s.toFile(f, head, in)
}

// load brings the content of f into memory. Parsers of text ask for it; their largest file bounds it.
func (s *spool) load(f *file) error {
	if f.data != nil || f.r == nil {
		return nil
	}
	data := s.room(f.size)
	n, err := f.r.ReadAt(data, 0)
	if f.data = data[:n]; err != nil && err != io.EOF {
		return err
	}
	return nil
}

// room returns n bytes, those of the buffer unless n is too many to keep.
func (s *spool) room(n int64) []byte {
	if n > s.memory {
		return make([]byte, n)
	}
	if int64(cap(s.buf)) < n {
		s.buf = make([]byte, n, max(n, min(2*int64(cap(s.buf)), s.memory)))
	}
	return s.buf[:n]
}

func (s *spool) toFile(f *file, head []byte, in io.Reader) error {
	if err := s.openFile(); err != nil {
		return err
	}
	out := noRoomWriter{io.NewOffsetWriter(s.file, 0)}
	if _, err := out.Write(head); err != nil {
		return err
	}
	n, err := io.Copy(out, io.LimitReader(in, f.size-int64(len(head))))
	if err != nil {
		return err
	}
	f.size = int64(len(head)) + n
	f.r = io.NewSectionReader(s.file, 0, f.size)
	return nil
}

// noRoomWriter tells errors of writing from those of reading.
type noRoomWriter struct{ io.Writer }

func (w noRoomWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	if err != nil {
		err = fmt.Errorf("%w: %w", errNoRoom, err)
	}
	return n, err
}

// openFile makes the temporary file, or empties it for the next user.
func (s *spool) openFile() error {
	if s.file != nil {
		if err := s.file.Truncate(0); err != nil {
			return fmt.Errorf("%w: %w", errNoRoom, err)
		}
		return nil
	}
	file, err := unnamedFile(s.dir)
	if err != nil {
		return err
	}
	s.file = file
	return nil
}

// unnamedFile makes a temporary file that goes when it is closed.
func unnamedFile(dir string) (*os.File, error) {
	file, err := os.CreateTemp(dir, "seawall-spool-*")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoRoom, err)
	}
	if err := os.Remove(file.Name()); err != nil {
		file.Close()
		return nil, fmt.Errorf("%w: %w", errNoRoom, err)
	}
	return file, nil
}

// abandon leaves buffer and file to a parser that did not return in time.
func (s *spool) abandon() { s.buf, s.file = nil, nil }

func (s *spool) close() {
	if s.file != nil {
		s.file.Close()
	}
	s.buf, s.file = nil, nil
}

// readerAt reads from memory; unlike bytes.Reader it has no state.
type readerAt []byte

func (b readerAt) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= int64(len(b)) {
		return 0, io.EOF
	}
	n := copy(p, b[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
