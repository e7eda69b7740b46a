package advisory

import (
	"fmt"
	"os"
)

// spool keeps drafts until all strings are known: in memory while they are few, in a temporary file beyond.
type spool struct {
	dir  string
	buf  []byte
	file *os.File
	at   int64 // length of what is in file
}

// spoolInMemory is how many bytes are kept before they are written out.
const spoolInMemory = 8 << 20

func (s *spool) add(b []byte) (off int64, err error) {
	off = s.at + int64(len(s.buf))
	s.buf = append(s.buf, b...)
	if len(s.buf) < spoolInMemory {
		return off, nil
	}
	return off, s.flush()
}

func (s *spool) flush() error {
	if s.file == nil {
		f, err := os.CreateTemp(s.dir, "seawall-advisories-*")
		if err != nil {
			return fmt.Errorf("creating a temporary file for the build: %w", err)
		}
		// Nobody else needs its name; unlinked, it vanishes with the process.
		_ = os.Remove(f.Name())
		s.file = f
	}
	if _, err := s.file.WriteAt(s.buf, s.at); err != nil {
		return fmt.Errorf("writing a temporary file for the build: %w", err)
	}
	s.at += int64(len(s.buf))
	s.buf = s.buf[:0]
	return nil
}

func (s *spool) read(b []byte, off int64) error {
	if off >= s.at {
		copy(b, s.buf[off-s.at:])
		return nil
	}
	if _, err := s.file.ReadAt(b, off); err != nil {
		return fmt.Errorf("reading a temporary file of the build: %w", err)
	}
	return nil
}

func (s *spool) close() {
	if s.file != nil {
		_ = s.file.Close()
	}
}
