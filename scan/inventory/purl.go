package inventory

import (
	"strings"

	"github.com/package-url/packageurl-go"
	"github.com/seawall/seawall/finding"
)

// distroTypes are the package types whose packages belong to the distribution: their ecosystem and URL need its name.
var distroTypes = map[string]bool{typeDeb: true, typeApk: true, typeRPM: true, "alpm": true, "portage": true}

func isDistroType(t string) bool { return distroTypes[t] }

// purlNamespaces are vendors whose name differs from os-release's ID.
var purlNamespaces = map[string]string{
	"rhel": "redhat", "sles": "suse", "sled": "suse", "sles_sap": "suse", "opensuse-leap": "opensuse",
	"opensuse-tumbleweed": "opensuse", "opensuse-microos": "opensuse", "archarm": "arch",
}

// distroPURL is the package URL of a distribution's package, as the types deb, apk, rpm, alpm and ebuild of the
// package URL specification define it, with the widely used qualifier "upstream" for the source package.
func distroPURL(p *finding.Package, d *finding.Distro) string {
	q := packageurl.Qualifiers{}
	set := func(key, value string) {
		if value != "" {
			q = append(q, packageurl.Qualifier{Key: key, Value: value})
		}
	}
	version := p.Version
	set("arch", p.Arch)
	set("distro", distroName(d))
	if p.Type == typeRPM {
		if epoch, rest, ok := strings.Cut(version, ":"); ok {
			set("epoch", epoch)
			version = rest
		}
		set("rpmmod", p.Modularity)
	}
	set("upstream", upstream(p))
	ns := strings.ToLower(d.ID)
	if other, ok := purlNamespaces[ns]; ok {
		ns = other
	}
	return packageurl.NewPackageURL(p.Type, ns, p.Name, version, q, "").ToString()
}

// distroName makes "debian-12".
func distroName(d *finding.Distro) string {
	switch {
	case d.ID == "":
		return ""
	case d.VersionID != "":
		return d.ID + "-" + d.VersionID
	case d.Codename != "":
		return d.ID + "-" + d.Codename
	}
	return d.ID
}

// upstream names the source package where it is another one: "glibc", or "glibc@2.36-9" when the version differs too.
func upstream(p *finding.Package) string {
	version := p.Version
	if p.Type == typeRPM { // the name of a source rpm has no epoch
		if _, rest, ok := strings.Cut(version, ":"); ok {
			version = rest
		}
	}
	sameVersion := p.SourceVersion == "" || p.SourceVersion == version
	switch {
	case p.SourceName == "" || p.SourceName == p.Name && sameVersion:
		return ""
	case sameVersion:
		return p.SourceName
	}
	return p.SourceName + "@" + p.SourceVersion
}
