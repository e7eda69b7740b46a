package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"math"
	"strings"
	"time"
)

// tarSource is what headers are read from: a window or a pump.
type tarSource interface {
	io.Reader
	io.Seeker // forward from the current position at least
	position() int64
}

func (w *window) position() int64 { return w.pos }
func (p *pump) position() int64   { return p.pos }

// header is what of a tar header matters here.
type header struct {
	name, link string
	flag       byte
	mode       int64
	uid, gid   int
	size       int64 // logical
	modTime    time.Time
	capability string
	sparse     bool
}

// headers goes from header to header of a tar. Plain ones, nearly all there are, it decodes itself: archive/tar takes
// ten times as long, more than half of a cold scan's parsing. All others, those with extensions above all, it leaves to
// archive/tar. The two never differ (FuzzHeaders); engines read tars with archive/tar, so that what is seen here is what
// they unpack.
type headers struct {
	src  tarSource
	cur  header
	end  int64       // where the content of cur ends in src
	slow *tar.Reader // not nil: it knows where the content of cur ends
	blk  [blkSize]byte
	// prefixed is the source that slow reads.
	prefixed rewound
}

const blkSize = 512

func newHeaders(src tarSource) *headers { return &headers{src: src} }

// next moves to the next header; io.EOF is the end of the tar. The source then stands at the content.
func (t *headers) next() error {
	if t.slow != nil {
		return t.viaTar()
	}
	if err := t.skipContent(); err != nil {
		return err
	}
	if _, err := io.ReadFull(t.src, t.blk[:]); err != nil {
		return err
	}
	if t.decode() {
		t.end = t.src.position()
		if t.cur.flag == tar.TypeReg {
			t.end += t.cur.size
		}
		return nil
	}
	t.prefixed = rewound{head: t.blk[:], src: t.src}
	t.slow = tar.NewReader(&t.prefixed)
	return t.viaTar()
}

// skipContent moves over what is left of the content and its padding. As in archive/tar the content must be there,
// the padding need not.
func (t *headers) skipContent() error {
	if left := t.end - t.src.position(); left > 0 {
		if _, err := t.src.Seek(left-1, io.SeekCurrent); err != nil {
			return err
		}
		if _, err := io.ReadFull(t.src, t.blk[:1]); err != nil {
			return unexpected(err)
		}
	}
	pad := -t.src.position() & (blkSize - 1)
	_, err := io.ReadFull(t.src, t.blk[:pad])
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return err
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// viaTar lets archive/tar read the next header. Unless the file is sparse its content is then plain bytes again.
func (t *headers) viaTar() error {
	h, err := t.slow.Next()
	// Paths are judged by cleanPath, whatever GODEBUG tarinsecurepath says.
	if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
		return err
	}
	t.cur = header{
		name: h.Name, link: h.Linkname, flag: h.Typeflag, mode: h.Mode, uid: h.Uid, gid: h.Gid, size: h.Size,
		modTime: h.ModTime, capability: h.PAXRecords[capabilityRecord], sparse: isSparse(h),
	}
	if t.cur.sparse {
		return nil
	}
	t.slow = nil
	physical := h.Size
	if isHeaderOnly(h.Typeflag) {
		physical = 0
	}
	if t.end = t.src.position() + physical; physical > math.MaxInt64-blkSize-t.src.position() {
		t.end = math.MaxInt64 - blkSize
	}
	return nil
}

// isHeaderOnly: archive/tar ignores the size of these.
func isHeaderOnly(flag byte) bool { return flag >= tar.TypeLink && flag <= tar.TypeFifo }

// isSparse knows the ways in which a tar says so. Source: GNU tar manual, Sparse Formats.
func isSparse(h *tar.Header) bool {
	if h.Typeflag == tar.TypeGNUSparse {
		return true
	}
	for k := range h.PAXRecords {
		if strings.HasPrefix(k, "GNU.sparse.") {
			return true
		}
	}
	return false
}

// The fields of a header block. Source: POSIX.1-1988 ustar; GNU tar manual, Basic Tar Format.
const (
	ustarMagic = "ustar\x0000"
	gnuMagic   = "ustar  \x00"
)

// decode reads blk into cur if it is a plain header: ustar or GNU without extensions, all numbers octal.
func (t *headers) decode() bool {
	b := &t.blk
	flag := b[156]
	if flag < tar.TypeReg || flag > tar.TypeFifo {
		return false
	}
	var prefix string
	switch string(b[257:265]) {
	case ustarMagic:
		if !isZero(b[500:512]) {
			return false
		}
		prefix = untilNUL(b[345:500])
	case gnuMagic:
		if !isZero(b[345:512]) {
			return false
		}
	default:
		return false
	}
	n := octals{ok: true}
	t.cur = header{
		flag: flag, mode: n.field(b[100:108]), uid: int(n.field(b[108:116])), gid: int(n.field(b[116:124])),
		size: n.field(b[124:136]),
	}
	mtime, sum := n.field(b[136:148]), n.field(b[148:156])
	n.field(b[329:337]) // the device numbers, which archive/tar checks too
	n.field(b[337:345])
	if !n.ok || sum != checksum(b) {
		return false
	}
	t.cur.modTime = time.Unix(mtime, 0)
	t.cur.name = untilNUL(b[:100])
	if prefix != "" {
		t.cur.name = prefix + "/" + t.cur.name
	}
	if b[157] != 0 {
		t.cur.link = untilNUL(b[157:257])
	}
	return true
}

// octals reads numbers: octal digits, then blanks or NULs. Whatever is written otherwise is not ok.
type octals struct{ ok bool }

func (n *octals) field(b []byte) (v int64) {
	i := 0
	for ; i < len(b) && b[i] >= '0' && b[i] <= '7'; i++ {
		v = v<<3 | int64(b[i]-'0')
	}
	for ; i < len(b); i++ {
		if b[i] != 0 && b[i] != ' ' {
			n.ok = false
		}
	}
	return v
}

// checksum adds all bytes up, those of the checksum itself as blanks.
func checksum(b *[blkSize]byte) int64 {
	sum := int64(8 * ' ')
	for i, c := range b {
		if i < 148 || i >= 156 {
			sum += int64(c)
		}
	}
	return sum
}

var zeros [blkSize]byte

func isZero(b []byte) bool { return bytes.Equal(b, zeros[:len(b)]) }

func untilNUL(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}

// rewound reads head and then goes on with src.
type rewound struct {
	head []byte
	src  tarSource
}

func (r *rewound) Read(p []byte) (int, error) {
	if len(r.head) > 0 {
		n := copy(p, r.head)
		r.head = r.head[n:]
		return n, nil
	}
	return r.src.Read(p)
}

func (r *rewound) Seek(offset int64, whence int) (int64, error) {
	if len(r.head) > 0 {
		return 0, errors.New("not yet")
	}
	return r.src.Seek(offset, whence)
}
