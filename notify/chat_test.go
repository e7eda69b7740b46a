package notify

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/seawall/seawall/finding"
)

// chat sends events to a fake chat and returns what came.
func chat(t *testing.T, form Form, events ...Event) string {
	t.Helper()
	r, h := newRig(t, nil), newHook(t)
	if _, err := r.send(t.Context(), &Target{Form: form, URL: h.URL + "/services/secret"}, &Delivery{Events: events}, "all"); err != nil {
		t.Fatal(err)
	}
	return string(h.bodies[0])
}

func TestSlack(t *testing.T) {
	e := event("1", finding.SeverityCritical)
	e.Title, e.Text, e.Link = "<!channel> a & b", "*bold* <https://evil.example|click>", "https://hub.example/i?a|b>c"
	const want = `{"text":"Seawall: [critical] \u0026lt;!channel\u0026gt; a \u0026amp; b","blocks":[` +
		`{"type":"header","text":{"type":"plain_text","text":"Seawall: [critical] \u003c!channel\u003e a \u0026 b"}},` +
		`{"type":"section","text":{"type":"mrkdwn","text":"*bold* \u0026lt;https://evil.example|click\u0026gt;\nimage: team/app@sha256:ab\nadvisories: CVE-2026-1\nfixed: 1.2\n\u003chttps://hub.example/i?a%7Cb%3Ec|Open in the console\u003e"}},` +
		`{"type":"context","elements":[{"type":"mrkdwn","text":"Rule: all · \u003chttps://hub.example|console\u003e"}]}]}`
	if diff := cmp.Diff(want, chat(t, Slack, e)); diff != "" {
		t.Error(diff)
	}
}

func TestTeams(t *testing.T) {
	e := event("1", finding.SeverityCritical)
	e.Text, e.Link = "[click](https://evil.example)", "https://hub.example/i"
	const want = `{"type":"message","attachments":[{"contentType":"application/vnd.microsoft.card.adaptive","content":{` +
		`"$schema":"http://adaptivecards.io/schemas/adaptive-card.json","type":"AdaptiveCard","version":"1.4","body":[` +
		`{"type":"RichTextBlock","inlines":[{"type":"TextRun","text":"Seawall: [critical] team/app is rejected","size":"Large","weight":"Bolder"}]},` +
		`{"type":"RichTextBlock","inlines":[{"type":"TextRun","text":"[click](https://evil.example)"}]},` +
		`{"type":"RichTextBlock","spacing":"None","inlines":[{"type":"TextRun","text":"image: ","isSubtle":true},{"type":"TextRun","text":"team/app@sha256:ab"}]},` +
		`{"type":"RichTextBlock","spacing":"None","inlines":[{"type":"TextRun","text":"advisories: ","isSubtle":true},{"type":"TextRun","text":"CVE-2026-1"}]},` +
		`{"type":"RichTextBlock","spacing":"None","inlines":[{"type":"TextRun","text":"fixed: ","isSubtle":true},{"type":"TextRun","text":"1.2"}]},` +
		`{"type":"RichTextBlock","inlines":[{"type":"TextRun","text":"Rule: all","size":"Small","isSubtle":true}]}],` +
		`"actions":[{"type":"Action.OpenUrl","title":"Open in the console","url":"https://hub.example/i"}]}}]}`
	if diff := cmp.Diff(want, chat(t, Teams, e)); diff != "" {
		t.Error(diff)
	}
}

// TestManyInChats: digests stay within what the chats take, and say what is left out.
func TestManyInChats(t *testing.T) {
	var list []Event
	for i := range 300 {
		e := event(fmt.Sprint(i), finding.SeverityLow)
		e.Text = strings.Repeat("<&>ä ", 600)
		e.Detail = map[string]string{}
		for k := range 60 {
			e.Detail[fmt.Sprint(k)] = strings.Repeat("x\n", 1000)
		}
		list = append(list, e)
	}
	var s slackMessage
	if err := json.Unmarshal([]byte(chat(t, Slack, list...)), &s); err != nil {
		t.Fatal(err)
	}
	if len(s.Blocks) > 50 || !strings.Contains(s.Blocks[len(s.Blocks)-2].Text.Text, "and 280 more") {
		t.Errorf("%d blocks", len(s.Blocks))
	}
	for _, b := range s.Blocks {
		if b.Text != nil && utf8.RuneCountInString(b.Text.Text) > 3000 {
			t.Errorf("a block of %d characters", utf8.RuneCountInString(b.Text.Text))
		}
	}
	if body := chat(t, Teams, list...); len(body) > maxTeamsBytes || !strings.Contains(body, " more") {
		t.Errorf("%d bytes", len(body))
	}
}

func TestChatSaysWhy(t *testing.T) {
	r, h := newRig(t, nil), newHook(t)
	h.answer(400)
	err := r.Test(t.Context(), Target{Form: Slack, URL: h.URL + "/services/secret-path"})
	if err == nil || err.Error() != "the target answers 400 Bad Request: no <secret> here" {
		t.Errorf("%v", err)
	}
}

func FuzzChats(f *testing.F) {
	f.Add(evil, "&amp;<@U1>", "x|y")
	f.Fuzz(func(t *testing.T, title, text, link string) {
		r := Notifier{Config: Config{PublicURL: "https://hub.example", Now: (&clock{at: noon}).now}}
		events := []Event{{ID: "1", Title: title, Text: text, Link: absolute("https://hub.example", link)}, {ID: "2", Title: text, Detail: map[string]string{title: text}}}
		m := r.compose(&Delivery{Events: events}, title)
		for _, b := range slackBlocks(m).Blocks {
			if b.Type == "section" && utf8.RuneCountInString(b.Text.Text) > 3000 {
				t.Errorf("a section of %d characters", len(b.Text.Text))
			}
			if b.Type == "section" && strings.Contains(strings.ReplaceAll(b.Text.Text, "<http", ""), "<") {
				t.Errorf("markup in %q", b.Text.Text)
			}
		}
		if body, err := teamsBody(m); err != nil || len(body) > 28<<10 {
			t.Errorf("%d bytes, %v", len(body), err)
		}
	})
}

func TestAbsolute(t *testing.T) {
	for link, want := range map[string]string{
		"": "", "/a/b?c": "https://hub.example/a/b?c", "https://x.example/": "https://x.example/", "javascript:alert(1)": "",
		"//evil.example/": "", "a": "", "http://[": "",
	} {
		if got := absolute("https://hub.example/", link); got != want {
			t.Errorf("%q: %q", link, got)
		}
	}
	if got := absolute("", "/a"); got != "" {
		t.Errorf("without an address: %q", got)
	}
}
