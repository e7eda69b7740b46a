package inventory

import (
	"path"
	"strings"

	"github.com/package-url/packageurl-go"
	"github.com/seawall/seawall/finding"
)

// languageEcosystems are OSV's names for the package types of languages.
var languageEcosystems = map[string]string{
	"golang": "Go", "npm": "npm", "pypi": "PyPI", "maven": "Maven", "gem": "RubyGems", "composer": "Packagist",
	"nuget": "NuGet", "cargo": "crates.io", "hex": "Hex", "pub": "Pub", "hackage": "Hackage", "cran": "CRAN",
	"conan": "ConanCenter", "swift": "SwiftURL", "julia": "Julia", "opam": "opam",
}

// language makes a package of a language. name is as OSV writes it for the ecosystem: "group:artifact" for Maven,
// "@scope/name" for npm, the module path for Go.
func language(typ, name, version string, licences []string) Package {
	return Package{Package: finding.Package{
		Name: name, Version: version, Type: typ, Ecosystem: languageEcosystems[typ],
		PURL: languagePURL(typ, name, version), Licenses: spdxLicences(licences),
	}}
}

// languagePURL splits name into namespace and name as the package URL specification wants it for the type.
func languagePURL(typ, name, version string) string {
	ns := ""
	switch typ {
	case "maven":
		if group, artifact, ok := strings.Cut(name, ":"); ok {
			ns, name = group, artifact
		}
	case "pypi":
		name = strings.ReplaceAll(strings.ToLower(name), "_", "-")
	case "npm", "golang", "composer", "swift", "github":
		if dir := path.Dir(name); dir != "." {
			ns, name = dir, path.Base(name)
		}
	}
	return packageurl.NewPackageURL(typ, ns, name, version, nil, "").ToString()
}
