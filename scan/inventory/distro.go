package inventory

import (
	"bytes"
	"context"
	"path"
	"strings"

	"github.com/seawall/seawall/finding"
)

// releaseFiles tell the distribution, the most telling first. etc/os-release is often a link to usr/lib/os-release.
var releaseFiles = []string{
	"etc/os-release", "usr/lib/os-release",
	"etc/lsb-release",
	"etc/alpine-release", "etc/centos-release", "etc/oracle-release", "etc/rocky-release", "etc/almalinux-release",
	"etc/fedora-release", "etc/redhat-release", "etc/system-release", "etc/mageia-release", "etc/photon-release",
	"etc/SuSE-release", "etc/debian_version",
}

var releaseParser = parser{name: "release file", bytes: true, max: 64 << 10, trusted: true, where: at(releaseFiles...),
	run: func(_ context.Context, f *file) (parsed, error) {
		return parsed{release: &Release{Path: f.named, Content: clip(string(f.data), 16<<10)}}, nil
	}}

// detectDistro reads the release files that are visible in the merged image, by path.
func detectDistro(files map[string]string) finding.Distro {
	for _, p := range releaseFiles {
		content, ok := files[p]
		if !ok {
			continue
		}
		if d := parseRelease(p, content); d.ID != "" {
			d.Ecosystem = Ecosystem(d.ID, d.VersionID)
			return d
		}
	}
	return finding.Distro{}
}

func parseRelease(p, content string) finding.Distro {
	content = strings.TrimSpace(content)
	switch name := path.Base(p); name {
	case "os-release":
		return parseOSRelease(content)
	case "lsb-release":
		v := shellVars(content)
		return finding.Distro{ID: strings.ToLower(v["DISTRIB_ID"]), VersionID: v["DISTRIB_RELEASE"],
			Codename: v["DISTRIB_CODENAME"], Name: v["DISTRIB_DESCRIPTION"]}
	case "alpine-release":
		return finding.Distro{ID: "alpine", VersionID: firstLine(content), Name: "Alpine Linux " + firstLine(content)}
	case "debian_version":
		return debianVersion(firstLine(content))
	default:
		return sentenceRelease(firstLine(content))
	}
}

// parseOSRelease reads os-release(5).
func parseOSRelease(content string) finding.Distro {
	v := shellVars(content)
	d := finding.Distro{ID: v["ID"], VersionID: v["VERSION_ID"], Codename: v["VERSION_CODENAME"], Name: v["PRETTY_NAME"]}
	switch strings.ToLower(d.ID) {
	case "debian":
		if d.VersionID == "" { // testing and unstable declare none
			d.VersionID = debianReleases[d.Codename]
		}
	case "openeuler":
		d.VersionID = openEulerVersion(d.VersionID, v["VERSION"])
	}
	return d
}

// debianReleases gives the number of a release that only has its name so far.
var debianReleases = map[string]string{
	"jessie": "8", "stretch": "9", "buster": "10", "bullseye": "11", "bookworm": "12", "trixie": "13", "forky": "14",
}

// debianVersion reads "12.5" or "trixie/sid".
func debianVersion(text string) finding.Distro {
	d := finding.Distro{ID: "debian", Name: "Debian GNU/Linux " + text}
	if text != "" && text[0] >= '0' && text[0] <= '9' {
		d.VersionID, _, _ = strings.Cut(text, ".")
		return d
	}
	d.Codename, _, _ = strings.Cut(text, "/")
	d.VersionID = debianReleases[d.Codename]
	return d
}

// openEulerVersion makes "24.03-LTS-SP1" of "24.03" and "24.03 (LTS-SP1)": releases of the same number differ.
func openEulerVersion(id, version string) string {
	if _, rest, ok := strings.Cut(version, "("); ok {
		edition, _, _ := strings.Cut(rest, ")")
		return id + "-" + strings.ReplaceAll(edition, " ", "-")
	}
	return id
}

// sentences are how release files of one line begin.
var sentences = []struct{ prefix, id string }{
	{"Red Hat Enterprise Linux", "rhel"}, {"CentOS", "centos"}, {"AlmaLinux", "almalinux"}, {"Rocky Linux", "rocky"},
	{"Oracle Linux", "ol"}, {"Fedora", "fedora"}, {"Amazon Linux", "amzn"}, {"Mageia", "mageia"},
	{"VMware Photon", "photon"}, {"Scientific Linux", "scientific"}, {"SUSE Linux Enterprise", "sles"},
	{"openSUSE", "opensuse-leap"},
}

// sentenceRelease reads "CentOS Linux release 7.9.2009 (Core)".
func sentenceRelease(line string) finding.Distro {
	for _, s := range sentences {
		if strings.HasPrefix(line, s.prefix) {
			return finding.Distro{ID: s.id, VersionID: firstNumber(line), Name: line}
		}
	}
	return finding.Distro{}
}

func firstNumber(line string) string {
	for _, word := range strings.Fields(line) {
		if word[0] >= '0' && word[0] <= '9' {
			return word
		}
	}
	return ""
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return strings.TrimSpace(line)
}

// shellVars reads NAME=value lines with the quoting of os-release(5).
func shellVars(text string) map[string]string {
	vars := map[string]string{}
	for rest := []byte(text); len(rest) > 0; {
		var line []byte
		line, rest = cutLine(rest)
		key, value, ok := bytes.Cut(bytes.TrimSpace(line), []byte("="))
		if !ok || len(key) == 0 || key[0] == '#' {
			continue
		}
		vars[string(key)] = unquote(string(value))
	}
	return vars
}

func unquote(s string) string {
	s = strings.TrimSpace(s)
	if len(s) < 2 || s[0] != s[len(s)-1] || s[0] != '"' && s[0] != '\'' {
		return s
	}
	quote, s := s[0], s[1:len(s)-1]
	if quote == '\'' || !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
