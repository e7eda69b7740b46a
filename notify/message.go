package notify

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/seawall/seawall/finding"
)

// message is a delivery made ready to be written: each event once, the weightiest first.
type message struct {
	ID      int64
	Rule    string
	Subject string // one line
	Events  []Event
	Console string // the console's address, "" where it is not known
	Time    time.Time
}

func (n *Notifier) compose(d *Delivery, rule string) *message {
	m := &message{ID: d.ID, Rule: rule, Events: unique(d.Events), Console: n.PublicURL, Time: n.Now().UTC()}
	slices.SortStableFunc(m.Events, func(a, b Event) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), strings.Compare(a.Kind, b.Kind), a.Time.Compare(b.Time))
	})
	m.Subject = subject(m.Events)
	return m
}

func unique(events []Event) []Event {
	out, seen := make([]Event, 0, len(events)), map[string]bool{}
	for _, e := range events {
		if e.ID == "" || !seen[e.ID] {
			seen[e.ID] = true
			out = append(out, e)
		}
	}
	return out
}

// subject sums up events in one line: the event's own title, or "12 events: 3 critical, 9 high".
func subject(events []Event) string {
	switch len(events) {
	case 0:
		return "Seawall: nothing to tell"
	case 1:
		return "Seawall: " + headline(&events[0])
	}
	return fmt.Sprintf("Seawall: %d events: %s", len(events), counts(events))
}

// headline is an event in one line, with its severity where it is rated.
func headline(e *Event) string {
	title := oneLine(e.Title)
	if title == "" {
		title = oneLine(e.Kind)
	}
	if e.Severity == finding.SeverityUnknown {
		return title
	}
	return "[" + e.Severity.String() + "] " + title
}

func counts(events []Event) string {
	by := map[finding.Severity]int{}
	for i := range events {
		by[events[i].Severity]++
	}
	var out []string
	for _, s := range finding.Severities {
		switch {
		case by[s] > 0 && s == finding.SeverityUnknown:
			out = append(out, fmt.Sprintf("%d not rated", by[s]))
		case by[s] > 0:
			out = append(out, fmt.Sprintf("%d %s", by[s], s))
		}
	}
	return strings.Join(out, ", ")
}

// image is what an event is about: "team/app@sha256:…", "" where it is no image.
func image(e *Event) string {
	if e.Repository == "" || e.Digest == "" {
		return e.Repository
	}
	return e.Repository + "@" + e.Digest
}

// fact is one named detail of an event.
type fact struct{ Name, Value string }

// maxFacts bounds what is told of one event.
const maxFacts = 20

// facts are the details of an event that all forms of prose show, in a fixed order.
func facts(e *Event) []fact {
	var out []fact
	add := func(name, value string) {
		if value != "" {
			out = append(out, fact{name, value})
		}
	}
	add("image", image(e))
	add("advisories", strings.Join(firstOf(e.IDs, 20), ", "))
	for _, name := range sortedKeys(e.Detail) {
		add(clip(name, 100), clip(e.Detail[name], 1500))
	}
	return out[:min(len(out), maxFacts)]
}

func sortedKeys(m map[string]string) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// firstOf keeps the first n and says how many more there are.
func firstOf(list []string, n int) []string {
	if len(list) <= n {
		return list
	}
	return append(slices.Clone(list[:n]), fmt.Sprintf("and %d more", len(list)-n))
}

// absolute joins a path of the console to its address. What is no address of the web is left out.
func absolute(public, link string) string {
	u, err := url.Parse(link)
	switch {
	case link == "" || err != nil:
		return ""
	case u.Scheme == "https" || u.Scheme == "http":
		return u.String()
	case u.Scheme != "" || u.Host != "" || public == "" || !strings.HasPrefix(link, "/"):
		return ""
	}
	return strings.TrimSuffix(public, "/") + u.String()
}

// clip bounds a text to so many bytes, at the end of a character.
func clip(s string, n int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= n {
		return s
	}
	n -= len("…")
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:max(n, 0)] + "…"
}

// oneLine takes out what would end a line or not be seen: control and formatting characters, which also turn the
// direction of text.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "\uFFFD"), func(r rune) bool {
		return unicode.IsControl(r) || unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029'
	}), " ")
}

// lines is like oneLine, but keeps line ends.
func lines(s string) string {
	parts := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i := range parts {
		parts[i] = oneLine(parts[i])
	}
	return strings.TrimSpace(strings.Join(parts, "\n"))
}
