package inventory

import (
	"bytes"
	"compress/zlib"
	"context"
	"debug/buildinfo"
	"debug/elf"
	"encoding/json"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
)

// binaryParser reads what compilers leave in ELF files about the modules that went in.
var binaryParser = parser{name: "binary", run: readBinary}

const (
	goSection   = ".go.buildinfo"
	rustSection = ".dep-v0"
	// maxAudit bounds the list of crates, unpacked.
	maxAudit = 64 << 20
	// maxNames bounds an ELF file's table of section names.
	maxNames = 1 << 20
)

// readBinary looks for Go's and Rust's sections. The names of the sections are read by hand first: most executables
// have neither, and parsing all of their ELF file would be the dearest part of a scan.
func readBinary(_ context.Context, f *file) (got parsed, err error) {
	names, ok := sectionNames(f)
	if !ok || bytes.Contains(names, []byte(goSection)) {
		if info, err := buildinfo.Read(f.r); err == nil {
			got.packages = append(got.packages, goModules(info)...)
		}
	}
	if bytes.Contains(names, []byte(rustSection)) {
		crates, err := rustCrates(f.r)
		if err != nil {
			return got, fmt.Errorf("list of crates: %w", err)
		}
		got.packages = append(got.packages, crates...)
	}
	return got, nil
}

// sectionNames returns the table of section names; ok is false where the file has none, because it was stripped of it.
func sectionNames(f *file) (names []byte, ok bool) {
	var head [64]byte
	if n, _ := f.r.ReadAt(head[:], 0); n < len(head) || head[elf.EI_CLASS] != byte(elf.ELFCLASS64) {
		return nil, false
	}
	h, _ := elfHeaderOf(head[:])
	table, size := int64(h.order.Uint64(head[40:])), int64(h.order.Uint16(head[58:]))
	index := int64(h.order.Uint16(head[62:]))
	var section [64]byte
	if _, err := f.r.ReadAt(section[:], table+index*size); err != nil || table <= 0 {
		return nil, false
	}
	offset, length := int64(h.order.Uint64(section[24:])), int64(h.order.Uint64(section[32:]))
	if offset <= 0 || length <= 0 || length > maxNames || offset+length > f.size {
		return nil, false
	}
	names = make([]byte, length)
	_, err := f.r.ReadAt(names, offset)
	return names, err == nil || err == io.EOF
}

// goModules lists the modules of a Go binary and the standard library under OSV's name for it, "stdlib".
func goModules(info *buildinfo.BuildInfo) (list []Package) {
	version, _, _ := strings.Cut(info.GoVersion, " ") // behind it: experiments
	version, _, _ = strings.Cut(version, "-")         // behind it: a vendor's mark
	if release, ok := strings.CutPrefix(version, "go"); ok {
		list = append(list, language("golang", "stdlib", release, nil))
	}
	for _, m := range append(info.Deps, &info.Main) {
		if p, ok := goModule(m); ok {
			list = append(list, p)
		}
	}
	return list
}

// goModule: a replaced module is what replaces it, unless that is a directory, which has neither name nor version.
func goModule(m *debug.Module) (Package, bool) {
	if m.Replace != nil && m.Replace.Version != "" {
		m = m.Replace
	}
	if m.Path == "" || m.Version == "" || m.Version == "(devel)" {
		return Package{}, false
	}
	return language("golang", m.Path, m.Version, nil), true
}

// rustCrates reads the list that cargo-auditable puts into a binary: zlib-compressed JSON, see
// https://github.com/rust-secure-code/cargo-auditable/blob/master/PARSING.md.
func rustCrates(r io.ReaderAt) (list []Package, err error) {
	e, err := elf.NewFile(r)
	if err != nil {
		return nil, err
	}
	section := e.Section(rustSection)
	if section == nil {
		return nil, nil
	}
	z, err := zlib.NewReader(section.Open())
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(z, maxAudit+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxAudit {
		return nil, fmt.Errorf("over %d bytes", maxAudit)
	}
	return rustList(text)
}

func rustList(text []byte) (list []Package, err error) {
	var audit struct {
		Packages []struct{ Name, Version, Source, Kind string }
	}
	if err := json.Unmarshal(text, &audit); err != nil {
		return nil, err
	}
	for _, p := range audit.Packages {
		if p.Kind != "build" && p.Name != "" && p.Version != "" && p.Source != "local" {
			list = append(list, language("cargo", p.Name, p.Version, nil))
		}
	}
	return list, nil
}
