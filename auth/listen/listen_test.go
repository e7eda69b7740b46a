package listen

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var quiet = slog.New(slog.DiscardHandler)

// serve opens a listener on this machine and serves "hello" on it.
func serve(t *testing.T, c Config) *Listener {
	t.Helper()
	c.Address = "127.0.0.1:0"
	l, err := Open(context.Background(), c, quiet)
	if err != nil {
		t.Fatal(err)
	}
	hello := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello by "+r.Proto) })
	s := &http.Server{Handler: l.Only(hello), ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return l
}

// own makes a certificate for this machine and a client that trusts it.
func own(t *testing.T, dir string, now time.Time) (Own, *http.Client) {
	t.Helper()
	o, err := SelfSigned(dir, []string{"127.0.0.1", "localhost"}, now)
	if err != nil {
		t.Fatal(err)
	}
	pem, err := os.ReadFile(o.CA)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true, DisableKeepAlives: true}
	return o, &http.Client{Transport: tr}
}

func get(t *testing.T, c *http.Client, url string) (string, error) {
	t.Helper()
	r, err := c.Get(url)
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	return string(b), err
}

func TestTLS(t *testing.T) {
	o, client := own(t, t.TempDir(), time.Now())
	l := serve(t, Config{TLS: o.TLS})
	got, err := get(t, client, "https://"+l.Addr().String())
	if err != nil || got != "hello by HTTP/2.0" || !l.Secure() {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := get(t, http.DefaultClient, "https://"+l.Addr().String()); err == nil {
		t.Error("a certificate of nobody is trusted")
	}
	old := &tls.Config{MaxVersion: tls.VersionTLS11, InsecureSkipVerify: true}
	if _, err := tls.Dial("tcp", l.Addr().String(), old); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
}

func TestClientCertificates(t *testing.T) {
	o, client := own(t, t.TempDir(), time.Now())
	clients, _ := own(t, t.TempDir(), time.Now())
	o.ClientCA = clients.CA
	l := serve(t, Config{TLS: o.TLS})
	if _, err := get(t, client, "https://"+l.Addr().String()); err == nil {
		t.Error("a client without certificate is let in")
	}
	config := client.Transport.(*http.Transport).TLSClientConfig
	foreign, err := tls.LoadX509KeyPair(o.Cert, o.Key)
	if err != nil {
		t.Fatal(err)
	}
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &foreign, nil }
	if _, err := get(t, client, "https://"+l.Addr().String()); err == nil {
		t.Error("a client with a certificate of another authority is let in")
	}
	ca, err := authority(clients.CA, filepath.Join(filepath.Dir(clients.CA), "ca-key.pem"), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	mine := leaf([]string{"client"}, time.Now())
	mine.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	dir := t.TempDir()
	if _, err := makePair(filepath.Join(dir, "c.pem"), filepath.Join(dir, "k.pem"), mine, &ca); err != nil {
		t.Fatal(err)
	}
	good, err := tls.LoadX509KeyPair(filepath.Join(dir, "c.pem"), filepath.Join(dir, "k.pem"))
	if err != nil {
		t.Fatal(err)
	}
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &good, nil }
	if _, err := get(t, client, "https://"+l.Addr().String()); err != nil {
		t.Errorf("a client with a certificate: %v", err)
	}
}

func TestReload(t *testing.T) {
	dir := t.TempDir()
	o, _ := own(t, dir, time.Now())
	now := time.Now()
	r := &reloader{files: o.TLS, log: quiet, now: func() time.Time { return now }}
	if err := r.read(r.stamp()); err != nil {
		t.Fatal(err)
	}
	leafOf := func() string { return string(r.current().Certificates[0].Certificate[0]) }
	first := leafOf()
	if err := os.WriteFile(o.Cert, []byte("rubbish"), 0o644); err != nil {
		t.Fatal(err)
	}
	now = now.Add(lookAgain)
	if leafOf() != first {
		t.Error("a broken certificate takes the place of a good one")
	}
	os.Remove(o.Cert)
	own(t, dir, time.Now())
	now = now.Add(lookAgain)
	if leafOf() == first {
		t.Error("the new certificate is not taken")
	}
}

func TestAllow(t *testing.T) {
	l := serve(t, Config{Allow: []string{"10.0.0.0/8"}})
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	io.WriteString(c, "GET / HTTP/1.0\r\n\r\n")
	if b, _ := io.ReadAll(c); len(b) != 0 {
		t.Errorf("answer %q", b)
	}
	if l.Refused() != 1 {
		t.Errorf("%d refused", l.Refused())
	}
	l = serve(t, Config{Allow: []string{"10.0.0.0/8", "127.0.0.1"}})
	if got, err := get(t, http.DefaultClient, "http://"+l.Addr().String()); err != nil || got == "" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestConnections(t *testing.T) {
	l := serve(t, Config{Connections: 1})
	first, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ask := func(c net.Conn) string {
		c.SetDeadline(time.Now().Add(10 * time.Second))
		io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		b := make([]byte, 100)
		n, _ := c.Read(b)
		return string(b[:n])
	}
	if got := ask(first); !strings.HasPrefix(got, "HTTP/1.1 200") {
		t.Fatal(got)
	}
	second, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if got := ask(second); got != "" || l.Refused() != 1 {
		t.Errorf("%q, %d refused", got, l.Refused())
	}
	first.Close()
	deadline := time.Now().Add(10 * time.Second)
	for {
		third, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		got := ask(third)
		third.Close()
		if strings.HasPrefix(got, "HTTP/1.1 200") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("a closed connection leaves no room")
		}
	}
}

func TestNetworks(t *testing.T) {
	got, err := networks([]string{"10.1.2.3/8", "192.0.2.7", "2001:db8::/32"})
	if err != nil || len(got) != 3 || got[0] != netip.MustParsePrefix("10.0.0.0/8") || got[1] != netip.MustParsePrefix("192.0.2.7/32") {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"", "x", "10.0.0.0/33", "::ffff:10.0.0.0/104"} {
		if _, err := networks([]string{bad}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	f := &filter{allow: got}
	for addr, want := range map[string]bool{"10.9.9.9:1": true, "[::ffff:10.9.9.9]:1": true, "11.0.0.1:1": false, "[2001:db8::1%eth0]:1": true} {
		if f.allows(net.TCPAddrFromAddrPort(netip.MustParseAddrPort(addr))) != want {
			t.Errorf("%s: not %v", addr, want)
		}
	}
	if f.allows(&net.UnixAddr{}) {
		t.Error("a socket without address is allowed")
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]Config{
		"beyond this machine without TLS": {Address: "0.0.0.0:0"},
		"no network":                      {Address: "127.0.0.1:0", Allow: []string{"x"}},
		"no part":                         {Address: "127.0.0.1:0", Serve: []string{"x"}},
		"no key":                          {Address: "127.0.0.1:0", TLS: TLS{Cert: "x"}},
		"no certificate":                  {Address: "127.0.0.1:0", TLS: TLS{ClientCA: "x"}},
		"no such file":                    {Address: "127.0.0.1:0", TLS: TLS{Cert: dir + "/a", Key: dir + "/b"}},
		"no port":                         {Address: "127.0.0.1"},
	} {
		if l, err := Open(context.Background(), c, quiet); err == nil {
			l.Close()
			t.Errorf("%s: no error", name)
		}
	}
}

func TestParts(t *testing.T) {
	tests := []struct {
		path  string
		parts string
	}{
		{"/v2/", "registry"}, {"/v2", "registry"}, {"/v2/a/manifests/1", "registry"}, {"/token", "registry"},
		{"/token/exchange", "registry api"}, {"/api/v1/images", "api console"}, {"/", "console"}, {"/images", "console"},
		{"/signin/oidc/corp", "console"}, {"/v2x", "console"}, {"/healthz", "registry api console"}, {"/apis", "console"},
	}
	for _, tt := range tests {
		for _, part := range []string{Registry, API, Console} {
			want := http.StatusNotFound
			if strings.Contains(tt.parts, part) {
				want = http.StatusOK
			}
			l := &Listener{config: Config{Serve: []string{part}}}
			w := httptest.NewRecorder()
			l.Only(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(w, httptest.NewRequest("GET", tt.path, nil))
			if w.Code != want {
				t.Errorf("%s at %s: %d", tt.path, part, w.Code)
			}
		}
	}
}

func TestSelfSigned(t *testing.T) {
	dir, now := filepath.Join(t.TempDir(), "tls"), time.Now()
	o, _ := own(t, dir, now)
	read := func(name string) string {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	ca, cert := read(o.CA), read(o.Cert)
	own(t, dir, now)
	if read(o.Cert) != cert {
		t.Error("a good certificate is made anew")
	}
	if _, err := SelfSigned(dir, []string{"127.0.0.1", "hub.example"}, now); err != nil || read(o.Cert) == cert {
		t.Errorf("no certificate for another host: %v", err)
	}
	cert = read(o.Cert)
	if _, err := SelfSigned(dir, []string{"hub.example"}, now.Add(certificateLife-renewBefore+time.Hour)); err != nil || read(o.Cert) == cert {
		t.Errorf("no certificate in place of one that ends: %v", err)
	}
	if read(o.CA) != ca {
		t.Error("the authority changed: clients that trust it are lost")
	}
	for _, key := range []string{o.Key, filepath.Join(dir, "ca-key.pem")} {
		if info, err := os.Stat(key); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", key, info.Mode(), err)
		}
	}
	if _, err := SelfSigned(dir, nil, now); err == nil {
		t.Error("a certificate for no host")
	}
	if err := os.WriteFile(o.CA, []byte("rubbish"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := SelfSigned(dir, []string{"hub.example"}, now); err == nil {
		t.Error("a broken authority is replaced without a word")
	}
}
