package inventory

import (
	"bytes"
	"context"
	"encoding/json"
	"path"
	"strings"
)

// npmParser reads package.json files of installed packages.
var npmParser = parser{name: "package.json", bytes: true, max: 4 << 20, trusted: true, run: packageJSON, where: npmPackageRoot}

// npmPackageRoot: below node_modules a package's own package.json lies directly in its directory; deeper ones are test
// data, or mark the kind of modules in a directory. Elsewhere (usr/share/nodejs, an application's root) each counts.
func npmPackageRoot(p string) bool {
	i := strings.LastIndex("/"+p, "/node_modules/")
	if i < 0 {
		return !strings.HasPrefix(p, "usr/share/doc/")
	}
	rest := ("/" + p)[i+len("/node_modules/"):]
	slashes := strings.Count(rest, "/")
	return slashes == 1 || slashes == 2 && rest[0] == '@'
}

// npmStoreParser reads the files of pnpm's content store that may be a package.json: pnpm installs by hard links, and
// where the store comes first in a layer, its name is the one with the content. Packages count only under the names
// that link there.
var npmStoreParser = parser{name: "pnpm store", bytes: true, max: 256 << 10, trusted: true,
	run: func(ctx context.Context, f *file) (parsed, error) {
		if !bytes.HasPrefix(f.data, []byte("{")) {
			return parsed{}, nil
		}
		got, err := packageJSON(ctx, f)
		return parsed{linked: append([]Package{}, got.packages...)}, err
	}}

// inNPMStore reports whether p is ".../files/ab/cdef…", named by a sum of the content in hex:
// https://pnpm.io/symlinked-node-modules-structure.
func inNPMStore(p, name string) bool {
	const shortest = 38 // SHA-1, less the two digits of the directory
	if len(name) < shortest || strings.Trim(name, "0123456789abcdef") != "" {
		return false
	}
	dir := path.Dir(p)
	return len(path.Base(dir)) == 2 && path.Base(path.Dir(dir)) == "files"
}

// packageJSON reads name, version and licence; https://docs.npmjs.com/cli/configuring-npm/package-json.
func packageJSON(_ context.Context, f *file) (got parsed, err error) {
	var p struct {
		Name, Version string
		Private       json.RawMessage
		License       json.RawMessage
		Licenses      json.RawMessage
		Engines       json.RawMessage
		Contributes   json.RawMessage
	}
	if err := json.Unmarshal(trimBOM(f.data), &p); err != nil {
		if strings.Contains("/"+f.path, "/node_modules/") {
			return got, err
		}
		return got, nil // a template or a test's
	}
	if p.Name == "" || p.Version == "" || p.Contributes != nil || strings.Contains(path.Dir(f.path), "/testdata/") {
		return got, nil
	}
	licences := append(npmLicence(p.License), npmLicence(p.Licenses)...)
	got.packages = []Package{language("npm", p.Name, p.Version, licences)}
	return got, nil
}

// npmLicence reads "MIT", {"type": "MIT"} or a list of either.
func npmLicence(raw json.RawMessage) []string {
	var one string
	var typed struct{ Type string }
	var many []json.RawMessage
	switch {
	case len(raw) == 0:
	case json.Unmarshal(raw, &one) == nil:
		return []string{one}
	case json.Unmarshal(raw, &typed) == nil && typed.Type != "":
		return []string{typed.Type}
	case json.Unmarshal(raw, &many) == nil && raw[0] == '[' && len(many) <= maxLicences:
		var all []string
		for _, m := range many {
			if len(m) > 0 && m[0] != '[' {
				all = append(all, npmLicence(m)...)
			}
		}
		return all
	}
	return nil
}

// trimBOM drops the mark that some editors put in front of UTF-8.
func trimBOM(b []byte) []byte { return bytes.TrimPrefix(b, []byte("\ufeff")) }
