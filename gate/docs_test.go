package gate_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/gate"
)

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// blocks returns the code blocks of a document in one language.
func blocks(text, language string) []string {
	var out []string
	for _, m := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(text, -1) {
		out = append(out, m[1])
	}
	return out
}

func TestGateExamples(t *testing.T) {
	s := compiledSchema(t)
	examples := blocks(read(t, "../docs/gate.md"), "yaml")
	if len(examples) < 6 {
		t.Fatalf("%d examples", len(examples))
	}
	for i, text := range examples {
		name := fmt.Sprintf("docs/gate.md example %d", i+1)
		p, err := gate.Parse(name, []byte(text))
		if err != nil {
			t.Error(err)
			continue
		}
		if err := validate(s, text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if i == 0 {
			if diff := cmp.Diff(gate.Default(), p, cmpopts.IgnoreFields(gate.Policy{}, "Name", "Digest")); diff != "" {
				t.Errorf("the default that the document shows is another:\n%s", diff)
			}
		}
	}
}

func TestGateDocumentNamesEverything(t *testing.T) {
	text := read(t, "../docs/gate.md")
	for _, kind := range finding.GapKinds {
		if !strings.Contains(text, fmt.Sprintf("| `%s` |", kind)) {
			t.Errorf("the gap %s is missing", kind)
		}
	}
	var schema struct{ Properties map[string]any }
	if err := json.Unmarshal(gate.Schema, &schema); err != nil {
		t.Fatal(err)
	}
	for key := range schema.Properties {
		if !strings.Contains(text, key+":") {
			t.Errorf("no example has the key %s", key)
		}
	}
	for _, d := range decisions {
		code, asked := gate.ExitCode(d, false), gate.ExitCode(d, true)
		cell := fmt.Sprint(code)
		if asked != code {
			cell = fmt.Sprintf("%d; %d with `--warn-exit`", code, asked)
		}
		if row := fmt.Sprintf("| `%s` | %s |", d, cell); !strings.Contains(text, row) {
			t.Errorf("the table of exit codes has no %q", row)
		}
	}
}

// The precedence table of the document is that of the code, in its order.
func TestSuppressionsTable(t *testing.T) {
	var rows [][]string
	for line := range strings.Lines(read(t, "../docs/suppressions.md")) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 6 || strings.HasPrefix(line, "|---") {
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows = append(rows, append([]string{strings.Trim(cells[0], "`")}, cells[2:]...))
	}
	want := [][]string{{"source", "reason", "owner", "last day", "may cover exploited and hostile"}}
	say := func(yes bool, word, otherwise string) string {
		if yes {
			return word
		}
		return otherwise
	}
	for _, r := range finding.Precedence {
		want = append(want, []string{
			string(r.Source), say(r.NeedsReason, "required", "–"), say(r.NeedsOwner, "required", "–"),
			say(r.NeedsExpiry, "required", "–"), say(r.MayCoverKEV, "yes", "no"),
		})
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Error(diff)
	}
}

func TestIgnoreExamples(t *testing.T) {
	for _, text := range blocks(read(t, "../docs/suppressions.md"), "text") {
		s, err := gate.ParseIgnore("docs/suppressions.md", []byte(text))
		if err != nil || len(s) != 5 {
			t.Errorf("%d entries, %v", len(s), err)
		}
	}
}
