package inventory

import (
	"context"
	"errors"
	"strings"
)

var apkParser = parser{name: "apk database", bytes: true, max: 256 << 20, trusted: true, run: apkInstalled,
	where: at("lib/apk/db/installed", "usr/lib/apk/db/installed")}

// apkInstalled reads apk's database of installed packages: stanzas of one-letter fields, as described in
// https://wiki.alpinelinux.org/wiki/Apk_spec and apk-tools' own source.
func apkInstalled(_ context.Context, f *file) (got parsed, err error) {
	for rest := f.data; len(rest) > 0; {
		var stanza []byte
		stanza, rest = cutStanza(rest)
		p, owns := apkPackage(stanza)
		if p.Name == "" || p.Version == "" {
			continue
		}
		got.packages = append(got.packages, p)
		got.claims = append(got.claims, claim{owner: p.Name, paths: owns})
	}
	if len(got.packages) == 0 && len(f.data) > 1 {
		return got, errors.New("no package in it")
	}
	return got, nil
}

// apkPackage reads one stanza. F names a directory, each R after it a file in that directory.
func apkPackage(stanza []byte) (p Package, owns []string) {
	var dir string
	p.Type = typeApk
	for len(stanza) > 0 {
		var line []byte
		line, stanza = cutLine(stanza)
		if len(line) < 2 || line[1] != ':' {
			continue
		}
		value := string(line[2:])
		switch line[0] {
		case 'P':
			p.Name = value
		case 'V':
			p.Version = value
		case 'A':
			p.Arch = value
		case 'o':
			p.SourceName = value
		case 'L':
			p.Licenses = spdxLicences(strings.Split(value, " AND "))
		case 'F':
			dir = value
		case 'R':
			owns = append(owns, dir+"/"+value)
		}
	}
	if p.SourceName == "" {
		p.SourceName = p.Name
	}
	p.SourceVersion = p.Version
	return p, owns
}
