package inventory

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"path"
	"strings"

	"github.com/seawall/seawall/finding"
)

// executable records f, an ELF file or script with an execute bit. Shared libraries and relocatable objects often have
// the bit too, but the kernel does not start them: they are left out, see startable.
func (w *Writer) executable(f *file, e *Entry) {
	script := !f.elf
	if !script && !startable(f.head, path.Base(f.path)) {
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

// startable reports whether the ELF file is one to start: of type EXEC, or of type DYN with an interpreter (which some
// libraries have that print their version when run). DYN without one is a shared library, the dynamic loader or a
// program linked statically and position independent. An entry point does not tell these apart, since linkers have
// set one for libraries too: the name does. A program in disguise as a library is left out, so no allow-list made from
// this names it. The first 512 bytes hold the program headers up to the interpreter's.
func startable(head []byte, name string) bool {
	h, ok := elfHeaderOf(head)
	switch {
	case !ok:
		return false
	case h.typ == elf.ET_EXEC:
		return true
	case h.typ != elf.ET_DYN || h.entry == 0:
		return h.typ == elf.ET_DYN && h.interp(head)
	}
	library := strings.Contains(name, ".so") && !strings.HasPrefix(name, "ld-") && !strings.HasPrefix(name, "ld64")
	return h.interp(head) || !library
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
