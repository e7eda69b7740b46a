package image

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
)

func TestHostileLayers(t *testing.T) {
	plain := everyKind(t)
	zeros := make([]byte, 4<<20)
	many := func() []byte {
		var items []tarItem
		for i := range 200 {
			items = append(items, file(fmt.Sprint(i), ""))
		}
		return tarOf(t, items...)
	}()
	big := tarOf(t, file("zeros", string(zeros)))
	wrong := sha256Of([]byte("something else"))
	for name, tt := range map[string]struct {
		blob   []byte
		change func(*Input)
		lim    Limits
		target error
		what   string
	}{
		"climbs":            {blob: tarOf(t, file("../../etc/cron.d/x", "")), target: ErrPath, what: "../../etc/cron.d/x"},
		"climbs inside":     {blob: tarOf(t, file("a/b/../../../x", "")), target: ErrPath, what: "a/b/../../../x"},
		"absolute climbs":   {blob: tarOf(t, file("/../x", "")), target: ErrPath, what: "/../x"},
		"link climbs":       {blob: tarOf(t, special(tar.TypeLink, "a", "../../etc/shadow")), target: ErrPath, what: "etc/shadow"},
		"whiteout of all":   {blob: tarOf(t, file("a/.wh.", "")), target: ErrPath, what: "whiteout"},
		"whiteout of up":    {blob: tarOf(t, file("a/.wh...", "")), target: ErrPath, what: "whiteout"},
		"long path":         {blob: tarOf(t, file(strings.Repeat("a/", 3000)+"b", "")), target: ErrLimit, what: "6001 bytes"},
		"long link":         {blob: tarOf(t, special(tar.TypeSymlink, "a", strings.Repeat("b", 5000))), target: ErrLimit, what: "5000 bytes"},
		"entries":           {blob: many, lim: Limits{MaxEntries: 100}, target: ErrLimit, what: "of 100"},
		"size plain":        {blob: big, lim: Limits{MaxSize: 1 << 20}, target: ErrLimit, what: "1048576"},
		"size gzip":         {blob: gz(t, big), lim: Limits{MaxSize: 1 << 20}, target: ErrLimit, what: "1048576"},
		"ratio gzip":        {blob: gz(t, big), lim: Limits{RatioFloor: 1 << 20}, target: ErrLimit, what: "compression ratio"},
		"ratio zstd":        {blob: zst(t, big), lim: Limits{RatioFloor: 1 << 20}, target: ErrLimit, what: "compression ratio"},
		"8 EiB":             {blob: hugeTar(1<<63 - 1), target: ErrLimit, what: "huge"},
		"negative size":     {blob: hugeTar(1<<63 + 7), what: "not a tar"},
		"60 GiB that end":   {blob: hugeTar(60 << 30), target: io.ErrUnexpectedEOF, what: "huge"},
		"sparse 1 TiB":      {blob: sparseTar(), target: ErrLimit, what: "sparse file of 1099511627776"},
		"cut in a header":   {blob: plain[:700], target: io.ErrUnexpectedEOF, what: "cut short"},
		"cut in content":    {blob: tarOf(t, file("a", string(zeros)))[:1<<20], target: io.ErrUnexpectedEOF, what: "layer 1"},
		"cut gzip":          {blob: gz(t, plain)[:100], target: io.ErrUnexpectedEOF, what: "unpacking gzip"},
		"cut zstd":          {blob: zst(t, plain)[:100], target: io.ErrUnexpectedEOF, what: "unpacking zstd"},
		"damaged gzip":      {blob: damage(gz(t, plain), 60), what: "gzip"},
		"noise":             {blob: bytes.Repeat([]byte("noise "), 1000), target: tar.ErrHeader, what: "not a tar"},
		"wrong diff id":     {blob: plain, change: func(in *Input) { in.DiffID = wrong }, target: ErrDigest, what: wrong},
		"wrong diff id gz":  {blob: gz(t, plain), change: func(in *Input) { in.DiffID = wrong }, target: ErrDigest, what: wrong},
		"wrong digest gz":   {blob: gz(t, plain), change: func(in *Input) { in.Digest = wrong }, target: ErrDigest, what: wrong},
		"unknown algorithm": {blob: plain, change: func(in *Input) { in.DiffID = "md5:00" }, what: "md5:00"},
		"huge zstd window":  {blob: []byte("\x28\xb5\x2f\xfd\x00\xff\x00\x00\x00\x00\x00\x00"), what: "zstd"},
		"huge xz dict":      {blob: []byte("\xfd7zXZ\x00\x00\x04\xe6\xd6\xb4F\x02\x00!\x01(\x00\x00\x00"), what: "xz"},
	} {
		for kind, in := range map[string]Input{"section": sectionInput(tt.blob), "stream": streamInput(tt.blob)} {
			t.Run(name+" "+kind, func(t *testing.T) {
				if tt.change != nil {
					tt.change(&in)
				}
				_, _, err := listing(t, in, tt.lim)
				wantError(t, err, tt.target, tt.what)
				var le *LayerError
				if !errors.As(err, &le) || le.Layer != "layer 1" {
					t.Errorf("%v names no layer", err)
				}
			})
		}
	}
}

func damage(b []byte, at int) []byte {
	b = bytes.Clone(b)
	for i := at; i < at+8; i++ {
		b[i] ^= 0xff
	}
	return b
}

// What a runtime accepts is accepted: duplicates, data behind the end, a tar without an end, an empty layer.
func TestOddLayers(t *testing.T) {
	plain := tarOf(t, file("a", "1"), file("./a", "2"), file("b//c", "3"), file("d/../e", "4"))
	want := []string{`file a "1"`, `file a "2"`, `file b/c "3"`, `file e "4"`}
	for name, blob := range map[string][]byte{
		"as is": plain, "trailing data": append(bytes.Clone(plain), "tail"...), "no end": plain[:len(plain)-1024],
		"two gzip members": append(gz(t, plain[:512]), gz(t, plain[512:])...),
	} {
		in := streamInput(blob)
		got, st, err := listing(t, in, Limits{})
		if err != nil || strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		if name == "trailing data" && st.DiffID != sha256Of(blob) {
			t.Error("the digest leaves out what follows the end")
		}
	}
	for _, blob := range [][]byte{nil, make([]byte, 1024)} {
		if got, st, err := listing(t, sectionInput(blob), Limits{}); err != nil || len(got) != 0 || st.DiffID != sha256Of(blob) {
			t.Errorf("empty: %q %v", got, err)
		}
	}
}

// Many megabytes of zeros in little gzip, with generous limits: memory stays bounded.
func TestBombMemory(t *testing.T) {
	const bomb = 200 << 20
	r, w := io.Pipe()
	go func() {
		z, _ := gzip.NewWriterLevel(w, gzip.BestSpeed)
		h := rawHeader("zeros", tar.TypeReg, fmt.Sprintf("%011o\x00", bomb))
		z.Write(h)
		io.CopyN(z, zeroReader{}, bomb)
		z.Close()
		w.Close()
	}()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	st, err := Walk(context.Background(), Input{Name: "bomb", Stream: r}, Limits{RatioFloor: 4 << 30}, ignore)
	runtime.ReadMemStats(&after)
	if err != nil || st.Size < bomb {
		t.Errorf("%d bytes, %v", st.Size, err)
	}
	if grown := int64(after.Sys) - int64(before.Sys); grown > 64<<20 {
		t.Errorf("memory grew by %d MiB", grown>>20)
	}
}

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestWalkStops(t *testing.T) {
	plain := everyKind(t)
	mine := errors.New("mine")
	for _, blob := range [][]byte{plain, gz(t, plain), zst(t, plain)} {
		for _, in := range []Input{sectionInput(blob), streamInput(blob)} {
			_, err := Walk(context.Background(), in, Limits{}, func(*Entry) error { return mine })
			wantError(t, err, mine, "layer 1")
		}
	}
}

// A stream that never delivers ends with the context, or with an error of visit.
func TestWalkHangingStream(t *testing.T) {
	r, w := io.Pipe()
	go w.Write(everyKind(t)[:2048])
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := Walk(ctx, Input{Name: "x", Stream: r}, Limits{}, ignore); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestWalkTrustedHashesNothing(t *testing.T) {
	in := sectionInput(gz(t, everyKind(t)))
	in.Trusted, in.DiffID = true, "sha256:known"
	_, st, err := listing(t, in, Limits{})
	if err != nil || st.DiffID != "sha256:known" || st.DiffIDVerified {
		t.Errorf("%+v %v", st, err)
	}
}

func TestWalkWithoutVisit(t *testing.T) {
	plain := everyKind(t)
	for _, in := range []Input{sectionInput(gz(t, plain)), sectionInput(plain), streamInput(plain)} {
		st, err := Walk(context.Background(), in, Limits{}, nil)
		if err != nil || st.DiffID != sha256Of(plain) || st.Entries != 0 {
			t.Errorf("%+v %v", st, err)
		}
	}
}

// Local, uncompressed content is read in place, in any order.
func TestContentInPlace(t *testing.T) {
	body := strings.Repeat("0123456789", 50_000)
	in := sectionInput(tarOf(t, file("a", "first"), file("b", body), file("c", "last")))
	var names []string
	_, err := Walk(context.Background(), in, Limits{}, func(e *Entry) error {
		names = append(names, e.Path)
		if e.Path != "b" {
			return nil
		}
		c := e.Content.(interface {
			io.ReadSeeker
			io.ReaderAt
		})
		buf := make([]byte, 10)
		if _, err := c.ReadAt(buf, 400_000); err != nil || string(buf) != "0123456789" {
			t.Errorf("ReadAt: %q %v", buf, err)
		}
		if _, err := c.ReadAt(buf, int64(len(body))-5); err != io.EOF {
			t.Errorf("ReadAt over the end: %v", err)
		}
		if pos, err := c.Seek(-3, io.SeekEnd); err != nil || pos != int64(len(body))-3 {
			t.Error(pos, err)
		}
		if rest, err := io.ReadAll(c); err != nil || string(rest) != "789" {
			t.Errorf("%q %v", rest, err)
		}
		c.Seek(0, io.SeekStart)
		if all, err := io.ReadAll(c); err != nil || string(all) != body {
			t.Errorf("%d bytes, %v", len(all), err)
		}
		return nil
	})
	if err != nil || strings.Join(names, "") != "abc" {
		t.Error(names, err)
	}
}

func FuzzWalk(f *testing.F) {
	for _, seed := range tarSeeds(f) {
		f.Add(seed)
		f.Add(gz(f, seed))
		f.Add(zst(f, seed))
	}
	lim := Limits{MaxSize: 1 << 22, RatioFloor: 1 << 21, MaxSparse: 1 << 20, MaxEntries: 1000}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, in := range []Input{sectionInput(data), streamInput(data)} {
			st, err := Walk(context.Background(), in, lim, func(e *Entry) error {
				if strings.HasPrefix(e.Path, "/") || e.Path == ".." || strings.HasPrefix(e.Path, "../") || e.Path == "" {
					t.Errorf("path %q", e.Path)
				}
				if e.Content != nil {
					io.Copy(io.Discard, e.Content)
				}
				return nil
			})
			if err == nil && st.Size > lim.MaxSize {
				t.Errorf("%d bytes got through", st.Size)
			}
		}
	})
}
