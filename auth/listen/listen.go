// Package listen opens the hub's listeners: each on an address of its own, for networks of its own, with TLS and client
// certificates where wanted, and for the parts that it serves: so that a registry can be served to one network only.
//
// It promises that a connection from elsewhere is closed before a byte of it is read, that certificates are read anew
// when their files change (and the old ones stay in use while the new ones cannot be read), and that a path of a part
// that a listener does not serve is not found there. It leaves out who a request comes from (package auth).
package listen

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Parts of the hub that a listener can serve.
const (
	Registry = "registry" // /v2/ and /token
	API      = "api"      // /api/ and /token/exchange
	Console  = "console"  // all other paths, and /api/, which it works by
)

// Config is one listener.
type Config struct {
	// Address is host:port; ":8443" is every interface.
	Address string `json:"address" yaml:"address"`
	// Allow lists the networks that may connect: "10.0.0.0/8", "192.0.2.7". Empty allows all.
	Allow []string `json:"allow,omitempty" yaml:"allow,omitempty"`
	TLS   TLS      `json:"tls,omitzero" yaml:"tls,omitempty"`
	// Serve lists parts; empty serves all. /healthz and /readyz are served everywhere.
	Serve []string `json:"serve,omitempty" yaml:"serve,omitempty"`
	// Connections bounds those that are open at a time: 10,000 where 0.
	Connections int `json:"connections,omitempty" yaml:"connections,omitempty"`
}

// Listener accepts connections from allowed networks, TLS ones where the configuration has a certificate.
type Listener struct {
	net.Listener
	config  Config
	refused *atomic.Int64
}

// Open opens a listener. An address beyond this machine needs a certificate: without one it is an error.
func Open(ctx context.Context, c Config, log *slog.Logger) (*Listener, error) {
	allow, err := networks(c.Allow)
	if err != nil {
		return nil, fmt.Errorf("listener %s: %w", c.Address, err)
	}
	for _, part := range c.Serve {
		if !slices.Contains([]string{Registry, API, Console}, part) {
			return nil, fmt.Errorf("listener %s: no part %q; there are registry, api and console", c.Address, part)
		}
	}
	config, err := c.TLS.load(log)
	if err != nil {
		return nil, fmt.Errorf("listener %s: %w", c.Address, err)
	}
	inner, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Address)
	if err != nil {
		return nil, fmt.Errorf("listening on %s: %w", c.Address, err)
	}
	if config == nil && !loopback(inner.Addr()) {
		inner.Close()
		return nil, fmt.Errorf("listener %s: without TLS only addresses of this machine (127.0.0.1, ::1) are allowed: give it a certificate", c.Address)
	}
	f := &filter{Listener: inner, allow: allow, log: log, room: make(chan struct{}, cmp.Or(max(0, c.Connections), 10_000))}
	l := &Listener{Listener: f, config: c, refused: &f.refused}
	if config != nil {
		l.Listener = tls.NewListener(f, config)
	}
	return l, nil
}

func loopback(a net.Addr) bool {
	t, ok := a.(*net.TCPAddr)
	return ok && t.IP.IsLoopback()
}

// Refused counts the connections that were closed at once: from networks that are not allowed, or too many.
func (l *Listener) Refused() int64 { return l.refused.Load() }

// Secure reports whether the listener speaks TLS.
func (l *Listener) Secure() bool { return l.config.TLS.Cert != "" }

// Only answers 404 for paths of parts that the listener does not serve.
func (l *Listener) Only(next http.Handler) http.Handler {
	if len(l.config.Serve) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !serves(l.config.Serve, r.URL.Path) {
			http.NotFound(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func serves(parts []string, path string) bool {
	has := func(part string) bool { return slices.Contains(parts, part) }
	below := func(prefix string) bool { return path == prefix || strings.HasPrefix(path, prefix+"/") }
	switch {
	case path == "/healthz" || path == "/readyz":
		return true
	case below("/v2"):
		return has(Registry)
	case path == "/token/exchange":
		return has(Registry) || has(API)
	case below("/token"):
		return has(Registry)
	case below("/api"):
		return has(API) || has(Console)
	}
	return has(Console)
}

// networks reads addresses and networks in CIDR form.
func networks(texts []string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, t := range texts {
		p, err := netip.ParsePrefix(t)
		if err != nil {
			a, addrErr := netip.ParseAddr(t)
			if addrErr != nil {
				return nil, fmt.Errorf("no network: %q; write 10.0.0.0/8 or 192.0.2.7", t)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		if p.Addr().Is4In6() {
			return nil, fmt.Errorf("no network: %q; write it as an IPv4 network", t)
		}
		all = append(all, p.Masked())
	}
	return all, nil
}

// filter closes connections from elsewhere, and those beyond its room.
type filter struct {
	net.Listener
	allow   []netip.Prefix
	room    chan struct{}
	log     *slog.Logger
	refused atomic.Int64
	told    time.Time // only Accept uses it, and one goroutine calls that
}

func (f *filter) Accept() (net.Conn, error) {
	for {
		c, err := f.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if !f.allows(c.RemoteAddr()) {
			f.refuse(c, "a connection from a network that is not allowed was refused")
			continue
		}
		select {
		case f.room <- struct{}{}:
			return &counted{Conn: c, leave: sync.OnceFunc(func() { <-f.room })}, nil
		default:
			f.refuse(c, "a connection was refused: too many are open")
		}
	}
}

func (f *filter) allows(a net.Addr) bool {
	if len(f.allow) == 0 {
		return true
	}
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return false
	}
	ip := t.AddrPort().Addr().Unmap().WithZone("")
	return slices.ContainsFunc(f.allow, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// refuse counts all and logs one a minute, so that nobody can fill the log.
func (f *filter) refuse(c net.Conn, why string) {
	n := f.refused.Add(1)
	if now := time.Now(); now.Sub(f.told) >= time.Minute {
		f.told = now
		f.log.Warn("a connection was refused", slog.String("why", why), slog.String("from", c.RemoteAddr().String()),
			slog.String("on", f.Addr().String()), slog.Int64("refused", n))
	}
	c.Close()
}

type counted struct {
	net.Conn
	leave func()
}

func (c *counted) Close() error {
	c.leave()
	return c.Conn.Close()
}
