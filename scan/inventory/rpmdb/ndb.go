package rpmdb

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The NDB file, rpm's lib/backend/ndb/rpmpkg.c, little-endian: 32 bytes of header, then slots of 16 bytes up to the end
// of the slot pages. A slot has a magic, the package's number (0: free) and where its blob lies in units of 16
// bytes. A blob has a header of 16 bytes (magic, package's number, generation, length) before its data.
const (
	ndbPage, ndbHeader, ndbUnit = 4096, 32, 16
	ndbSlot, ndbBlob            = "Slot", "BlbS"
)

func (db *database) ndb(head []byte) error {
	if version := binary.LittleEndian.Uint32(head[4:]); version != 0 {
		return fmt.Errorf("ndb: version %d", version)
	}
	slots := make([]byte, max(0, min(int64(binary.LittleEndian.Uint32(head[12:]))*ndbPage, db.size)-ndbHeader))
	if err := db.read(slots, ndbHeader); err != nil {
		return fmt.Errorf("ndb: reading slots: %w", err)
	}
	for ; len(slots) >= ndbUnit; slots = slots[ndbUnit:] {
		number, offset := slots[4:8], binary.LittleEndian.Uint32(slots[8:])
		if string(slots[:4]) != ndbSlot {
			return errors.New("ndb: a slot is damaged")
		}
		if binary.LittleEndian.Uint32(number) == 0 {
			continue
		}
		if err := db.ndbBlob(int64(offset)*ndbUnit, string(number)); err != nil {
			return fmt.Errorf("ndb: %w", err)
		}
	}
	return nil
}

func (db *database) ndbBlob(off int64, number string) error {
	var head [ndbUnit]byte
	if err := db.read(head[:], off); err != nil {
		return err
	}
	size := binary.LittleEndian.Uint32(head[12:])
	if string(head[:4]) != ndbBlob || string(head[4:8]) != number || size > maxHeader || int64(size) > db.size {
		return fmt.Errorf("no package where a slot says so, at %d", off)
	}
	blob := make([]byte, size)
	if err := db.read(blob, off+ndbUnit); err != nil {
		return err
	}
	return db.blob(blob)
}
