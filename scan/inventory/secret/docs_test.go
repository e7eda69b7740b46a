package secret

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write docs/secrets.md anew from the table of rules")

const docs = "../../../docs/secrets.md"

const docsHead = `# Secrets

What ` + "`seawall scan`" + ` reports as a secret in the files, the environment, the labels and the history of an image. A gate
file or an ignore file names a rule by its id. Values are masked: at most their first four and last two characters
are shown or stored.

Every credential found in an image must be taken out of it *and* made worthless: a later layer that deletes the file
leaves it in the earlier one. The advice is about the second.

Critical: whoever holds the image holds the account. High: a narrower reach. Medium: something more is needed to use
it, or it was told by the name of a setting alone.

| rule | what | severity | advice |
|---|---|---|---|
`

func TestDocs(t *testing.T) {
	var b strings.Builder
	b.WriteString(docsHead)
	for _, r := range Rules() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", r.ID, r.Title, r.Severity, r.Advice)
	}
	if *update {
		if err := os.WriteFile(docs, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(b.String(), string(have)); d != "" {
		t.Errorf("docs/secrets.md differs from the rules; run go test with -update:\n%s", d)
	}
}

func TestRulesAreSortedAndNamed(t *testing.T) {
	ids := map[string]bool{}
	for _, r := range Rules() {
		ids[r.ID] = true
	}
	if !slices.IsSortedFunc(rules, func(a, b Rule) int { return strings.Compare(a.ID, b.ID) }) || len(ids) != len(rules) {
		t.Error("rules are not sorted by distinct ids")
	}
	for _, tok := range tokens {
		if !ids[tok.rule] {
			t.Errorf("token of unknown rule %s", tok.rule)
		}
	}
}
