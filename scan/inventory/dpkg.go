package inventory

import (
	"bytes"
	"context"
	"path"
	"strings"
)

// Package types: those of the package URL specification.
const (
	typeDeb = "deb"
	typeApk = "apk"
	typeRPM = "rpm"
)

// dpkgStatusDir is where distroless images keep one file for each package, in the form of a stanza of dpkg's status.
const dpkgStatusDir = "var/lib/dpkg/status.d/"

var (
	dpkgStatusParser    = parser{name: "dpkg status", bytes: true, max: 128 << 20, trusted: true, run: dpkgStatus, where: at("var/lib/dpkg/status")}
	dpkgStatusDirParser = parser{name: "dpkg status.d", bytes: true, max: 8 << 20, trusted: true, run: dpkgStatusFile}
	dpkgListParser      = parser{name: "dpkg file list", bytes: true, max: 32 << 20, trusted: true, run: dpkgList,
		where: func(p string) bool { return path.Dir(p) == "var/lib/dpkg/info" }}
	dpkgCopyrightParser = parser{name: "copyright", bytes: true, max: 4 << 20, trusted: true, run: dpkgCopyright,
		where: func(p string) bool { return path.Dir(path.Dir(p)) == "usr/share/doc" }}
)

// dpkgStatus reads var/lib/dpkg/status: stanzas of deb-control(5) fields with a Status field.
func dpkgStatus(_ context.Context, f *file) (got parsed, err error) {
	for rest := f.data; len(rest) > 0; {
		var stanza []byte
		stanza, rest = cutStanza(rest)
		if p, ok := dpkgPackage(stanza, true); ok {
			got.packages = append(got.packages, p)
		}
	}
	return got, nil
}

// dpkgStatusFile reads a file of status.d: a stanza, or the md5sums of the package's files.
func dpkgStatusFile(_ context.Context, f *file) (got parsed, err error) {
	if name, ok := strings.CutSuffix(path.Base(f.path), ".md5sums"); ok {
		got.claims = []claim{{owner: name, paths: md5sumPaths(f.data)}}
		return got, nil
	}
	stanza, _ := cutStanza(bytes.TrimLeft(f.data, "\n"))
	if p, ok := dpkgPackage(stanza, false); ok {
		got.packages = []Package{p}
	}
	return got, nil
}

// cutStanza cuts at the first empty line.
func cutStanza(text []byte) (stanza, rest []byte) {
	if i := bytes.Index(text, []byte("\n\n")); i >= 0 {
		return text[:i], bytes.TrimLeft(text[i:], "\n")
	}
	return text, nil
}

// dpkgPackage reads one stanza. ok is false for a package that is not there: removed with only its configuration
// left, or never installed.
func dpkgPackage(stanza []byte, needStatus bool) (p Package, ok bool) {
	var status, source string
	eachField(stanza, func(key, value []byte) {
		switch string(key) {
		case "Package":
			p.Name = string(value)
		case "Version":
			p.Version = string(value)
		case "Architecture":
			p.Arch = string(value)
		case "Status":
			status = string(value)
		case "Source":
			source = string(value)
		}
	})
	if p.Name == "" || p.Version == "" || !dpkgPresent(status, needStatus) {
		return Package{}, false
	}
	p.Type = typeDeb
	p.SourceName, p.SourceVersion = dpkgSource(source, p.Name, p.Version)
	return p, true
}

// dpkgPresent reads a Status field: want, flag, state; see dpkg(1), "Package states". Every state in which files of the
// package are unpacked counts.
func dpkgPresent(status string, needed bool) bool {
	words := strings.Fields(status)
	if len(words) != 3 {
		return status == "" && !needed
	}
	return words[2] != "not-installed" && words[2] != "config-files"
}

// dpkgSource reads "glibc (2.36-9)": the version in parentheses stands there when it differs from the binary's.
func dpkgSource(field, name, version string) (string, string) {
	src, rest, _ := strings.Cut(field, " ")
	if src == "" {
		src = name
	}
	if v, ok := strings.CutPrefix(strings.TrimSpace(rest), "("); ok {
		version = strings.TrimSuffix(v, ")")
	}
	return src, version
}

// eachField calls do for each field of a deb-control stanza, without continuation lines.
func eachField(stanza []byte, do func(key, value []byte)) {
	for len(stanza) > 0 {
		var line []byte
		line, stanza = cutLine(stanza)
		if len(line) == 0 || line[0] == ' ' || line[0] == '\t' {
			continue
		}
		if key, value, ok := bytes.Cut(line, []byte(":")); ok {
			do(key, bytes.TrimSpace(value))
		}
	}
}

func cutLine(text []byte) (line, rest []byte) {
	if i := bytes.IndexByte(text, '\n'); i >= 0 {
		return text[:i], text[i+1:]
	}
	return text, nil
}

// maintainerScripts lie beside the list and are the package's too; deb-preinst(5) and its like.
var maintainerScripts = []string{".preinst", ".postinst", ".prerm", ".postrm", ".config"}

// dpkgList reads info/PACKAGE.list or info/PACKAGE:ARCH.list: one absolute path on each line.
func dpkgList(_ context.Context, f *file) (got parsed, err error) {
	stem := strings.TrimSuffix(f.path, ".list")
	name, _, _ := strings.Cut(path.Base(stem), ":")
	c := claim{owner: name}
	for _, script := range maintainerScripts {
		c.paths = append(c.paths, stem+script)
	}
	for rest := f.data; len(rest) > 0; {
		var line []byte
		if line, rest = cutLine(rest); len(line) > 1 {
			c.paths = append(c.paths, string(line))
		}
	}
	got.claims = []claim{c}
	return got, nil
}

// md5sumPaths reads lines of md5sum(1): a sum of 32 digits, two spaces, a path.
func md5sumPaths(text []byte) (paths []string) {
	for len(text) > 0 {
		var line []byte
		if line, text = cutLine(text); len(line) > 34 {
			paths = append(paths, string(line[34:]))
		}
	}
	return paths
}

// dpkgCopyright reads the License fields of a copyright file in the machine-readable form of
// https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/. Others are prose and say nothing here.
func dpkgCopyright(_ context.Context, f *file) (got parsed, err error) {
	first, _ := cutLine(bytes.TrimLeft(f.data, "\n"))
	if !bytes.HasPrefix(first, []byte("Format")) {
		return got, nil
	}
	eachField(f.data, func(key, value []byte) {
		if string(key) == "License" && len(value) > 0 {
			got.licences = append(got.licences, string(value))
		}
	})
	got.licences = spdxLicences(got.licences)
	return got, nil
}
