package sbom

import (
	"strings"

	"github.com/seawall/seawall/finding"
)

// languageEcosystems maps package URL types to the ecosystems of OSV (ossf.github.io/osv-schema, "Defined ecosystems").
var languageEcosystems = map[string]string{
	"golang":        "Go",
	"npm":           "npm",
	"pypi":          "PyPI",
	"maven":         "Maven",
	"gem":           "RubyGems",
	"composer":      "Packagist",
	"nuget":         "NuGet",
	"cargo":         "crates.io",
	"pub":           "Pub",
	"hex":           "Hex",
	"conan":         "ConanCenter",
	"cran":          "CRAN",
	"hackage":       "Hackage",
	"swift":         "SwiftURL",
	"bitnami":       "Bitnami",
	"githubactions": "GitHub Actions",
}

// isOS reports whether packages of this type belong to a distribution, whose ecosystem they share.
func isOS(kind string) bool {
	switch kind {
	case "deb", "rpm", "apk", "alpm":
		return true
	}
	return false
}

// normalise removes what only some tools write into names and versions.
func normalise(p *finding.Package) {
	if p.Type == "golang" {
		p.Version = strings.TrimPrefix(p.Version, "v")
		if p.Name == "stdlib" || p.Name == "std" || p.Name == "go" {
			p.Name = "stdlib"
			p.Version = strings.TrimPrefix(p.Version, "go")
		}
	}
	if p.SourceVersion == "" && p.SourceName != "" && p.SourceName != p.Name {
		p.SourceVersion = p.Version
	}
}
