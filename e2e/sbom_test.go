//go:build e2e

package e2e

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A bill of materials shows what its image shows.
func TestSBOMShowsTheSameFindings(t *testing.T) {
	u := withMadeUp(t, newUser(t))
	saved := bookwormSaved(t)
	want := u.scan(t, saved, "--scanners", "vuln")
	for _, format := range []string{"cyclonedx", "spdx"} {
		t.Run(format, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "sbom.json")
			u.must(t, 0, "sbom", "-q", saved, "-o", format, "--out", file)
			got := u.scan(t, file)
			if diff := cmp.Diff(findingLines(want), findingLines(got)); diff != "" {
				t.Errorf("findings differ (-image +sbom):\n%s", diff)
			}
			u.must(t, 1, "gate", "-q", "--sbom", file)
		})
	}
	t.Run("syft", func(t *testing.T) {
		need(t, "syft")
		file := filepath.Join(t.TempDir(), "syft.json")
		call(t, "syft", "scan", "-q", "docker-archive:"+saved, "-o", "syft-json="+file)
		if diff := cmp.Diff(findingsOf(want), findingsOf(u.scan(t, file))); diff != "" {
			t.Errorf("findings differ (-image +syft):\n%s", diff)
		}
	})
}
