package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var printedWitness = regexp.MustCompile(`give them this key" key=(\S+)`)

// settings writes a configuration file.
func settings(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "hub.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestAnotherHubWitnessesTheLog(t *testing.T) {
	dir := t.TempDir()
	first := newSite(t, dir)
	first.recorded("signin")
	var head struct{ Key, Note string }
	first.call("GET", "/api/v1/audit/checkpoint", nil, &head)
	first.end()

	other := newSite(t, t.TempDir(), "--log-level", "info", "--config", settings(t, fmt.Sprintf("audit: {witnessFor: [%q]}\n", head.Key)))
	key := printedWitness.FindStringSubmatch(other.out.String())
	if key == nil {
		t.Fatalf("the witness does not tell its key:\n%s", other.out)
	}
	again := newSite(t, dir, "--config", settings(t, fmt.Sprintf("audit: {witnesses: [{url: %q, key: %q}]}\n", other.url+"/witness", key[1])))
	again.until("an export has the signature of both", func() bool {
		_, tar := again.try("GET", "/api/v1/audit/export", nil)
		return strings.Count(string(tar), "\n— ") >= 2
	})
}
