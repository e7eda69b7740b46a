package egress

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Transport is an HTTP transport that connects to what the guard allows, by way of the environment's proxy where
// there is one. config may be nil.
func (g Guard) Transport(config *tls.Config) http.RoundTripper {
	direct := g.transport(config, g.Dialer(15*time.Second))
	proxied := g.transport(config, &net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second})
	proxied.Proxy = g.Proxy(http.ProxyFromEnvironment)
	return &either{direct: direct, proxied: proxied, choose: http.ProxyFromEnvironment}
}

func (g Guard) transport(config *tls.Config, d *net.Dialer) *http.Transport {
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return &http.Transport{
		DialContext:            d.DialContext,
		ForceAttemptHTTP2:      true,
		TLSClientConfig:        config.Clone(),
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  60 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		MaxIdleConnsPerHost:    8,
		IdleConnTimeout:        30 * time.Second,
	}
}

// either takes the guarded way for what no proxy carries. The connection to the proxy itself is not guarded: whoever
// runs this process chose it.
type either struct {
	direct, proxied *http.Transport
	choose          func(*http.Request) (*url.URL, error)
}

func (e *either) RoundTrip(q *http.Request) (*http.Response, error) {
	if proxy, err := e.choose(q); err == nil && proxy == nil {
		return e.direct.RoundTrip(q)
	}
	return e.proxied.RoundTrip(q)
}

// CloseIdleConnections lets http.Client close what is open.
func (e *either) CloseIdleConnections() {
	e.direct.CloseIdleConnections()
	e.proxied.CloseIdleConnections()
}
