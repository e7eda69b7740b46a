package sbom

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seawall/seawall/finding"
)

func ecosystem(id, version string) string {
	if id == "debian" {
		major, _, _ := strings.Cut(version, ".")
		return "Debian:" + major
	}
	if id == "alpine" {
		return "Alpine:v" + version
	}
	return ""
}

func TestRead(t *testing.T) {
	debian := finding.Distro{ID: "debian", VersionID: "12", Ecosystem: "Debian:12"}
	libc := finding.Package{Name: "libc6", Version: "2.36-9+deb12u4", Type: "deb", Ecosystem: "Debian:12", SourceName: "glibc", SourceVersion: "2.36-9+deb12u4", Arch: "amd64"}
	for _, tt := range []struct {
		file   string
		distro finding.Distro
		want   []finding.Package
		gaps   int
	}{
		{file: "syft.json", distro: debian, want: []finding.Package{
			libc,
			{Name: "gcc-12-base", Version: "12.2.0-14", Type: "deb", Ecosystem: "Debian:12", SourceName: "gcc-12", SourceVersion: "12.2.0-14"},
			{Name: "six", Version: "1.16.0", Type: "pypi", Ecosystem: "PyPI", OwnedBy: "python3-six"},
			{Name: "python3-six", Version: "1.16.0-4", Type: "deb", Ecosystem: "Debian:12", SourceName: "six", SourceVersion: "1.16.0-4"},
			{Name: "stdlib", Version: "1.22.1", Type: "golang", Ecosystem: "Go"},
			{Name: "golang.org/x/net", Version: "v0.10.0", Type: "golang", Ecosystem: "Go"},
		}},
		{file: "syft.cdx.json", distro: debian, want: []finding.Package{libc,
			{Name: "org.apache.logging.log4j:log4j-core", Version: "2.14.1", Type: "maven", Ecosystem: "Maven"},
			{Name: "@babel/core", Version: "7.0.0", Type: "npm", Ecosystem: "npm"}}},
		{file: "trivy.cdx.json", distro: finding.Distro{ID: "debian", VersionID: "12.5", Ecosystem: "Debian:12"}, want: []finding.Package{
			{Name: "bash", Version: "5.2.15-2+b2", Type: "deb", Ecosystem: "Debian:12", SourceName: "bash", SourceVersion: "5.2.15-2", Arch: "amd64"},
			{Name: "login", Version: "1:4.13+dfsg1-1+b1", Type: "deb", Ecosystem: "Debian:12", SourceName: "shadow", SourceVersion: "1:4.13+dfsg1-1", Arch: "amd64"},
			{Name: "@babel/core", Version: "7.0.0", Type: "npm", Ecosystem: "npm"}}, gaps: 1},
		{file: "bom.cdx.xml", distro: debian, want: []finding.Package{libc, {Name: "minimist", Version: "1.2.0", Type: "npm", Ecosystem: "npm"}}},
		{file: "syft.spdx.json", distro: debian, want: []finding.Package{libc, {Name: "six", Version: "1.16.0", Type: "pypi", Ecosystem: "PyPI", OwnedBy: "libc6"}}},
		{file: "tag-value.spdx", distro: debian, want: []finding.Package{libc, {Name: "minimist", Version: "1.2.0", Type: "npm", Ecosystem: "npm"}}},
		{file: "spdx3.json", distro: debian, want: []finding.Package{libc, {Name: "minimist", Version: "1.2.0", Type: "npm", Ecosystem: "npm"}}},
		{file: "rpm.syft.json", distro: finding.Distro{ID: "almalinux", VersionID: "9.0"}, want: []finding.Package{
			{Name: "nodejs", Version: "1:18.19.0-1.module+el9", Type: "rpm", SourceName: "nodejs", SourceVersion: "18.19.0-1.module+el9", Arch: "x86_64", Modularity: "nodejs:18:9030020230101:abc"}}},
	} {
		t.Run(tt.file, func(t *testing.T) {
			v := readFile(t, filepath.Join("testdata", tt.file))
			for i := range v.Packages {
				p := &v.Packages[i]
				p.PURL, p.Licenses, p.Path, p.Layer = "", nil, "", nil
			}
			d := v.Distro
			d.Name, d.Codename = "", ""
			if diff := cmp.Diff(tt.distro, d); diff != "" {
				t.Errorf("distribution (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.want, v.Packages); diff != "" {
				t.Errorf("packages (-want +got):\n%s", diff)
			}
			if len(v.Gaps) != tt.gaps {
				t.Errorf("gaps: %+v, want %d", v.Gaps, tt.gaps)
			}
		})
	}
}

func readFile(t *testing.T, path string) *finding.Inventory {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !Sniff(data[:min(len(data), SniffLength)]) {
		t.Errorf("%s: Sniff does not know it", path)
	}
	v, err := Read(strings.NewReader(string(data)), path, Options{Ecosystem: ecosystem})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestReadSaysWhichImage(t *testing.T) {
	v := readFile(t, "testdata/syft.json")
	want := finding.Image{
		Ref: "debian:12", IDKind: finding.IDSBOM, Platform: "linux/amd64", Tags: []string{"debian:12"},
		Aliases: []string{"sha256:" + strings.Repeat("1", 64), "sha256:" + strings.Repeat("2", 64)},
		Layers:  []finding.Layer{{LayerRef: finding.LayerRef{DiffID: "sha256:aa"}, Size: 7}},
	}
	got := v.Image
	if !strings.HasPrefix(got.ID, "sha256:") {
		t.Errorf("id %q", got.ID)
	}
	got.ID = ""
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("image (-want +got):\n%s", diff)
	}
	if l := v.Packages[0].Layer; l == nil || l.DiffID != "sha256:aa" {
		t.Errorf("layer of the first package: %+v", l)
	}
	if p := v.Packages[0]; p.Path != "var/lib/dpkg/status" || len(p.Licenses) != 1 || p.Licenses[0] != "GPL-2.0-only" {
		t.Errorf("path and licences: %+v", p)
	}
}

func TestReadRefuses(t *testing.T) {
	deep := strings.Repeat(`{"type":"library","components":[`, 70) + strings.Repeat("]}", 70)
	for name, text := range map[string]string{
		"empty": "", "a number": "3", "an image's config": `{"architecture":"amd64","rootfs":{"type":"layers"}}`, "a manifest": `{"schemaVersion":2,"layers":[]}`,
		"html": "<html>", "json-ld of others": `{"@context":"https://schema.org","@graph":[]}`, "truncated": `{"bomFormat":"CycloneDX","specVersion":"1.6","components":[`,
		"cyclonedx of the future": `{"bomFormat":"CycloneDX","specVersion":"2.0"}`, "spdx 2.1": `{"spdxVersion":"SPDX-2.1"}`,
		"deep": `{"bomFormat":"CycloneDX","specVersion":"1.6","components":[` + deep + `]}`, "text without end": "SPDXVersion: SPDX-2.3\nPackageComment: <text>x",
		"not a list": `{"bomFormat":"CycloneDX","specVersion":"1.6","components":{"a":1}}`,
	} {
		if v, err := Read(strings.NewReader(text), "x", Options{}); err == nil {
			t.Errorf("%s was read: %+v", name, v)
		}
	}
	if _, err := Read(strings.NewReader("ustar"), "x", Options{}); !errors.Is(err, ErrNotSBOM) {
		t.Errorf("not an SBOM: %v", err)
	}
}

func TestEmptyIsNotClean(t *testing.T) {
	v, err := Read(strings.NewReader(`{"bomFormat":"CycloneDX","specVersion":"1.6"}`), "empty.json", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Gaps) != 1 || v.Gaps[0].Kind != finding.GapNothingFound {
		t.Errorf("gaps: %+v", v.Gaps)
	}
}

func TestSniff(t *testing.T) {
	for text, want := range map[string]bool{
		`{"components": [1,2,3], "bomFormat": "CycloneDX"}`:                      true,
		`{"SPDXID":"SPDXRef-DOCUMENT","packages":[{"na`:                          true,
		"\xef\xbb\xbf" + `{"spdxVersion":"SPDX-2.3"}`:                            true,
		`{"artifacts":[{"id"`:                                                    true,
		"SPDXVersion: SPDX-2.2\n":                                                true,
		`<?xml version="1.0"?><bom xmlns="http://cyclonedx.org/schema/bom/1.4">`: true,
		`{"schemaVersion":2,"manifests":[]}`:                                     false,
		`[{"Config":"a.json","Layers":[]}]`:                                      false,
		"\x1f\x8b\x08":                                                           false, "": false, "hello": false, "{": false, `{"a":`: false,
	} {
		if got := Sniff([]byte(text)); got != want {
			t.Errorf("Sniff(%q) = %v", text, got)
		}
	}
}

func TestSplitNVR(t *testing.T) {
	for in, want := range map[string][2]string{
		"glibc-2.34-60.el9.src": {"glibc", "2.34-60.el9"}, "gcc-toolset-12-gcc-12.2.1-7.el9.src": {"gcc-toolset-12-gcc", "12.2.1-7.el9"},
		"x": {"x", ""}, "": {"", ""}, "-.src": {"-", ""}, "a-b.src": {"a-b", ""},
	} {
		if name, version := splitNVR(in); [2]string{name, version} != want {
			t.Errorf("splitNVR(%q) = %q, %q", in, name, version)
		}
	}
}

func FuzzRead(f *testing.F) {
	files, err := filepath.Glob("testdata/*.*")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		Sniff(data)
		v, err := Read(strings.NewReader(string(data)), "fuzz", Options{Ecosystem: ecosystem})
		if err == nil && len(v.Packages) == 0 && len(v.Gaps) == 0 {
			t.Error("an SBOM without packages was taken for a clean one")
		}
	})
}
