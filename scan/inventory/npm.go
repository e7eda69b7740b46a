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
