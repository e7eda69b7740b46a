package inventory

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/seawall/seawall/finding"
)

func TestDistro(t *testing.T) {
	for name, tt := range map[string]struct {
		files map[string]string
		want  finding.Distro
	}{
		"os-release": {
			map[string]string{"etc/os-release": "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n"},
			finding.Distro{ID: "debian", VersionID: "12", Codename: "bookworm", Name: "Debian GNU/Linux 12 (bookworm)", Ecosystem: "Debian:12"},
		},
		"only below usr/lib, quoted oddly": {
			map[string]string{"usr/lib/os-release": "# c\nID='wolfi'\nNAME=\"a \\\"b\\\"\"\nVERSION_ID=\n"},
			finding.Distro{ID: "wolfi", Ecosystem: "Wolfi"},
		},
		"testing has no number": {
			map[string]string{"etc/os-release": "ID=debian\nVERSION_CODENAME=forky\n"},
			finding.Distro{ID: "debian", VersionID: "14", Codename: "forky", Ecosystem: "Debian:14"},
		},
		"openEuler service pack": {
			map[string]string{"etc/os-release": "ID=\"openEuler\"\nVERSION=\"24.03 (LTS-SP1)\"\nVERSION_ID=\"24.03\"\n"},
			finding.Distro{ID: "openEuler", VersionID: "24.03-LTS-SP1", Ecosystem: "openEuler:24.03-LTS-SP1"},
		},
		"CentOS 6 without os-release": {
			map[string]string{"etc/centos-release": "CentOS release 6.10 (Final)\n"},
			finding.Distro{ID: "centos", VersionID: "6.10", Name: "CentOS release 6.10 (Final)"},
		},
		"debian_version of unstable": {
			map[string]string{"etc/debian_version": "trixie/sid\n"},
			finding.Distro{ID: "debian", VersionID: "13", Codename: "trixie", Name: "Debian GNU/Linux trixie/sid", Ecosystem: "Debian:13"},
		},
		"nothing": {nil, finding.Distro{}},
		"empty os-release falls through": {
			map[string]string{"etc/os-release": "\n", "etc/alpine-release": "3.4.6\n"},
			finding.Distro{ID: "alpine", VersionID: "3.4.6", Name: "Alpine Linux 3.4.6", Ecosystem: "Alpine:v3.4"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, detectDistro(tt.files)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestEcosystem(t *testing.T) {
	for in, want := range map[[2]string]string{
		{"debian", "12"}: "Debian:12", {"ubuntu", "22.04"}: "Ubuntu:22.04:LTS", {"ubuntu", "23.10"}: "Ubuntu:23.10",
		{"ubuntu", "23.04"}: "Ubuntu:23.04", {"alpine", "3.20.3"}: "Alpine:v3.20", {"alpine", "3.21_alpha20240923"}: "Alpine:edge",
		{"almalinux", "9.4"}: "AlmaLinux:9", {"rocky", "8.10"}: "Rocky Linux:8", {"rhel", "9.3"}: "Red Hat:9",
		{"opensuse-leap", "15.5"}: "openSUSE:Leap 15.5", {"opensuse-tumbleweed", "20240101"}: "openSUSE:Tumbleweed",
		{"sles", "15.5"}: "SUSE:Linux Enterprise Server 15 SP5", {"sles", "15"}: "SUSE:Linux Enterprise Server 15",
		{"mageia", "9"}: "Mageia:9", {"chainguard", ""}: "Chainguard", {"minimos", "20241031"}: "MinimOS",
		{"azurelinux", "3.0"}: "Azure Linux:3", {"mariner", "2.0"}: "Azure Linux:2.0", {"amzn", "2023"}: "", {"ol", "9"}: "", {"", ""}: "",
	} {
		if got := Ecosystem(in[0], in[1]); got != want {
			t.Errorf("Ecosystem(%q, %q) = %q, want %q", in[0], in[1], got, want)
		}
	}
}

func TestEcosystemOfForeignPackages(t *testing.T) {
	if got := ecosystemFor(typeRPM, "Debian:12"); got != "" {
		t.Errorf("an rpm package in Debian has ecosystem %q", got)
	}
	if got := ecosystemFor(typeRPM, "AlmaLinux:9"); got != "AlmaLinux:9" {
		t.Errorf("an rpm package in AlmaLinux has ecosystem %q", got)
	}
}

func TestDistroPURL(t *testing.T) {
	p := finding.Package{Name: "nodejs", Version: "1:18.19.0-1.module+el9", Type: typeRPM, Arch: "x86_64", Modularity: "nodejs:18:9:rhel9",
		SourceName: "nodejs", SourceVersion: "18.19.0-1.module+el9"}
	want := "pkg:rpm/redhat/nodejs@18.19.0-1.module%2Bel9?arch=x86_64&distro=rhel-9.3&epoch=1&rpmmod=nodejs:18:9:rhel9"
	if got := distroPURL(&p, &finding.Distro{ID: "rhel", VersionID: "9.3"}); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func FuzzRelease(f *testing.F) {
	f.Add("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n")
	f.Add("etc/centos-release", "CentOS Linux release 7.9.2009 (Core)")
	f.Add("etc/debian_version", "trixie/sid")
	f.Fuzz(func(t *testing.T, path, content string) {
		detectDistro(map[string]string{path: content})
	})
}
