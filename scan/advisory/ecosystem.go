package advisory

import (
	"strings"

	"github.com/seawall/seawall/finding"
)

// naming says by which name and version of an installed package an ecosystem's advisories speak.
type naming uint8

const (
	byName   naming = iota // as installed
	bySource               // the source package and its version
	byEither               // some entries name binaries, others sources
)

// namings lists the ecosystems whose advisories do not speak of packages as installed. Debian's, Ubuntu's and the
// apk distributions' data name source (origin) packages; the listed rpm distributions publish errata by source name
// and OSV's conversion keeps it, while AlmaLinux and Red Hat name every binary.
var namings = map[string]naming{
	"Debian": bySource, "Ubuntu": bySource, "Echo": bySource,
	"Alpine": bySource, "Alpaquita": bySource, "BellSoft Hardened Containers": bySource, "Chainguard": bySource,
	"CleanStart": bySource, "MinimOS": bySource, "Wolfi": bySource,
	"Rocky Linux": byEither, "SUSE": byEither, "openSUSE": byEither, "openEuler": byEither, "Mageia": byEither, "Photon OS": byEither,
	"Azure Linux": byEither, "CBL-Mariner": byEither, "Amazon Linux": byEither, "Oracle Linux": byEither,
	"Fedora": byEither,
}

// namingOf knows the published conversions; an ecosystem that is not listed is matched by the installed name.
func namingOf(ecosystem string) naming { return namings[family(ecosystem)] }

// family is the ecosystem without its release: "Debian" of "Debian:12", "Debian" of "Root:Debian:12".
func family(ecosystem string) string {
	name, rest, _ := strings.Cut(ecosystem, ":")
	if name == "Root" {
		name, _, _ = strings.Cut(rest, ":")
	}
	return name
}

// typeEcosystems are the ecosystems of package URL types that do not depend on a distribution.
var typeEcosystems = map[string]string{
	"golang": "Go", "npm": "npm", "pypi": "PyPI", "maven": "Maven", "gem": "RubyGems", "composer": "Packagist",
	"nuget": "NuGet", "cargo": "crates.io", "hex": "Hex", "pub": "Pub", "conan": "ConanCenter", "cran": "CRAN",
	"hackage": "Hackage", "swift": "SwiftURL", "bitnami": "Bitnami", "githubactions": "GitHub Actions", "julia": "Julia",
}

// ecosystemOf is the package's ecosystem, from its type or the image's distribution where it does not say itself.
func ecosystemOf(p *finding.Package, d *finding.Distro) string {
	switch {
	case p.Ecosystem != "":
		return p.Ecosystem
	case isOSType(p.Type):
		return d.Ecosystem
	}
	return typeEcosystems[p.Type]
}

func isOSType(t string) bool { return t == "deb" || t == "apk" || t == "rpm" }

// semverNative are the ecosystems whose own order is SemVer's, or keeps it: SEMVER ranges need no order of their own.
var semverNative = map[string]bool{
	"npm": true, "crates.io": true, "Hex": true, "SwiftURL": true, "GitHub Actions": true, "Julia": true, "Go": true,
	"Kubernetes": true, "VSCode": true, "Pub": true, "Bitnami": true, "ConanCenter": true,
}

// normalName is the name under which a package is kept and looked up: two spellings that the ecosystem's own tool
// takes for one package give one name. Go, npm, Maven, crates.io and the distributions compare names exactly.
func normalName(ecosystem, name string) string {
	switch family(ecosystem) {
	case "PyPI":
		return pep503(name)
	case "NuGet", "Packagist", "GitHub Actions", "VSCode", "Bitnami", "ConanCenter":
		return strings.ToLower(name)
	}
	return name
}

// pep503 lowers the name and turns each run of "-", "_" and "." into one "-" (PEP 503, Normalized Names).
func pep503(name string) string {
	b := make([]byte, 0, len(name))
	for i := 0; i < len(name); i++ {
		c := name[i]
		switch {
		case c == '-' || c == '_' || c == '.':
			if n := len(b); n > 0 && b[n-1] == '-' {
				continue
			}
			c = '-'
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		}
		b = append(b, c)
	}
	return string(b)
}

// normalVersion drops what inventories put before a Go version and the ecosystem's order does not expect.
func normalVersion(ecosystem, v string) string {
	if ecosystem == "Go" {
		return strings.TrimPrefix(strings.TrimPrefix(v, "go"), "v")
	}
	return v
}
