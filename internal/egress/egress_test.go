package egress

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"testing"
)

func TestCheck(t *testing.T) {
	const public, private, link, never = 0, 1, 2, 3
	for text, kind := range map[string]int{
		"192.0.2.1": public, "2001:db8::1": public, "8.8.8.8": public, "172.32.0.1": public, "100.128.0.1": public,
		"127.0.0.1": private, "127.9.9.9": private, "::1": private, "10.1.2.3": private, "172.16.0.1": private,
		"192.168.1.1": private, "fd00::1": private, "100.64.1.1": private, "::ffff:10.0.0.1": private,
		"64:ff9b::a00:1": private, "2002:a00:1::": private,
		"169.254.169.254": link, "fe80::1%eth0": link, "::ffff:169.254.169.254": link, "fd00:ec2::254": link,
		"100.100.100.200": link, "168.63.129.16": link, "64:ff9b::a9fe:a9fe": link,
		"0.0.0.0": never, "::": never, "224.0.0.1": never, "ff02::1": never, "255.255.255.255": never, "0.1.2.3": never,
	} {
		a := netip.MustParseAddr(text)
		for _, g := range []Guard{{}, {Private: true}, {LinkLocal: true}, {Private: true, LinkLocal: true}} {
			allowed := kind == public || kind == private && g.Private || kind == link && g.LinkLocal
			if err := g.Check(a); (err == nil) != allowed || err != nil && !errors.Is(err, ErrRefused) {
				t.Errorf("%s with %+v: %v", text, g, err)
			}
		}
	}
}

func TestTransport(t *testing.T) {
	s := httptest.NewServer(http.RedirectHandler("http://169.254.169.254/latest/meta-data", http.StatusFound))
	defer s.Close()
	get := func(g Guard) error {
		c := &http.Client{Transport: g.Transport(nil)}
		defer c.CloseIdleConnections()
		r, err := c.Get(s.URL)
		if err == nil {
			r.Body.Close()
		}
		return err
	}
	var ue *url.Error
	if err := get(Guard{}); !errors.Is(err, ErrRefused) {
		t.Errorf("loopback: %v", err)
	}
	if err := get(Guard{Private: true}); !errors.Is(err, ErrRefused) || !errors.As(err, &ue) || ue.URL == s.URL {
		t.Errorf("a redirect to the metadata address: %v", err)
	}
}

func TestProxyChecksLiterals(t *testing.T) {
	proxy := &url.URL{Scheme: "http", Host: "127.0.0.1:3128"}
	choose := Guard{}.Proxy(func(*http.Request) (*url.URL, error) { return proxy, nil })
	for target, refused := range map[string]bool{"https://example.org/": false, "https://10.0.0.1/": true, "http://[fe80::1]/": true} {
		q, _ := http.NewRequest(http.MethodGet, target, nil)
		if _, err := choose(q); errors.Is(err, ErrRefused) != refused {
			t.Errorf("%s: %v", target, err)
		}
	}
}
