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
	case "deb", "rpm", "apk", "alpm", "ebuild", "opkg":
		return true
	}
	return false
}

// normalise writes versions as the ecosystem's own tool prints them, where tools differ: Go modules with "v", the
// standard library, which is released as a toolchain, without "go".
func normalise(p *finding.Package) {
	if p.Type == "golang" {
		if p.Name == "stdlib" || p.Name == "std" || p.Name == "go" {
			p.Name, p.Version = "stdlib", strings.TrimPrefix(strings.TrimPrefix(p.Version, "go"), "v")
		} else if p.Version != "" && p.Version[0] >= '0' && p.Version[0] <= '9' {
			p.Version = "v" + p.Version
		}
	}
	if p.SourceVersion == "" && p.SourceName != "" {
		p.SourceVersion = p.Version
	}
}
