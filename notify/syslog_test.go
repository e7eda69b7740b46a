package notify

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seawall/seawall/finding"
)

func TestRecord(t *testing.T) {
	r := newRig(t, nil)
	e := event("1", finding.SeverityCritical)
	e.Title, e.Text, e.Link = `a|b\c`+"\nd", "x=y\\z\nnext", "https://hub.example/i?a=b"
	got := r.record(&e, maxRecord)
	want := `<130>1 2026-03-04T12:00:00.000000Z hub.example seawall - image.rejected - ` +
		`CEF:0|Seawall|Seawall|` + version + `|image.rejected|a\|b\\c d|10|` +
		`rt=1772625600000 externalId=1 cat=image.rejected cs1Label=repository cs1=team/app cs2Label=digest cs2=sha256:ab ` +
		`cs3Label=advisories cs3=CVE-2026-1 request=https://hub.example/i?a\=b msg=x\=y\\z\nnext cs4Label=detail cs4=fixed: 1.2`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for s, want := range map[finding.Severity]string{
		finding.SeverityCritical: "<130>", finding.SeverityHigh: "<131>", finding.SeverityMedium: "<132>",
		finding.SeverityLow: "<133>", finding.SeverityNegligible: "<134>", finding.SeverityUnknown: "<134>",
	} {
		e.Severity = s
		if got := r.record(&e, maxRecord); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s", s, got[:6])
		}
	}
	e.Text = strings.Repeat("long ", 1000)
	e.Detail["much"] = strings.Repeat("long ", 1000)
	if got := r.record(&e, maxDatagram); len(got) > maxDatagram || !strings.Contains(got, "cs3=CVE-2026-1") {
		t.Errorf("%d bytes: %s", len(got), got)
	}
}

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{"": "-", "a b": "ab", "ä\n": "-", strings.Repeat("x", 40): strings.Repeat("x", 32)} {
		if got := printable(in, 32); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

// TestSyslogStream: records arrive behind their lengths, over TCP and TLS.
func TestSyslogStream(t *testing.T) {
	s := httptest.NewUnstartedServer(nil) // for its certificate
	s.StartTLS()
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	r := newRig(t, roots)
	for _, scheme := range []string{"tcp", "tls"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if scheme == "tls" {
			l = tls.NewListener(l, s.TLS)
		}
		got := make(chan []string, 1)
		go func() {
			defer l.Close()
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			got <- frames(c)
		}()
		d := &Delivery{Events: []Event{event("1", finding.SeverityLow), event("2", finding.SeverityHigh)}}
		if _, err := r.send(t.Context(), &Target{Form: Syslog, URL: scheme + "://" + l.Addr().String()}, d, ""); err != nil {
			t.Fatalf("%s: %v", scheme, err)
		}
		list := <-got
		if len(list) != 2 || !strings.Contains(list[0], "externalId=2 ") || !strings.Contains(list[1], "externalId=1 ") {
			t.Errorf("%s: %q", scheme, list)
		}
	}
}

func frames(c io.Reader) (out []string) {
	b := bufio.NewReader(c)
	for {
		length, err := b.ReadString(' ')
		if err != nil {
			return out
		}
		n, err := strconv.Atoi(strings.TrimSpace(length))
		if err != nil {
			return append(out, "bad length "+length)
		}
		p := make([]byte, n)
		if _, err := io.ReadFull(b, p); err != nil {
			return append(out, err.Error())
		}
		out = append(out, string(p))
	}
}

func TestSyslogDatagram(t *testing.T) {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	r := newRig(t, nil)
	if err := r.Test(t.Context(), Target{Form: Syslog, URL: "udp://" + c.LocalAddr().String()}); err != nil {
		t.Fatal(err)
	}
	p := make([]byte, maxDatagram)
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	n, _, err := c.ReadFrom(p)
	if err != nil || !strings.HasPrefix(string(p[:n]), "<134>1 ") {
		t.Errorf("%q, %v", p[:n], err)
	}
}

// unescaped finds what ends a field of the header, or a value, too early.
var (
	unescapedHeader = regexp.MustCompile(`(^|[^\\])(\\\\)*\|`)
	unescapedValue  = regexp.MustCompile(`(^|[^\\])(\\\\)*=`)
)

func FuzzCEF(f *testing.F) {
	f.Add("a|b", `c=d\`, "e\r\nf", "\xff")
	f.Add(`\`, `\=`, `\n`, "|")
	f.Fuzz(func(t *testing.T, title, text, detail, kind string) {
		if h := cefHeader(oneLine(title)); unescapedHeader.MatchString(h) || strings.ContainsAny(h, "\r\n") {
			t.Errorf("header %q", h)
		}
		if v := cefValue(text); unescapedValue.MatchString(v) || strings.ContainsAny(v, "\r\n") {
			t.Errorf("value %q", v)
		}
		e := Event{Kind: kind, Title: title, Text: text, Detail: map[string]string{"d": detail}, Time: noon}
		got := cef(&e, maxDatagram)
		if len(got) > maxDatagram || strings.ContainsAny(got, "\r\n\x00") {
			t.Errorf("%d bytes: %q", len(got), got)
		}
		pipes := 0
		for i := 0; i < len(got) && pipes < 7; i++ {
			switch got[i] {
			case '\\':
				i++
			case '|':
				if pipes++; pipes == 7 && !regexp.MustCompile(`^(rt=|$)`).MatchString(got[i+1:]) {
					t.Errorf("the header ends wrongly: %s", fmt.Sprintf("%q", got))
				}
			}
		}
		if pipes != 7 {
			t.Errorf("%d pipes: %q", pipes, got)
		}
	})
}
