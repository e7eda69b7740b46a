package inventory

import (
	"context"
	"path"
)

// rPackageParser reads the DESCRIPTION of packages installed for R.
var rPackageParser = parser{name: "R description", bytes: true, max: 1 << 20, trusted: true, run: rDescription,
	where: func(p string) bool {
		library := path.Base(path.Dir(path.Dir(p)))
		return library == "library" || library == "site-library"
	}}

// rDescription reads the fields of Writing R Extensions, section 1.1.1. R adds Built when it installs a package; those
// with a Priority are R itself.
func rDescription(_ context.Context, f *file) (got parsed, err error) {
	v := map[string]string{}
	eachField(f.data, func(key, value []byte) { v[string(key)] = string(value) })
	if v["Package"] != "" && v["Version"] != "" && v["Built"] != "" && v["Priority"] != "base" {
		got.packages = []Package{language("cran", v["Package"], v["Version"], []string{v["License"]})}
	}
	return got, nil
}
