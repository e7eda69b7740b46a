package api

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/seawall/seawall/auth"
)

// reply is an answer that is known to be good.
type reply interface{ write(c *call) }

// answer is one value as JSON, or (nil) nothing.
type answer struct {
	status   int
	body     any
	location string
	tagged   bool // with an ETag
	cookies  []*http.Cookie
}

func ok(v any) reply     { return answer{status: http.StatusOK, body: v} }
func tagged(v any) reply { return answer{status: http.StatusOK, body: v, tagged: true} }
func done() reply        { return answer{status: http.StatusNoContent} }

func created(v any, location string) reply {
	return answer{status: http.StatusCreated, body: v, location: Prefix + location}
}

func accepted(id int64) reply {
	return answer{status: http.StatusAccepted, body: Accepted{id}, location: Prefix + "/jobs"}
}

func (a answer) write(c *call) {
	b, err := a.bytes()
	if err != nil {
		c.fail(err)
		return
	}
	h := c.w.Header()
	for _, k := range a.cookies {
		http.SetCookie(c.w, k)
	}
	if a.location != "" {
		h.Set("Location", a.location)
	}
	h.Set("Cache-Control", "no-store")
	if a.tagged {
		h.Set("Cache-Control", "private, no-cache")
		c.writeTagged(a.status, b)
		return
	}
	c.writeJSON(a.status, b, "")
}

func (a answer) bytes() ([]byte, error) {
	if a.body == nil {
		return nil, nil
	}
	return json.Marshal(a.body)
}

// writeTagged adds the ETag, and answers 304 where the client has that version.
func (c *call) writeTagged(status int, b []byte) {
	tag := etag(b)
	if c.r.Method != http.MethodPost && c.reads() && listed(c.r.Header.Get("If-None-Match"), tag) {
		c.w.Header().Set("ETag", `"`+tag+`"`)
		c.w.WriteHeader(http.StatusNotModified)
		return
	}
	c.writeJSON(status, b, tag)
}

func (c *call) reads() bool { return c.r.Method == http.MethodGet || c.r.Method == http.MethodHead }

// compressAbove is the size in bytes from which a body is compressed: below, it gains nothing on the wire.
const compressAbove = 4 << 10

var compressors = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed) // the level is valid
	return w
}}

// writeJSON writes b, compressed where that pays. The two codings of one version have different ETags (RFC 9110,
// section 8.8.3.3); If-Match and If-None-Match take both.
func (c *call) writeJSON(status int, b []byte, tag string) {
	h := c.w.Header()
	if b == nil {
		c.w.WriteHeader(status)
		return
	}
	h.Set("Content-Type", "application/json")
	if len(b) >= compressAbove && c.takesGzip() {
		h.Set("Content-Encoding", "gzip")
		b, tag = compress(b), suffixed(tag)
	}
	if len(b) >= compressAbove || h.Get("Content-Encoding") != "" {
		h.Add("Vary", "Accept-Encoding")
	}
	if tag != "" {
		h.Set("ETag", `"`+tag+`"`)
	}
	c.w.WriteHeader(status)
	if c.r.Method != http.MethodHead {
		c.w.Write(b) // an error means that the client has gone
	}
}

func compress(b []byte) []byte {
	var out bytes.Buffer
	z := compressors.Get().(*gzip.Writer)
	defer compressors.Put(z)
	z.Reset(&out)
	z.Write(b) // a bytes.Buffer takes everything
	z.Close()
	return out.Bytes()
}

func (c *call) takesGzip() bool {
	for part := range strings.SplitSeq(c.r.Header.Get("Accept-Encoding"), ",") {
		name, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		if name == "gzip" && strings.ReplaceAll(params, " ", "") != "q=0" {
			return true
		}
	}
	return false
}

const gzipSuffix = "-gzip"

func suffixed(tag string) string {
	if tag == "" {
		return ""
	}
	return tag + gzipSuffix
}

// etag is that of a JSON body, without quotes.
func etag(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}

// listed reports whether a header If-Match or If-None-Match names the version.
func listed(header, tag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		part = strings.TrimPrefix(strings.TrimSpace(part), "W/")
		part = strings.Trim(part, `"`)
		if part == "*" || strings.TrimSuffix(part, gzipSuffix) == tag {
			return true
		}
	}
	return false
}

// matches holds If-Match against the resource as it is now; with needed its absence is an error. The caller holds the
// resource's lock, so that nothing in this process changes it in between; another hub on the same database can.
func (c *call) matches(current any, needed bool) error {
	header := c.r.Header.Get("If-Match")
	if header == "" {
		if needed {
			return errPrecondition
		}
		return nil
	}
	b, err := json.Marshal(current)
	if err != nil {
		return err
	}
	if !listed(header, etag(b)) {
		return errChanged
	}
	return nil
}

// stream is an answer that is written as it is made. begin says what follows; an error after the first byte can only
// be told by breaking the connection, so that nobody takes half an answer for a whole one.
type stream struct {
	contentType, filename string
	to                    func(w io.Writer) error
}

func (s stream) write(c *call) {
	h := c.w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", s.contentType)
	if s.filename != "" {
		h.Set("Content-Disposition", `attachment; filename="`+s.filename+`"`)
	}
	if c.r.Method == http.MethodHead {
		return
	}
	w := &begun{w: c.w, conn: http.NewResponseController(c.w)}
	err := s.to(w)
	switch {
	case err == nil:
	case !w.wrote:
		h.Del("Content-Disposition")
		c.fail(err)
	default:
		c.s.Log.ErrorContext(c.ctx(), "answer broken off", slog.String("request", auth.RequestID(c.ctx())),
			slog.String("path", c.r.URL.Path), slog.Any("error", err))
		panic(http.ErrAbortHandler)
	}
}

// writeWait is how long a reader may take for one piece of a stream. It takes the place of the server's limit for a whole
// answer, so that a large export may take long and a reader who stopped is let go.
const writeWait = time.Minute

// begun remembers whether anything was written.
type begun struct {
	w     io.Writer
	conn  *http.ResponseController
	wrote bool
}

func (b *begun) Write(p []byte) (int, error) {
	b.wrote = true
	b.conn.SetWriteDeadline(time.Now().Add(writeWait)) // not every connection has one; the server's then stays
	return b.w.Write(p)
}

// errTooLong breaks off an export with more rows than the limit.
var errTooLong = errors.New("the export has more rows than the limit: narrow the selection")

// blob is a file that is at hand whole.
type blob struct {
	contentType, filename string
	content               []byte
}

func (b blob) write(c *call) {
	h := c.w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", b.contentType)
	h.Set("Content-Disposition", `attachment; filename="`+b.filename+`"`)
	h.Set("Vary", "Accept-Encoding")
	out := b.content
	if len(out) >= compressAbove && c.takesGzip() {
		h.Set("Content-Encoding", "gzip")
		out = compress(out)
	}
	c.w.WriteHeader(http.StatusOK)
	if c.r.Method != http.MethodHead {
		c.w.Write(out) // an error means that the client has gone
	}
}
