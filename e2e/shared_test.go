//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seawall/seawall/finding"
)

// What a bookworm without the security pocket must show with real advisories, and nothing beyond it.
func TestExpectedBookworm(t *testing.T) {
	var expected []struct{ Source, Installed, CVE, Fixed string }
	data, err := os.ReadFile(shared(t, "images/expected-debian-bookworm.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &expected); err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	call(t, "tar", "-xJf", shared(t, "images/debian-bookworm-packages.tar.xz"), "-C", root)
	var want, got []string
	for _, e := range expected {
		want = append(want, fmt.Sprintf("%s %s %s fixed %s", e.CVE, e.Source, e.Installed, e.Fixed))
	}
	for _, f := range withShared(t, newUser(t)).scan(t, root, "--scanners", "vuln").Findings {
		source, version := f.Package.SourceName, f.Package.SourceVersion
		if source == "" {
			source, version = f.Package.Name, f.Package.Version
		}
		got = append(got, fmt.Sprintf("%s %s %s fixed %s", f.ID, source, version, f.Fixed))
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, slices.Compact(got)); diff != "" {
		t.Errorf("findings differ (-want +got):\n%s", diff)
	}
}

// Bug fix and enhancement advisories lie in the same set; only the security ones are findings.
func TestAlmaLinux(t *testing.T) {
	u := withShared(t, newUser(t))
	packed := shared(t, "images/almalinux/alma-almalinux-9-docker-aarch64-micro-2022-05-09.tar.xz")
	r := u.scan(t, packed, "--scanners", "vuln")
	if len(r.Findings) != 36 {
		t.Errorf("%d findings; want 36: %s", len(r.Findings), findingsOf(r))
	}
	for _, f := range r.Findings {
		for _, id := range f.Advisories {
			if !strings.HasPrefix(id, "ALSA-") {
				t.Errorf("%s: matched by %s, which is no security advisory", f.ID, id)
			}
		}
	}
}

func TestAlpine(t *testing.T) {
	u := withShared(t, newUser(t))
	for _, version := range []string{"3.6.5", "3.9.6", "3.10.3", "3.16.9", "3.20.3"} {
		t.Run(version, func(t *testing.T) {
			r := u.scan(t, shared(t, "images/alpine/alpine-minirootfs-"+version+"-x86_64.tar.gz"), "--scanners", "vuln")
			if n := len(r.Inventory.Packages); n < 11 || n > 20 {
				t.Errorf("%d packages; a minirootfs has 11 to 20", n)
			}
			if r.Inventory.Distro.VersionID != version {
				t.Errorf("distribution is %+v", r.Inventory.Distro)
			}
			if len(r.Findings) > 0 {
				t.Errorf("findings %q; nothing that the given advisories fix is newer than these releases", findingsOf(r))
			}
			if !slices.ContainsFunc(r.Coverage, func(c finding.Coverage) bool { return strings.HasPrefix(c.Ecosystem, "Alpine:v") }) {
				t.Errorf("coverage names no Alpine branch: %+v", r.Coverage)
			}
		})
	}
}

// The three formats of the rpm database list what rpm itself lists.
func TestRPMDatabases(t *testing.T) {
	need(t, "rpm")
	u := withMadeUp(t, newUser(t))
	for _, c := range []struct{ name, file, place, release string }{
		{"sqlite", "cbl-mariner-2.0/rpmdb.sqlite", "var/lib/rpm/rpmdb.sqlite", "ID=mariner\nVERSION_ID=\"2.0\"\n"},
		{"ndb", "sle15-bci/Packages.db", "usr/lib/sysimage/rpm/Packages.db", "ID=sles\nVERSION_ID=\"15.4\"\n"},
		{"bdb", "libuuid/Packages", "var/lib/rpm/Packages", "ID=centos\nVERSION_ID=\"7\"\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := t.TempDir()
			place := filepath.Join(root, c.place)
			data, err := os.ReadFile(shared(t, "images/rpmdb/"+c.file))
			if err != nil {
				t.Fatal(err)
			}
			write(t, place, string(data))
			write(t, filepath.Join(root, "etc/os-release"), c.release)
			var got []string
			for _, p := range u.scan(t, root, "--scanners", "vuln").Inventory.Packages {
				got = append(got, p.Name+" "+p.Version)
			}
			slices.Sort(got)
			want, ok := rpmLists(t, place)
			if !ok {
				if len(got) < 30 || strings.HasPrefix(got[0], " ") {
					t.Errorf("%d packages, the first is %q", len(got), got)
				}
				t.Skip("this rpm was built without the database format: names and versions were not compared")
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("packages differ (-rpm +seawall):\n%s", diff)
			}
		})
	}
}

// rpmLists asks rpm for "name [epoch:]version-release" of a copy of the database, without the keys that rpm counts as
// packages. It reports false when this rpm cannot read the format.
func rpmLists(t *testing.T, file string) ([]string, bool) {
	t.Helper()
	dir := t.TempDir()
	call(t, "cp", file, dir)
	backend := map[string]string{"rpmdb.sqlite": "sqlite", "Packages.db": "ndb", "Packages": "bdb_ro"}[filepath.Base(file)]
	out := call(t, "rpm", "--dbpath", dir, "--define", "_db_backend "+backend, "-qa", "--qf", "%{NAME} %|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\n")
	var lines []string
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		if !strings.HasPrefix(line, "gpg-pubkey ") && !strings.HasPrefix(line, "warning: ") {
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	return lines, !strings.Contains(out, "dummy database")
}

// Package lists of other images, as bills of materials: Debian is covered, Rocky Linux has no advisories here, and that
// is said rather than passed.
func TestPackageLists(t *testing.T) {
	u := withShared(t, newUser(t))
	debian := billOf(t, shared(t, "images/pkglists/debian/bookworm_rootfs.manifest"), func(line string) string {
		name, version, ok := strings.Cut(line, "\t")
		return purlIf(ok, "pkg:deb/debian/%s@%s?arch=amd64&distro=debian-12", name, version)
	})
	if r := u.scan(t, debian); len(r.Coverage) != 1 || r.Coverage[0].Ecosystem != "Debian:12" || r.Coverage[0].Gap != "" {
		t.Errorf("coverage of a bookworm list: %+v", r.Coverage)
	}
	rocky := billOf(t, shared(t, "images/pkglists/rocky/Rocky-9.1.20230215-UBI-x86_64.txt"), func(line string) string {
		line = strings.TrimSuffix(strings.TrimSuffix(line, ".x86_64"), ".noarch")
		release := strings.LastIndexByte(line, '-')
		version := strings.LastIndexByte(line[:max(release, 0)], '-')
		return purlIf(version > 0, "pkg:rpm/rocky/%s@%s?distro=rocky-9.1", line[:max(version, 0)], line[version+1:])
	})
	if r := u.scan(t, rocky); len(r.Coverage) != 1 || r.Coverage[0].Gap != finding.GapNoData {
		t.Errorf("coverage of a Rocky Linux list: %+v", r.Coverage)
	}
	u.must(t, 3, "gate", "-q", "--sbom", rocky)
}

func purlIf(ok bool, format, name, version string) string {
	if !ok {
		return ""
	}
	return fmt.Sprintf(format, strings.ReplaceAll(name, "+", "%2B"), strings.ReplaceAll(version, "+", "%2B"))
}

// billOf writes the packages of a list as CycloneDX. purl gives "" for a line that is none.
func billOf(t *testing.T, list string, purl func(line string) string) string {
	t.Helper()
	data, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	var components []object
	for _, line := range strings.Split(string(data), "\n") {
		if p := purl(line); p != "" {
			nameAt, _, _ := strings.Cut(p[strings.LastIndexByte(p, '/')+1:], "?")
			name, version, _ := strings.Cut(nameAt, "@")
			components = append(components, object{"type": "library", "name": name, "version": strings.ReplaceAll(version, "%2B", "+"), "purl": p})
		}
	}
	bill, err := json.Marshal(object{"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": components})
	if err != nil {
		t.Fatal(err)
	}
	return write(t, filepath.Join(t.TempDir(), "bom.json"), string(bill))
}
