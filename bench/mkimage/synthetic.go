package main

import (
	"archive/tar"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
)

// synthetic is an image of the given number of layers, about size bytes together. Every layer adds what a build step
// adds: Debian packages (and so a new dpkg database), Python, Node and Java programs, executables, many small texts,
// and a remainder of data that is half compressible and half not. Size and names are made up, their mix is that of
// application images; versions are old enough that public advisories match some.
func synthetic(layers int, size int64) recipe {
	r := recipe{distro: "debian"}
	for i := range layers {
		step := "RUN /bin/sh -c apt-get install -y step-" + fmt.Sprint(i) + " # buildkit"
		if i == 0 {
			step = "ADD rootfs.tar / # buildkit"
		}
		r.layers = append(r.layers, layer{createdBy: step, write: func(tw *tar.Writer) error {
			return newMaker(tw, i, size/int64(layers)).layer()
		}})
	}
	return r
}

// maker writes one synthetic layer. Its random numbers depend on the layer's index alone.
type maker struct {
	tw    *tar.Writer
	rng   *rand.ChaCha8
	num   *rand.Rand
	index int
	left  int64 // bytes that the layer still wants
	err   error // the first error; later writes do nothing
}

func newMaker(tw *tar.Writer, index int, size int64) *maker {
	var seed [32]byte
	binary.LittleEndian.PutUint64(seed[:], uint64(index)+1)
	rng := rand.NewChaCha8(seed)
	return &maker{tw: tw, rng: rng, num: rand.New(rng), index: index, left: size}
}

func (m *maker) layer() error {
	if m.index == 0 {
		m.base()
	}
	m.debian()
	m.python(40)
	m.node(60)
	m.jars(8)
	m.executables(14)
	m.texts(2000)
	m.data()
	return m.err
}

// file adds one file and counts it.
func (m *maker) file(name string, mode int64, data []byte) {
	if m.err == nil {
		m.err = addBytes(m.tw, name, mode, data)
		m.left -= int64(len(data)) + 512
	}
}

func (m *maker) between(low, high int) int { return low + m.num.IntN(high-low) }

// noise is n bytes that do not compress.
func (m *maker) noise(n int) []byte {
	b := make([]byte, n)
	m.rng.Read(b)
	return b
}

var vocabulary = strings.Fields(`the return of function value import class package license copyright this is a file string
	number error if else for range while self config option default server client request response header body
	true false null none int float list map set key token user path name version module test public private static`)

// prose is about n bytes of words: it compresses like source code.
func (m *maker) prose(n int) []byte {
	b := make([]byte, 0, n+16)
	for len(b) < n {
		word := m.num.Uint64()
		for range 8 { // eight words from one random number
			b = append(b, vocabulary[int(word&0xff)%len(vocabulary)]...)
			b = append(b, " \n"[(word>>7)&1])
			word >>= 8
		}
	}
	return b[:n]
}

// base is what makes the image a Debian one.
func (m *maker) base() {
	m.file("etc/os-release", 0o644, []byte("PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\n"+
		"VERSION_ID=\"12\"\nVERSION=\"12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\n"))
	m.file("etc/debian_version", 0o644, []byte("12.1\n"))
	m.file("etc/passwd", 0o644, []byte("root:x:0:0:root:/root:/bin/sh\n"))
}

func (m *maker) texts(n int) {
	for i := range n {
		m.file(fmt.Sprintf("srv/app%d/src/%d/file%d.txt", m.index, i/100, i), 0o644, m.prose(m.between(500, 8000)))
	}
}

// data fills the layer up: files of 4 MiB, in turn random and compressible.
func (m *maker) data() {
	for i := 0; m.left > 0 && m.err == nil; i++ {
		n := int(min(m.left, 4<<20))
		content := m.noise(n)
		if i%2 == 1 {
			content = m.prose(n)
		}
		m.file(fmt.Sprintf("srv/data%d/blob%d.bin", m.index, i), 0o644, content)
	}
}
