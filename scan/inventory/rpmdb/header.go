package rpmdb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// The tags that are read, and the types of their values; rpm's lib/rpmtag.h.
const (
	tagName, tagVersion, tagRelease, tagEpoch = 1000, 1001, 1002, 1003
	tagVendor, tagLicense, tagArch            = 1011, 1014, 1022
	tagOldFilenames, tagSourceRPM             = 1027, 1044
	tagDirIndexes, tagBasenames, tagDirNames  = 1116, 1117, 1118
	tagModularity                             = 5096

	typeInt32, typeString, typeStrings, typeI18N = 4, 6, 8, 9
)

// header is a package header as it lies in the database: two counts, an index of 16-byte entries (tag, type, offset,
// count), the values; all big-endian. See rpm's documentation, "RPM Header format", without its leading magic.
type header struct {
	index, data []byte
}

func parseHeader(b []byte) (Package, error) {
	if len(b) < 8 {
		return Package{}, errors.New("too short")
	}
	n, size := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	if uint64(len(b)) < 8+16*uint64(n)+uint64(size) {
		return Package{}, fmt.Errorf("%d entries and %d bytes of values in %d bytes", n, size, len(b))
	}
	h := header{index: b[8 : 8+16*n], data: b[8+16*n:][:size]}
	return h.read()
}

func (h *header) read() (p Package, err error) {
	p.Epoch = -1
	var dirs, bases, old []string
	var dirIndexes []byte
	texts := map[uint32]*string{
		tagName: &p.Name, tagVersion: &p.Version, tagRelease: &p.Release, tagArch: &p.Arch, tagVendor: &p.Vendor,
		tagLicense: &p.License, tagSourceRPM: &p.SourceRPM, tagModularity: &p.Modularity,
	}
	lists := map[uint32]*[]string{tagBasenames: &bases, tagDirNames: &dirs, tagOldFilenames: &old}
	for at := 0; at < len(h.index); at += 16 {
		tag, typ, value, count, ok := h.entry(at)
		switch text, list := texts[tag], lists[tag]; {
		case !ok:
		case text != nil && (typ == typeString || typ == typeI18N):
			*text = cString(value)
		case list != nil && typ == typeStrings:
			*list = cStrings(value, count)
		case tag == tagEpoch && typ == typeInt32 && len(value) >= 4:
			p.Epoch = int64(binary.BigEndian.Uint32(value))
		case tag == tagDirIndexes && typ == typeInt32:
			dirIndexes = value[:min(len(value), 4*count)]
		}
	}
	if p.Name == "" {
		return p, errors.New("no name")
	}
	p.Files = append(old, joinNames(dirs, bases, dirIndexes)...)
	return p, nil
}

// entry reads the index entry at byte offset at; value reaches from its start to the end of all values.
func (h *header) entry(at int) (tag, typ uint32, value []byte, count int, ok bool) {
	e := h.index[at : at+16]
	off := binary.BigEndian.Uint32(e[8:])
	if uint64(off) >= uint64(len(h.data)) {
		return 0, 0, nil, 0, false
	}
	count = int(min(binary.BigEndian.Uint32(e[12:]), uint32(len(h.data))))
	return binary.BigEndian.Uint32(e), binary.BigEndian.Uint32(e[4:]), h.data[off:], count, true
}

func cString(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}

// cStrings reads up to n strings, each ended by a zero byte. They share one copy of the text.
func cStrings(b []byte, n int) (list []string) {
	end := 0
	for range n {
		i := bytes.IndexByte(b[end:], 0)
		if i < 0 {
			break
		}
		end += i + 1
	}
	text := string(b[:end])
	for start, i := 0, 0; i < len(text); i++ {
		if text[i] == 0 {
			list = append(list, text[start:i])
			start = i + 1
		}
	}
	return list
}

// maxPathBytes bounds the paths of one package: many names may share one long directory.
const maxPathBytes = 64 << 20

// joinNames makes paths: the directory of bases[i] is dirs[indexes[i]].
func joinNames(dirs, bases []string, indexes []byte) (paths []string) {
	total := 0
	for i, base := range bases {
		if 4*i+4 > len(indexes) {
			break
		}
		d := binary.BigEndian.Uint32(indexes[4*i:])
		if uint64(d) >= uint64(len(dirs)) {
			continue
		}
		if total += len(dirs[d]) + len(base); total > maxPathBytes {
			break
		}
		paths = append(paths, dirs[d]+base)
	}
	return paths
}
