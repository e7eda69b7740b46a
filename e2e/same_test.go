//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seawall/seawall/finding"
)

// packageLines are the packages of a result, one a line, sorted: what must not depend on how an image is stored.
func packageLines(r finding.Result) []string {
	var lines []string
	for _, p := range r.Inventory.Packages {
		lines = append(lines, fmt.Sprintf("%s %s %s %s source %s %s", p.Ecosystem, p.Type, p.Name, p.Version, p.SourceName, p.SourceVersion))
	}
	slices.Sort(lines)
	return lines
}

// findingLines are the findings of a result, one a line, sorted.
func findingLines(r finding.Result) []string {
	var lines []string
	for _, f := range r.Findings {
		lines = append(lines, fmt.Sprintf("%s %s %s %s fixed %q %s %s %.1f", f.ID, f.Package.Type, f.Package.Name, f.Package.Version,
			f.Fixed, f.State, f.Severity, f.Score))
	}
	slices.Sort(lines)
	return lines
}

// same fails unless got has the packages and findings of want.
func same(t *testing.T, want, got finding.Result) {
	t.Helper()
	if diff := cmp.Diff(packageLines(want), packageLines(got)); diff != "" {
		t.Errorf("packages differ (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(findingLines(want), findingLines(got)); diff != "" {
		t.Errorf("findings differ (-want +got):\n%s", diff)
	}
}

// findingsOf lists "ID source package" for each finding, each once, sorted.
func findingsOf(r finding.Result) []string {
	var lines []string
	for _, f := range r.Findings {
		source := f.Package.SourceName
		if source == "" {
			source = f.Package.Name
		}
		lines = append(lines, f.ID+" "+source)
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}
