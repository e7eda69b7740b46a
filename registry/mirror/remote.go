package mirror

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/opencontainers/go-digest"

	"github.com/seawall/seawall/internal/egress"
)

// attempts is how often a request is sent before its failure counts.
const attempts = 3

// remote is one repository of a source.
type remote struct {
	client *Client
	repo   name.Repository
	tag    string // of the reference, "" where it names a digest
	digest string
	now    digest.Digest // of the tag, where it was asked for already
	bare   bool          // the source knows no referrers API
	anon   bool
	http   *http.Client
}

// dial signs in at the source.
func (c *Client) dial(ctx context.Context, src *Source) (*remote, error) {
	var options []name.Option
	if src.Insecure {
		options = append(options, name.Insecure)
	}
	ref, err := name.ParseReference(src.Ref, options...)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrName, bounded(err.Error()))
	}
	r := &remote{client: c, repo: ref.Context(), anon: src.Credential.none()}
	switch n := ref.(type) {
	case name.Tag:
		r.tag = n.TagStr()
	case name.Digest:
		r.digest = n.DigestStr()
	}
	if err := src.Credential.fits(r.repo.Registry); err != nil {
		return nil, err
	}
	base, err := c.transport(src)
	if err != nil {
		return nil, err
	}
	err = r.again(ctx, func() error {
		ctx, cancel := context.WithTimeout(ctx, smallWithin)
		defer cancel()
		signed, err := transport.NewWithContext(ctx, r.repo.Registry, src.Credential.authenticator(), base, []string{r.repo.Scope(transport.PullScope)})
		if err != nil {
			return r.failed(err)
		}
		r.http = &http.Client{Transport: signed, CheckRedirect: redirects(src.Insecure)}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("signing in at %s: %w", r.repo.RegistryStr(), err)
	}
	return r, nil
}

func (c Credential) authenticator() authn.Authenticator {
	switch {
	case c.none():
		return authn.Anonymous
	case c.User == "":
		return authn.FromConfig(authn.AuthConfig{RegistryToken: c.Secret})
	}
	return authn.FromConfig(authn.AuthConfig{Username: c.User, Password: c.Secret})
}

// transport connects to what the guard allows, and by TLS alone unless the source is marked insecure.
func (c *Client) transport(src *Source) (http.RoundTripper, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: src.Insecure}
	if len(src.CA) > 0 {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM(src.CA) {
			return nil, errors.New("the source's CA holds no PEM certificate")
		}
		conf.RootCAs = pool
	}
	rt := &watched{next: c.guard.Transport(conf), client: c, anon: src.Credential.none(), insecure: src.Insecure}
	return transport.NewUserAgent(rt, "seawall"), nil
}

// watched keeps requests from plain HTTP, and turns an answer of 429 into an error that says what to do, wherever it
// comes: from the registry, from the server of its tokens or from that of its blobs.
type watched struct {
	next     http.RoundTripper
	client   *Client
	anon     bool
	insecure bool
}

var errPlainHTTP = errors.New("the source speaks plain HTTP: mark it insecure to allow this")

func (w *watched) RoundTrip(q *http.Request) (*http.Response, error) {
	if q.URL.Scheme != "https" && !w.insecure && !isLoopback(q.URL.Hostname()) {
		return nil, errPlainHTTP
	}
	r, err := w.next.RoundTrip(q)
	if err != nil || r.StatusCode != http.StatusTooManyRequests {
		return r, err
	}
	r.Body.Close()
	return nil, &LimitedError{Host: q.URL.Host, After: retryAfter(r.Header, w.client.Now()), Anonymous: w.anon}
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// retryAfter reads seconds or a date (RFC 9110 section 10.2.3), at most a day.
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := h.Get("Retry-After")
	if s, err := strconv.Atoi(v); err == nil {
		return time.Duration(min(max(s, 0), 86400)) * time.Second
	}
	if at, err := http.ParseTime(v); err == nil {
		return min(max(at.Sub(now), 0), 24*time.Hour).Round(time.Second)
	}
	return 0
}

// redirects are followed to TLS: registries keep blobs elsewhere. Credentials do not go along, see the transport.
func redirects(insecure bool) func(*http.Request, []*http.Request) error {
	return func(q *http.Request, via []*http.Request) error {
		if len(via) >= 5 {
			return errors.New("the source redirects more than five times")
		}
		if via[0].URL.Scheme == "https" && q.URL.Scheme != "https" && !insecure {
			return errors.New("the source redirects from TLS to plain HTTP")
		}
		return nil
	}
}

// again tries what may pass by itself once more, after a pause.
func (r *remote) again(ctx context.Context, f func() error) error {
	for i := 1; ; i++ {
		err := f()
		var limited *LimitedError
		if err == nil || i == attempts || !errors.Is(err, ErrUnavailable) || errors.As(err, &limited) || ctx.Err() != nil {
			return err
		}
		if err := r.client.pause(ctx, i); err != nil {
			return err
		}
	}
}

// pause waits before something is tried again, longer with each failure in a row; not at all before the first.
func (c *Client) pause(ctx context.Context, failures int) error {
	if failures == 0 {
		return nil
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(c.Pause << (failures - 1)):
		return nil
	}
}

// failed says what an error of the transport means, without the address, whose query may hold a token.
func (r *remote) failed(err error) error {
	var answer *transport.Error
	var limited *LimitedError
	var untrusted *tls.CertificateVerificationError
	var u *url.Error
	switch {
	case errors.As(err, &limited):
		return limited
	case errors.As(err, &untrusted): // before what came of trying plain HTTP on loopback
		return fmt.Errorf("%w: %w; give the authority that issued its certificate", ErrUnavailable, untrusted)
	case errors.As(err, &answer):
		return r.status(answer.StatusCode, diagnosis(answer))
	case errors.Is(err, context.Canceled), errors.Is(err, errPlainHTTP), errors.Is(err, egress.ErrRefused):
		return unwrapURL(err)
	case errors.As(err, &u):
		err = u.Err
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

func unwrapURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

func diagnosis(e *transport.Error) string {
	var out []string
	for i, d := range e.Errors {
		if i == 3 {
			break
		}
		out = append(out, bounded(string(d.Code)+": "+d.Message))
	}
	return strings.Join(out, "; ")
}

// bounded makes one short line of what a source sent.
func bounded(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "")), " ")
	if len(s) > 300 {
		s = strings.ToValidUTF8(s[:300], "") + "…"
	}
	return s
}

// status is the error for an answer that is none of success.
func (r *remote) status(code int, said string) error {
	base := ErrUnavailable
	switch {
	case code == http.StatusNotFound:
		base = ErrNotFound
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		base = ErrDenied
	case code/100 == 4 && code != http.StatusRequestTimeout:
		base = ErrContent
	}
	if said != "" {
		said = ": " + said
	}
	hint := ""
	if base == ErrDenied && r.anon {
		hint = " (no credential is given; registries answer the same for repositories that do not exist)"
	}
	return fmt.Errorf("%w: %s answers %d%s%s", base, r.repo.RegistryStr(), code, said, hint)
}

// do sends a request and leaves the body to the caller where the status is one of ok.
func (r *remote) do(ctx context.Context, method, path string, header http.Header, ok ...int) (*http.Response, error) {
	u := "https://" + r.repo.RegistryStr() + "/v2/" + r.repo.RepositoryStr() + path
	q, err := http.NewRequestWithContext(ctx, method, u, nil)
	if err != nil {
		return nil, fmt.Errorf("asking %s: %w", r.repo.RegistryStr(), err)
	}
	for k, v := range header {
		q.Header[k] = v
	}
	a, err := r.http.Do(q)
	if err != nil {
		return nil, r.failed(err)
	}
	for _, code := range ok {
		if a.StatusCode == code {
			return a, nil
		}
	}
	defer a.Body.Close()
	err = transport.CheckError(a)
	var answer *transport.Error
	if errors.As(err, &answer) {
		return nil, r.status(a.StatusCode, diagnosis(answer))
	}
	return nil, r.status(a.StatusCode, "")
}

// smallWithin bounds one request for something small, from its beginning to the last byte.
const smallWithin = 2 * time.Minute

// read is do for a small body.
func (r *remote) read(ctx context.Context, path string, header http.Header, most int64) (p []byte, h http.Header, err error) {
	err = r.again(ctx, func() error {
		ctx, cancel := context.WithTimeout(ctx, smallWithin)
		defer cancel()
		a, err := r.do(ctx, http.MethodGet, path, header, http.StatusOK)
		if err != nil {
			return err
		}
		defer a.Body.Close()
		h = a.Header
		p, err = io.ReadAll(io.LimitReader(a.Body, most+1))
		switch {
		case err != nil:
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		case int64(len(p)) > most:
			return fmt.Errorf("%w: more than %d bytes", ErrContent, most)
		}
		return nil
	})
	return p, h, err
}
