package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
)

// goModules are what the Go programs were built with.
var goModules = [][2]string{{"golang.org/x/net", "v0.7.0"}, {"golang.org/x/crypto", "v0.14.0"}, {"golang.org/x/text", "v0.3.7"},
	{"github.com/gin-gonic/gin", "v1.8.0"}, {"google.golang.org/grpc", "v1.50.0"}, {"github.com/prometheus/client_golang", "v1.11.0"},
	{"gopkg.in/yaml.v3", "v3.0.0"}, {"github.com/containerd/containerd", "v1.6.0"}}

// executables writes n programs of 1 to 3 MiB: every seventh carries Go's build information, the others none. Code is
// neither text nor noise, so half of their bytes compress.
func (m *maker) executables(n int) {
	for i := range n {
		body := append(m.prose(m.between(512<<10, 3<<19)), m.noise(m.between(512<<10, 3<<19))...)
		info := ""
		if i%7 == 0 {
			info = m.buildInfo(i)
		}
		m.file(fmt.Sprintf("usr/local/bin/tool%d-%d", m.index, i), 0o755, elfFile(body, info))
	}
}

func (m *maker) buildInfo(i int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "path\texample.org/tool%d\nmod\texample.org/tool%d\tv1.%d.0\t\n", i, i, m.index)
	for j := range 4 {
		dep := goModules[(m.index+j)%len(goModules)]
		fmt.Fprintf(&b, "dep\t%s\t%s\t\n", dep[0], dep[1])
	}
	b.WriteString("build\tGOARCH=amd64\nbuild\tGOOS=linux\n")
	return b.String()
}

const (
	elfHeader   = 64
	elfSegment  = 56
	elfSection  = 64
	loadAddress = 0x400000
)

// elfFile is a 64-bit little-endian program: one read-only segment with body, and where info is not empty a writable
// one with Go's build information, named by a section as the Go linker does (layout: runtime/debug and
// debug/buildinfo; since Go 1.18 the strings stand inline after a header of 32 bytes).
func elfFile(body []byte, info string) []byte {
	data := goBuildInfo(info)
	names := []byte("\x00.text\x00.go.buildinfo\x00.shstrtab\x00")
	const bodyAt = elfHeader + 2*elfSegment
	dataAt := (bodyAt + len(body) + 63) &^ 63
	namesAt := dataAt + len(data)
	sectionsAt := (namesAt + len(names) + 7) &^ 7

	var b bytes.Buffer
	put := func(v ...any) {
		for _, x := range v {
			binary.Write(&b, binary.LittleEndian, x) // a bytes.Buffer takes everything
		}
	}
	b.WriteString("\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 9))
	put(uint16(2), uint16(62), uint32(1), uint64(loadAddress+bodyAt), uint64(elfHeader), uint64(sectionsAt), uint32(0),
		uint16(elfHeader), uint16(elfSegment), uint16(2), uint16(elfSection), uint16(4), uint16(3))
	segment := func(flags uint32, at, size int) {
		put(uint32(1), flags, uint64(at), uint64(loadAddress+at), uint64(loadAddress+at), uint64(size), uint64(size), uint64(64))
	}
	segment(5, bodyAt, len(body))
	segment(6, dataAt, len(data))
	b.Write(body)
	b.Write(make([]byte, dataAt-b.Len()))
	b.Write(data)
	b.Write(names)
	b.Write(make([]byte, sectionsAt-b.Len()))
	section := func(name, kind uint32, flags uint64, at, size int) {
		put(name, kind, flags, uint64(loadAddress+at), uint64(at), uint64(size), uint32(0), uint32(0), uint64(16), uint64(0))
	}
	put(make([]byte, elfSection))
	section(1, 1, 6, bodyAt, len(body))
	section(7, 1, 3, dataAt, len(data))
	section(21, 3, 0, namesAt, len(names))
	return b.Bytes()
}

func goBuildInfo(info string) []byte {
	if info == "" {
		return make([]byte, 64)
	}
	b := []byte("\xff Go buildinf:\x08\x02")
	b = append(b, make([]byte, 32-len(b))...)
	// The module text stands between two markers of 16 bytes each, which readers cut off.
	text := strings.Repeat("0", 16) + info + strings.Repeat("1", 16)
	for _, s := range []string{"go1.20.1", text} {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	return append(b, make([]byte, 64-len(b)%64)...)
}
