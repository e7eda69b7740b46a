package console

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

func packed(t *testing.T, text string) *fstest.MapFile {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return &fstest.MapFile{Data: b.Bytes()}
}

func site(t *testing.T) http.Handler {
	return handler(fstest.MapFS{
		"index.html":             {Data: []byte(`<script nonce="SEAWALL_CSP_NONCE"></script><link nonce="SEAWALL_CSP_NONCE">`)},
		"placeholder":            {Data: []byte("built here")},
		"assets/app-1234.js.gz":  packed(t, "let x = 1"),
		"assets/photo-1234.webp": {Data: []byte("image")},
		"favicon.svg.gz":         packed(t, "<svg/>"),
	})
}

func ask(h http.Handler, method, path, encoding string) *http.Response {
	r := httptest.NewRequest(method, path, nil)
	if encoding != "" {
		r.Header.Set("Accept-Encoding", encoding)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func TestFiles(t *testing.T) {
	h := site(t)
	for _, c := range []struct {
		path, accept   string
		status         int
		encoding, kind string
		cache          string
		body           string
	}{
		{"/assets/app-1234.js", "gzip, br", 200, "gzip", "text/javascript; charset=utf-8", "immutable", ""},
		{"/assets/app-1234.js", "", 200, "", "text/javascript; charset=utf-8", "immutable", "let x = 1"},
		{"/assets/app-1234.js", "gzip;q=0, br", 200, "", "text/javascript; charset=utf-8", "immutable", "let x = 1"},
		{"/assets/photo-1234.webp", "gzip", 200, "", "application/octet-stream", "immutable", "image"},
		{"/favicon.svg", "", 200, "", "image/svg+xml", "no-cache", "<svg/>"},
		{"/assets/app-0000.js", "gzip", 404, "", "text/plain; charset=utf-8", "", "404 page not found\n"},
		{"/assets/app-1234.js.gz", "gzip", 404, "", "text/plain; charset=utf-8", "", "404 page not found\n"},
	} {
		r := ask(h, "GET", c.path, c.accept)
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		if r.StatusCode != c.status || r.Header.Get("Content-Encoding") != c.encoding || r.Header.Get("Content-Type") != c.kind ||
			!strings.Contains(r.Header.Get("Cache-Control"), c.cache) || c.body != "" && string(body) != c.body {
			t.Errorf("%s (%q): %d %v %q", c.path, c.accept, r.StatusCode, r.Header, body)
		}
	}
}

// Every path that is no file is the application's: a link to an image must open.
func TestPage(t *testing.T) {
	h := site(t)
	nonce := regexp.MustCompile(`style-src 'self' 'nonce-([\w-]{20,})'`)
	seen := map[string]bool{}
	for _, path := range []string{"/", "/index.html", "/repositories/team%2Fapp/images/sha256:00", "/placeholder", "/assets", "/../../etc/passwd", "/%00"} {
		r := ask(h, "GET", path, "gzip")
		body, _ := io.ReadAll(r.Body)
		m := nonce.FindStringSubmatch(r.Header.Get("Content-Security-Policy"))
		if r.StatusCode != 200 || r.Header.Get("Cache-Control") != "no-cache" || m == nil {
			t.Fatalf("%s: %d %v", path, r.StatusCode, r.Header)
		}
		if seen[m[1]] || strings.Count(string(body), m[1]) != 2 || strings.Contains(string(body), noncePlaceholder) {
			t.Errorf("%s: the nonce %s is used twice or not put in: %s", path, m[1], body)
		}
		seen[m[1]] = true
	}
}

func TestPolicy(t *testing.T) {
	h := ask(site(t), "GET", "/", "").Header
	for _, want := range []string{"default-src 'self'", "script-src 'self'", "object-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"} {
		if !strings.Contains(h.Get("Content-Security-Policy"), want) {
			t.Errorf("the policy has no %s", want)
		}
	}
	if strings.Contains(h.Get("Content-Security-Policy"), "unsafe") || h.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("headers: %v", h)
	}
}

func TestMethods(t *testing.T) {
	h := site(t)
	for _, path := range []string{"/", "/assets/app-1234.js"} {
		if r := ask(h, "POST", path, ""); r.StatusCode != http.StatusMethodNotAllowed || r.Header.Get("Allow") == "" {
			t.Errorf("POST %s: %d", path, r.StatusCode)
		}
		r := ask(h, "HEAD", path, "")
		if body, _ := io.ReadAll(r.Body); r.StatusCode != 200 || len(body) != 0 {
			t.Errorf("HEAD %s: %d %q", path, r.StatusCode, body)
		}
	}
}

func TestUnbuilt(t *testing.T) {
	r := ask(handler(fstest.MapFS{"placeholder": {}}), "GET", "/images", "")
	body, _ := io.ReadAll(r.Body)
	if r.StatusCode != http.StatusNotFound || !strings.Contains(string(body), "make console") {
		t.Errorf("%d %s", r.StatusCode, body)
	}
}

// Whatever the name, the handler answers and never panics.
func FuzzHandler(f *testing.F) {
	f.Add("/assets/app-1234.js", "gzip;q=0.0")
	f.Add("/\x00", ",;q=")
	f.Add("//..//.gz", "gzip; q=1")
	f.Fuzz(func(t *testing.T, path, encoding string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.Path = path
		r.Header.Set("Accept-Encoding", encoding)
		w := httptest.NewRecorder()
		handler(fstest.MapFS{"index.html": {}, "assets/a.js.gz": {Data: []byte("no gzip")}}).ServeHTTP(w, r)
		if w.Code == 0 {
			t.Error("no answer")
		}
	})
}
