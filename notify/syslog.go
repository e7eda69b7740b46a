package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/seawall/seawall/finding"
)

// The most bytes of one message: what a datagram may carry without trouble (RFC 5426 section 3.2), and what common
// receivers take over a stream.
const (
	maxDatagram = 2048
	maxRecord   = 8192
)

// facility is local0. Source: RFC 5424 section 6.2.1.
const facility = 16

func (n *Notifier) syslog(ctx context.Context, t *Target, m *message) (string, error) {
	u, err := url.Parse(t.URL)
	port, known := map[string]string{"udp": "514", "tcp": "601", "tls": "6514"}[schemeOf(u)]
	if err != nil || !known || u.Hostname() == "" {
		return "", permanent(errors.New("the target's URL must be udp://host:514, tcp://host:601 or tls://host:6514"))
	}
	if u.Port() != "" {
		port = u.Port()
	}
	network := "tcp"
	if u.Scheme == "udp" {
		network = "udp"
	}
	conn, err := n.dial(ctx, network, net.JoinHostPort(u.Hostname(), port), u.Scheme == "tls")
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if network == "udp" {
		return "", n.datagrams(conn, m)
	}
	return "", n.stream(conn, m)
}

func schemeOf(u *url.URL) string {
	if u == nil {
		return ""
	}
	return u.Scheme
}

func (n *Notifier) datagrams(conn net.Conn, m *message) error {
	for i := range m.Events {
		if _, err := conn.Write([]byte(n.record(&m.Events[i], maxDatagram))); err != nil {
			return err
		}
	}
	return nil
}

// stream writes each record behind its length (octet counting, RFC 6587 section 3.4.1; RFC 5425 section 4.3), and
// waits for the receiver to close or for a moment: a connection that was broken before says so only now.
func (n *Notifier) stream(conn net.Conn, m *message) error {
	var b strings.Builder
	for i := range m.Events {
		r := n.record(&m.Events[i], maxRecord)
		b.WriteString(strconv.Itoa(len(r)) + " " + r)
	}
	if _, err := io.WriteString(conn, b.String()); err != nil {
		return err
	}
	half, ok := conn.(interface{ CloseWrite() error })
	if !ok {
		return nil
	}
	if err := half.CloseWrite(); err != nil {
		return err
	}
	conn.SetReadDeadline(time.Now().Add(lastWord))
	_, err := io.Copy(io.Discard, io.LimitReader(conn, 1024))
	var late net.Error
	if errors.As(err, &late) && late.Timeout() {
		return nil
	}
	return err
}

// lastWord is how long a receiver gets to say that it did not take a record; most never say anything.
const lastWord = 500 * time.Millisecond

// record is one event: header of RFC 5424, payload CEF. There is no byte order mark before the payload, as section 6.4
// allows: readers of CEF look for it at the beginning.
func (n *Notifier) record(e *Event, most int) string {
	head := fmt.Sprintf("<%d>1 %s %s seawall - %s - ", facility*8+syslogSeverity(e.Severity),
		e.Time.UTC().Format("2006-01-02T15:04:05.000000Z07:00"), printable(n.host, 255), printable(e.Kind, 32))
	return head + cef(e, most-len(head))
}

// syslogSeverity: 2 critical, 3 error, 4 warning, 5 notice, 6 informational.
func syslogSeverity(s finding.Severity) int {
	switch s {
	case finding.SeverityCritical:
		return 2
	case finding.SeverityHigh:
		return 3
	case finding.SeverityMedium:
		return 4
	case finding.SeverityLow:
		return 5
	}
	return 6
}

// printable is a field of the header: ASCII without spaces, "-" where there is none. Source: RFC 5424 section 6.
func printable(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r < 33 || r > 126 {
			return -1
		}
		return r
	}, s)
	if s == "" {
		return "-"
	}
	return s[:min(len(s), most)]
}
