package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// body is a file of n bytes that does not repeat itself.
func body(n int) []byte {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(7, 8))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func serve(t *testing.T, h http.HandlerFunc) string {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func tagged(w http.ResponseWriter, r *http.Request, b []byte) {
	w.Header().Set("ETag", fmt.Sprintf(`"%x"`, sha256.Sum256(b)))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
}

// quick is a client that does not wait long between attempts.
func quick() *Client { return &Client{Tries: 3, Pause: time.Millisecond} }

func dest(t *testing.T) string { return filepath.Join(t.TempDir(), "sub", "file") }

func wantFile(t *testing.T, path string, want []byte, got Result, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	have, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(have, want) {
		t.Errorf("the file differs: %v, %d bytes of %d", err, len(have), len(want))
	}
	if got.Size != int64(len(want)) || got.SHA256 != fmt.Sprintf("%x", sha256.Sum256(want)) {
		t.Errorf("result: %+v", got)
	}
	for _, left := range []string{path + ".part", path + ".part.from"} {
		if _, err := os.Stat(left); err == nil {
			t.Errorf("%s is left behind", left)
		}
	}
}

func TestWholeThenNotModified(t *testing.T) {
	b := body(100_000)
	address := serve(t, func(w http.ResponseWriter, r *http.Request) { tagged(w, r, b) })
	path := dest(t)
	var seen int64
	c := quick()
	c.Progress = func(_ string, done, total int64) {
		if seen = done; total != int64(len(b)) {
			t.Errorf("total %d", total)
		}
	}
	got, err := c.File(context.Background(), address, path, 1<<20, Validator{})
	wantFile(t, path, b, got, err)
	if seen != int64(len(b)) {
		t.Errorf("progress ended at %d", seen)
	}
	again, err := c.File(context.Background(), address, path, 1<<20, got.Validator)
	if err != nil || !again.NotModified || again.ETag != got.ETag {
		t.Errorf("%+v, %v", again, err)
	}
}

// TestDropsInMidTransfer cuts every answer short: the download must go on where it stopped and end whole.
func TestDropsInMidTransfer(t *testing.T) {
	b := body(300_000)
	var requests, resumed atomic.Int32
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		if r.Header.Get("Range") != "" {
			resumed.Add(1)
		}
		tagged(&dropping{ResponseWriter: w, left: 50_000}, r, b)
	})
	path := dest(t)
	got, err := quick().File(context.Background(), address, path, 1<<20, Validator{})
	wantFile(t, path, b, got, err)
	if requests.Load() < 6 || resumed.Load() != requests.Load()-1 {
		t.Errorf("%d requests, %d of them resumed", requests.Load(), resumed.Load())
	}
}

// dropping closes the connection after some bytes.
type dropping struct {
	http.ResponseWriter
	left int
}

func (d *dropping) Write(b []byte) (int, error) {
	if d.left -= len(b); d.left < 0 {
		panic(http.ErrAbortHandler)
	}
	n, err := d.ResponseWriter.Write(b)
	_ = http.NewResponseController(d.ResponseWriter).Flush()
	return n, err
}

// TestResumeAfterRestart goes on with what an earlier process left, and starts again where the server's file is new.
func TestResumeAfterRestart(t *testing.T) {
	for _, changed := range []bool{false, true} {
		b := body(200_000)
		drop := true
		var ranges []string
		address := serve(t, func(w http.ResponseWriter, r *http.Request) {
			ranges = append(ranges, r.Header.Get("Range"))
			if drop {
				tagged(&dropping{ResponseWriter: w, left: 100_000}, r, b)
				return
			}
			tagged(w, r, b)
		})
		path := dest(t)
		one := quick()
		one.Tries = 1
		if _, err := one.File(context.Background(), address, path, 1<<20, Validator{}); err == nil {
			t.Fatal("the dropped download has succeeded")
		}
		drop = false
		if changed {
			b = append([]byte("new"), b...)
		}
		got, err := quick().File(context.Background(), address, path, 1<<20, Validator{})
		wantFile(t, path, b, got, err)
		if last := ranges[len(ranges)-1]; !strings.HasPrefix(last, "bytes=") {
			t.Errorf("ranges asked for: %q", ranges)
		}
	}
}

func TestPassingFailures(t *testing.T) {
	b := body(10)
	for _, status := range []int{429, 500, 503} {
		failures := 2
		address := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if failures--; failures >= 0 {
				w.Header().Set("Retry-After", "0")
				w.WriteHeader(status)
				return
			}
			tagged(w, r, b)
		})
		path := dest(t)
		got, err := quick().File(context.Background(), address, path, 1<<20, Validator{})
		wantFile(t, path, b, got, err)
	}
}

func TestLastingFailures(t *testing.T) {
	for _, c := range []struct {
		status, requests int
		want             error
	}{{404, 1, ErrNotFound}, {403, 1, nil}, {503, 3, nil}} {
		requests := 0
		address := serve(t, func(w http.ResponseWriter, r *http.Request) { requests++; w.WriteHeader(c.status) })
		_, err := quick().File(context.Background(), address, dest(t), 1<<20, Validator{})
		if err == nil || requests != c.requests || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%d: %v after %d requests", c.status, err, requests)
		}
	}
}

func TestTooLarge(t *testing.T) {
	b := body(5000)
	for _, declared := range []bool{true, false} {
		address := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if declared {
				w.Header().Set("Content-Length", strconv.Itoa(len(b)))
			} else {
				_ = http.NewResponseController(w).Flush()
			}
			_, _ = w.Write(b)
		})
		path := dest(t)
		if _, err := quick().File(context.Background(), address, path, 4999, Validator{}); err == nil || !strings.Contains(err.Error(), "4999") {
			t.Errorf("declared %v: %v", declared, err)
		}
		if _, err := os.Stat(path); err == nil {
			t.Error("the file is there")
		}
		if _, err := quick().Bytes(context.Background(), address, 4999); err == nil {
			t.Error("in memory: no error")
		}
	}
}

func TestWithoutTLS(t *testing.T) {
	c := quick()
	for _, from := range []string{"http://example.invalid/x", "ftp://127.0.0.1/x", "file:///etc/passwd", "://"} {
		if _, err := c.File(context.Background(), from, dest(t), 1, Validator{}); err == nil || strings.Contains(err.Error(), "lookup") {
			t.Errorf("%s: %v", from, err)
		}
	}
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://example.invalid/x", http.StatusFound)
	})
	if _, err := c.File(context.Background(), address, dest(t), 1, Validator{}); err == nil || !strings.Contains(err.Error(), "no TLS") {
		t.Errorf("redirect away from TLS: %v", err)
	}
}

func TestTLSAndProxy(t *testing.T) {
	b := body(1000)
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { tagged(w, r, b) }))
	t.Cleanup(secure.Close)
	c := quick()
	if _, err := c.Bytes(context.Background(), secure.URL, 1<<20); err == nil {
		t.Error("a certificate that nobody has signed is taken")
	}
	c.HTTP = secure.Client()
	if got, err := c.Bytes(context.Background(), secure.URL, 1<<20); err != nil || !bytes.Equal(got, b) {
		t.Errorf("with its certificate: %v", err)
	}

	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Host != "mirror.invalid" {
			t.Errorf("the proxy is asked for %s", r.URL)
		}
		tagged(w, r, b)
	}))
	t.Cleanup(proxy.Close)
	at, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	c = quick()
	c.HTTP, c.Insecure = &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(at)}}, true
	path := dest(t)
	got, err := c.File(context.Background(), "http://mirror.invalid/all.zip", path, 1<<20, Validator{})
	wantFile(t, path, b, got, err)
}

func TestSecretsStayOutOfErrors(t *testing.T) {
	_, err := quick().Bytes(context.Background(), "http://user:hunter2@example.invalid/x?token=hunter3", 1)
	if err == nil || strings.Contains(err.Error(), "hunter") {
		t.Errorf("got %v", err)
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	address := serve(t, func(w http.ResponseWriter, r *http.Request) { cancel(); w.WriteHeader(503) })
	c := &Client{Pause: time.Hour}
	if _, err := c.File(ctx, address, dest(t), 1, Validator{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
