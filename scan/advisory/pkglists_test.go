package advisory

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seawall/seawall/finding"
)

// rpmList reads lines of name-version-release.arch. Such lists leave the epoch out.
func rpmList(t testing.TB, file, eco string) *finding.Inventory {
	inv := &finding.Inventory{Distro: finding.Distro{ID: "almalinux", Ecosystem: eco}}
	for _, line := range strings.Fields(readFile(t, file)) {
		nvr, arch, ok := cutLast(line, ".")
		nv, release, ok2 := cutLast(nvr, "-")
		name, version, ok3 := cutLast(nv, "-")
		if ok && ok2 && ok3 {
			inv.Packages = append(inv.Packages, finding.Package{
				Name: name, Version: version + "-" + release, Arch: arch, Type: "rpm", Ecosystem: eco,
			})
		}
	}
	return inv
}

// dpkgList reads lines of name and version; of sources it knows those that share the name, and two more.
func dpkgList(t testing.TB, file, eco string) *finding.Inventory {
	inv := &finding.Inventory{Distro: finding.Distro{ID: "debian", Ecosystem: eco}}
	sources := map[string]string{"libc6": "glibc", "libc-bin": "glibc", "zlib1g": "zlib"}
	for line := range strings.Lines(readFile(t, file)) {
		if f := strings.Fields(line); len(f) == 2 {
			name, _, _ := strings.Cut(f[0], ":")
			version, _, _ := strings.Cut(f[1], "+b") // a rebuild of the same source
			inv.Packages = append(inv.Packages, finding.Package{
				Name: name, Version: f[1], SourceName: sources[name], SourceVersion: version, Type: "deb", Ecosystem: eco,
			})
		}
	}
	return inv
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func readFile(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestPackageLists matches real lists: Rocky Linux rebuilds the packages that AlmaLinux's errata name. Pinned are
// errata about packages without an epoch, with the number of packages of the list that each is about.
func TestPackageLists(t *testing.T) {
	dir := sharedData(t, "images", "pkglists")
	db := openReal(t)
	f := func(inv *finding.Inventory, packages, fewest, most int, want map[string]int) {
		t.Helper()
		m := match(t, db, inv)
		got := map[string]int{}
		for _, x := range m.Findings {
			for _, a := range x.Advisories {
				if _, ok := want[a]; ok {
					got[a]++
				}
			}
		}
		for a, n := range want {
			if got[a] != n {
				t.Errorf("%s: %s is about %d packages, want %d", inv.Image.Ref, a, got[a], n)
			}
		}
		if n := len(m.Findings); len(inv.Packages) != packages || n < fewest || n > most || len(m.Gaps) > 0 {
			t.Errorf("%s: %d packages, want %d; %d findings, want %d to %d; gaps %v",
				inv.Image.Ref, len(inv.Packages), packages, n, fewest, most, m.Gaps)
		}
	}
	rocky := func(name string) *finding.Inventory {
		inv := rpmList(t, filepath.Join(dir, "rocky", "Rocky-"+name+"-x86_64.txt"), "AlmaLinux:"+name[:1])
		inv.Image.Ref = name
		return inv
	}
	// glibc's Looney Tunables, curl and sqlite, each before and after its fix.
	const glibc8, curl8, sqlite8 = "ALSA-2023:5455", "ALSA-2023:4523", "ALSA-2023:0110"
	f(rocky("8.5"), 147, 200, 300, map[string]int{glibc8: 3, curl8: 2, sqlite8: 1})
	f(rocky("8.7.20221112-Minimal"), 123, 130, 200, map[string]int{glibc8: 3, curl8: 2, sqlite8: 1})
	f(rocky("8.8.20230518-Minimal"), 95, 90, 140, map[string]int{glibc8: 3, curl8: 2, sqlite8: 0})
	f(rocky("8.9.20231119-Base"), 148, 150, 220, map[string]int{glibc8: 0, curl8: 0, sqlite8: 0})
	f(rocky("8.10.20240528-Base"), 148, 120, 180, map[string]int{glibc8: 0, curl8: 0, sqlite8: 0})
	const glibc9, sqlite9 = "ALSA-2023:5453", "ALSA-2023:0339"
	f(rocky("9.0.20220712-Minimal"), 130, 190, 290, map[string]int{glibc9: 3, sqlite9: 1})
	f(rocky("9.1.20230215-Base"), 141, 210, 310, map[string]int{glibc9: 3, sqlite9: 0})
	f(rocky("9.3.20231119-Base"), 141, 170, 260, map[string]int{glibc9: 0, sqlite9: 0})

	bookworm := dpkgList(t, filepath.Join(dir, "debian", "bookworm_rootfs.manifest"), "Debian:12")
	f(bookworm, 88, 15, 25, map[string]int{"CHG-bookworm-glibc-CVE-2025-4802": 2, "CHG-bookworm-glibc-CVE-2023-4911": 0})
	bullseye := dpkgList(t, filepath.Join(dir, "debian", "bullseye_rootfs.manifest"), "Debian:11")
	f(bullseye, 96, 10, 25, map[string]int{"CHG-bullseye-glibc-CVE-2025-4802": 2, "CHG-bullseye-glibc-CVE-2023-4911": 0})
}
