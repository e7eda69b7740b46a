package vex

import (
	"strings"

	"github.com/package-url/packageurl-go"

	"github.com/seawall/seawall/finding"
)

// matcher decides which packages of one image a product means.
type matcher struct {
	v *finding.Inventory
	// bare are the package URLs of the image without qualifiers, with and without version.
	bare map[string]bool
	// sources are the packages by the name of their source package.
	sources map[string][]*finding.Package
}

func newMatcher(v *finding.Inventory) *matcher {
	m := &matcher{v: v, bare: map[string]bool{}, sources: map[string][]*finding.Package{}}
	for i := range v.Packages {
		p := &v.Packages[i]
		if u, ok := parse(p.PURL); ok {
			m.bare[bare(u, true)] = true
			m.bare[bare(u, false)] = true
		}
		name := p.SourceName
		if name == "" {
			name = p.Name
		}
		m.sources[name] = append(m.sources[name], p)
	}
	return m
}

// maxPURL bounds a package URL, in bytes.
const maxPURL = 4096

func isPURL(s string) bool { return strings.HasPrefix(s, "pkg:") }

func parse(s string) (packageurl.PackageURL, bool) {
	if !isPURL(s) || len(s) > maxPURL {
		return packageurl.PackageURL{}, false
	}
	u, err := packageurl.FromString(s)
	return u, err == nil
}

// bare is u in its canonical form without qualifiers and subpath: what finding.Suppression compares.
func bare(u packageurl.PackageURL, version bool) string {
	u.Qualifiers, u.Subpath = nil, ""
	if !version {
		u.Version = ""
	}
	return u.ToString()
}

// isImage reports whether a package URL names a container image.
func isImage(s string) bool {
	return strings.HasPrefix(s, "pkg:oci/") || strings.HasPrefix(s, "pkg:docker/")
}

// packages gives the values for Suppression.Package that mean p in this image: none where p is something else, one
// empty one where it is the whole image.
func (m *matcher) packages(p product) []string {
	if !p.of.empty() && !m.is(p.of) {
		return nil
	}
	if p.component == "" {
		if p.of.empty() || p.of.purl == "" && !m.isNamed(p.of.name) {
			return nil // a distribution as a whole is not a reason to set its packages aside
		}
		return []string{""}
	}
	u, ok := parse(p.component)
	if !ok || !m.sameDistro(u) || hasPattern(u) {
		return nil
	}
	if isSource(u) {
		return m.builtFrom(u)
	}
	return []string{bare(u, true)}
}

// hasPattern: suppressions take shell patterns, statements about products do not.
func hasPattern(u packageurl.PackageURL) bool {
	return strings.ContainsAny(u.Namespace+u.Name, "*?[\\")
}

// isSource: the package URL is that of a source package, from which several binary ones are built.
func isSource(u packageurl.PackageURL) bool {
	switch u.Qualifiers.Map()["arch"] {
	case "source", "src":
		return true
	}
	return false
}

// builtFrom gives the packages of the image that were built from a source package.
func (m *matcher) builtFrom(u packageurl.PackageURL) []string {
	var out []string
	for _, p := range m.sources[u.Name] {
		version := p.SourceVersion
		if version == "" {
			version = p.Version
		}
		if p.Type != u.Type || u.Version != "" && withoutEpoch(u.Version) != withoutEpoch(version) {
			continue
		}
		if have, ok := parse(p.PURL); ok {
			out = append(out, bare(have, true))
		}
	}
	return distinct(out...)
}

func withoutEpoch(v string) string {
	if _, rest, ok := strings.Cut(v, ":"); ok {
		return rest
	}
	return v
}

// sameDistro holds a "distro" qualifier, such as debian-12 or rhel-9.2, against the image.
func (m *matcher) sameDistro(u packageurl.PackageURL) bool {
	want := strings.ToLower(u.Qualifiers.Map()["distro"])
	if want == "" {
		return true
	}
	d := &m.v.Distro
	if d.Codename != "" && (want == d.Codename || want == d.ID+"-"+d.Codename) {
		return true
	}
	version, ok := strings.CutPrefix(want, d.ID+"-")
	return ok && d.ID != "" && samePrefix(version, d.VersionID)
}

// samePrefix compares two versions as far as both go: "9" is "9.2", but not "90".
func samePrefix(a, b string) bool {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return false
		}
	}
	return a != "" && b != ""
}

// is reports whether a product is this image, its distribution, or a package in it.
func (m *matcher) is(t thing) bool {
	if u, ok := parse(t.purl); ok {
		if isImage(t.purl) {
			return m.isImage(u)
		}
		return m.sameDistro(u) && m.bare[bare(u, true)]
	}
	return m.isNamed(t.name) || t.cpe != "" && m.isPlatform(t.cpe)
}

// isNamed: the product is called as the image is.
func (m *matcher) isNamed(name string) bool {
	i := &m.v.Image
	if name == "" {
		return false
	}
	for _, have := range append(append([]string{i.Ref, i.ID}, i.Tags...), i.Aliases...) {
		if have == name {
			return true
		}
	}
	return false
}

// isImage compares a package URL of type oci or docker: its digest where it has one, else its repository and tag.
func (m *matcher) isImage(u packageurl.PackageURL) bool {
	q := u.Qualifiers.Map()
	tag := q["tag"]
	if strings.HasPrefix(u.Version, "sha256:") {
		return m.isNamed(u.Version)
	}
	if u.Type == "docker" && tag == "" {
		tag = u.Version
	}
	repository := q["repository_url"]
	switch {
	case repository == "" && u.Namespace != "":
		repository = u.Namespace + "/" + u.Name
	case repository == "":
		repository = u.Name
	case !strings.HasSuffix(repository, "/"+u.Name):
		repository += "/" + u.Name
	}
	for _, ref := range append([]string{m.v.Image.Ref}, m.v.Image.Tags...) {
		if have, haveTag := splitRef(ref); sameRepository(repository, have) && (tag == "" || tag == haveTag) {
			return true
		}
	}
	return false
}

// splitRef takes "host:5000/a/b:tag@sha256:…" apart.
func splitRef(ref string) (repository, tag string) {
	ref, _, _ = strings.Cut(ref, "@")
	if i := strings.LastIndexByte(ref, ':'); i > strings.LastIndexByte(ref, '/') {
		return ref[:i], ref[i+1:]
	}
	return ref, ""
}

// sameRepository compares repositories; one without a host and a path is compared by its last element.
func sameRepository(want, have string) bool {
	want, have = short(want), short(have)
	if want == have {
		return true
	}
	return !strings.Contains(want, "/") && strings.HasSuffix(have, "/"+want)
}

// short removes what Docker adds to names by itself.
func short(repository string) string {
	for _, prefix := range []string{"index.docker.io/", "docker.io/", "library/"} {
		repository = strings.TrimPrefix(repository, prefix)
	}
	return strings.ToLower(repository)
}

// platforms maps vendor and product of a CPE to the ID of os-release.
var platforms = map[string]string{
	"redhat:enterprise_linux": "rhel", "redhat:rhel_eus": "rhel", "redhat:rhel_els": "rhel", "redhat:rhel_aus": "rhel",
	"suse:sles": "sles", "opensuse:leap": "opensuse-leap", "almalinux:almalinux": "almalinux", "rocky:rocky": "rocky",
	"rockylinux:rocky_linux": "rocky", "oracle:linux": "ol", "amazon:linux": "amzn", "amazon:amazon_linux": "amzn",
	"debian:debian_linux": "debian", "canonical:ubuntu_linux": "ubuntu", "alpinelinux:alpine_linux": "alpine",
	"microsoft:azurelinux": "azurelinux", "microsoft:azure_linux": "azurelinux",
}

// isPlatform reports whether a CPE (2.2 URI or 2.3 formatted string) names the image's distribution and release. One
// without a release does not: what is said of one release need not hold for another.
func (m *matcher) isPlatform(cpe string) bool {
	rest, ok := strings.CutPrefix(cpe, "cpe:2.3:")
	if !ok {
		rest, ok = strings.CutPrefix(cpe, "cpe:/")
	}
	parts := strings.Split(rest, ":")
	if !ok || len(parts) < 4 {
		return false
	}
	id := platforms[strings.ToLower(parts[1]+":"+parts[2])]
	release := parts[3]
	if release == "" || release == "*" || release == "-" {
		return false
	}
	return id != "" && id == m.v.Distro.ID && samePrefix(release, m.v.Distro.VersionID)
}
