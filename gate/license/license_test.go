package license_test

import (
	"strings"
	"testing"

	"github.com/seawall/seawall/gate/license"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"MIT":                          "MIT",
		"MIT OR Apache-2.0 AND BSD":    "(MIT OR (Apache-2.0 AND BSD))",
		"(MIT OR Apache-2.0) AND BSD":  "((MIT OR Apache-2.0) AND BSD)",
		"mit or apache-2.0":            "(mit OR apache-2.0)",
		"GPL-2.0+":                     "GPL-2.0-or-later",
		"LGPL-2.1":                     "LGPL-2.1-only",
		"GPL-2.0-only WITH Classpath":  "GPL-2.0-only WITH Classpath",
		"GPL-3.0-or-later":             "GPL-3.0-or-later",
		"Apache-1.0+":                  "Apache-1.0+",
		"((MIT))":                      "MIT",
		"DocumentRef-a:LicenseRef-b-1": "DocumentRef-a:LicenseRef-b-1",
	} {
		e, err := license.Parse(text)
		if err != nil || e.String() != want {
			t.Errorf("Parse(%q) = %v, %v; want %s", text, e, err, want)
		}
	}
	for _, text := range []string{
		"", "MIT OR", "AND MIT", "MIT Apache-2.0", "(MIT", "MIT)", "see LICENSE.txt", "MIT WITH", "MIT, BSD", "WITH x",
		strings.Repeat("(", 2000), strings.Repeat("MIT OR ", 2000) + "MIT",
	} {
		if e, err := license.Parse(text); err == nil {
			t.Errorf("Parse(%.40q) = %v; want an error", text, e)
		}
	}
}

func TestSatisfied(t *testing.T) {
	notGNU := func(id, _ string) bool { return !strings.Contains(id, "GPL") }
	for text, want := range map[string]bool{
		"MIT":                          true,
		"GPL-3.0-only":                 false,
		"MIT OR GPL-3.0-only":          true,
		"MIT AND GPL-3.0-only":         false,
		"BSD AND (MIT OR GPL-2.0)":     true,
		"GPL-2.0 OR (MIT AND LGPL-2)":  false,
		"GPL-2.0-only WITH Exception1": false,
	} {
		e, err := license.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.Satisfied(notGNU); got != want {
			t.Errorf("%s can be satisfied: %v; want %v", text, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("MIT OR (Apache-2.0 AND GPL-2.0+ WITH Classpath-exception-2.0)")
	f.Add("((")
	f.Fuzz(func(t *testing.T, text string) {
		e, err := license.Parse(text)
		if err != nil {
			return
		}
		again, err := license.Parse(e.String())
		if err != nil {
			// Brackets add words; only their bound may refuse what was read before.
			if !strings.Contains(err.Error(), "at most") {
				t.Fatalf("%q does not read again: %v", e, err)
			}
			return
		}
		if again.String() != e.String() {
			t.Fatalf("%q became %q", e, again)
		}
	})
}
