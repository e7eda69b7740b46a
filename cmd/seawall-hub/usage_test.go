package main

import (
	"bytes"
	"strings"
	"testing"
)

// Who calls a command wrongly reads what is wrong, and a script can tell it from a hub that fails.
func TestUsage(t *testing.T) {
	for line, want := range map[string]string{
		"serve --bogus":                    "unknown flag",
		"serve extra":                      "serve --help",
		"backup":                           "accepts 1 arg",
		"restore a b":                      "accepts 1 arg",
		"serve --listen nonsense":          "want host:port",
		"serve --log-level loud":           "want debug",
		"up --listen 0.0.0.0:0":            "without TLS",
		"serve --config /dev/null/hub.yml": "reading the configuration",
	} {
		var out, err bytes.Buffer
		args := strings.Fields(line)
		if args[0] == "serve" || args[0] == "up" {
			args = append(args, "--data-dir", t.TempDir())
		}
		code := run(t.Context(), args, terminal{in: strings.NewReader(""), out: &out, err: &err, env: func(string) (string, bool) { return "", false }})
		if code != 4 || !strings.Contains(err.String(), want) {
			t.Errorf("%s: %d %s", line, code, err.String())
		}
	}
}
