package inventory

import "path"

// parserTables returns the parsers by base name and by extension with its dot.
func (a *Analyser) parserTables() (byName, byExt map[string]*parser) {
	byName = map[string]*parser{
		"status":    {name: "dpkg status", bytes: true, max: 128 << 20, trusted: true, run: dpkgStatus, where: at("var/lib/dpkg/status")},
		"copyright": &dpkgCopyrightParser,
		"installed": &apkParser,
	}
	for _, p := range releaseFiles {
		byName[path.Base(p)] = &releaseParser
	}
	byExt = map[string]*parser{
		".list": &dpkgListParser,
	}
	return byName, byExt
}

// at is a where for files that count only in certain places.
func at(paths ...string) func(string) bool {
	return func(p string) bool {
		for _, want := range paths {
			if p == want {
				return true
			}
		}
		return false
	}
}
