package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/seawall/seawall/finding"
)

// Teams takes messages of at most 28 KB.
const (
	maxTeamsEvents = 20
	maxTeamsBytes  = 26 << 10
)

// Foreign text stands in text runs only, which know no markup. Source: Adaptive Cards 1.4, RichTextBlock.
type (
	teamsMessage struct {
		Type        string            `json:"type"`
		Attachments []teamsAttachment `json:"attachments"`
	}
	teamsAttachment struct {
		ContentType string    `json:"contentType"`
		Content     teamsCard `json:"content"`
	}
	teamsCard struct {
		Schema  string        `json:"$schema"`
		Type    string        `json:"type"`
		Version string        `json:"version"`
		Body    []teamsBlock  `json:"body"`
		Actions []teamsAction `json:"actions,omitempty"`
	}
	teamsBlock struct {
		Type      string     `json:"type"`
		Spacing   string     `json:"spacing,omitempty"`
		Separator bool       `json:"separator,omitempty"`
		Inlines   []teamsRun `json:"inlines"`
	}
	teamsRun struct {
		Type     string       `json:"type"`
		Text     string       `json:"text"`
		Size     string       `json:"size,omitempty"`
		Weight   string       `json:"weight,omitempty"`
		Color    string       `json:"color,omitempty"`
		IsSubtle bool         `json:"isSubtle,omitempty"`
		Select   *teamsAction `json:"selectAction,omitempty"`
	}
	teamsAction struct {
		Type  string `json:"type"`
		Title string `json:"title,omitempty"`
		URL   string `json:"url"`
	}
)

func (n *Notifier) teams(ctx context.Context, t *Target, m *message) (string, error) {
	body, err := teamsBody(m)
	if err != nil {
		return "", permanent(fmt.Errorf("writing the message: %w", err))
	}
	return "", n.post(ctx, t, body, http.Header{}, true)
}

// teamsBody writes as many events as fit.
func teamsBody(m *message) ([]byte, error) {
	for shown := min(len(m.Events), maxTeamsEvents); ; shown-- {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false) // it is read by no browser, and every byte counts
		err := e.Encode(teamsMessage{"message", []teamsAttachment{{"application/vnd.microsoft.card.adaptive", teams(m, shown)}}})
		if err != nil || b.Len() <= maxTeamsBytes || shown <= 1 {
			return bytes.TrimSpace(b.Bytes()), err
		}
	}
}

func teams(m *message, shown int) teamsCard {
	c := teamsCard{Schema: "http://adaptivecards.io/schemas/adaptive-card.json", Type: "AdaptiveCard", Version: "1.4"}
	c.say(teamsRun{Text: clip(m.Subject, 300), Size: "Large", Weight: "Bolder"})
	for i := range m.Events[:shown] {
		c.event(&m.Events[i], len(m.Events) > 1)
	}
	if rest := len(m.Events) - shown; rest > 0 {
		c.say(teamsRun{Text: fmt.Sprintf("and %d more", rest)})
	}
	if m.Rule != "" {
		c.say(teamsRun{Text: "Rule: " + oneLine(m.Rule), Size: "Small", IsSubtle: true})
	}
	if len(m.Events) == 1 && m.Events[0].Link != "" {
		c.Actions = append(c.Actions, teamsAction{"Action.OpenUrl", "Open in the console", m.Events[0].Link})
	} else if m.Console != "" {
		c.Actions = append(c.Actions, teamsAction{"Action.OpenUrl", "Open the console", m.Console})
	}
	return c
}

func (c *teamsCard) say(runs ...teamsRun) {
	for i := range runs {
		runs[i].Type = "TextRun"
	}
	c.Body = append(c.Body, teamsBlock{Type: "RichTextBlock", Inlines: runs})
}

func (c *teamsCard) event(e *Event, titled bool) {
	if titled {
		run := teamsRun{Text: headline(e), Weight: "Bolder", Color: teamsColor(e.Severity)}
		if e.Link != "" {
			run.Select = &teamsAction{Type: "Action.OpenUrl", URL: e.Link}
		}
		c.say(run)
		c.Body[len(c.Body)-1].Separator = true
	}
	if text := lines(e.Text); text != "" {
		c.say(teamsRun{Text: clip(text, 1000)})
	}
	for _, f := range facts(e) {
		c.say(teamsRun{Text: oneLine(f.Name) + ": ", IsSubtle: true}, teamsRun{Text: clip(lines(f.Value), 300)})
		c.Body[len(c.Body)-1].Spacing = "None"
	}
}

func teamsColor(s finding.Severity) string {
	switch s {
	case finding.SeverityCritical, finding.SeverityHigh:
		return "Attention"
	case finding.SeverityMedium:
		return "Warning"
	}
	return ""
}
