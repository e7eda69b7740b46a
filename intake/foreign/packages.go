package foreign

import (
	"net/url"
	"strings"
)

// types are the package URL types of what scanners call their packages, where they do not give a package URL.
var types = map[string]string{
	"debian": "deb", "ubuntu": "deb", "deb": "deb", "dpkg": "deb",
	"alpine": "apk", "wolfi": "apk", "chainguard": "apk", "apk": "apk",
	"redhat": "rpm", "centos": "rpm", "rocky": "rpm", "alma": "rpm", "amazon": "rpm", "oracle": "rpm", "fedora": "rpm",
	"suse": "rpm", "opensuse": "rpm", "photon": "rpm", "cbl-mariner": "rpm", "azurelinux": "rpm", "rpm": "rpm",
	"npm": "npm", "node-pkg": "npm", "yarn": "npm", "pnpm": "npm",
	"pip": "pypi", "pipenv": "pypi", "poetry": "pypi", "uv": "pypi", "python-pkg": "pypi", "python": "pypi", "conda-pkg": "conda",
	"gobinary": "golang", "gomod": "golang", "go-module": "golang",
	"jar": "maven", "pom": "maven", "gradle": "maven", "java-archive": "maven", "jenkins-plugin": "maven",
	"gemspec": "gem", "bundler": "gem", "gem": "gem",
	"composer": "composer", "composer-vendor": "composer", "php-composer": "composer",
	"nuget": "nuget", "dotnet-core": "nuget", "packages-props": "nuget", "dotnet": "nuget",
	"cargo": "cargo", "rustbinary": "cargo", "rust-crate": "cargo",
	"pub": "pub", "hex": "hex", "swift": "swift", "conan": "conan", "cocoapods": "cocoapods",
}

// typeOf is the package URL type of a scanner's word, the word itself where it is not known.
func typeOf(word string) string {
	word = strings.ToLower(word)
	if t, ok := types[word]; ok {
		return t
	}
	return word
}

// parsePURL gives type, name and version of a package URL; the name as its ecosystem writes it: "@scope/name",
// "group:artifact", "github.com/owner/module". ok is false for what is none.
// Source: package URL specification, "rules for each purl component".
func parsePURL(text string) (pkgType, name, version string, ok bool) {
	rest, ok := strings.CutPrefix(text, "pkg:")
	if !ok {
		return "", "", "", false
	}
	if i := strings.IndexAny(rest, "?#"); i >= 0 {
		rest = rest[:i]
	}
	if i := strings.LastIndexByte(rest, '@'); i > strings.LastIndexByte(rest, '/') {
		rest, version = rest[:i], unescape(rest[i+1:])
	}
	pkgType, path, ok := strings.Cut(strings.Trim(rest, "/"), "/")
	if !ok || path == "" {
		return "", "", "", false
	}
	pkgType = strings.ToLower(pkgType)
	space, name := "", path
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		space, name = unescape(path[:i]), path[i+1:]
	}
	return pkgType, join(pkgType, space, unescape(name)), version, true
}

// join puts the namespace where the ecosystem has it. A distribution's is its own name, which packages do not carry.
func join(pkgType, space, name string) string {
	switch {
	case space == "" || pkgType == "deb" || pkgType == "apk" || pkgType == "rpm":
		return name
	case pkgType == "maven":
		return space + ":" + name
	}
	return space + "/" + name
}

func unescape(s string) string {
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	return s
}
