package layering

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

// TestDependenciesAreExplained: every module that go.mod requires directly has its line in docs/dependencies.md, and
// every module that the page lists is required.
func TestDependenciesAreExplained(t *testing.T) {
	root := filepath.Join("..", "..")
	text, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	mod, err := modfile.Parse("go.mod", text, nil)
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs", "dependencies.md"))
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for line := range strings.Lines(string(page)) {
		if rest, ok := strings.CutPrefix(line, "| `"); ok {
			name, _, _ := strings.Cut(rest, "`")
			listed[name] = true
		}
	}
	for _, r := range mod.Require {
		switch {
		case !r.Indirect && !listed[r.Mod.Path]:
			t.Errorf("docs/dependencies.md has no line for %s", r.Mod.Path)
		case !r.Indirect:
			delete(listed, r.Mod.Path)
		}
	}
	for name := range listed {
		t.Errorf("docs/dependencies.md lists %s, which go.mod does not require directly", name)
	}
}
