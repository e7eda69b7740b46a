//go:build e2e

package e2e

import (
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// mirror serves a bucket directory over HTTPS on loopback, and can be made to misbehave.
type mirror struct {
	*httptest.Server
	dir string
	ca  string // file with the certificate

	mu       sync.Mutex
	requests []string // "GET /npm/all.zip" with " range" where a part was asked for
	broken   bool     // answers 500
	cutNext  bool     // hangs up in the middle of the next npm archive
}

func newMirror(t *testing.T) *mirror {
	t.Helper()
	m := &mirror{dir: t.TempDir()}
	m.Server = httptest.NewTLSServer(m)
	t.Cleanup(m.Close)
	block := &pem.Block{Type: "CERTIFICATE", Bytes: m.Certificate().Raw}
	m.ca = write(t, filepath.Join(t.TempDir(), "ca.pem"), string(pem.EncodeToMemory(block)))
	return m
}

// user trusts the mirror's certificate.
func (m *mirror) user(t *testing.T) *user {
	u := newUser(t)
	u.env = append(u.env, "SSL_CERT_FILE="+m.ca)
	return u
}

func (m *mirror) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	broken, cut := m.note(r)
	if broken {
		http.Error(w, "out of order", http.StatusInternalServerError)
		return
	}
	path := filepath.Join(m.dir, filepath.Clean("/"+r.URL.Path))
	info, err := os.Stat(path)
	if err != nil || info.IsDir() {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("ETag", fmt.Sprintf(`"%x-%x"`, info.Size(), info.ModTime().UnixNano()))
	if cut {
		cutShort(w, path, info.Size())
		return
	}
	http.ServeFile(w, r, path)
}

func (m *mirror) note(r *http.Request) (broken, cut bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	line := r.Method + " " + r.URL.Path
	if r.Header.Get("Range") != "" {
		line += " range"
	}
	m.requests = append(m.requests, line)
	if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "npm/all.zip") {
		cut, m.cutNext = m.cutNext, false
	}
	return m.broken, cut
}

// cutShort promises the whole file and hangs up in the middle of it.
func cutShort(w http.ResponseWriter, path string, size int64) {
	data, err := os.ReadFile(path)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	w.Header().Set("Accept-Ranges", "bytes")
	_, _ = w.Write(data[:size/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// seen returns the requests since the last call.
func (m *mirror) seen() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := m.requests
	m.requests = nil
	return out
}

func (m *mirror) set(change func(*mirror)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change(m)
}
