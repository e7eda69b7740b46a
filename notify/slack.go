package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// What Slack takes: 50 blocks, 3000 characters in a section, 150 in a header. Source: its Block Kit reference.
const (
	maxSlackEvents  = 20
	maxSlackSection = 2900
)

type slackMessage struct {
	Text   string       `json:"text"` // where blocks are not shown
	Blocks []slackBlock `json:"blocks"`
}

type slackBlock struct {
	Type     string      `json:"type"`
	Text     *slackText  `json:"text,omitempty"`
	Elements []slackText `json:"elements,omitempty"`
}

type slackText struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

func (n *Notifier) slack(ctx context.Context, t *Target, m *message) (string, error) {
	body, err := json.Marshal(slackBlocks(m))
	if err != nil {
		return "", permanent(fmt.Errorf("writing the message: %w", err))
	}
	return "", n.post(ctx, t, body, http.Header{}, true)
}

func slackBlocks(m *message) slackMessage {
	out := slackMessage{Text: slackEscape(clip(m.Subject, 300))}
	out.add("header", "plain_text", clip(m.Subject, 140))
	for i := range m.Events {
		if i == maxSlackEvents {
			out.add("section", "mrkdwn", fmt.Sprintf("and %d more", len(m.Events)-i))
			break
		}
		out.add("section", "mrkdwn", slackEvent(&m.Events[i], len(m.Events) > 1))
	}
	if m.Rule != "" {
		text := "Rule: " + slackEscape(oneLine(m.Rule))
		if m.Console != "" {
			text += " · " + slackLink(m.Console, "console")
		}
		out.Blocks = append(out.Blocks, slackBlock{Type: "context", Elements: []slackText{{"mrkdwn", text}}})
	}
	return out
}

func (m *slackMessage) add(block, kind, text string) {
	m.Blocks = append(m.Blocks, slackBlock{Type: block, Text: &slackText{kind, text}})
}

// slackEvent is an event in the chat's markup; the header says the title already where there is only one.
func slackEvent(e *Event, titled bool) string {
	var parts []string
	if titled {
		parts = append(parts, "*"+slackEscape(headline(e))+"*")
	}
	if text := lines(e.Text); text != "" {
		parts = append(parts, slackEscape(clip(text, 1000)))
	}
	for _, f := range facts(e) {
		parts = append(parts, slackEscape(oneLine(f.Name)+": "+clip(lines(f.Value), 300)))
	}
	if len(parts) == 0 {
		parts = append(parts, slackEscape(orElse(oneLine(e.Kind), "-")))
	}
	text := clipMarkup(strings.Join(parts, "\n"), maxSlackSection-len(e.Link)-20)
	if e.Link != "" && len(e.Link) < 1000 {
		text += "\n" + slackLink(e.Link, "Open in the console")
	}
	return text
}

// clipMarkup is clip that does not end within an escape.
func clipMarkup(s string, n int) string {
	if len(s) <= n {
		return s
	}
	s = clip(s, n)
	if amp := strings.LastIndexByte(s, '&'); amp >= 0 && !strings.Contains(s[amp:], ";") {
		return s[:amp] + "…"
	}
	return s
}

// slackEscape keeps text from being read as a link or a mention: those begin with "<".
func slackEscape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

func slackLink(address, label string) string {
	address = strings.NewReplacer("|", "%7C", "<", "%3C", ">", "%3E", " ", "%20").Replace(address)
	return "<" + address + "|" + slackEscape(label) + ">"
}
