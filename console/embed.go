// Package console serves the web console: a React application that is built into this executable and speaks to the hub
// by /api/v1 alone.
//
// It promises that what is served is what was built: files whose names carry a hash of their content may be cached for
// a year, the page itself never; that the page runs under a content security policy without inline scripts; and that
// every path that is no file is the application's, so that links into it work. It leaves out building (make console)
// and everything behind the API. Where the application was not built, a plain page says how to build it.
package console

import (
	"compress/gzip"
	"crypto/rand"
	"embed"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"path"
	"strings"
)

// built holds what `npm run build` made: index.html and, for each other file that compresses, only its .gz.
//
//go:embed all:dist
var built embed.FS

// noncePlaceholder stands in the built index.html where the nonce of style elements belongs; see vite.config.ts.
const noncePlaceholder = "SEAWALL_CSP_NONCE"

// Handler serves the console at every path that it is asked for. It answers GET and HEAD.
func Handler() http.Handler {
	dist, err := fs.Sub(built, "dist")
	if err != nil {
		panic(err) // the name is a constant
	}
	return handler(dist)
}

func handler(dist fs.FS) http.Handler {
	page, err := fs.ReadFile(dist, "index.html")
	if err != nil {
		page = nil
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "the console is read by GET", http.StatusMethodNotAllowed)
			return
		}
		name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
		switch {
		case name != "index.html" && serveFile(w, r, dist, name):
		case strings.HasPrefix(name, "assets/"):
			http.NotFound(w, r) // never the page in place of a script: a stale page must fail plainly
		case page == nil:
			serveUnbuilt(w)
		default:
			servePage(w, r, string(page))
		}
	})
}

// serveFile reports whether there is such a file, and has then served it.
func serveFile(w http.ResponseWriter, r *http.Request, dist fs.FS, name string) bool {
	if !fs.ValidPath(name) || strings.HasSuffix(name, ".gz") {
		return false
	}
	f, packed, err := open(dist, name)
	if err != nil {
		return false
	}
	defer f.Close()
	h := w.Header()
	h.Set("Content-Type", contentType(name))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-cache")
	if strings.HasPrefix(name, "assets/") { // the build names these by a hash of their content
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if packed {
		h.Add("Vary", "Accept-Encoding")
	}
	if packed && acceptsGzip(r) {
		h.Set("Content-Encoding", "gzip")
		packed = false
	}
	if r.Method == http.MethodHead {
		return true
	}
	copyFile(w, f, packed)
	return true
}

// copyFile writes f, unpacking it for the few clients that do not.
func copyFile(w http.ResponseWriter, f io.Reader, unpack bool) {
	if unpack {
		z, err := gzip.NewReader(f)
		if err != nil {
			http.Error(w, "the file is damaged", http.StatusInternalServerError)
			return
		}
		f = z
	}
	if _, err := io.Copy(w, f); err != nil {
		slog.Debug("the console's file was not taken whole", "error", err)
	}
}

// open finds name as it is or packed.
func open(dist fs.FS, name string) (f fs.File, packed bool, err error) {
	f, err = dist.Open(name + ".gz")
	if err == nil {
		return f, true, nil
	}
	f, err = dist.Open(name)
	if err != nil {
		return nil, false, err
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() || name == "placeholder" {
		f.Close()
		return nil, false, errors.New("no file")
	}
	return f, false, nil
}

// servePage serves the application with a nonce of its own: the styles that Fluent UI makes at run time need one.
func servePage(w http.ResponseWriter, r *http.Request, page string) {
	var random [18]byte
	rand.Read(random[:]) // never fails, see crypto/rand
	nonce := base64.RawURLEncoding.EncodeToString(random[:])
	pageHeaders(w.Header(), "'nonce-"+nonce+"'")
	if r.Method == http.MethodHead {
		return
	}
	io.WriteString(w, strings.ReplaceAll(page, noncePlaceholder, nonce)) // the reader went away: nothing to do
}

// pageHeaders sets the page's policy: everything from here, no inline script, no frame, no form to elsewhere.
func pageHeaders(h http.Header, style string) {
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-cache")
	h.Set("Content-Security-Policy", "default-src 'self'; script-src 'self'; style-src 'self' "+style+
		"; img-src 'self' data:; font-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
}

// serveUnbuilt says that this executable has no console, and how to get one.
func serveUnbuilt(w http.ResponseWriter) {
	pageHeaders(w.Header(), "'none'")
	w.WriteHeader(http.StatusNotFound)
	io.WriteString(w, `<!doctype html><html lang="en"><meta charset="utf-8"><title>Seawall</title>
<h1>The console is not built into this hub</h1>
<p>Run <code>make console</code>, then build again. Everything else works: the API is at <a href="/api/v1/openapi.json">/api/v1</a>,
the registry at <code>/v2/</code>.</p></html>
`)
}

// acceptsGzip reads Accept-Encoding (RFC 9110, 12.5.3) as far as it matters: gzip, unless its weight is 0.
func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		coding, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			return strings.Trim(strings.TrimPrefix(strings.ReplaceAll(weight, " ", ""), "q="), "0.") != "" || weight == ""
		}
	}
	return false
}

// contentType does not ask the machine's MIME tables: they differ.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	case ".woff2":
		return "font/woff2"
	case ".json":
		return "application/json"
	case ".txt":
		return "text/plain; charset=utf-8"
	}
	return "application/octet-stream"
}
