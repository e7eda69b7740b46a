// Package rpmdb reads the installed packages of an rpm database: SQLite ("rpmdb.sqlite"), NDB ("Packages.db") or
// Berkeley DB hash ("Packages").
//
// It promises to read from any io.ReaderAt, without copies on disk, locks or memory maps, in time and memory bounded
// by the size of the database, whatever the bytes say. It leaves out everything but the list of packages: indexes,
// signatures and writing. WithLog adds what still stands in a write-ahead log beside an SQLite file.
package rpmdb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Package is one installed package.
type Package struct {
	Name, Version, Release, Arch string
	// Epoch is -1 where there is none.
	Epoch                                  int64
	SourceRPM, License, Vendor, Modularity string
	// Files are the absolute paths that belong to the package.
	Files []string
}

const (
	maxHeader   = 32 << 20 // bytes of one package header; rpm itself allows 256 MiB, real ones reach 10
	maxPackages = 200_000
)

// ErrFormat: the file is none of the three databases.
var ErrFormat = errors.New("not an rpm database")

// Read calls do for each package of the database of size bytes in r, in no particular order. A damaged database gives
// the packages that could be read, then an error. An error of do ends the reading.
func Read(r io.ReaderAt, size int64, do func(Package) error) error {
	head := make([]byte, 100)
	n, err := r.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return err
	}
	db := database{r: r, size: size, budget: 2*size + 1<<20, do: do}
	switch head = head[:n]; {
	case len(head) < 100:
		return ErrFormat
	case string(head[:16]) == "SQLite format 3\x00":
		return db.sqlite(head)
	case string(head[:4]) == "RpmP":
		return db.ndb(head)
	case binary.LittleEndian.Uint32(head[12:]) == bdbHashMagic:
		return db.bdb(head, binary.LittleEndian)
	case binary.BigEndian.Uint32(head[12:]) == bdbHashMagic:
		return db.bdb(head, binary.BigEndian)
	}
	return ErrFormat
}

// database is one being read. budget is what may still be read of it: more than the file holds means that blobs
// share pages or pages form a ring.
type database struct {
	r            io.ReaderAt
	size, budget int64
	packages     int
	do           func(Package) error
}

// read returns n bytes at off.
func (db *database) read(buf []byte, off int64) error {
	if off < 0 || off+int64(len(buf)) > db.size {
		return fmt.Errorf("%d bytes at offset %d of a database of %d", len(buf), off, db.size)
	}
	if db.budget -= int64(len(buf)); db.budget < 0 {
		return errors.New("pages of the database are used more than once")
	}
	_, err := db.r.ReadAt(buf, off)
	if err == io.EOF {
		err = nil
	}
	return err
}

// blob takes the header of one package.
func (db *database) blob(b []byte) error {
	if db.packages++; db.packages > maxPackages {
		return fmt.Errorf("more than %d packages", maxPackages)
	}
	p, err := parseHeader(b)
	if err != nil {
		return fmt.Errorf("package header %d: %w", db.packages, err)
	}
	return db.do(p)
}
