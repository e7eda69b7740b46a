package secret

import (
	"path"
	"strings"
)

// documentation holds what distributions install to be read, and what is known to be public.
var documentation = []string{
	"usr/share/doc/", "usr/share/man/", "usr/share/info/", "usr/share/locale/", "usr/share/zoneinfo/", "usr/share/i18n/",
	"usr/share/icons/", "usr/share/fonts/", "usr/share/ca-certificates/", "usr/share/mime/", "usr/share/terminfo/",
	"usr/share/gtk-doc/", "usr/share/help/", "usr/share/licenses/", "usr/share/common-licenses/", "usr/share/vim/", "usr/share/nmap/",
	"usr/local/share/doc/", "usr/local/share/man/", "usr/include/", "usr/src/", "usr/local/go/src/", "usr/lib/go/src/",
	"var/lib/dpkg/", "var/lib/apt/", "var/lib/rpm/", "lib/apk/", "usr/lib/apk/", "usr/lib/sysimage/", "var/cache/",
	"etc/ssl/certs/", "etc/pki/ca-trust/", "proc/", "sys/", "dev/",
}

// packageRoots are the directories that package managers install into: what lies in them is the publisher's, and its tests and examples open nothing.
var packageRoots = []string{
	"/site-packages/", "/dist-packages/", "/node_modules/", "/gems/", "/pkg/mod/", "/go/src/", "/vendor/", "/registry/src/",
	"/lib/python", "/lib/ruby/", "/lib/perl", "/share/perl", "/.m2/repository/", "/third_party/", "/usr/lib/",
	"/usr/share/",
}

// excluded reports whether nothing under path is worth reporting.
func excluded(p string) bool {
	for _, dir := range documentation {
		if strings.HasPrefix(p, dir) {
			return true
		}
	}
	if strings.Contains(p, "snakeoil") || strings.Contains(p, "/.git/objects/") {
		return true
	}
	below, ok := packageRoot(p)
	return ok && packageExtra(below)
}

// packageRoot returns the path below the package root that p lies in, with a leading slash.
func packageRoot(p string) (below string, ok bool) {
	rooted := "/" + p
	for _, root := range packageRoots {
		if at := strings.Index(rooted, root); at >= 0 {
			return rooted[at+len(root)-1:], true
		}
	}
	return "", false
}

// installed reports whether a package manager put the file there: what names it gives its values says nothing.
func installed(p string) bool {
	_, ok := packageRoot(p)
	return ok
}

// packageExtra reports whether the path below a package root leads to tests, examples or documentation.
func packageExtra(below string) bool {
	lower := strings.ToLower(below)
	for elem := range strings.SplitSeq(path.Dir(lower), "/") {
		switch elem {
		case "test", "tests", "testing", "testdata", "test_data", "test-data", "spec", "specs", "__tests__", "fixtures", "fixture", "example",
			"examples", "sample", "samples", "demo", "demos", "doc", "docs", "benchmark", "benchmarks", "mocks", "__mocks__", "selftest":
			return true
		}
	}
	base := path.Base(lower)
	if base == "pkg-info" || base == "metadata" {
		return true
	}
	switch path.Ext(base) {
	case ".md", ".rst", ".markdown", ".adoc", ".html", ".map", ".pod":
		return true
	}
	return strings.HasPrefix(base, "test_") || strings.Contains(base, "_test.") || strings.Contains(base, ".test.") || strings.Contains(base, ".spec.")
}

// media reports whether the name says that the content is compressed or not for reading.
func media(p string) bool {
	switch strings.ToLower(path.Ext(p)) {
	case ".gz", ".xz", ".zst", ".bz2", ".zip", ".png", ".jpg", ".jpeg", ".gif", ".webp", ".ico", ".woff", ".woff2", ".ttf", ".otf", ".eot",
		".mp3", ".mp4", ".ogg", ".webm", ".pdf", ".mo", ".gmo", ".a", ".o", ".ko", ".hwdb", ".jar", ".whl", ".deb", ".rpm", ".apk":
		return true
	}
	return false
}

// library reports whether path lies where distributions keep their libraries. Those of cryptography hold keys to
// test themselves with, which open nothing.
func library(p string) bool {
	for _, dir := range []string{"usr/lib/", "lib/", "usr/lib64/", "lib64/"} {
		if strings.HasPrefix(p, dir) {
			return true
		}
	}
	return false
}
