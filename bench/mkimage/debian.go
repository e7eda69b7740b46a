package main

import (
	"bytes"
	"fmt"
)

// debianPackages are what bookworm's first release held; later point releases fixed advisories in many of them.
var debianPackages = [][3]string{ // binary, source, version
	{"libc6", "glibc", "2.36-9"}, {"libc-bin", "glibc", "2.36-9"}, {"libssl3", "openssl", "3.0.8-1"}, {"openssl", "openssl", "3.0.8-1"},
	{"perl-base", "perl", "5.36.0-7"}, {"libpcre2-8-0", "pcre2", "10.42-1"}, {"zlib1g", "zlib", "1:1.2.13.dfsg-1"},
	{"libgnutls30", "gnutls28", "3.7.9-2"}, {"libsystemd0", "systemd", "252.6-1"}, {"libudev1", "systemd", "252.6-1"},
	{"bash", "", "5.2.15-2+b2"}, {"dpkg", "", "1.21.22"}, {"apt", "", "2.6.1"}, {"tar", "", "1.34+dfsg-1.2"},
	{"libexpat1", "expat", "2.5.0-1"}, {"libcurl4", "curl", "7.88.1-10"}, {"curl", "", "7.88.1-10"}, {"git", "", "1:2.39.2-1.1"},
	{"libxml2", "", "2.9.14+dfsg-1.2"}, {"libsqlite3-0", "sqlite3", "3.40.1-2"}, {"openssh-client", "openssh", "1:9.2p1-2"},
	{"libpython3.11-minimal", "python3.11", "3.11.2-6"}, {"libtiff6", "tiff", "4.5.0-6"}, {"libwebp7", "libwebp", "1.2.4-0.1"},
}

// packagesPerLayer is how many Debian packages a build step installs.
const packagesPerLayer = 25

// debian writes the package database as dpkg leaves it after this layer's step: the status file with all packages so
// far, and for each new one its file list and copyright.
func (m *maker) debian() {
	var status bytes.Buffer
	for i := range (m.index + 1) * packagesPerLayer {
		name, source, version := debianPackage(i)
		fmt.Fprintf(&status, "Package: %s\nStatus: install ok installed\nPriority: optional\nSection: libs\nInstalled-Size: 100\n"+
			"Maintainer: Nobody <nobody@example.org>\nArchitecture: amd64\nMulti-Arch: same\n", name)
		if source != "" {
			fmt.Fprintf(&status, "Source: %s\n", source)
		}
		fmt.Fprintf(&status, "Version: %s\nDepends: libc6 (>= 2.34)\nDescription: a package\n that does something\n\n", version)
		if i >= m.index*packagesPerLayer {
			m.installed(name)
		}
	}
	m.file("var/lib/dpkg/status", 0o644, status.Bytes())
}

func (m *maker) installed(name string) {
	var list bytes.Buffer
	list.WriteString("/.\n/usr\n/usr/bin\n/usr/share\n/usr/share/doc\n")
	for i := range 40 {
		path := fmt.Sprintf("usr/share/%s/file%d", name, i)
		m.file(path, 0o644, m.prose(m.between(100, 2000)))
		fmt.Fprintf(&list, "/%s\n", path)
	}
	fmt.Fprintf(&list, "/usr/share/doc/%s/copyright\n", name)
	m.file("usr/share/doc/"+name+"/copyright", 0o644, []byte(copyright))
	m.file("var/lib/dpkg/info/"+name+".list", 0o644, list.Bytes())
}

func debianPackage(i int) (name, source, version string) {
	if i < len(debianPackages) {
		p := debianPackages[i]
		return p[0], p[1], p[2]
	}
	return fmt.Sprintf("libbench%d", i), fmt.Sprintf("bench%d", i/3), fmt.Sprintf("1.%d.%d-1", i%7, i)
}

const copyright = `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: 2020 Somebody
License: GPL-2+
`
