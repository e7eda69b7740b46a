package rpmdb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// sqlite reads the table Packages of an SQLite file, following https://www.sqlite.org/fileformat2.html: section 1.3
// for head, 1.6 for the pages, 2.1 for the records. Only table b-trees are walked.
func (db *database) sqlite(head []byte) error {
	s := sqliteFile{database: db, page: int64(binary.BigEndian.Uint16(head[16:]))}
	if s.page == 1 {
		s.page = 65536
	}
	s.usable = s.page - int64(head[20])
	if s.page < 512 || s.page&(s.page-1) != 0 || s.usable < 480 {
		return fmt.Errorf("sqlite: page size %d with %d bytes reserved", s.page, head[20])
	}
	root, err := s.tableRoot("Packages")
	if err != nil {
		return fmt.Errorf("sqlite: reading the schema: %w", err)
	}
	// Columns: hnum INTEGER PRIMARY KEY, blob BLOB.
	err = s.walk(root, 0, func(record []byte) error {
		blob, ok := column(record, 1)
		if !ok {
			return errors.New("a row without a package")
		}
		return db.blob(blob)
	})
	if err != nil {
		return fmt.Errorf("sqlite: reading the packages: %w", err)
	}
	return nil
}

type sqliteFile struct {
	*database
	page, usable int64
}

// tableRoot looks a table up in the schema: columns type, name, tbl_name, rootpage, sql.
func (s *sqliteFile) tableRoot(name string) (root int64, err error) {
	err = s.walk(1, 0, func(record []byte) error {
		typ, _ := column(record, 0)
		this, _ := column(record, 1)
		page, ok := column(record, 3)
		if ok && string(typ) == "table" && strings.EqualFold(string(this), name) {
			for _, b := range page {
				root = root<<8 | int64(b)
			}
		}
		return nil
	})
	if err == nil && root <= 0 {
		err = fmt.Errorf("no table %s", name)
	}
	return root, err
}

const (
	sqliteInterior, sqliteLeaf = 5, 13
	sqliteMaxDepth             = 24
)

// walk calls do for each record of the table b-tree at page number n.
func (s *sqliteFile) walk(n int64, depth int, do func(record []byte) error) error {
	if depth > sqliteMaxDepth {
		return errors.New("the tree is too deep")
	}
	page := make([]byte, s.page)
	if err := s.read(page, (n-1)*s.page); err != nil {
		return err
	}
	at := 0
	if n == 1 {
		at = 100 // the file header
	}
	kind, cells := page[at], int(binary.BigEndian.Uint16(page[at+3:]))
	pointers := at + 8
	if kind == sqliteInterior {
		pointers = at + 12
	} else if kind != sqliteLeaf {
		return fmt.Errorf("page %d is of kind %d", n, kind)
	}
	if pointers+2*cells > len(page) {
		return fmt.Errorf("page %d says it has %d cells", n, cells)
	}
	for i := range cells {
		cell := page[min(int(binary.BigEndian.Uint16(page[pointers+2*i:])), len(page)):]
		if err := s.cell(kind, cell, depth, do); err != nil {
			return err
		}
	}
	if kind == sqliteInterior {
		return s.walk(int64(binary.BigEndian.Uint32(page[at+8:])), depth+1, do)
	}
	return nil
}

// cell follows a child, or reads a record.
func (s *sqliteFile) cell(kind byte, cell []byte, depth int, do func([]byte) error) error {
	if kind == sqliteInterior {
		if len(cell) < 4 {
			return errors.New("a cell is cut short")
		}
		return s.walk(int64(binary.BigEndian.Uint32(cell)), depth+1, do)
	}
	size, n := varint(cell)
	cell = cell[n:]
	_, n = varint(cell) // the row's id
	cell = cell[n:]
	if size > maxHeader {
		return fmt.Errorf("a row of %d bytes", size)
	}
	record, err := s.payload(cell, int64(size))
	if err != nil {
		return err
	}
	return do(record)
}

// payload gathers a record of size bytes that starts in a cell and may go on in overflow pages.
func (s *sqliteFile) payload(cell []byte, size int64) ([]byte, error) {
	local := size
	if most := s.usable - 35; size > most {
		least := (s.usable-12)*32/255 - 23
		if local = least + (size-least)%(s.usable-4); local > most {
			local = least
		}
	}
	if local > int64(len(cell)) {
		return nil, errors.New("a row is cut short")
	}
	if local == size {
		return cell[:size], nil
	}
	if local+4 > int64(len(cell)) {
		return nil, errors.New("a row is cut short")
	}
	if size > s.size {
		return nil, fmt.Errorf("a row of %d bytes in a file of %d", size, s.size)
	}
	record := append(make([]byte, 0, size), cell[:local]...)
	return s.overflow(record, binary.BigEndian.Uint32(cell[local:]), size)
}

// overflow appends pages, each with the number of the next in front, until record has size bytes.
func (s *sqliteFile) overflow(record []byte, next uint32, size int64) ([]byte, error) {
	page := make([]byte, s.usable)
	for int64(len(record)) < size {
		if next == 0 {
			return nil, errors.New("a row ends early")
		}
		if err := s.read(page, (int64(next)-1)*s.page); err != nil {
			return nil, err
		}
		next = binary.BigEndian.Uint32(page)
		record = append(record, page[4:min(s.usable, 4+size-int64(len(record)))]...)
	}
	return record, nil
}

// column returns the bytes of column i of a record; ok is false where it has fewer.
func column(record []byte, i int) (value []byte, ok bool) {
	headSize, n := varint(record)
	if headSize > uint64(len(record)) || n == 0 {
		return nil, false
	}
	types, body := record[n:max(uint64(n), headSize)], record[headSize:]
	for ; len(types) > 0; i-- {
		serial, n := varint(types)
		if n == 0 {
			break
		}
		types = types[n:]
		size := serialSize(serial)
		if size > uint64(len(body)) {
			break
		}
		if i == 0 {
			return body[:size], true
		}
		body = body[size:]
	}
	return nil, false
}

// serialSize is the length of a value by its serial type, section 2.1.
func serialSize(t uint64) uint64 {
	switch {
	case t >= 12:
		return (t - 12) / 2
	case t == 5:
		return 6
	case t == 6 || t == 7:
		return 8
	case t <= 4:
		return t
	}
	return 0
}

// varint reads SQLite's variable-length integer: up to nine bytes, seven bits each, all eight of the ninth. n is 0
// where b ends first.
func varint(b []byte) (v uint64, n int) {
	for n < len(b) {
		if n == 8 {
			return v<<8 | uint64(b[8]), 9
		}
		v = v<<7 | uint64(b[n]&0x7f)
		n++
		if b[n-1] < 0x80 {
			return v, n
		}
	}
	return 0, 0
}
