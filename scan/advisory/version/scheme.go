package version

import "strings"

// scheme is a way of ordering versions. Several ecosystems share one.
type scheme uint8

const (
	unsupported scheme = iota
	dpkg
	rpm
	apk
	semver
	goModule
	pep440
	maven
	gem
	nuget
	composer
	pub
	dotted
	conan
	bitnami
)

// schemes names OSV's ecosystems (ossf.github.io/osv-schema, "Defined ecosystems"). Those that number commits and not
// versions (Android, Linux, OSS-Fuzz, GIT) or mix package managers (Docker Hardened Images) are left out on purpose.
var schemes = map[string]scheme{
	"Debian": dpkg, "Ubuntu": dpkg, "Echo": dpkg, "opam": dpkg,

	"AlmaLinux": rpm, "Amazon Linux": rpm, "Azure Linux": rpm, "CentOS": rpm, "Fedora": rpm, "Mageia": rpm,
	"openEuler": rpm, "openSUSE": rpm, "Oracle Linux": rpm, "Photon OS": rpm, "Red Hat": rpm, "Rocky Linux": rpm,
	"SUSE": rpm, "CBL-Mariner": rpm,

	"Alpine": apk, "Alpaquita": apk, "BellSoft Hardened Containers": apk, "Chainguard": apk, "CleanStart": apk,
	"MinimOS": apk, "Wolfi": apk,

	"npm": semver, "crates.io": semver, "Hex": semver, "SwiftURL": semver, "GitHub Actions": semver, "Julia": semver,
	"Kubernetes": semver, "VSCode": semver,

	"Go": goModule, "PyPI": pep440, "Maven": maven, "RubyGems": gem, "NuGet": nuget, "Packagist": composer, "Pub": pub,
	"CRAN": dotted, "Bioconductor": dotted, "Hackage": dotted, "GHC": dotted,
	"ConanCenter": conan, "Bitnami": bitnami,
}

func schemeOf(ecosystem string) scheme {
	name, rest, _ := strings.Cut(ecosystem, ":")
	if name == "Root" {
		// Root republishes other ecosystems' packages: "Root:Debian:12", "Root:npm".
		name, _, _ = strings.Cut(rest, ":")
	}
	return schemes[name]
}
