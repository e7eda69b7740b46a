package notify

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/http/httptest"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seawall/seawall/finding"
)

// mailbox is a mail server.
type mailbox struct {
	address    string
	config     *tls.Config
	roots      *x509.CertPool
	implicit   bool
	noStartTLS bool
	mechanisms string
	refuse     string // this recipient

	mu     sync.Mutex
	log    []string // commands, and credentials as they come out
	mails  []string
	secure bool
}

func newMailbox(t *testing.T, change func(*mailbox)) *mailbox {
	t.Helper()
	s := httptest.NewUnstartedServer(nil)
	s.StartTLS()
	t.Cleanup(s.Close)
	m := &mailbox{config: s.TLS, roots: x509.NewCertPool(), mechanisms: "PLAIN LOGIN"}
	m.roots.AddCert(s.Certificate())
	change(m)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	m.address = l.Addr().String()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if m.implicit {
				c = tls.Server(c, m.config)
			}
			go m.serve(c)
		}
	}()
	return m
}

func (m *mailbox) note(line string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.log = append(m.log, line)
}

func (m *mailbox) serve(c net.Conn) {
	defer func() { c.Close() }()
	b := bufio.NewReader(c)
	say := func(lines ...string) { io.WriteString(c, strings.Join(lines, "\r\n")+"\r\n") }
	read := func() string { line, _ := b.ReadString('\n'); return strings.TrimRight(line, "\r\n") }
	decoded := func(s string) string { p, _ := base64.StdEncoding.DecodeString(s); return string(p) }
	say("220 test ESMTP")
	for {
		line := read()
		if line == "" {
			return
		}
		verb, rest, _ := strings.Cut(line, " ")
		switch verb {
		case "EHLO":
			_, private := c.(*tls.Conn)
			answer := []string{"250-test", "250-AUTH " + m.mechanisms}
			if !private && !m.noStartTLS {
				answer = append(answer, "250-STARTTLS")
			}
			say(append(answer, "250 8BITMIME")...)
		case "STARTTLS":
			say("220 go")
			c = tls.Server(c, m.config)
			b = bufio.NewReader(c)
		case "AUTH":
			kind, first, _ := strings.Cut(rest, " ")
			if kind == "LOGIN" {
				say("334 " + base64.StdEncoding.EncodeToString([]byte("Username:")))
				user := decoded(read())
				say("334 " + base64.StdEncoding.EncodeToString([]byte("Password:")))
				first = base64.StdEncoding.EncodeToString([]byte("\x00" + user + "\x00" + decoded(read())))
			}
			m.note("AUTH " + kind + strings.ReplaceAll(decoded(first), "\x00", " "))
			if strings.Contains(decoded(first), "wrong") {
				say("535 5.7.8 bad credentials")
				continue
			}
			say("235 in")
		case "RCPT":
			if m.note(line); m.refuse != "" && strings.Contains(line, m.refuse) {
				say("550 5.1.1 nobody here")
				continue
			}
			say("250 ok")
		case "DATA":
			say("354 go")
			var text strings.Builder
			for {
				line, err := b.ReadString('\n')
				if err != nil || line == ".\r\n" {
					break
				}
				text.WriteString(line)
			}
			m.mu.Lock()
			m.mails = append(m.mails, text.String())
			m.mu.Unlock()
			say("250 taken")
		case "*": // the client gives up
			say("501 cancelled")
		case "QUIT":
			say("221 bye")
			return
		default:
			m.note(line)
			say("250 ok")
		}
	}
}

func (m *mailbox) commands() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return strings.Join(m.log, "\n")
}

func TestEmail(t *testing.T) {
	two := []string{"Alice <alice@example.com>", "bob@example.com"}
	const envelope = "MAIL FROM:<hub@example.com> BODY=8BITMIME\nRCPT TO:<alice@example.com>\nRCPT TO:<bob@example.com>"
	for name, tt := range map[string]struct {
		change   func(*mailbox)
		scheme   string
		rest     string
		password string
		commands string
		error    string
	}{
		"STARTTLS":          {func(m *mailbox) {}, "smtp", "", "pass word", "AUTH PLAIN hub@example.com pass word\n" + envelope, ""},
		"TLS":               {func(m *mailbox) { m.implicit = true }, "smtps", "", "pass word", "AUTH PLAIN hub@example.com pass word\n" + envelope, ""},
		"LOGIN":             {func(m *mailbox) { m.mechanisms = "LOGIN XOAUTH2" }, "smtp", "", "pass", "AUTH LOGIN hub@example.com pass\n" + envelope, ""},
		"no sign-in":        {func(m *mailbox) {}, "smtp", "", "", envelope, ""},
		"wrong password":    {func(m *mailbox) {}, "smtp", "", "wrong", "AUTH PLAIN hub@example.com wrong", "535"},
		"no STARTTLS":       {func(m *mailbox) { m.noStartTLS = true }, "smtp", "", "pass", "", "STARTTLS"},
		"without TLS":       {func(m *mailbox) { m.noStartTLS = true }, "smtp", "?starttls=off", "", envelope, ""},
		"another sender":    {func(m *mailbox) {}, "smtp", "?from=x@example.org", "", strings.Replace(envelope, "hub@example.com", "x@example.org", 1), ""},
		"a refused mailbox": {func(m *mailbox) { m.refuse = "bob" }, "smtp", "", "", envelope, ""},
		"all refused":       {func(m *mailbox) { m.refuse = "example.com" }, "smtp", "?from=x@example.org", "", strings.Replace(envelope, "hub@example.com", "x@example.org", 1), "every recipient"},
	} {
		t.Run(name, func(t *testing.T) {
			box := newMailbox(t, tt.change)
			r := newRig(t, box.roots)
			target := Target{Form: Email, URL: tt.scheme + "://hub%40example.com@" + box.address + tt.rest, To: two, Secret: []byte(tt.password)}
			note, err := r.send(t.Context(), &target, &Delivery{Events: []Event{event("1", 0)}}, "all")
			if (err != nil) != (tt.error != "") || err != nil && (!strings.Contains(err.Error(), tt.error) || strings.Contains(err.Error(), "pass ")) {
				t.Errorf("error %v, want %q", err, tt.error)
			}
			if diff := cmp.Diff(tt.commands, box.commands()); diff != "" {
				t.Error(diff)
			}
			if want := tt.error == ""; (len(box.mails) == 1) != want {
				t.Errorf("%d mails", len(box.mails))
			}
			if (box.refuse == "bob") != strings.Contains(note, "refused for bob@example.com: 550") {
				t.Errorf("note %q", note)
			}
		})
	}
}

func TestMailServerIsVerified(t *testing.T) {
	box := newMailbox(t, func(m *mailbox) {})
	r := newRig(t, x509.NewCertPool())
	err := r.Test(t.Context(), Target{Form: Email, URL: "smtp://" + box.address, To: []string{"a@example.com"}, Secret: []byte("secret")})
	if err == nil || strings.Contains(box.commands(), "AUTH") {
		t.Errorf("a certificate that nobody vouches for is taken: %v", err)
	}
}

// TestMailStops: a server that says nothing does not hold up the end.
func TestMailStops(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		if c, err := l.Accept(); err == nil {
			defer c.Close()
			stop()
			io.Copy(io.Discard, c)
		}
	}()
	r := newRig(t, nil)
	r.Timeout = time.Hour
	if err := r.Test(ctx, Target{Form: Email, URL: "smtp://" + l.Addr().String(), To: []string{"a@example.com"}}); err == nil {
		t.Error("it is sent")
	}
}

const evil = "x\r\nBcc: evil@example.com\r\n\r\n<script>alert(1)</script>\u202e"

// parseMail reads a mail back: its header, its text and its HTML.
func parseMail(t *testing.T, raw []byte) (h mail.Header, text, html string) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(string(raw)))
	if err != nil {
		t.Fatalf("%v in %q", err, raw)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	var got []string
	for {
		p, err := parts.NextRawPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(body))
	}
	if len(got) != 2 {
		t.Fatalf("%d parts", len(got))
	}
	return m.Header, got[0], got[1]
}

func TestMail(t *testing.T) {
	r := newRig(t, nil)
	a, b := event("1", finding.SeverityHigh), event("2", finding.SeverityCritical)
	b.Title, b.Text = "Ein Bild für »team/app« wurde abgelehnt", "first\nsecond"
	b.Link = "https://hub.example/images/x"
	raw, err := r.mail(r.compose(&Delivery{ID: 7, Events: []Event{a, b}}, "all"), "hub@example.com", []string{"a@example.com", "b@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	h, text, html := parseMail(t, raw)
	for name, want := range map[string]string{
		"From": `"Seawall" <hub@example.com>`, "To": "<a@example.com>, <b@example.com>", "Subject": "Seawall: 2 events: 1 critical, 1 high",
		"Date": "Wed, 04 Mar 2026 12:00:00 +0000", "Auto-Submitted": "auto-generated", "X-Seawall-Delivery": "7",
	} {
		if got := strings.ReplaceAll(h.Get(name), "\r\n", ""); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	want := "[critical] Ein Bild für »team/app« wurde abgelehnt\r\n2026-03-04 12:00 UTC\r\n\r\n    first\r\n    second\r\n\r\n" +
		"image: team/app@sha256:ab\r\nadvisories: CVE-2026-1\r\nfixed: 1.2\r\nhttps://hub.example/images/x\r\n\r\n" +
		"[high] team/app is rejected\r\n2026-03-04 12:00 UTC\r\n\r\n    2 critical findings\r\n\r\n" +
		"image: team/app@sha256:ab\r\nadvisories: CVE-2026-1\r\nfixed: 1.2\r\n/images/x\r\n\r\n" +
		"-- \r\nSent by the rule \"all\" of Seawall. https://hub.example\r\n"
	if diff := cmp.Diff(want, text); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(html, "first<br>second") || !strings.Contains(html, `<a href="https://hub.example/images/x">`) {
		t.Errorf("HTML: %s", html)
	}
}

func TestMailOfManyEvents(t *testing.T) {
	r := newRig(t, nil)
	var list []Event
	for i := range 250 {
		list = append(list, event(fmt.Sprint(i), finding.SeverityLow))
	}
	raw, err := r.mail(r.compose(&Delivery{Events: list}, ""), "a@b", []string{"a@b"})
	if err != nil {
		t.Fatal(err)
	}
	if _, text, html := parseMail(t, raw); !strings.Contains(text, "and 150 more") || !strings.Contains(html, "and 150 more") {
		t.Error("it does not say how many are left out")
	}
}

func FuzzMail(f *testing.F) {
	f.Add(evil, evil, evil, "all")
	f.Add("=?utf-8?q?x?=", ".\r\n.\r\n", "\xff\xfe", "\x00")
	f.Fuzz(func(t *testing.T, title, text, detail, rule string) {
		r := Notifier{host: "hub.example", Config: Config{Now: (&clock{at: noon}).now}}
		e := Event{ID: title, Kind: detail, Title: title, Text: text, Repository: detail, Detail: map[string]string{detail: text}, Time: noon, Link: absolute("https://hub.example", detail)}
		raw, err := r.mail(r.compose(&Delivery{Events: []Event{e}}, rule), "hub@example.com", []string{"a@example.com"})
		if err != nil {
			t.Fatal(err)
		}
		h, _, html := parseMail(t, raw)
		if len(h) != 9 || len(h["Bcc"]) > 0 {
			t.Errorf("header %v", h)
		}
		if strings.Contains(html, "<script") {
			t.Errorf("HTML %s", html)
		}
		for _, line := range strings.Split(string(raw), "\r\n") {
			if len(line) > 998 || strings.ContainsAny(line, "\r\n") {
				t.Errorf("a line of %d bytes: %q", len(line), line)
			}
		}
	})
}
