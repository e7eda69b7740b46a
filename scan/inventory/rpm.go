package inventory

import (
	"context"
	"errors"
	"path"
	"strconv"
	"strings"

	"github.com/seawall/seawall/scan/inventory/rpmdb"
)

var rpmParser = parser{name: "rpm database", run: rpmInstalled, where: inRPMDir}

// rpmDirs are where rpm keeps its database: the usual one, that of newer SUSE and Fedora, that of ostree systems.
var rpmDirs = map[string]bool{"var/lib/rpm": true, "usr/lib/sysimage/rpm": true, "usr/share/rpm": true}

func inRPMDir(p string) bool { return rpmDirs[path.Dir(p)] }

// rpmInstalled reads a database of rpm.
func rpmInstalled(ctx context.Context, f *file) (got parsed, err error) {
	err = rpmdb.Read(f.r, f.size, func(p rpmdb.Package) error {
		if p.Name == "gpg-pubkey" { // a key that rpm keeps among the packages
			return nil
		}
		got.packages = append(got.packages, rpmPackage(&p))
		got.claims = append(got.claims, claim{owner: p.Name, paths: p.Files})
		return ctx.Err()
	})
	return got, err
}

// rpmManifestParser reads what distroless images of CBL-Mariner and Azure Linux have instead of a database.
var rpmManifestParser = parser{name: "rpm manifest", bytes: true, max: 16 << 20, trusted: true, run: rpmManifest,
	where: at("var/lib/rpmmanifest/container-manifest-2")}

// rpmManifest reads one package on each line, ten fields parted by tabs: name, version-release, times of install and
// build, vendor, epoch as printed, size, architecture, epoch as a number, source rpm.
func rpmManifest(_ context.Context, f *file) (got parsed, err error) {
	for rest := f.data; len(rest) > 0; {
		var line []byte
		line, rest = cutLine(rest)
		v := strings.Split(string(line), "\t")
		if len(v) < 10 {
			continue
		}
		p := rpmdb.Package{Name: v[0], Arch: v[7], SourceRPM: v[9]}
		p.Version, p.Release, _ = strings.Cut(v[1], "-")
		p.Epoch, _ = strconv.ParseInt(v[8], 10, 64)
		got.packages = append(got.packages, rpmPackage(&p))
	}
	if len(got.packages) == 0 && len(f.data) > 0 {
		return got, errors.New("no package in it")
	}
	return got, nil
}

func rpmPackage(p *rpmdb.Package) (x Package) {
	x.Type = typeRPM
	x.Name, x.Arch = p.Name, p.Arch
	x.Version = rpmVersion(p)
	x.SourceName, x.SourceVersion = rpmSource(p.SourceRPM)
	if p.Modularity != "(none)" {
		x.Modularity = p.Modularity
	}
	if p.License != "" && p.License != "(none)" {
		x.Licenses = spdxLicences([]string{p.License})
	}
	return x
}

// rpmVersion prints epoch:version-release, as rpm -q does with a query format of %{EVR}. An epoch of 0 is left out:
// it compares as none.
func rpmVersion(p *rpmdb.Package) string {
	v := p.Version
	if p.Release != "" {
		v += "-" + p.Release
	}
	if p.Epoch > 0 {
		v = strconv.FormatInt(p.Epoch, 10) + ":" + v
	}
	return v
}

// rpmSource splits "util-linux-2.32.1-42.el8_8.src.rpm" into name and version-release.
func rpmSource(file string) (name, version string) {
	base := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(file, ".rpm"), ".src"), ".nosrc")
	release := strings.LastIndexByte(base, '-')
	if release <= 0 {
		return "", ""
	}
	if v := strings.LastIndexByte(base[:release], '-'); v > 0 {
		return base[:v], base[v+1:]
	}
	return "", ""
}
