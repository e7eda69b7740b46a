package notify

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html/template"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"strings"
	"time"
)

// maxMailEvents bounds what one mail tells in full.
const maxMailEvents = 100

// mail writes a message of text and HTML. Source: RFC 5322, RFC 2046 section 5.1.4.
func (n *Notifier) mail(m *message, from string, to []string) ([]byte, error) {
	var b bytes.Buffer
	parts := multipart.NewWriter(&b)
	if err := parts.SetBoundary(n.mailID(m)); err != nil {
		return nil, fmt.Errorf("writing the mail: %w", err)
	}
	n.mailHeader(&b, m, from, to, parts.Boundary())
	p := prose(m)
	for _, part := range []struct {
		mediaType string
		write     func(io.Writer) error
	}{
		{"text/plain", p.text},
		{"text/html", func(w io.Writer) error { return mailHTML.Execute(w, p) }},
	} {
		if err := writePart(parts, part.mediaType, part.write); err != nil {
			return nil, fmt.Errorf("writing the mail: %w", err)
		}
	}
	err := parts.Close()
	return b.Bytes(), err
}

// mailID is the same for every attempt of a delivery, so that a mail program shows what came twice once.
func (n *Notifier) mailID(m *message) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s %d", n.host, m.ID)
	for i := range m.Events {
		fmt.Fprintf(h, " %s", m.Events[i].ID)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// mailHeader writes the header fields. Nothing foreign reaches them but the subject, which is one line and encoded.
func (n *Notifier) mailHeader(w io.Writer, m *message, from string, to []string, boundary string) {
	var list []string
	for _, a := range to {
		list = append(list, (&mail.Address{Address: a}).String())
	}
	subject := mime.QEncoding.Encode("utf-8", clip(oneLine(m.Subject), 200))
	for _, f := range [][2]string{
		{"From", (&mail.Address{Name: "Seawall", Address: from}).String()},
		{"To", strings.Join(list, ",\r\n ")},
		{"Subject", strings.ReplaceAll(subject, "?= =?", "?=\r\n =?")},
		{"Date", m.Time.Format(time.RFC1123Z)},
		{"Message-ID", "<" + n.mailID(m) + "@" + domain(from) + ">"},
		{"Auto-Submitted", "auto-generated"},
		{"X-Seawall-Delivery", fmt.Sprint(m.ID)},
		{"MIME-Version", "1.0"},
		{"Content-Type", `multipart/alternative; boundary="` + boundary + `"`},
	} {
		fmt.Fprintf(w, "%s: %s\r\n", f[0], f[1])
	}
	io.WriteString(w, "\r\n")
}

func domain(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

func writePart(parts *multipart.Writer, mediaType string, write func(io.Writer) error) error {
	w, err := parts.CreatePart(textproto.MIMEHeader{
		"Content-Type":              {mediaType + "; charset=utf-8"},
		"Content-Transfer-Encoding": {"quoted-printable"},
	})
	if err != nil {
		return err
	}
	q := quotedprintable.NewWriter(w)
	if err := write(q); err != nil {
		return err
	}
	return q.Close()
}

// letter is what a mail says.
type letter struct {
	Subject string
	Items   []letterItem
	More    int // events that are left out
	Rule    string
	Console string
}

type letterItem struct {
	Headline string
	Text     []string // lines
	Facts    []letterFact
	Link     string
	Time     string
}

type letterFact struct {
	Name  string
	Value []string // lines
}

func prose(m *message) *letter {
	l := &letter{Subject: oneLine(m.Subject), Rule: oneLine(m.Rule), Console: m.Console}
	for i := range m.Events {
		if i == maxMailEvents {
			l.More = len(m.Events) - i
			break
		}
		e := &m.Events[i]
		item := letterItem{Headline: headline(e), Link: e.Link, Time: e.Time.UTC().Format("2006-01-02 15:04 UTC")}
		if text := lines(e.Text); text != "" {
			item.Text = strings.Split(text, "\n")
		}
		for _, f := range facts(e) {
			item.Facts = append(item.Facts, letterFact{oneLine(f.Name), strings.Split(lines(f.Value), "\n")})
		}
		l.Items = append(l.Items, item)
	}
	return l
}

func (l *letter) text(w io.Writer) error {
	var b strings.Builder
	for i := range l.Items {
		item := &l.Items[i]
		fmt.Fprintf(&b, "%s\n%s\n", item.Headline, item.Time)
		for _, line := range item.Text {
			fmt.Fprintf(&b, "\n    %s", line)
		}
		if len(item.Text) > 0 {
			b.WriteString("\n\n")
		}
		for _, f := range item.Facts {
			fmt.Fprintf(&b, "%s: %s\n", f.Name, strings.Join(f.Value, "\n    "))
		}
		if item.Link != "" {
			fmt.Fprintf(&b, "%s\n", item.Link)
		}
		b.WriteString("\n")
	}
	if l.More > 0 {
		fmt.Fprintf(&b, "and %d more: see %s\n\n", l.More, orElse(l.Console, "the console"))
	}
	fmt.Fprintf(&b, "-- \nSent by the rule %q of Seawall. %s\n", l.Rule, l.Console)
	_, err := io.WriteString(w, strings.ReplaceAll(b.String(), "\n", "\r\n"))
	return err
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

var mailHTML = template.Must(template.New("mail").Parse(`<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>{{.Subject}}</title></head>
<body style="font-family:sans-serif;font-size:14px;line-height:1.5;color:#1a1a1a;max-width:44em">
{{range .Items}}<h2 style="font-size:16px;margin:1.5em 0 0">{{.Headline}}</h2>
<p style="margin:0;color:#666">{{.Time}}</p>
{{if .Text}}<p>{{range $i, $l := .Text}}{{if $i}}<br>{{end}}{{$l}}{{end}}</p>
{{end}}{{if .Facts}}<table style="border-collapse:collapse">{{range .Facts}}
<tr><th style="text-align:left;vertical-align:top;padding:0 1em 0 0;font-weight:normal;color:#666">{{.Name}}</th><td>{{range $i, $l := .Value}}{{if $i}}<br>{{end}}{{$l}}{{end}}</td></tr>{{end}}
</table>
{{end}}{{if .Link}}<p><a href="{{.Link}}">{{.Link}}</a></p>
{{end}}{{end}}{{if .More}}<p>and {{.More}} more: see {{if .Console}}<a href="{{.Console}}">the console</a>{{else}}the console{{end}}</p>
{{end}}<p style="color:#666;border-top:1px solid #ddd;margin-top:2em">Sent by the rule “{{.Rule}}” of Seawall.{{if .Console}} <a href="{{.Console}}">{{.Console}}</a>{{end}}</p>
</body></html>
`))
