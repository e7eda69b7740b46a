package inventory

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"strings"

	"github.com/seawall/seawall/finding"
)

// executable records f, an ELF file or script with an execute bit. Shared libraries and relocatable objects often have
// the bit too, but the kernel does not start them: they are left out, see startable.
func (w *Writer) executable(f *file, e *Entry) {
	script := !f.elf
	if !script && !startable(f.head) {
		return
	}
	x := &finding.Executable{
		Path: f.path, SHA256: f.sum, Size: e.Size, Mode: e.Mode & 0o7777,
		Script:       script,
		Capabilities: fileCapabilities(e.Capability),
	}
	if script {
		x.Interpreter = interpreter(f.head)
	}
	w.at(f.path).exec = x
}

// startable reports whether the kernel would start the ELF file: type EXEC, or type DYN with an interpreter, or DYN
// with an entry point and no interpreter (statically linked and position independent, or the dynamic loader itself).
// A shared library has type DYN and, but for a few that print their version when run (libc), no entry point.
// The first 512 bytes hold the header and the program headers that matter; where they do not, the entry point decides.
func startable(head []byte) bool {
	h, ok := elfHeaderOf(head)
	if !ok {
		return false
	}
	return h.typ == elf.ET_EXEC || h.typ == elf.ET_DYN && (h.entry != 0 || h.interp(head))
}

// elfHeader is the part of an ELF header that says how a file would be started.
type elfHeader struct {
	typ          elf.Type
	entry, phoff uint64
	phsize, phn  int
	order        binary.ByteOrder
}

// elfHeaderOf reads the header by the System V ABI, chapter 4.
func elfHeaderOf(b []byte) (h elfHeader, ok bool) {
	if len(b) < 64 {
		return h, false
	}
	h.order = binary.LittleEndian
	if elf.Data(b[elf.EI_DATA]) == elf.ELFDATA2MSB {
		h.order = binary.BigEndian
	}
	h.typ = elf.Type(h.order.Uint16(b[16:]))
	if elf.Class(b[elf.EI_CLASS]) == elf.ELFCLASS64 {
		h.entry, h.phoff = h.order.Uint64(b[24:]), h.order.Uint64(b[32:])
		h.phsize, h.phn = int(h.order.Uint16(b[54:])), int(h.order.Uint16(b[56:]))
		return h, true
	}
	h.entry, h.phoff = uint64(h.order.Uint32(b[24:])), uint64(h.order.Uint32(b[28:]))
	h.phsize, h.phn = int(h.order.Uint16(b[42:])), int(h.order.Uint16(b[44:]))
	return h, true
}

// interp reports whether one of the program headers in b names an interpreter.
func (h *elfHeader) interp(b []byte) bool {
	for i := range h.phn {
		at := h.phoff + uint64(i)*uint64(h.phsize)
		if h.phoff > uint64(len(b)) || at+4 > uint64(len(b)) {
			return false
		}
		if elf.ProgType(h.order.Uint32(b[at:])) == elf.PT_INTERP {
			return true
		}
	}
	return false
}

// interpreter is the first word after "#!", as the kernel reads it: of one line, at most 255 bytes.
func interpreter(head []byte) string {
	line, _ := cutLine(bytes.TrimPrefix(head, []byte("#!")))
	if len(line) > 253 {
		line = line[:253]
	}
	words := strings.Fields(string(line))
	if len(words) == 0 {
		return ""
	}
	return clip(words[0], 255)
}
