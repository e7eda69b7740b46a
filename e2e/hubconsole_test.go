//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// A person works with the hub in Chromium: signs in, sees an image arrive that is pushed from outside, watches its scan,
// opens a finding, makes an exception, finds the audit record. Then every page is looked at. The pictures are kept in
// $SEAWALL_E2E_PICTURES, if it is set.
func TestHubConsole(t *testing.T) {
	need(t, "node")
	chromium := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			chromium = path
			break
		}
	}
	if chromium == "" {
		t.Skip("no Chromium is on PATH")
	}
	if _, err := os.Stat("../console/node_modules/playwright-core"); err != nil {
		t.Skip("the console's tools are not installed: npm ci in console/")
	}
	pictures := os.Getenv("SEAWALL_E2E_PICTURES")
	if pictures == "" {
		pictures = t.TempDir()
	}
	pictures, err := filepath.Abs(pictures)
	if err != nil {
		t.Fatal(err)
	}
	h := startHub(t, hubConfig{})
	walk := tool{line: []string{"node", "../console/e2e/run.mjs", "--url", h.url, "--user", "admin", "--password", adminPassword,
		"--chromium", chromium, "--out", pictures}}
	t.Log(walk.must(t, ""))
}
