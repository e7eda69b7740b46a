package inventory

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/package-url/packageurl-go"
	"github.com/seawall/seawall/finding"
)

// Interpreters that were built from source, as in the official images of languages, have no package record. Their
// version is read from a small text file that is installed with them; it counts only if the program itself is in the
// same layer, so that headers alone (of a compiler's cache) are no interpreter. One that a distribution installed has
// an owner and is matched as that.
var (
	nodeParser = parser{name: "node_version.h", bytes: true, max: 64 << 10, trusted: true, run: nodeRuntime,
		where: runtimeAt(endsIn("include/node/node_version.h"))}
	pythonParser = parser{name: "patchlevel.h", bytes: true, max: 64 << 10, trusted: true, run: pythonRuntime,
		where: runtimeAt(func(p string) bool { return strings.Contains("/"+p, "/include/python") })}
	rubyParser = parser{name: "rbconfig.rb", bytes: true, max: 256 << 10, trusted: true, run: rubyRuntime,
		where: runtimeAt(func(p string) bool { return strings.Contains("/"+p, "/lib/ruby/") })}
	phpParser = parser{name: "php_version.h", bytes: true, max: 64 << 10, trusted: true, run: phpRuntime,
		where: runtimeAt(endsIn("include/php/main/php_version.h"))}
	javaParser = parser{name: "Java release", bytes: true, max: 64 << 10, trusted: true, run: javaRuntime, where: runtimeAt(nil)}

	bitnamiParser = parser{name: "Bitnami package", bytes: true, max: 16 << 20, trusted: true, run: bitnamiPackages,
		where: func(p string) bool {
			return strings.HasPrefix(p, bitnamiDir) && strings.HasPrefix(path.Base(p), ".spdx-")
		}}
)

// bitnamiDir is where images of Bitnami have their software, with package records of their own.
const bitnamiDir = "opt/bitnami/"

func runtimeAt(where func(string) bool) func(string) bool {
	return func(p string) bool { return !strings.HasPrefix(p, bitnamiDir) && (where == nil || where(p)) }
}

// runtimePackage makes a package of an interpreter. OSV has advisories for these, by the version of the publisher,
// where Bitnami packages them: under that ecosystem's name.
func runtimePackage(name, version string, programs ...string) (got parsed) {
	if version == "" {
		return got
	}
	p := Package{Package: finding.Package{Name: name, Version: version, Type: "generic", Ecosystem: "Bitnami",
		PURL: packageurl.NewPackageURL("generic", "", name, version, nil, "").ToString()}}
	return parsed{packages: []Package{p}, beside: programs}
}

// define returns the value of a macro of the C preprocessor, less quotes.
func define(header []byte, name string) string {
	for rest := header; len(rest) > 0; {
		var line []byte
		line, rest = cutLine(rest)
		words := strings.Fields(string(line))
		if len(words) >= 3 && words[0] == "#define" && words[1] == name {
			return strings.Trim(words[2], `"`)
		}
	}
	return ""
}

// nodeRuntime reads <prefix>/include/node/node_version.h.
func nodeRuntime(_ context.Context, f *file) (parsed, error) {
	var parts []string
	for _, name := range []string{"NODE_MAJOR_VERSION", "NODE_MINOR_VERSION", "NODE_PATCH_VERSION"} {
		parts = append(parts, define(f.data, name))
	}
	version := strings.Join(parts, ".")
	if !exactVersion().MatchString(version) || define(f.data, "NODE_VERSION_IS_RELEASE") == "0" {
		return parsed{}, nil
	}
	return runtimePackage("node", version, join(above(f.path, 3), "bin/node")), nil
}

// pythonRuntime reads <prefix>/include/python3.12/patchlevel.h, which says "3.12.1", "3.13.0rc2" or "3.12.1+".
func pythonRuntime(_ context.Context, f *file) (parsed, error) {
	version := markPrerelease(strings.TrimSuffix(define(f.data, "PY_VERSION"), "+"))
	if !exactVersion().MatchString(version) {
		return parsed{}, nil
	}
	var programs []string
	for _, name := range []string{strings.TrimSuffix(path.Base(path.Dir(f.path)), "m"), "python3", "python"} {
		programs = append(programs, join(above(f.path, 3), "bin/"+name))
	}
	return runtimePackage("python", version, programs...), nil
}

// rubyRuntime reads <prefix>/lib/ruby/3.3.0/x86_64-linux/rbconfig.rb.
func rubyRuntime(_ context.Context, f *file) (parsed, error) {
	parts := make([]string, 3)
	for _, m := range rubyNumber().FindAllSubmatch(f.data, 16) {
		parts[slices.Index(rubyNumbers, string(m[1]))] = string(m[2])
	}
	version := strings.Join(parts, ".")
	if !exactVersion().MatchString(version) {
		return parsed{}, nil
	}
	return runtimePackage("ruby", version, join(above(f.path, 5), "bin/ruby")), nil
}

// phpRuntime reads <prefix>/include/php/main/php_version.h.
func phpRuntime(_ context.Context, f *file) (parsed, error) {
	version := markPrerelease(define(f.data, "PHP_VERSION"))
	if !exactVersion().MatchString(version) {
		return parsed{}, nil
	}
	prefix := above(f.path, 4)
	return runtimePackage("php", version, join(prefix, "bin/php"), join(prefix, "sbin/php-fpm")), nil
}

// javaRuntime reads the release file that Java has had at its root since version 7.
func javaRuntime(_ context.Context, f *file) (parsed, error) {
	version := javaVersion(shellVars(string(f.data))["JAVA_VERSION"])
	return runtimePackage("java", version, join(above(f.path, 1), "bin/java"), join(above(f.path, 1), "jre/bin/java")), nil
}

// javaVersion makes "8.0.392" of "1.8.0_392" and "17.0.0" of "17", and drops what JEP 223 puts behind the third
// number: advisories name three.
func javaVersion(v string) string {
	if old, ok := strings.CutPrefix(v, "1."); ok {
		major, update, _ := strings.Cut(old, ".0_")
		v = major + ".0." + update
	}
	v, _, _ = strings.Cut(v, "-")
	parts := strings.Split(v, ".")
	for len(parts) < 3 {
		parts = append(parts, "0")
	}
	v = strings.Join(parts[:3], ".")
	if !exactVersion().MatchString(v) {
		return ""
	}
	return v
}

// markPrerelease makes "3.13.0-rc2" of "3.13.0rc2": advisories are in the order of SemVer.
func markPrerelease(v string) string {
	if i := strings.IndexFunc(v, func(r rune) bool { return r != '.' && (r < '0' || r > '9') }); i > 0 && v[i] != '-' {
		return v[:i] + "-" + v[i:]
	}
	return v
}

// above returns the directory n elements above p, "" for the root.
func above(p string, n int) string {
	for range n {
		p = parentOf(p)
	}
	return p
}

var (
	exactVersion = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^\d{1,5}\.\d{1,5}\.\d{1,5}(-[0-9A-Za-z.]{1,20})?$`)
	})
	rubyNumbers = []string{"MAJOR", "MINOR", "TEENY"}
	rubyNumber  = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?m)^\s*CONFIG\["(MAJOR|MINOR|TEENY)"\]\s*=\s*"(\d{1,5})"`)
	})
)

// bitnamiPackages reads the SPDX 2 document beside each component of a Bitnami image: those of its packages that have
// a package URL of type bitnami. Parts of other types are found by themselves.
func bitnamiPackages(_ context.Context, f *file) (got parsed, err error) {
	var doc struct {
		Packages []struct {
			LicenseDeclared string
			ExternalRefs    []struct{ ReferenceType, ReferenceLocator string }
		}
	}
	if err := json.Unmarshal(f.data, &doc); err != nil {
		if !bytes.HasPrefix(bytes.TrimSpace(f.data), []byte("{")) {
			return got, errors.New("not an SPDX document in JSON")
		}
		return got, err
	}
	for _, p := range doc.Packages {
		for _, ref := range p.ExternalRefs {
			if url, err := packageurl.FromString(ref.ReferenceLocator); err == nil && url.Type == "bitnami" && ref.ReferenceType == "purl" {
				got.packages = append(got.packages, bitnamiPackage(url, p.LicenseDeclared))
				break
			}
		}
	}
	return got, nil
}

func bitnamiPackage(url packageurl.PackageURL, licence string) Package {
	p := Package{Package: finding.Package{Name: url.Name, Version: url.Version, Type: "bitnami", Ecosystem: "Bitnami", PURL: url.ToString()}}
	p.Arch = url.Qualifiers.Map()["arch"]
	if licence != "NOASSERTION" && licence != "NONE" && licence != "" {
		p.Licenses = spdxLicences([]string{licence})
	}
	return p
}
