package rpmdb

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The Berkeley DB hash file, its src/dbinc/db_page.h: pages with a header of 26 bytes. A hash page has pairs of offsets
// to a key and a value; a value is either in the page or names the first of a chain of overflow pages.
const (
	bdbHashMagic = 0x061561

	bdbPageHeader = 26
	// Of a page header: the next page's number, the count of entries, the bytes used in an overflow page, the type.
	bdbNext, bdbEntries, bdbUsed, bdbType = 16, 20, 22, 25

	bdbHashUnsorted, bdbOverflow, bdbHash = 2, 7, 13
	// Of a value: in the page, or off it with the first page's number at 4 and the length at 8.
	bdbInPage, bdbOffPage = 1, 3
)

type bdbFile struct {
	*database
	order binary.ByteOrder
	page  int64
}

func (db *database) bdb(head []byte, order binary.ByteOrder) error {
	f := bdbFile{database: db, order: order, page: int64(order.Uint32(head[20:]))}
	if f.page < 512 || f.page > 65536 || f.page&(f.page-1) != 0 {
		return fmt.Errorf("bdb: page size %d", f.page)
	}
	if head[24] != 0 {
		return errors.New("bdb: encrypted")
	}
	// The pages themselves once, and the overflow chains once more.
	last := min(int64(order.Uint32(head[32:])), db.size/f.page-1)
	page := make([]byte, f.page)
	for n := int64(1); n <= last; n++ {
		if err := f.read(page, n*f.page); err != nil {
			return fmt.Errorf("bdb: page %d: %w", n, err)
		}
		if t := page[bdbType]; t != bdbHash && t != bdbHashUnsorted {
			continue
		}
		if err := f.hashPage(page); err != nil {
			return fmt.Errorf("bdb: page %d: %w", n, err)
		}
	}
	return nil
}

// hashPage reads the values of a page; items lie from its end downwards, in the order of their offsets.
func (f *bdbFile) hashPage(page []byte) error {
	n := int(f.order.Uint16(page[bdbEntries:]))
	if bdbPageHeader+2*n > len(page) {
		return fmt.Errorf("says it has %d entries", n)
	}
	end := len(page)
	for i := range n {
		at := int(f.order.Uint16(page[bdbPageHeader+2*i:]))
		if at >= end || at < bdbPageHeader {
			return errors.New("an entry lies outside")
		}
		item := page[at:end]
		end = at
		if i%2 == 0 {
			continue // a key
		}
		if err := f.value(item); err != nil {
			return err
		}
	}
	return nil
}

// value reads one value. The record of key 0 is the next free number, four bytes long: no package is that short.
func (f *bdbFile) value(item []byte) error {
	switch {
	case item[0] == bdbInPage && len(item) > 32:
		return f.blob(item[1:])
	case item[0] == bdbOffPage && len(item) >= 12:
		size := f.order.Uint32(item[8:])
		if size > maxHeader || int64(size) > f.size {
			return fmt.Errorf("a package of %d bytes", size)
		}
		blob, err := f.chain(int64(f.order.Uint32(item[4:])), int(size))
		if err != nil {
			return err
		}
		return f.blob(blob)
	}
	return nil
}

// chain gathers size bytes from overflow pages.
func (f *bdbFile) chain(n int64, size int) ([]byte, error) {
	blob := make([]byte, 0, size)
	page := make([]byte, f.page)
	for n != 0 && len(blob) < size {
		if err := f.read(page, n*f.page); err != nil {
			return nil, err
		}
		used := int(f.order.Uint16(page[bdbUsed:]))
		if page[bdbType] != bdbOverflow || used == 0 || bdbPageHeader+used > len(page) {
			return nil, fmt.Errorf("page %d does not continue a package", n)
		}
		blob = append(blob, page[bdbPageHeader:bdbPageHeader+used]...)
		n = int64(f.order.Uint32(page[bdbNext:]))
	}
	return blob, nil
}
