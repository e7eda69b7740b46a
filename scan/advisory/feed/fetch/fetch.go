// Package fetch downloads files over HTTP into place.
//
// It promises that the file at the destination is whole or was not touched, that an interrupted download goes on
// where it stopped as long as the server's file is still the same, that nothing is fetched without TLS unless it
// comes from this machine or Client.Insecure says so, and that no file grows over its limit. It leaves out what the
// files mean.
package fetch

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// ErrNotFound: the server has no such file.
var ErrNotFound = errors.New("the server has no such file")

// Client downloads. The zero value works.
type Client struct {
	// HTTP is used for the requests; nil means one that follows the proxy variables of the environment. Its
	// CheckRedirect is replaced.
	HTTP *http.Client
	// Insecure allows plain HTTP to other machines.
	Insecure bool
	// Tries counts the attempts without progress before a download fails; 0 means 5.
	Tries int
	// Pause is the wait after the first failure, doubled after each; 0 means a second. At most a minute.
	Pause time.Duration
	// Progress, if set, is called as bytes arrive; total is -1 where the server does not say. It may be called from
	// several goroutines.
	Progress func(what string, done, total int64)
}

// Validator is what a server said of a file when it was fetched, by which it can tell whether it has changed.
type Validator struct {
	ETag         string `json:"etag,omitempty"`
	LastModified string `json:"lastModified,omitempty"`
}

// Result is one finished download.
type Result struct {
	// NotModified: the file is still the one that the validator describes; nothing was written.
	NotModified bool
	Validator
	Size   int64
	SHA256 string // hex
}

// errStop marks errors that another attempt cannot help.
type errStop struct{ error }

func (e errStop) Unwrap() error { return e.error }

// File downloads from to the file dest, of at most limit bytes. With a validator of an earlier download it asks only
// for a changed file. What has arrived of an unfinished download stays in dest.part for the next call.
func (c *Client) File(ctx context.Context, from, dest string, limit int64, have Validator) (Result, error) {
	d := &download{c: c, from: from, limit: limit, have: have, part: newPart(dest)}
	err := c.persist(ctx, func() (bool, error) {
		before := d.arrived
		err := d.try(ctx)
		return d.arrived > before, err
	})
	if err != nil {
		return Result{}, fmt.Errorf("downloading %s: %w", redact(from), err)
	}
	if d.result.NotModified {
		return d.result, nil
	}
	if err := d.part.finish(dest); err != nil {
		return Result{}, fmt.Errorf("downloading %s: %w", redact(from), err)
	}
	return d.result, nil
}

// Bytes downloads a small file into memory.
func (c *Client) Bytes(ctx context.Context, from string, limit int64) (data []byte, err error) {
	err = c.persist(ctx, func() (bool, error) {
		resp, err := c.get(ctx, from, nil)
		if err != nil {
			return false, err
		}
		defer resp.Body.Close()
		if data, err = io.ReadAll(io.LimitReader(resp.Body, limit+1)); err != nil {
			return false, err
		}
		if int64(len(data)) > limit {
			return false, errStop{fmt.Errorf("it is larger than %d bytes", limit)}
		}
		return false, nil
	})
	if err != nil {
		return nil, fmt.Errorf("downloading %s: %w", redact(from), err)
	}
	return data, nil
}

// Stream opens a file for reading from its begin, for readers that may stop early. A failure while reading is not
// repaired.
func (c *Client) Stream(ctx context.Context, from string) (body io.ReadCloser, err error) {
	err = c.persist(ctx, func() (bool, error) {
		resp, err := c.get(ctx, from, nil)
		if err == nil {
			body = resp.Body
		}
		return false, err
	})
	if err != nil {
		return nil, fmt.Errorf("downloading %s: %w", redact(from), err)
	}
	return body, nil
}

// persist calls try until it succeeds, fails for good or fails too often in a row without progress.
func (c *Client) persist(ctx context.Context, try func() (progress bool, err error)) error {
	tries, pause := c.Tries, c.Pause
	if tries == 0 {
		tries = 5
	}
	if pause == 0 {
		pause = time.Second
	}
	wait := pause
	for failed := 0; ; {
		progress, err := try()
		var stop errStop
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &stop):
			return stop.error
		}
		if failed++; progress {
			failed, wait = 1, pause
		}
		if failed >= tries {
			return fmt.Errorf("gave up after %d attempts: %w", tries, err)
		}
		if err := sleep(ctx, max(wait, askedPause(err))); err != nil {
			return err
		}
		wait = min(2*wait, maxPause)
	}
}

const maxPause = time.Minute

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// busyError is a status that passes: 429, 503 and their like.
type busyError struct {
	status string
	pause  time.Duration // that the server asks for
}

func (e busyError) Error() string { return "the server answers " + e.status }

func askedPause(err error) time.Duration {
	var busy busyError
	errors.As(err, &busy)
	return min(busy.pause, maxPause)
}

// get sends one request and returns an answer that has a body or is a 304.
func (c *Client) get(ctx context.Context, from string, header http.Header) (*http.Response, error) {
	u, err := url.Parse(from)
	if err != nil {
		return nil, errStop{err}
	}
	if err := c.allowed(u); err != nil {
		return nil, errStop{err}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, errStop{err}
	}
	for k, v := range header {
		req.Header[k] = v
	}
	// Compressed on the way, ranges and sizes would not be those of the file.
	req.Header.Set("Accept-Encoding", "identity")
	resp, err := c.client().Do(req)
	if err != nil {
		var stop errStop
		if errors.As(err, &stop) {
			return nil, stop
		}
		if hopeless(err) {
			return nil, errStop{err}
		}
		return nil, err
	}
	if err := checkStatus(resp); err != nil {
		resp.Body.Close()
		return nil, err
	}
	return resp, nil
}

// hopeless: another attempt would meet the same certificate, or the same answer that the host does not exist.
func hopeless(err error) bool {
	var certificate *tls.CertificateVerificationError
	var name *net.DNSError
	return errors.As(err, &certificate) || errors.As(err, &name) && name.IsNotFound
}

func checkStatus(resp *http.Response) error {
	switch s := resp.StatusCode; {
	case s == http.StatusOK, s == http.StatusPartialContent, s == http.StatusNotModified, s == http.StatusRequestedRangeNotSatisfiable:
		return nil
	case s == http.StatusNotFound, s == http.StatusGone:
		return errStop{ErrNotFound}
	case s == http.StatusTooManyRequests, s == http.StatusRequestTimeout, s >= 500:
		seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
		return busyError{resp.Status, time.Duration(max(0, min(seconds, 3600))) * time.Second}
	default:
		return errStop{fmt.Errorf("the server answers %s", resp.Status)}
	}
}

func (c *Client) client() *http.Client {
	h := http.Client{Transport: defaultTransport}
	if c.HTTP != nil {
		h = *c.HTTP
	}
	h.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if len(via) >= 10 {
			return errStop{errors.New("it redirects more than ten times")}
		}
		if err := c.allowed(req.URL); err != nil {
			return errStop{err}
		}
		return nil
	}
	return &h
}

// defaultTransport gives up on a server that does not answer, but not on one that sends slowly.
var defaultTransport = func() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.ResponseHeaderTimeout = time.Minute
	t.MaxIdleConnsPerHost = 8
	return t
}()

// allowed refuses what could be altered on the way.
func (c *Client) allowed(u *url.URL) error {
	switch {
	case u.Scheme == "https":
		return nil
	case u.Scheme != "http":
		return fmt.Errorf("scheme %q is neither https nor http", u.Scheme)
	case c.Insecure || isLoopback(u.Hostname()):
		return nil
	}
	return fmt.Errorf("%s has no TLS: use https, or allow insecure downloads", u.Host)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// redact leaves the password and the query out, where tokens stand.
func redact(from string) string {
	u, err := url.Parse(from)
	if err != nil {
		return "an address that cannot be read"
	}
	u.RawQuery, u.Fragment = "", ""
	return u.Redacted()
}

// download is one file on its way.
type download struct {
	c       *Client
	from    string
	limit   int64
	have    Validator
	part    part
	arrived int64 // bytes in all attempts
	result  Result
}

func (d *download) try(ctx context.Context) error {
	start, resume := d.part.resumable(d.from)
	header := http.Header{}
	switch {
	case start > 0:
		header.Set("Range", "bytes="+strconv.FormatInt(start, 10)+"-")
		header.Set("If-Range", resume)
	case d.have.ETag != "":
		header.Set("If-None-Match", d.have.ETag)
	case d.have.LastModified != "":
		header.Set("If-Modified-Since", d.have.LastModified)
	}
	// A server that stops sending in mid-file is given up after a while without a byte.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	resp, err := d.c.get(ctx, d.from, header)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusNotModified:
		d.result = Result{NotModified: true, Validator: d.have}
		return nil
	case http.StatusRequestedRangeNotSatisfiable:
		d.part.discard()
		return errors.New("the server's file has become shorter")
	case http.StatusOK:
		start = 0
	case http.StatusPartialContent:
		if !strings.HasPrefix(resp.Header.Get("Content-Range"), "bytes "+strconv.FormatInt(start, 10)+"-") {
			d.part.discard()
			return errors.New("the server sends another part than was asked for")
		}
	}
	return d.receive(resp, start, cancel)
}

const stalled = 2 * time.Minute

func (d *download) receive(resp *http.Response, start int64, cancel func()) error {
	total := int64(-1)
	if resp.ContentLength >= 0 {
		total = start + resp.ContentLength
	}
	if total > d.limit {
		return errStop{fmt.Errorf("it has %d bytes, more than the %d that are taken", total, d.limit)}
	}
	v := Validator{ETag: resp.Header.Get("ETag"), LastModified: resp.Header.Get("Last-Modified")}
	f, sum, err := d.part.open(d.from, start, v)
	if err != nil {
		return errStop{err}
	}
	defer f.Close()
	timer := time.AfterFunc(stalled, cancel)
	defer timer.Stop()
	in := io.TeeReader(io.LimitReader(resp.Body, d.limit-start+1), &meter{d: d, done: start, total: total, timer: timer})
	n, err := io.Copy(io.MultiWriter(f, sum), in)
	size := start + n
	switch {
	case size > d.limit:
		d.part.discard()
		return errStop{fmt.Errorf("it has more than the %d bytes that are taken", d.limit)}
	case err != nil:
		return err
	case total >= 0 && size != total:
		return io.ErrUnexpectedEOF
	}
	if err := f.Sync(); err != nil {
		return errStop{err}
	}
	d.result = Result{Validator: v, Size: size, SHA256: hex.EncodeToString(sum.Sum(nil))}
	return nil
}

type meter struct {
	d           *download
	done, total int64
	timer       *time.Timer
}

func (m *meter) Write(b []byte) (int, error) {
	m.timer.Reset(stalled)
	m.done += int64(len(b))
	m.d.arrived += int64(len(b))
	if m.d.c.Progress != nil {
		m.d.c.Progress(m.d.from, m.done, m.total)
	}
	return len(b), nil
}

// part is an unfinished download: the bytes, and beside them which file of the server they begin.
type part struct{ data, about string }

func newPart(dest string) part { return part{dest + ".part", dest + ".part.from"} }

// resumable returns how much is there and the validator to go on with; 0 where there is nothing to go on from.
func (p part) resumable(from string) (start int64, validator string) {
	about, err := os.ReadFile(p.about)
	if err != nil {
		return 0, ""
	}
	url, validator, _ := strings.Cut(string(about), "\n")
	st, err := os.Stat(p.data)
	if err != nil || url != from || validator == "" {
		return 0, ""
	}
	return st.Size(), validator
}

// open returns the file to append to from start on and the checksum of what it holds up to there.
func (p part) open(from string, start int64, v Validator) (*os.File, hash.Hash, error) {
	if err := os.MkdirAll(filepath.Dir(p.data), 0o755); err != nil {
		return nil, nil, err
	}
	if start == 0 {
		// First the bytes go, then the note of whose they were: never the old bytes under a new note.
		if err := os.WriteFile(p.data, nil, 0o644); err != nil {
			return nil, nil, err
		}
		if err := os.WriteFile(p.about, []byte(from+"\n"+v.strong()), 0o644); err != nil {
			return nil, nil, err
		}
	}
	f, err := os.OpenFile(p.data, os.O_RDWR, 0o644)
	if err != nil {
		return nil, nil, err
	}
	sum := sha256.New()
	if _, err := io.CopyN(sum, f, start); err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, sum, nil
}

// strong is what If-Range accepts (RFC 9110, 13.1.5): a strong tag, else a date.
func (v Validator) strong() string {
	if v.ETag != "" && !strings.HasPrefix(v.ETag, "W/") {
		return v.ETag
	}
	return v.LastModified
}

func (p part) discard() {
	_ = os.Remove(p.about)
	_ = os.Remove(p.data)
}

func (p part) finish(dest string) error {
	if err := os.Rename(p.data, dest); err != nil {
		return err
	}
	_ = os.Remove(p.about)
	return nil
}
