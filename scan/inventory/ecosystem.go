package inventory

import "strings"

// Ecosystem returns OSV's name for the packages of a distribution's release, given ID and VERSION_ID of os-release:
// "Debian:12", "Ubuntu:22.04:LTS", "Alpine:v3.20". It is "" where OSV has none and nobody else is known to publish in
// that form. The names are those of https://ossf.github.io/osv-schema/#defined-ecosystems.
func Ecosystem(id, version string) string {
	id = strings.ToLower(id)
	if rolling, ok := rollingEcosystems[id]; ok {
		return rolling
	}
	if version == "" {
		return ""
	}
	if byMajor, ok := majorEcosystems[id]; ok {
		major, _, _ := strings.Cut(version, ".")
		return byMajor + ":" + major
	}
	if exact, ok := exactEcosystems[id]; ok {
		return exact + ":" + version
	}
	switch id {
	case "alpine":
		return "Alpine:" + alpineBranch(version)
	case "ubuntu":
		return "Ubuntu:" + ubuntuRelease(version)
	case "sles", "sled", "sles_sap":
		return "SUSE:" + suseProduct(id, version)
	case "opensuse-leap":
		return "openSUSE:Leap " + version
	}
	return ""
}

// ecosystemTypes are the package types of distributions that do not use rpm. Packages of another type (an rpm database
// in a Debian image) are not the distribution's.
var ecosystemTypes = map[string]string{
	"Debian": typeDeb, "Ubuntu": typeDeb, "Echo": typeDeb, "Alpine": typeApk, "Wolfi": typeApk, "Chainguard": typeApk,
	"MinimOS": typeApk, "Alpaquita": typeApk, "BellSoft Hardened Containers": typeApk, "CleanStart": typeApk,
}

// ecosystemFor returns the distribution's ecosystem if packages of type typ belong to it.
func ecosystemFor(typ, ecosystem string) string {
	name, _, _ := strings.Cut(ecosystem, ":")
	own := ecosystemTypes[name]
	if own == "" {
		own = typeRPM
	}
	if typ != own {
		return ""
	}
	return ecosystem
}

var (
	rollingEcosystems = map[string]string{
		"wolfi": "Wolfi", "chainguard": "Chainguard", "minimos": "MinimOS", "opensuse-tumbleweed": "openSUSE:Tumbleweed",
		"opensuse-microos": "openSUSE:Tumbleweed", "cleanstart": "CleanStart", "clnstrt": "CleanStart",
	}
	majorEcosystems = map[string]string{
		"debian": "Debian", "almalinux": "AlmaLinux", "rocky": "Rocky Linux", "rhel": "Red Hat", "azurelinux": "Azure Linux",
	}
	exactEcosystems = map[string]string{
		"mageia": "Mageia", "openeuler": "openEuler", "photon": "Photon OS", "alpaquita": "Alpaquita",
		"bellsoft-hardened-containers": "BellSoft Hardened Containers", "mariner": "Azure Linux", "echo": "Echo",
	}
)

// alpineBranch makes "v3.20" of "3.20.3", and "edge" of a date version such as "3.21_alpha20240923".
func alpineBranch(version string) string {
	if strings.Contains(version, "_alpha") || version == "edge" {
		return "edge"
	}
	major, rest, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	minor, _, _ := strings.Cut(rest, ".")
	if minor == "" {
		return "v" + major
	}
	return "v" + major + "." + minor
}

// ubuntuRelease marks the long-term releases: April of even years.
func ubuntuRelease(version string) string {
	year, month, _ := strings.Cut(version, ".")
	if month == "04" && len(year) == 2 && (year[1]-'0')%2 == 0 {
		return version + ":LTS"
	}
	return version
}

// suseProduct makes "Linux Enterprise Server 15 SP5" of "15.5".
func suseProduct(id, version string) string {
	product := map[string]string{
		"sles": "Linux Enterprise Server", "sled": "Linux Enterprise Desktop", "sles_sap": "Linux Enterprise Server for SAP Applications",
	}[id]
	major, pack, _ := strings.Cut(version, ".")
	if pack == "" || pack == "0" {
		return product + " " + major
	}
	return product + " " + major + " SP" + pack
}
