package sbom

import (
	"errors"
	"strings"

	"github.com/package-url/packageurl-go"

	"github.com/seawall/seawall/finding"
)

// purl is a package URL: https://github.com/package-url/purl-spec.
type purl struct {
	packageurl.PackageURL
	qualifiers map[string]string
}

// maxPURL bounds a package URL, in bytes.
const maxPURL = 4096

func parsePURL(s string) (purl, error) {
	if len(s) > maxPURL {
		return purl{}, errors.New("package URL too long")
	}
	u, err := packageurl.FromString(s)
	if err != nil {
		return purl{}, err
	}
	return purl{u, u.Qualifiers.Map()}, nil
}

// fill sets what the package URL tells and the document's own fields do not.
func (u purl) fill(p *finding.Package) {
	p.Type = u.Type
	p.Name = u.fullName(p.Name)
	p.Version = u.fullVersion(p.Version)
	p.Arch = u.qualifiers["arch"]
	p.Modularity = u.qualifiers["rpmmod"]
	if upstream := u.qualifiers["upstream"]; upstream != "" && isOS(p.Type) {
		p.SourceName, p.SourceVersion = splitSource(p.Type, upstream)
	}
}

// fullName joins namespace and name as the ecosystem itself writes them. Distributions' namespaces are their vendors.
func (u purl) fullName(documented string) string {
	switch {
	case u.Type == "pypi":
		// The specification folds case and dots, which loses the name as published.
		if documented != "" {
			return documented
		}
	case isOS(u.Type), u.Namespace == "":
		return u.Name
	case u.Type == "maven":
		return u.Namespace + ":" + u.Name
	}
	if u.Namespace == "" {
		return u.Name
	}
	name := u.Namespace + "/" + u.Name
	if u.Type == "golang" && u.Subpath != "" && strings.HasSuffix(documented, "/"+u.Subpath) {
		// Module paths belong into namespace and name; some tools put their end into the subpath.
		name += "/" + u.Subpath
	}
	return name
}

// fullVersion prefers the document's own version field, which some tools write without the epoch that they put into
// a qualifier.
func (u purl) fullVersion(documented string) string {
	v := documented
	if v == "" {
		v = u.Version
	}
	epoch := u.qualifiers["epoch"]
	if epoch == "" || epoch == "0" || !isOS(u.Type) || strings.Contains(v, ":") {
		return v
	}
	return epoch + ":" + v
}

func (u purl) distro() string {
	if d := u.qualifiers["distro"]; d != "" {
		return strings.ToLower(d)
	}
	return ""
}

// splitDistro takes "debian-12.5" and "opensuse-leap-15.5" apart. A distribution with a name only has no version; of
// Debian and Ubuntu the code name may stand there, which is none either.
func splitDistro(s string) (id, version string) {
	for _, id := range []string{"debian", "ubuntu"} {
		if rest, ok := strings.CutPrefix(s, id+"-"); ok && (rest == "" || rest[0] < '0' || rest[0] > '9') {
			return id, ""
		}
	}
	i := strings.LastIndexByte(s, '-')
	if i < 0 || i+1 == len(s) || s[i+1] < '0' || s[i+1] > '9' {
		return s, ""
	}
	return s[:i], s[i+1:]
}

// splitSource reads a source package: "glibc", "gcc-12@12.2.0-14" or, for rpm, "glibc-2.34-60.el9.src.rpm".
func splitSource(kind, s string) (name, version string) {
	if kind == "rpm" {
		if nvr, ok := strings.CutSuffix(s, ".rpm"); ok {
			return splitNVR(nvr)
		}
	}
	name, version, _ = strings.Cut(s, "@")
	return name, version
}

// splitNVR takes "glibc-2.34-60.el9.src" apart: the name may hold dashes, version and release may not.
func splitNVR(s string) (name, version string) {
	if i := strings.LastIndexByte(s, '.'); i > 0 {
		s = s[:i] // the architecture: src, nosrc
	}
	release := strings.LastIndexByte(s, '-')
	if release <= 0 {
		return s, ""
	}
	v := strings.LastIndexByte(s[:release], '-')
	if v <= 0 {
		return s, ""
	}
	return s[:v], s[v+1:]
}
