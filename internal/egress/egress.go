// Package egress decides which addresses may be connected to where an administrator or a foreign server names them, so
// that a URL cannot make this process reach into the machine's own network by surprise.
//
// It promises that the address that is connected to is the one that was checked: the check runs after names are
// resolved, for every connection, redirects included. It leaves out proxies: behind one, the proxy decides.
package egress

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

// ErrRefused is what a connection to an address that is not allowed fails with.
var ErrRefused = errors.New("connections to this address are not allowed")

// Guard says which addresses are allowed. The zero value allows public ones only.
type Guard struct {
	// Private allows loopback, private (RFC 1918, RFC 4193) and shared (RFC 6598) addresses.
	Private bool
	// LinkLocal allows link-local addresses and those at which clouds serve credentials of the machine.
	LinkLocal bool
}

// metadata are addresses outside the link-local networks that clouds serve credentials of a machine at.
var metadata = []netip.Addr{
	netip.MustParseAddr("fd00:ec2::254"),   // AWS
	netip.MustParseAddr("fd20:ce::254"),    // Google Cloud
	netip.MustParseAddr("100.100.100.200"), // Alibaba Cloud
	netip.MustParseAddr("168.63.129.16"),   // Azure
	netip.MustParseAddr("192.0.0.192"),     // Oracle Cloud
}

var (
	shared = netip.MustParsePrefix("100.64.0.0/10")
	this   = netip.MustParsePrefix("0.0.0.0/8")
	nat64  = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052: holds an IPv4 address
	sixTo4 = netip.MustParsePrefix("2002::/16")    // RFC 3056: holds an IPv4 address
)

// Check refuses an address that the guard does not allow, with ErrRefused.
func (g Guard) Check(a netip.Addr) error {
	a = inner(a.WithZone("").Unmap())
	switch {
	case a.IsUnspecified() || a.IsMulticast() || this.Contains(a) || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return fmt.Errorf("%s: %w: it is no host's", a, ErrRefused)
	case a.IsLinkLocalUnicast() || isMetadata(a):
		if !g.LinkLocal {
			return fmt.Errorf("%s: %w: it is link-local or serves the machine's credentials", a, ErrRefused)
		}
	case a.IsLoopback() || a.IsPrivate() || shared.Contains(a):
		if !g.Private {
			return fmt.Errorf("%s: %w: it is private", a, ErrRefused)
		}
	}
	return nil
}

// inner is the IPv4 address that a translated address stands for, else the address itself.
func inner(a netip.Addr) netip.Addr {
	b := a.As16()
	switch {
	case nat64.Contains(a):
		return netip.AddrFrom4([4]byte(b[12:]))
	case sixTo4.Contains(a):
		return netip.AddrFrom4([4]byte(b[2:6]))
	}
	return a
}

func isMetadata(a netip.Addr) bool {
	for _, m := range metadata {
		if a == m {
			return true
		}
	}
	return false
}

// Control is for net.Dialer: it is called with the resolved address before a connection is made.
func (g Guard) Control(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%q: %w", address, ErrRefused)
	}
	return g.Check(ap.Addr())
}

// Dialer connects to what the guard allows.
func (g Guard) Dialer(timeout time.Duration) *net.Dialer {
	return &net.Dialer{Timeout: timeout, KeepAlive: 30 * time.Second, Control: g.Control}
}

// Proxy wraps a choice of proxies, such as http.ProxyFromEnvironment. Where one is used, only addresses in the URL
// itself are checked; names are the proxy's to judge.
func (g Guard) Proxy(choose func(*http.Request) (*url.URL, error)) func(*http.Request) (*url.URL, error) {
	return func(q *http.Request) (*url.URL, error) {
		proxy, err := choose(q)
		if err != nil || proxy == nil {
			return nil, err
		}
		if a, err := netip.ParseAddr(q.URL.Hostname()); err == nil {
			if err := g.Check(a); err != nil {
				return nil, err
			}
		}
		return proxy, nil
	}
}
