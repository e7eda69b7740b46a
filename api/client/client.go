// Package client asks a hub: a small client of the REST interface for the command line.
//
// It promises that a token goes only to the hub that it is for and never over an unencrypted line to another machine,
// that what the hub refuses comes back as an *Error which says why, and that answers are bounded. Its types hold what
// the command line shows; the whole interface is in api/openapi.yaml. It imports the nouns and nothing of the hub.
package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Config says which hub, and as whom.
type Config struct {
	// URL is where the hub is: "https://hub.example". Plain http is taken for this machine alone.
	URL string
	// Token is an API token, a service principal's secret or an exchanged token; "" asks as nobody.
	Token string
	// User, when set, sends Token as that user's password (HTTP Basic).
	User string
	// CA holds certificates (PEM) to trust beside the system's: that of a hub which signed its own.
	CA []byte
	// Agent is the User-Agent; "" is "seawall".
	Agent string
	// HTTP does the requests; nil is one of its own. Its redirects are not followed.
	HTTP *http.Client
}

// Client asks one hub. It is safe for concurrent use.
type Client struct {
	config Config
	base   *url.URL
	http   *http.Client
}

// New returns a client. It asks nothing yet.
func New(c Config) (*Client, error) {
	base, err := url.Parse(strings.TrimSuffix(c.URL, "/"))
	switch {
	case err != nil || base.Host == "" || base.Scheme != "https" && base.Scheme != "http":
		return nil, fmt.Errorf("%q is no address of a hub: write https://hub.example", c.URL)
	case base.User != nil:
		return nil, errors.New("the address of the hub must hold no password: use a token")
	case base.Scheme == "http" && c.Token != "" && !onThisMachine(base.Hostname()):
		return nil, fmt.Errorf("a token is not sent to %s without TLS: write https://", base.Host)
	}
	if c.Agent == "" {
		c.Agent = "seawall"
	}
	h, err := c.httpClient()
	if err != nil {
		return nil, err
	}
	return &Client{c, base, h}, nil
}

func onThisMachine(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// httpClient never follows redirects: an interface has none, and a token must not travel on.
func (c *Config) httpClient() (*http.Client, error) {
	h := &http.Client{}
	if c.HTTP != nil {
		*h = *c.HTTP
	} else {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
		t.ResponseHeaderTimeout = time.Minute
		if len(c.CA) > 0 {
			pool, err := trust(c.CA)
			if err != nil {
				return nil, err
			}
			t.TLSClientConfig.RootCAs = pool
		}
		h.Transport = t
	}
	h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return h, nil
}

func trust(ca []byte) (*x509.CertPool, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(ca) {
		return nil, errors.New("the certificates to trust hold none in PEM")
	}
	return pool, nil
}

// maxJSON bounds an answer that is held in memory, in bytes: whole results of large images are some ten MiB.
const maxJSON = 256 << 20

// get asks for JSON.
func (c *Client) get(ctx context.Context, path string, query url.Values, into any) error {
	r, err := c.do(ctx, http.MethodGet, path, query, nil)
	if err != nil {
		return err
	}
	return decode(r, into)
}

// send asks for a change with a body of JSON, nil for none; into may be nil.
func (c *Client) send(ctx context.Context, method, path string, body, into any) error {
	r, err := c.do(ctx, method, path, nil, body)
	if err != nil {
		return err
	}
	if into == nil {
		return r.Body.Close()
	}
	return decode(r, into)
}

func decode(r *http.Response, into any) error {
	defer r.Body.Close()
	if err := json.NewDecoder(io.LimitReader(r.Body, maxJSON)).Decode(into); err != nil {
		return fmt.Errorf("reading the hub's answer: %w", err)
	}
	return nil
}

// stream copies an answer as it comes. An answer that breaks off is an error, so that nobody takes half of it for all.
func (c *Client) stream(ctx context.Context, path string, query url.Values, to io.Writer) error {
	r, err := c.do(ctx, http.MethodGet, path, query, nil)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	if _, err := io.Copy(to, r.Body); err != nil {
		return fmt.Errorf("reading the hub's answer, which broke off: %w", err)
	}
	return nil
}

// attempts is how often a request is sent that the hub asked to send again later, maxWait how long that may be.
const (
	attempts = 4
	maxWait  = 30 * time.Second
)

// do sends a request and returns a good answer. One that the hub is too busy for is sent again when it says; a change
// carries a key, so that sending it again does it once.
func (c *Client) do(ctx context.Context, method, path string, query url.Values, body any) (*http.Response, error) {
	var payload []byte
	if body != nil {
		var err error
		if payload, err = json.Marshal(body); err != nil {
			return nil, err
		}
	}
	key := rand.Text()
	for n := 1; ; n++ {
		r, err := c.once(ctx, method, path, query, payload, key)
		if err != nil {
			return nil, fmt.Errorf("asking the hub at %s: %w", c.base.Host, err)
		}
		if r.StatusCode < 300 {
			return r, nil
		}
		e := errorOf(r)
		if n == attempts || e.After == 0 || e.After > maxWait {
			return nil, e
		}
		if err := pause(ctx, e.After); err != nil {
			return nil, err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

func (c *Client) once(ctx context.Context, method, path string, query url.Values, payload []byte, key string) (*http.Response, error) {
	target := c.base.String() + "/api/v1" + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(payload))
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", c.config.Agent)
	r.Header.Set("Accept", "application/json")
	if payload != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if method == http.MethodPost {
		r.Header.Set("Idempotency-Key", key)
	}
	switch {
	case c.config.User != "":
		r.SetBasicAuth(c.config.User, c.config.Token)
	case c.config.Token != "":
		r.Header.Set("Authorization", "Bearer "+c.config.Token)
	}
	return c.http.Do(r)
}

// seconds reads Retry-After; 0 where there is none.
func seconds(header string) time.Duration {
	n, err := strconv.Atoi(header)
	if err != nil || n < 0 || n > 1<<20 {
		return 0
	}
	return time.Duration(n) * time.Second
}
