package inventory

import (
	"debug/elf"
	"encoding/binary"
	"testing"
)

// elfHead makes the first bytes of an ELF file for 64 bits.
func elfHead(order binary.ByteOrder, typ elf.Type, entry uint64, segments ...elf.ProgType) []byte {
	b := make([]byte, 64+56*len(segments))
	copy(b, "\x7fELF\x02\x01\x01")
	if order == binary.BigEndian {
		b[elf.EI_DATA] = byte(elf.ELFDATA2MSB)
	}
	order.PutUint16(b[16:], uint16(typ))
	order.PutUint64(b[24:], entry)
	order.PutUint64(b[32:], 64)
	order.PutUint16(b[54:], 56)
	order.PutUint16(b[56:], uint16(len(segments)))
	for i, s := range segments {
		order.PutUint32(b[64+56*i:], uint32(s))
	}
	return b
}

func TestStartable(t *testing.T) {
	little, big := binary.LittleEndian, binary.BigEndian
	for name, tt := range map[string]struct {
		head []byte
		file string
		want bool
	}{
		"fixed address":            {elfHead(little, elf.ET_EXEC, 1), "x", true},
		"position independent":     {elfHead(little, elf.ET_DYN, 1, elf.PT_PHDR, elf.PT_INTERP), "x", true},
		"s390x":                    {elfHead(big, elf.ET_DYN, 1, elf.PT_PHDR, elf.PT_INTERP), "x", true},
		"static-pie":               {elfHead(little, elf.ET_DYN, 1, elf.PT_LOAD), "tool", true},
		"library":                  {elfHead(little, elf.ET_DYN, 0, elf.PT_LOAD), "libz.so.1", false},
		"library with an entry":    {elfHead(little, elf.ET_DYN, 1, elf.PT_LOAD), "libz.so.1", false},
		"libc prints its version":  {elfHead(little, elf.ET_DYN, 1, elf.PT_INTERP), "libc.so.6", true},
		"dynamic loader":           {elfHead(little, elf.ET_DYN, 1, elf.PT_LOAD), "ld-linux-x86-64.so.2", true},
		"object file":              {elfHead(little, elf.ET_REL, 0), "x.o", false},
		"core dump":                {elfHead(little, elf.ET_CORE, 0), "core", false},
		"cut short":                {[]byte("\x7fELF\x02\x01\x01"), "x", false},
		"program headers far away": {elfHead(little, elf.ET_DYN, 1, elf.PT_INTERP)[:64], "x", true},
	} {
		if got := startable(tt.head, tt.file); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestInterpreter(t *testing.T) {
	for in, want := range map[string]string{
		"#!/bin/sh\necho": "/bin/sh", "#! /usr/bin/env python3\n": "/usr/bin/env", "#!": "", "#!/bin/sh -e": "/bin/sh",
	} {
		if got := interpreter([]byte(in)); got != want {
			t.Errorf("interpreter(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzELF(f *testing.F) {
	f.Add(elfHead(binary.LittleEndian, elf.ET_DYN, 1, elf.PT_INTERP))
	f.Add(elfHead(binary.BigEndian, elf.ET_EXEC, 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		startable(b, "x")
		sectionNames(&file{r: readerAt(b), size: int64(len(b))})
	})
}
