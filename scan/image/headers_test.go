package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// seen is what a reader of tars makes of one header.
func seen(h *header, offset int64) string {
	return fmt.Sprintf("%q %q %c %o %d:%d %d %d %q %v @%d", h.name, h.link, h.flag, h.mode, h.uid, h.gid, h.size,
		h.modTime.UnixNano(), h.capability, h.sparse, offset)
}

func outcome(err error) string {
	switch {
	case err == nil || err == io.EOF:
		return "end"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "cut short"
	}
	return "damaged"
}

// ours lists data with headers, reading half of every file's content.
func ours(src tarSource) (got []string) {
	t := newHeaders(src)
	for {
		if err := t.next(); err != nil {
			return append(got, outcome(err))
		}
		at := src.position()
		got = append(got, seen(&t.cur, at))
		if !t.cur.sparse && t.end > at {
			io.CopyN(io.Discard, src, (t.end-at)/2)
		}
	}
}

// theirs lists data with archive/tar.
func theirs(data []byte) (got []string) {
	w := newWindow(bytes.NewReader(data), int64(len(data)))
	r := tar.NewReader(w)
	for {
		h, err := r.Next()
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return append(got, outcome(err))
		}
		got = append(got, seen(&header{h.Name, h.Linkname, h.Typeflag, h.Mode, h.Uid, h.Gid, h.Size, h.ModTime,
			h.PAXRecords[capabilityRecord], isSparse(h)}, w.pos))
	}
}

func tarSeeds(t testing.TB) [][]byte {
	long := strings.Repeat("d/", 90) + "file"
	gnu := file(strings.Repeat("x", 150), "long name")
	gnu.Format = tar.FormatGNU
	pax := file("päx", "x")
	pax.Format = tar.FormatPAX
	pax.PAXRecords = map[string]string{"SCHILY.xattr.user.a": "b"}
	plain := everyKind(t)
	global := tarItem{tar.Header{Typeflag: tar.TypeXGlobalHeader, Name: "g", PAXRecords: map[string]string{"comment": "c"}}, ""}
	return [][]byte{
		nil, plain, plain[:len(plain)-1024], plain[:700], plain[:1537],
		tarOf(t, file(long, "ustar prefix"), gnu, pax, global, file("after", "a")),
		sparseTar(), append(sparseTar()[:2048], plain...), hugeTar(1<<62 + 5), make([]byte, 2048), []byte("not a tar"),
	}
}

func TestHeadersLikeArchiveTar(t *testing.T) {
	for i, data := range tarSeeds(t) {
		sameHeaders(t, fmt.Sprint("seed ", i), data)
	}
}

func sameHeaders(t *testing.T, what string, data []byte) {
	t.Helper()
	want := theirs(data)
	if diff := cmp.Diff(want, ours(newWindow(bytes.NewReader(data), int64(len(data))))); diff != "" {
		t.Errorf("%s, window: %s", what, diff)
	}
	s := newStage()
	defer s.wait()
	defer s.stop()
	if diff := cmp.Diff(want, ours(s.pump(bytes.NewReader(data), nil))); diff != "" {
		t.Errorf("%s, pump: %s", what, diff)
	}
}

func FuzzHeaders(f *testing.F) {
	for _, seed := range tarSeeds(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 1<<16 {
			sameHeaders(t, "input", fixChecksums(data))
		}
	})
}

// fixChecksums makes changed headers valid again, or a fuzzer would never get past the checksum.
func fixChecksums(data []byte) []byte {
	data = bytes.Clone(data)
	for off := 0; off+blkSize <= len(data); off += blkSize {
		blk := data[off : off+blkSize]
		if string(blk[257:262]) == "ustar" {
			fmt.Fprintf(sliceWriter(blk[148:156]), "%06o\x00 ", checksum((*[blkSize]byte)(blk)))
		}
	}
	return data
}

type sliceWriter []byte

func (s sliceWriter) Write(p []byte) (int, error) { return copy(s, p), nil }

// rawHeader is a header block that archive/tar would not write.
func rawHeader(name string, flag byte, size string) []byte {
	b := make([]byte, blkSize)
	copy(b, name)
	copy(b[100:], "0000644\x000000000\x000000000\x00")
	copy(b[124:136], size)
	copy(b[136:], "00000000000\x00")
	b[156] = flag
	copy(b[257:], gnuMagic)
	return fixChecksums(b)
}

// hugeTar has a file that claims size bytes, in GNU's base-256, and holds none.
func hugeTar(size uint64) []byte {
	field := make([]byte, 12)
	field[0] = 0x80
	for i := range 8 {
		field[11-i] = byte(size >> (8 * i))
	}
	return rawHeader("huge", tar.TypeReg, string(field))
}

// sparseTar has an old GNU sparse file of 1 TiB with 512 bytes of data, as tar --sparse writes it.
func sparseTar() []byte {
	b := rawHeader("var/log/lastlog", tar.TypeGNUSparse, "00000001000\x00")
	copy(b[386:], "00000000000\x00"+"00000001000\x00")
	copy(b[483:], "\x80\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00")
	b = fixChecksums(b)
	b = append(b, make([]byte, blkSize)...)
	return append(b, make([]byte, 2*blkSize)...)
}
