package auth

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/seawall/seawall/audit"
)

// Middleware finds out who a request comes from and puts the Principal into its context, and an id of the request where
// there is none. Without credentials the principal is anonymous; with wrong ones the answer is 401 and next is not
// called. A cookie counts outside of the registry's paths only; requests that change something need the CSRF token with
// it (X-CSRF-Token), and never may they come from another site's page.
func (s *Authority) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		if RequestID(ctx) == "" {
			ctx = WithRequest(ctx, audit.NewID()[:16])
		}
		w.Header().Set("X-Request-Id", RequestID(ctx))
		r = r.WithContext(ctx)
		p, err := s.identify(r)
		if err != nil {
			s.refuse(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(With(ctx, p)))
	})
}

// identify says who a request comes from.
func (s *Authority) identify(r *http.Request) (Principal, error) {
	// Always: browsers send remembered names and passwords along, as they do cookies.
	if err := s.origin.Check(r); err != nil {
		return Principal{}, errCrossSite
	}
	header := r.Header.Get("Authorization")
	switch {
	case isTokenPath(r.URL.Path), isHealth(r.URL.Path): // the first checks credentials itself, the second asks nothing
		return nobody(s.Address(r)), nil
	case header != "":
		return s.byHeader(r.Context(), header, s.Address(r), isRegistry(r.URL.Path))
	case isRegistry(r.URL.Path):
		return s.anonymous(r.Context(), s.Address(r))
	}
	return s.byCookie(r)
}

func isRegistry(path string) bool { return path == "/v2" || strings.HasPrefix(path, "/v2/") }

func isHealth(path string) bool { return path == "/healthz" || path == "/readyz" }

func isTokenPath(path string) bool { return path == tokenPath || path == exchangePath }

func safe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// byCookie takes a session that ended for nobody, so that one can sign in again.
func (s *Authority) byCookie(r *http.Request) (Principal, error) {
	address := s.Address(r)
	c, err := r.Cookie(s.cookieName(sessionCookie))
	if err != nil || SecretKind(c.Value) != TokenSession {
		return s.anonymous(r.Context(), address)
	}
	p, _, err := s.authenticate(r.Context(), c.Value, address)
	if errors.Is(err, ErrSignedOut) {
		return s.anonymous(r.Context(), address)
	} else if err != nil {
		return p, err
	}
	if safe(r.Method) || csrfOK(c.Value, r.Header.Get(HeaderCSRF)) {
		return p, nil
	}
	if r.Method == http.MethodPost && r.URL.Path == s.cfg.SignInPath {
		return s.anonymous(r.Context(), address)
	}
	return p, errCSRF
}

// byHeader reads an Authorization header. Sessions are taken from cookies only.
func (s *Authority) byHeader(ctx context.Context, header, address string, registry bool) (Principal, error) {
	c, ok := parseAuthorization(header)
	if !ok {
		return Principal{}, ErrSignedOut
	}
	if c.bearer != "" {
		if c.bearer == Anonymous {
			return s.anonymous(ctx, address)
		}
		if SecretKind(c.bearer) == TokenSession {
			return Principal{}, ErrSignedOut
		}
		p, _, err := s.authenticate(ctx, c.bearer, address)
		return p, err
	}
	p, _, err := s.byBasic(ctx, c, address, registry)
	return p, err
}

// byBasic takes a password, or in its place an API token, a secret or an exchanged token; the name beside those does not
// count. It returns the user where a password was taken.
func (s *Authority) byBasic(ctx context.Context, c credentials, address string, registry bool) (Principal, *User, error) {
	switch SecretKind(c.password) {
	case TokenAPI, TokenSecret, TokenWorkload:
		p, _, err := s.authenticate(ctx, c.password, address)
		return p, nil, err
	case TokenSession, TokenRegistry:
		return Principal{}, nil, ErrSignedOut
	}
	u, err := s.checkPassword(ctx, attempt{name: normal(c.name), password: c.password, address: address, via: "registry"})
	if err != nil {
		return Principal{}, nil, err
	}
	p := s.ofUserAt(u, address)
	if registry && p.Must != "" {
		return Principal{}, nil, ErrMust
	}
	return p, &u, s.fillGrants(ctx, &p)
}

// credentials are those of an Authorization header.
type credentials struct{ bearer, name, password string }

// maxHeader bounds the header, in bytes.
const maxHeader = 4096

// parseAuthorization reads "Bearer <token>" (RFC 6750) and "Basic <base64>" (RFC 7617).
func parseAuthorization(header string) (credentials, bool) {
	if len(header) > maxHeader {
		return credentials{}, false
	}
	scheme, rest, _ := strings.Cut(header, " ")
	switch {
	case strings.EqualFold(scheme, "Bearer"):
		token := strings.TrimSpace(rest)
		return credentials{bearer: token}, token != ""
	case strings.EqualFold(scheme, "Basic"):
		r := http.Request{Header: http.Header{"Authorization": {header}}}
		name, password, ok := r.BasicAuth()
		return credentials{name: name, password: password}, ok
	}
	return credentials{}, false
}

var (
	errCSRF      = errors.New("the request needs the header " + HeaderCSRF + " with the token of the session")
	errCrossSite = errors.New("the request comes from a page of another site")
)

// refuse answers a request whose credentials are wrong, in the form that clients of the path read.
func (s *Authority) refuse(w http.ResponseWriter, r *http.Request, err error) {
	status := statusOf(err)
	if status == http.StatusInternalServerError && r.Context().Err() == nil {
		s.log.ErrorContext(r.Context(), "finding out who a request comes from failed", errorAttr(err))
		err = errors.New("who the request comes from could not be found out")
	}
	retryAfter(w, err)
	w.Header().Set("Cache-Control", "no-store")
	if isRegistry(r.URL.Path) {
		if status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", s.challenge(r, errors.Is(err, ErrSignedOut)))
		}
		writeOCI(w, status, err)
		return
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	writeProblem(w, status, err)
}

// statusOf is the status of errors of signing in.
func statusOf(err error) int {
	var paused *Paused
	switch {
	case errors.As(err, &paused):
		return http.StatusTooManyRequests
	case errors.Is(err, ErrBusy), errors.Is(err, errUnreachable):
		return http.StatusServiceUnavailable
	case errors.Is(err, errCSRF), errors.Is(err, errCrossSite), errors.Is(err, ErrRefused):
		return http.StatusForbidden
	case errors.Is(err, ErrSignedOut), errors.Is(err, ErrWrong), errors.Is(err, ErrCode), errors.Is(err, ErrToken), errors.Is(err, ErrMust):
		return http.StatusUnauthorized
	case errors.Is(err, ErrInvalid):
		return http.StatusBadRequest
	}
	return http.StatusInternalServerError
}

// Challenge is the value of WWW-Authenticate for a request to the registry without sufficient credentials: it sends
// clients to the token endpoint for the scope that the request needs.
func (s *Authority) Challenge(r *http.Request) string { return s.challenge(r, false) }

func (s *Authority) challenge(r *http.Request, invalidToken bool) string {
	c := `Bearer realm="` + s.base(r) + tokenPath + `",service="` + s.cfg.Service + `"`
	if scope := scopeOf(r.Method, r.URL.Path, r.URL.Query().Get("mount"), r.URL.Query().Get("from")); scope != "" {
		c += `,scope="` + scope + `"`
	}
	if invalidToken {
		c += `,error="invalid_token"`
	}
	return c
}

// base is where clients reach the hub.
func (s *Authority) base(r *http.Request) string {
	if s.public.Host != "" {
		return strings.TrimSuffix(s.public.String(), "/")
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	host := strings.Map(hostRune, r.Host)
	return scheme + "://" + cmp.Or(host, "localhost")
}

// hostRune drops what does not stand in a host, so that nothing can be written into the header.
func hostRune(r rune) rune {
	if strings.ContainsRune(".-:[]_", r) || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
		return r
	}
	return -1
}
