package inventory

import (
	"bytes"
	"context"
	"encoding/json"
	"path"
	"strings"
)

var (
	// distInfoParser reads METADATA of .dist-info and PKG-INFO of .egg-info directories.
	distInfoParser = parser{name: "Python metadata", bytes: true, max: 4 << 20, trusted: true, run: pythonMetadata,
		where: func(p string) bool {
			dir := path.Dir(p)
			return strings.HasSuffix(dir, ".dist-info") || strings.HasSuffix(dir, ".egg-info") || path.Base(dir) == "EGG-INFO"
		}}
	// eggInfoParser reads .egg-info where it is a file, as distutils wrote it.
	eggInfoParser = parser{name: "Python metadata", bytes: true, max: 4 << 20, trusted: true, run: pythonMetadata}

	// condaParser reads what conda installed. Conda's names are its own: its openssl is not PyPI's, so it has no OSV
	// ecosystem. What it installed for Python has metadata of its own as well.
	condaParser = parser{name: "conda metadata", bytes: true, max: 16 << 20, trusted: true, run: condaMetadata, where: inCondaMeta}

	requirementsParser = parser{name: "requirements", bytes: true, max: 4 << 20, trusted: true, run: requirements, where: ownManifest}
)

// pythonMetadata reads the fields of https://packaging.python.org/en/latest/specifications/core-metadata/ up to the
// first empty line, behind which the description stands.
func pythonMetadata(_ context.Context, f *file) (got parsed, err error) {
	var name, version, expression, licence string
	var classifiers []string
	eachField(metadataHead(f.data), func(key, value []byte) {
		switch strings.ToLower(string(key)) {
		case "name":
			name = firstOf(name, value)
		case "version":
			version = firstOf(version, value)
		case "license-expression":
			expression = firstOf(expression, value)
		case "license":
			licence = firstOf(licence, value)
		case "classifier":
			if bytes.HasPrefix(value, []byte("License :: ")) {
				classifiers = append(classifiers, string(value))
			}
		}
	})
	if name == "" || version == "" {
		return got, nil
	}
	got.packages = []Package{language("pypi", name, version, pythonLicences(expression, licence, classifiers))}
	return got, nil
}

func metadataHead(b []byte) []byte {
	b = bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
	head, _ := cutStanza(b)
	return head
}

func firstOf(have string, value []byte) string {
	if have != "" {
		return have
	}
	return string(value)
}

// pythonLicences takes the expression, else a License field that is a known name, else the classifiers, else what the
// field says, unless that is a whole text.
func pythonLicences(expression, licence string, classifiers []string) []string {
	if expression != "" {
		return []string{expression}
	}
	if _, known := spdxID(licence); known || len(classifiers) == 0 && licence != "UNKNOWN" && len(licence) < 100 {
		return []string{licence}
	}
	return classifiers
}

func condaMetadata(_ context.Context, f *file) (got parsed, err error) {
	var p struct{ Name, Version, License string }
	if err := json.Unmarshal(f.data, &p); err != nil {
		return got, err
	}
	if p.Name != "" && p.Version != "" {
		got.packages = []Package{language("conda", p.Name, p.Version, []string{p.License})}
	}
	return got, nil
}

// requirements reads the lines of a requirements file that pin a version: "name==1.2.3". Others name no version.
func requirements(_ context.Context, f *file) (got parsed, err error) {
	for rest := f.data; len(rest) > 0; {
		var line []byte
		line, rest = cutLine(rest)
		name, version, ok := strings.Cut(string(line), "==")
		if !ok || strings.ContainsAny(name, "#-<>=!~") && strings.HasPrefix(strings.TrimSpace(name), "-") {
			continue
		}
		name, _, _ = strings.Cut(strings.TrimSpace(name), "[")
		if i := strings.IndexAny(version, " \t;#,\\\r"); i >= 0 {
			version = version[:i]
		}
		if name == "" || version == "" || strings.ContainsAny(name, " #<>=!~@/") || strings.ContainsAny(version, "*=") {
			continue
		}
		p := language("pypi", name, version, nil)
		p.Declared = true
		got.packages = append(got.packages, p)
	}
	return got, nil
}
