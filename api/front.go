package api

import (
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/auth"
)

// Front says how requests are received, whatever handler they are for.
type Front struct {
	Log *slog.Logger // nil: discarded
	// Quiet paths are not written to the access log: health checks.
	Quiet []string
	// ScriptSource and StyleSource add sources to the Content-Security-Policy, such as 'nonce-…'; none by default.
	ScriptSource, StyleSource string
}

// Wrap gives each request an id, security headers, a line in the access log, and a 500 where next panics. The registry
// protocol, the console and this interface can all stand behind it. The id is always made here: one that comes from
// outside would let others forge what the log says.
func (f Front) Wrap(next http.Handler) http.Handler {
	log := f.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	policy := f.policy()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, begin := audit.NewID(), time.Now()
		r = r.WithContext(auth.WithRequest(r.Context(), id))
		headers(w.Header(), r, policy, id)
		seen := &seen{ResponseWriter: w}
		defer func() {
			p := recover()
			abort := p == http.ErrAbortHandler
			if p != nil && !abort {
				log.ErrorContext(r.Context(), "request panicked", slog.String("request", id), slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
				abort = !seen.broken()
			}
			f.access(log, r, seen, id, begin)
			if abort {
				panic(http.ErrAbortHandler)
			}
		}()
		next.ServeHTTP(seen, r)
	})
}

func (f Front) policy() string {
	add := func(s string) string {
		if s == "" {
			return ""
		}
		return " " + s
	}
	return "default-src 'self'; script-src 'self'" + add(f.ScriptSource) + "; style-src 'self'" + add(f.StyleSource) +
		"; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
}

// headers are those that protect a browser. HSTS only counts over TLS (RFC 6797, section 7.2).
func headers(h http.Header, r *http.Request, policy, id string) {
	h.Set("X-Request-Id", id)
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()")
	if r.TLS != nil {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

func (f Front) access(log *slog.Logger, r *http.Request, s *seen, id string, begin time.Time) {
	for _, path := range f.Quiet {
		if r.URL.Path == path && s.status < 400 {
			return
		}
	}
	log.InfoContext(r.Context(), "request",
		slog.String("request", id), slog.String("method", r.Method), slog.String("path", cut(r.URL.Path, 512)),
		slog.Int("status", s.status), slog.Int64("bytes", s.bytes), slog.Duration("took", time.Since(begin)),
		slog.String("from", r.RemoteAddr), slog.String("agent", cut(r.UserAgent(), 200)))
}

// seen notes what was answered. Unwrap gives http.ResponseController the rest; ReadFrom keeps sendfile.
type seen struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (s *seen) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func (s *seen) WriteHeader(status int) {
	if s.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		s.status = status
	}
	s.ResponseWriter.WriteHeader(status)
}

func (s *seen) Write(b []byte) (int, error) {
	if s.status == 0 {
		s.status = http.StatusOK
	}
	n, err := s.ResponseWriter.Write(b)
	s.bytes += int64(n)
	return n, err
}

// ReadFrom keeps sendfile for blobs.
func (s *seen) ReadFrom(r io.Reader) (int64, error) {
	if s.status == 0 {
		s.status = http.StatusOK
	}
	n, err := io.Copy(s.ResponseWriter, r)
	s.bytes += n
	return n, err
}

// broken answers a panic, and reports false where an answer has begun.
func (s *seen) broken() bool {
	if s.status != 0 {
		return false
	}
	writeProblem(s, Problem{
		Type: "about:blank", Title: title(http.StatusInternalServerError), Status: http.StatusInternalServerError,
		Detail: "the hub failed: its log says why, under this request's id", Request: s.Header().Get("X-Request-Id"),
	}, 0)
	return true
}
