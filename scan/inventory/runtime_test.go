package inventory

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRuntimes(t *testing.T) {
	node := "#define NODE_MAJOR_VERSION 20\n#define NODE_MINOR_VERSION 1\n#define NODE_PATCH_VERSION 0\n#define NODE_VERSION_IS_RELEASE 1\n"
	python := "#define PY_MAJOR_VERSION 3\n/* Version as a string */\n#define PY_VERSION      \t\"3.12.1\"\n"
	ruby := "  CONFIG[\"MAJOR\"] = \"3\"\n  CONFIG[\"MINOR\"] = \"3\"\n  CONFIG[\"TEENY\"] = \"0\"\n  CONFIG[\"PATCHLEVEL\"] = \"0\"\n"
	php := "#define PHP_MAJOR_VERSION 8\n#define PHP_VERSION \"8.3.0RC1\"\n#define PHP_VERSION_ID 80300\n"
	temurin := "IMPLEMENTOR=\"Eclipse Adoptium\"\nJAVA_VERSION=\"17.0.4.1\"\n"
	spdx := `{"spdxVersion":"SPDX-2.3","packages":[
		{"name":"node","versionInfo":"20.1.0-3","licenseDeclared":"MIT","externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:bitnami/node@20.1.0-3?arch=amd64&distro=debian-12"}]},
		{"name":"x","versionInfo":"1","externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:npm/x@1"}]}]}`
	program := func(p string) change { return change{what: p, content: "x", mode: 0o755} }
	for _, tt := range []struct {
		name    string
		changes []change
		want    []string
	}{
		{"node", []change{program("usr/local/bin/node"), {what: "usr/local/include/node/node_version.h", content: node}}, []string{"pkg:generic/node@20.1.0"}},
		{"headers of node alone", []change{{what: "root/.cache/node-gyp/20.1.0/include/node/node_version.h", content: node}}, nil},
		{"python", []change{{what: "usr/local/include/python3.12/patchlevel.h", content: python}, program("usr/local/bin/python3.12")}, []string{"pkg:generic/python@3.12.1"}},
		{"perl's patchlevel.h", []change{{what: "usr/lib/perl5/CORE/patchlevel.h", content: python}, program("usr/bin/python3")}, nil},
		{"python at the root", []change{{what: "include/python3.12/patchlevel.h", content: python}, {what: "bin/python3 -> python3.12"}}, []string{"pkg:generic/python@3.12.1"}},
		{"python of a distribution", []change{
			{what: status, content: dpkg("libpython3.12-dev 1")},
			{what: "var/lib/dpkg/info/libpython3.12-dev.list", content: "/usr/include/python3.12/patchlevel.h\n"},
			{what: "usr/include/python3.12/patchlevel.h", content: python}, program("usr/bin/python3.12"),
		}, []string{"pkg:deb/libpython3.12-dev@1?arch=amd64", "pkg:generic/python@3.12.1 owned by libpython3.12-dev"}},
		{"ruby", []change{program("usr/local/bin/ruby"), {what: "usr/local/lib/ruby/3.3.0/x86_64-linux/rbconfig.rb", content: ruby}}, []string{"pkg:generic/ruby@3.3.0"}},
		{"php", []change{program("usr/local/sbin/php-fpm"), {what: "usr/local/include/php/main/php_version.h", content: php}}, []string{"pkg:generic/php@8.3.0-RC1"}},
		{"java", []change{program("opt/java/openjdk/bin/java"), {what: "opt/java/openjdk/release", content: temurin}}, []string{"pkg:generic/java@17.0.4"}},
		{"some other release file", []change{program("opt/x/bin/java"), {what: "opt/x/release", content: "17\nVERSION=1\n"}}, nil},
		{"Bitnami", []change{{what: "opt/bitnami/node/.spdx-node.spdx", content: spdx}, program("opt/bitnami/node/bin/node"),
			{what: "opt/bitnami/node/include/node/node_version.h", content: node}}, []string{"pkg:bitnami/node@20.1.0-3?arch=amd64&distro=debian-12"}},
		{"Bitnami, damaged", []change{{what: "opt/bitnami/node/.spdx-node.spdx", content: "SPDXVersion: SPDX-2.3"}}, []string{"unreadable opt/bitnami/node/.spdx-node.spdx"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inv, _ := image(t, tt.changes)
			var got []string
			for _, p := range inv.Packages {
				line := p.PURL
				if p.OwnedBy != "" {
					line += " owned by " + p.OwnedBy
				}
				got = append(got, line)
			}
			for _, g := range inv.Gaps {
				got = append(got, string(g.Kind)+" "+g.Where)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestJavaVersion(t *testing.T) {
	for v, want := range map[string]string{
		"1.8.0_392": "8.0.392", "17": "17.0.0", "17.0.9": "17.0.9", "21.0.1+12": "", "22-ea": "22.0.0", "1.8.0": "8.0.0", "": "", "x": "",
	} {
		if got := javaVersion(v); got != want {
			t.Errorf("%q: %q, want %q", v, got, want)
		}
	}
}
