//go:build e2e

package e2e

import (
	"debug/buildinfo"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The executable under test is a real Go program: what its build information lists is what a scan of it lists, the
// standard library included, also in an image that holds nothing else.
func TestGoProgramOnScratch(t *testing.T) {
	info, err := buildinfo.ReadFile(executable)
	if err != nil {
		t.Skipf("the executable carries no build information: %v", err)
	}
	want := []string{"stdlib " + strings.TrimPrefix(info.GoVersion, "go")}
	for _, d := range info.Deps {
		if d.Replace != nil {
			d = d.Replace
		}
		want = append(want, d.Path+" "+strings.TrimPrefix(d.Version, "v"))
	}
	slices.Sort(want)
	root := t.TempDir()
	program, err := os.ReadFile(executable)
	if err != nil {
		t.Fatal(err)
	}
	path := write(t, filepath.Join(root, "app/program"), string(program))
	call(t, "chmod", "755", path)

	r := withMadeUp(t, newUser(t)).scan(t, root)
	var got []string
	for _, p := range r.Inventory.Packages {
		if p.Type == "golang" && p.Name != info.Main.Path {
			got = append(got, p.Name+" "+strings.TrimPrefix(p.Version, "v"))
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("modules differ (-build information +scan):\n%s", diff)
	}
	if len(r.Inventory.Executables) != 1 || r.Inventory.Executables[0].Path != "app/program" {
		t.Errorf("executables: %+v", r.Inventory.Executables)
	}
}
