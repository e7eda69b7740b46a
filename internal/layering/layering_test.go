package layering

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/seawall/seawall"

type goPackage struct {
	ImportPath string
	Imports    []string
}

// list returns every package of the module with its direct imports, tests left out.
func list(t *testing.T) []goPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", module+"/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// room is the entry of the table that a package belongs to: the longest that is it or holds it.
func room(path string) string {
	best := ""
	for name := range Imports {
		if inside(path, name) && len(name) > len(best) {
			best = name
		}
	}
	if best == "" {
		return path
	}
	return best
}

func inside(path, dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }

func TestImports(t *testing.T) {
	for _, p := range list(t) {
		from := room(strings.TrimPrefix(p.ImportPath, module+"/"))
		for _, imported := range p.Imports {
			rest, ours := strings.CutPrefix(imported, module+"/")
			to := room(rest)
			may := Imports[from]
			if ours && to != from && !slices.Contains(may, to) && !slices.Contains(may, "*") {
				t.Errorf("%s imports %s: the table allows %s only %v", p.ImportPath, rest, from, may)
			}
		}
	}
}

func TestDoors(t *testing.T) {
	for _, p := range list(t) {
		from := strings.TrimPrefix(p.ImportPath, module+"/")
		for _, imported := range p.Imports {
			for library, doors := range Doors {
				opens := slices.ContainsFunc(doors, func(door string) bool { return inside(from, door) })
				if inside(imported, library) && !opens {
					t.Errorf("%s imports %s: only %v may", from, imported, doors)
				}
			}
		}
	}
}

func TestEveryRoomExists(t *testing.T) {
	all := list(t)
	for name := range Imports {
		found := slices.ContainsFunc(all, func(p goPackage) bool { return inside(p.ImportPath, module+"/"+name) })
		if !found {
			t.Errorf("the table lists %s, which does not exist", name)
		}
	}
}
