//go:build e2e

package e2e

import (
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every report of a real image is well formed, on standard output as in a file, and names a finding.
func TestEveryReport(t *testing.T) {
	u := withMadeUp(t, newUser(t))
	saved := bookwormSaved(t)
	isJSON := func(b []byte) error { return json.Unmarshal(b, new(any)) }
	isXML := func(b []byte) error { return xml.Unmarshal(b, new(struct{ XMLName xml.Name })) }
	isText := func([]byte) error { return nil }
	for format, wellFormed := range map[string]func([]byte) error{
		"table": isText, "json": isJSON, "sarif": isJSON, "cyclonedx": isJSON, "junit": isXML, "html": isText, "gitlab": isJSON,
	} {
		t.Run(format, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "report")
			u.must(t, 0, "scan", "-q", "-o", format, "--out", file, saved)
			written, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, report := range []string{string(written), u.must(t, 0, "scan", "-q", "-o", format, saved).stdout} {
				if err := wellFormed([]byte(report)); err != nil {
					t.Errorf("not well formed: %v\n%.300s", err, report)
				}
				if !strings.Contains(report, "CVE-2099-0001") {
					t.Errorf("does not name the finding:\n%.300s", report)
				}
			}
		})
	}
}
