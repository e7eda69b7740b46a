package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"net/url"
	"strings"
	"time"
)

// mailServer is where mail goes, as a target's URL says.
type mailServer struct {
	host, address string
	user          string
	from          string
	implicit      bool // TLS from the first byte
	plain         bool // no TLS at all: starttls=off
}

// parseMailServer reads smtp://user@host:587 or smtps://user@host:465. Parameters: from, the sender's address;
// starttls=off for a server without TLS, which then gets no password.
func (n *Notifier) parseMailServer(text string) (mailServer, error) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		return mailServer{}, errors.New("the target's URL must be smtp://user@host:port or smtps://user@host:port")
	}
	s := mailServer{host: u.Hostname(), user: u.User.Username(), implicit: u.Scheme == "smtps", plain: u.Query().Get("starttls") == "off"}
	port := u.Port()
	switch {
	case port != "":
	case s.implicit:
		port = "465"
	default:
		port = "587"
	}
	s.address = net.JoinHostPort(s.host, port)
	s.from = u.Query().Get("from")
	if s.from == "" && strings.Contains(s.user, "@") {
		s.from = s.user
	}
	if s.from == "" {
		s.from = "seawall@" + n.host
	}
	from, err := mail.ParseAddress(s.from)
	if err != nil {
		return s, errors.New("the sender's address is none: give it in the target's URL as ?from=seawall@example.com")
	}
	s.from = from.Address
	return s, nil
}

func (n *Notifier) email(ctx context.Context, t *Target, m *message) (note string, err error) {
	s, err := n.parseMailServer(t.URL)
	if err != nil {
		return "", permanent(err)
	}
	if s.plain && len(t.Secret) > 0 {
		return "", permanent(errors.New("starttls=off and a password exclude each other: the password would be sent in the clear"))
	}
	to, err := addresses(t.To)
	if err != nil {
		return "", permanent(err)
	}
	text, err := n.mail(m, s.from, to)
	if err != nil {
		return "", permanent(err)
	}
	c, err := n.dialMail(ctx, s)
	if err != nil {
		return "", err
	}
	defer c.Close()
	if err := signInMail(c, s, t.Secret); err != nil {
		return "", err
	}
	return sendMail(c, s.from, to, text)
}

// addresses are the bare addresses of recipients; names beside them are dropped.
func addresses(list []string) ([]string, error) {
	var out []string
	for _, text := range list {
		a, err := mail.ParseAddress(text)
		if err != nil {
			return nil, fmt.Errorf("%q is no e-mail address", clip(text, 100))
		}
		out = append(out, a.Address)
	}
	if len(out) == 0 {
		return nil, errors.New("the target has no recipients: give it addresses")
	}
	return out, nil
}

// dialMail connects, and makes the connection private unless the target says that it cannot be.
func (n *Notifier) dialMail(ctx context.Context, s mailServer) (*smtp.Client, error) {
	conn, err := n.dial(ctx, "tcp", s.address, s.implicit)
	if err != nil {
		return nil, err
	}
	c, err := smtp.NewClient(conn, s.host)
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("greeting the mail server: %w", err)
	}
	if err := n.startMail(c, s); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (n *Notifier) startMail(c *smtp.Client, s mailServer) error {
	if err := c.Hello(n.host); err != nil {
		return fmt.Errorf("greeting the mail server: %w", err)
	}
	if s.implicit || s.plain {
		return nil
	}
	if ok, _ := c.Extension("STARTTLS"); !ok {
		return errors.New("the mail server offers no STARTTLS: use smtps://, or add ?starttls=off to the target's URL to send in the clear")
	}
	if err := c.StartTLS(n.tls(s.host)); err != nil {
		return fmt.Errorf("making the connection to the mail server private: %w", err)
	}
	return nil
}

// dial connects within the limits of the guard and of ctx, which bounds all that is read and written as well. ctx must
// end some time.
func (n *Notifier) dial(ctx context.Context, network, address string, private bool) (net.Conn, error) {
	d := n.guard.Dialer(15 * time.Second)
	conn, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) }) // what waits then ends at once
	if !private {
		return conn, nil
	}
	host, _, _ := net.SplitHostPort(address)
	secure := tls.Client(conn, n.tls(host))
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, fmt.Errorf("making the connection to %s private: %w", address, err)
	}
	return secure, nil
}

func signInMail(c *smtp.Client, s mailServer, password []byte) error {
	if len(password) == 0 {
		return nil
	}
	if _, private := c.TLSConnectionState(); !private {
		return permanent(errors.New("the connection to the mail server is not private: the password is not sent"))
	}
	offered, mechanisms := c.Extension("AUTH")
	if !offered {
		return errors.New("the mail server takes no sign-in: remove user and password from the target")
	}
	var auth smtp.Auth = &loginAuth{s.user, string(password)}
	for _, m := range strings.Fields(mechanisms) {
		if strings.EqualFold(m, "PLAIN") {
			auth = smtp.PlainAuth("", s.user, string(password), s.host)
		}
	}
	if err := c.Auth(auth); err != nil {
		return fmt.Errorf("signing in to the mail server: %w", reply(err))
	}
	return nil
}

// loginAuth is the LOGIN mechanism, which some servers have alone.
type loginAuth struct{ user, password string }

func (a *loginAuth) Start(*smtp.ServerInfo) (string, []byte, error) { return "LOGIN", nil, nil }

func (a *loginAuth) Next(prompt []byte, more bool) ([]byte, error) {
	switch ask := strings.ToLower(strings.TrimSpace(string(prompt))); {
	case !more:
		return nil, nil
	case strings.HasPrefix(ask, "user"):
		return []byte(a.user), nil
	case strings.HasPrefix(ask, "pass"):
		return []byte(a.password), nil
	}
	return nil, errors.New("the server asks for something else than user and password")
}

// sendMail hands the text over. Where the server takes only some recipients, the others are noted: to send it again
// would send it twice to the rest.
func sendMail(c *smtp.Client, from string, to []string, text []byte) (note string, err error) {
	if err := c.Mail(from); err != nil {
		return "", fmt.Errorf("the mail server refuses the sender %s: %w", from, reply(err))
	}
	var refused []string
	for _, a := range to {
		if err = c.Rcpt(a); err != nil {
			refused = append(refused, fmt.Sprintf("%s: %v", a, reply(err)))
		}
	}
	if len(refused) == len(to) {
		return "", fmt.Errorf("the mail server refuses every recipient: %s", strings.Join(refused, "; "))
	}
	w, err := c.Data()
	if err != nil {
		return "", fmt.Errorf("handing over the mail: %w", reply(err))
	}
	if _, err := w.Write(text); err != nil {
		return "", fmt.Errorf("handing over the mail: %w", err)
	}
	if err := w.Close(); err != nil {
		return "", fmt.Errorf("the mail server refuses the mail: %w", reply(err))
	}
	c.Quit() // it is accepted, whatever comes of this
	if len(refused) > 0 {
		note = "sent, but refused for " + strings.Join(refused, "; ")
	}
	return note, nil
}

// reply bounds what a server says.
func reply(err error) error {
	var e *textproto.Error
	if errors.As(err, &e) {
		return &textproto.Error{Code: e.Code, Msg: clip(oneLine(e.Msg), 200)}
	}
	return err
}
