package inventory

import (
	"path"
	"strings"
)

// installed says for which places the packages themselves are in the image, so that what a lock file declares is not
// listed again, or instead: lock files also name what was needed to build and test.
type installed struct {
	anywhere map[string]bool    // by package type
	under    map[[2]string]bool // by package type and directory
}

func (m *merger) installed() installed {
	in := installed{anywhere: map[string]bool{}, under: map[[2]string]bool{}}
	m.tree.each(func(_ string, h *holding) {
		for i := range h.packages {
			if p := &h.packages[i]; !p.Declared && p.OwnedBy == "" && !isDistroType(p.Type) {
				in.note(p.Package)
			}
		}
	})
	return in
}

// note records where a package is installed. What language images bring along says nothing about the application.
func (in installed) note(p *Package) {
	switch p.Type {
	case "npm":
		root, _, _ := strings.Cut("/"+p.Path, "/node_modules/")
		in.noteDirs(p.Type, strings.TrimPrefix(root, "/"))
	case "composer":
		root, _, _ := strings.Cut("/"+p.Path, "/vendor/")
		in.noteDirs(p.Type, strings.TrimPrefix(root, "/"))
	case "pypi":
		in.anywhere[p.Type] = in.anywhere[p.Type] || p.Name != "pip" && p.Name != "setuptools" && p.Name != "wheel"
	case "gem":
		in.anywhere[p.Type] = in.anywhere[p.Type] || !strings.Contains(p.Path, "/specifications/default/") && p.Name != "bundler"
	default:
		in.anywhere[p.Type] = true
	}
}

// noteDirs notes root and, for workspaces, the directories above it short of "/".
func (in installed) noteDirs(typ, root string) {
	in.under[[2]string{typ, root}] = true
	for dir := path.Dir(root); dir != "." && dir != "/"; dir = path.Dir(dir) {
		in.under[[2]string{typ, dir}] = true
	}
}

// covers reports whether the declared package p would be installed where packages of its type are.
func (in installed) covers(p *Package) bool {
	dir := path.Dir(p.Path)
	if dir == "." {
		dir = ""
	}
	return in.anywhere[p.Type] || in.under[[2]string{p.Type, dir}]
}
