package rpmdb

import (
	"encoding/binary"
	"io"
)

const (
	walHeader      = 32
	walFrameHeader = 24
	walMagic       = 0x377f0682 // the lowest bit: sums are over big-endian words
)

// WithLog returns an SQLite database of size bytes as it is with the transactions of its write-ahead log: SQLite keeps
// them there until it has copied them into the database. What stands behind the last complete transaction does not
// count, nor does a log without one. See https://www.sqlite.org/fileformat2.html, section 4.
func WithLog(db io.ReaderAt, size int64, log io.ReaderAt, logSize int64) (io.ReaderAt, int64) {
	w := wal{db: db, size: size, log: log}
	var head [walHeader]byte
	if logSize < walHeader || readFull(log, head[:], 0) != nil {
		return db, size
	}
	magic := binary.BigEndian.Uint32(head[:])
	w.page = int64(binary.BigEndian.Uint32(head[8:]))
	if magic&^1 != walMagic || w.page < 512 || w.page > 65536 || w.page&(w.page-1) != 0 {
		return db, size
	}
	sum := walSum{order: binary.LittleEndian}
	if magic&1 != 0 {
		sum.order = binary.BigEndian
	}
	sum.add(head[:24])
	if !sum.is(head[24:]) {
		return db, size
	}
	w.replay(sum, head[16:24], logSize)
	if w.pages == 0 {
		return db, size
	}
	return &w, min(w.pages*w.page, size+logSize) // each page stands in one of both
}

// wal is a database and the pages of its log that stand in for its own.
type wal struct {
	db, log     io.ReaderAt
	size, page  int64
	pages       int64           // of the database after the last transaction
	transferred map[int64]int64 // page number, counted from 0, to the offset in the log
}

// replay follows the frames up to the first that is not of this log, and takes those of complete transactions.
func (w *wal) replay(sum walSum, salt []byte, logSize int64) {
	w.transferred = map[int64]int64{}
	open := map[int64]int64{}
	frame := make([]byte, walFrameHeader+w.page)
	for at := int64(walHeader); at+int64(len(frame)) <= logSize; at += int64(len(frame)) {
		if readFull(w.log, frame, at) != nil {
			return
		}
		sum.add(frame[:8])
		sum.add(frame[walFrameHeader:])
		number := int64(binary.BigEndian.Uint32(frame)) - 1
		if string(frame[8:16]) != string(salt) || !sum.is(frame[16:24]) || number < 0 {
			return
		}
		open[number] = at + walFrameHeader
		if pages := binary.BigEndian.Uint32(frame[4:]); pages != 0 {
			w.pages = int64(pages)
			for number, at := range open {
				w.transferred[number] = at
			}
			clear(open)
		}
	}
}

// ReadAt reads page by page.
func (w *wal) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		number, in := off/w.page, off%w.page
		if number >= w.pages {
			return n, io.EOF
		}
		part := p[n:min(len(p), n+int(w.page-in))]
		from, at := w.db, off
		if logged, ok := w.transferred[number]; ok {
			from, at = w.log, logged+in
		}
		if err := readFull(from, part, at); err != nil {
			return n, err
		}
		n += len(part)
		off += int64(len(part))
	}
	return n, nil
}

func readFull(r io.ReaderAt, p []byte, off int64) error {
	n, err := r.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if err == nil || err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// walSum is the running sum over a log, section 4.2.
type walSum struct {
	order  binary.ByteOrder
	s0, s1 uint32
}

// add takes in b, a multiple of eight bytes.
func (s *walSum) add(b []byte) {
	for ; len(b) >= 8; b = b[8:] {
		s.s0 += s.order.Uint32(b) + s.s1
		s.s1 += s.order.Uint32(b[4:]) + s.s0
	}
}

func (s *walSum) is(b []byte) bool {
	return binary.BigEndian.Uint32(b) == s.s0 && binary.BigEndian.Uint32(b[4:]) == s.s1
}
