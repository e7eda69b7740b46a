package inventory

import (
	"path"
	"slices"
	"strings"
)

// at is a where for files that count only at these paths.
func at(paths ...string) func(string) bool {
	return func(p string) bool { return slices.Contains(paths, p) }
}

// below is a where for files below dir, which ends in a slash.
func below(dir string) func(string) bool {
	return func(p string) bool { return strings.HasPrefix(p, dir) }
}

func endsIn(suffix string) func(string) bool {
	return func(p string) bool { return strings.HasSuffix(p, suffix) }
}

func inCondaMeta(p string) bool { return path.Base(path.Dir(p)) == "conda-meta" }

func inWordPressPlugin(p string) bool {
	return strings.HasSuffix(path.Dir(path.Dir(p)), "wp-content/plugins")
}

// othersDirs are directories in which a lock file belongs to an installed package, a cache or a test, and says nothing
// about what this image runs.
var othersDirs = []string{
	"/node_modules/", "/site-packages/", "/dist-packages/", "/vendor/", "/testdata/", "/test/", "/tests/", "/__tests__/",
	"/fixtures/", "/examples/", "/example/", "/gems/", "/pkg/mod/", "/.cargo/", "/cargo/registry/", "/.npm/", "/.cache/",
	"/usr/share/doc/", "/usr/lib/go/", "/usr/local/go/", "/usr/src/linux", "/.git/", "/opt/yarn-", "/usr/share/nodejs/",
}

// ownManifest is the where of lock files: see DESIGN.md, "Declared and installed".
func ownManifest(p string) bool {
	p = "/" + p
	for _, dir := range othersDirs {
		if strings.Contains(p, dir) {
			return false
		}
	}
	return true
}
