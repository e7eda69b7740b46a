package vex

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seawall/seawall/finding"
)

const digest = "sha256:1111111111111111111111111111111111111111111111111111111111111111"

// image is a Debian image with a few packages, one of them a Go module.
func image() *finding.Inventory {
	return &finding.Inventory{
		Image:  finding.Image{Ref: "registry.example.com/shop/api:1.4", ID: digest, Tags: []string{"shop/api:1.4"}},
		Distro: finding.Distro{ID: "debian", VersionID: "12", Codename: "bookworm"},
		Packages: []finding.Package{
			{Name: "libc6", Version: "2.36-9", Type: "deb", SourceName: "glibc", SourceVersion: "2.36-9", PURL: "pkg:deb/debian/libc6@2.36-9?arch=amd64&distro=debian-12"},
			{Name: "libc-bin", Version: "2.36-9", Type: "deb", SourceName: "glibc", SourceVersion: "2.36-9", PURL: "pkg:deb/debian/libc-bin@2.36-9?arch=amd64"},
			{Name: "golang.org/x/net", Version: "v0.10.0", Type: "golang", PURL: "pkg:golang/golang.org/x/net@v0.10.0"},
		},
	}
}

// openVEX makes a document with one statement.
func openVEX(product, status string) string {
	return fmt.Sprintf(`{"@context":"https://openvex.dev/ns/v0.2.0","timestamp":"2026-01-01T00:00:00Z","statements":[
{"vulnerability":{"name":"CVE-1"},"products":[%s],"status":%q,"justification":"component_not_present"}]}`, product, status)
}

func TestOpenVEXProducts(t *testing.T) {
	net := "pkg:golang/golang.org/x/net@v0.10.0"
	sub := `,"subcomponents":[{"@id":"` + net + `"}]}`
	for _, tt := range []struct {
		name, product string
		want          []string
	}{
		{"a package", `{"@id":"` + net + `"}`, []string{net}},
		{"a package by identifier", `{"@id":"x","identifiers":{"purl":"` + net + `"}}`, []string{net}},
		{"a package without version", `{"@id":"pkg:golang/golang.org/x/net"}`, []string{"pkg:golang/golang.org/x/net"}},
		{"the image by digest", `{"@id":"pkg:oci/api@` + strings.ReplaceAll(digest, ":", "%3A") + `"` + sub, []string{net}},
		{"another build of the image", `{"@id":"pkg:oci/api@sha256%3A22"` + sub, nil},
		{"the image by repository and tag", `{"@id":"pkg:oci/api?repository_url=registry.example.com/shop/api&tag=1.4"` + sub, []string{net}},
		{"repository_url without the name", `{"@id":"pkg:oci/api?repository_url=registry.example.com/shop"` + sub, []string{net}},
		{"another tag", `{"@id":"pkg:oci/api?repository_url=registry.example.com/shop/api&tag=1.5"` + sub, nil},
		{"another repository", `{"@id":"pkg:oci/api?repository_url=evil.example.com/shop/api"` + sub, nil},
		{"by its name alone", `{"@id":"pkg:oci/api"` + sub, []string{net}},
		{"docker", `{"@id":"pkg:docker/shop/api@1.4"` + sub, []string{net}},
		{"by reference", `{"@id":"registry.example.com/shop/api:1.4"` + sub, []string{net}},
		{"the whole image", `{"@id":"registry.example.com/shop/api:1.4"}`, []string{""}},
		{"another product", `{"@id":"https://example.com/thing"` + sub, nil},
		{"another product alone", `{"@id":"https://example.com/thing"}`, nil},
		{"a component of a package that is there", `{"@id":"pkg:deb/debian/libc6@2.36-9"` + sub, []string{net}},
		{"a component of one that is not", `{"@id":"pkg:deb/debian/curl@1"` + sub, nil},
		{"a source package", `{"@id":"pkg:deb/debian/glibc@2.36-9?arch=source"}`, []string{"pkg:deb/debian/libc6@2.36-9", "pkg:deb/debian/libc-bin@2.36-9"}},
		{"a source package of another version", `{"@id":"pkg:deb/debian/glibc@2.36-8?arch=source"}`, nil},
		{"this distribution", `{"@id":"pkg:deb/debian/libc6?distro=bookworm"}`, []string{"pkg:deb/debian/libc6"}},
		{"this release", `{"@id":"pkg:deb/debian/libc6?distro=debian-12.5"}`, []string{"pkg:deb/debian/libc6"}},
		{"another release", `{"@id":"pkg:deb/debian/libc6?distro=debian-11"}`, nil},
		{"a component that is no package", `{"@id":"registry.example.com/shop/api:1.4","subcomponents":[{"@id":"part 7"}]}`, nil},
		{"a pattern", `{"@id":"pkg:golang/golang.org/x/*"}`, nil},
		{"an escaped pattern", `{"@id":"pkg:golang/%2A%2A"}`, nil},
		{"a string", `"` + net + `"`, []string{net}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, s := range read(t, openVEX(tt.product, "not_affected")).For(image()) {
				if s.ID != "CVE-1" || s.Source != finding.SourceVEX || s.Reason != "not_affected: component_not_present" || s.Origin != "test.json:2" {
					t.Errorf("%+v", s)
				}
				got = append(got, s.Package)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("packages (-want +got):\n%s", diff)
			}
		})
	}
}

func read(t *testing.T, text string) *Document {
	t.Helper()
	d, err := Read(strings.NewReader(text), "test.json")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestOpenVEXStatus(t *testing.T) {
	for status, want := range map[string]int{"not_affected": 1, "fixed": 1, "affected": 0, "under_investigation": 0} {
		if got := read(t, openVEX(`{"@id":"pkg:npm/a@1"}`, status)).For(image()); len(got) != want {
			t.Errorf("%s: %d suppressions, want %d", status, len(got), want)
		}
	}
}

// TestLaterStatementWins: a statement is taken back by one with a later time, or further down at the same time.
func TestLaterStatementWins(t *testing.T) {
	const one = `{"vulnerability":{"name":"CVE-1","aliases":["GHSA-1"]},"products":[{"@id":"pkg:npm/a"}],"status":"%s","impact_statement":"none","timestamp":"%s"}`
	const early, late = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"
	for _, tt := range []struct {
		statuses, times [2]string
		want            int
	}{
		{[2]string{"not_affected", "affected"}, [2]string{early, late}, 0},
		{[2]string{"affected", "not_affected"}, [2]string{early, late}, 2},
		{[2]string{"affected", "not_affected"}, [2]string{late, early}, 0},
		{[2]string{"not_affected", "under_investigation"}, [2]string{early, early}, 0},
		{[2]string{"not_affected", "not_affected"}, [2]string{early, late}, 2},
	} {
		text := `{"@context":"https://openvex.dev/ns","statements":[` + fmt.Sprintf(one, tt.statuses[0], tt.times[0]) + "," + fmt.Sprintf(one, tt.statuses[1], tt.times[1]) + `]}`
		if got := read(t, text).For(image()); len(got) != tt.want {
			t.Errorf("%v: %d suppressions, want %d", tt, len(got), tt.want)
		}
	}
}

func TestOldOpenVEX(t *testing.T) {
	d := read(t, `{"@context":"https://openvex.dev/ns","timestamp":"2023-01-01T00:00:00Z","statements":[
		{"vulnerability":"CVE-1","products":["shop/api:1.4"],"subcomponents":["pkg:npm/a@1"],"status":"fixed"}]}`)
	want := []finding.Suppression{{Source: finding.SourceVEX, ID: "CVE-1", Package: "pkg:npm/a@1", Reason: "fixed", Origin: "test.json:2"}}
	if diff := cmp.Diff(want, d.For(image())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

const csaf = `{"document":{"category":"csaf_vex","csaf_version":"2.0","tracking":{"current_release_date":"2026-01-01T00:00:00Z"}},
"product_tree":{"branches":[{"category":"vendor","name":"x","branches":[
  {"product":{"product_id":"net","name":"net","product_identification_helper":{"purl":"pkg:golang/golang.org/x/net@v0.10.0"}}},
  {"product":{"product_id":"glibc","name":"glibc","product_identification_helper":{"purl":"pkg:deb/debian/glibc?arch=source"}}},
  {"product":{"product_id":"deb12","name":"Debian 12","product_identification_helper":{"cpe":"cpe:/o:debian:debian_linux:12"}}},
  {"product":{"product_id":"deb11","name":"Debian 11","product_identification_helper":{"cpe":"cpe:2.3:o:debian:debian_linux:11:*:*:*:*:*:*:*"}}},
  {"product":{"product_id":"image","name":"api","product_identification_helper":{"purl":"pkg:oci/api?repository_url=registry.example.com/shop/api"}}}]}],
 "relationships":[
  {"category":"default_component_of","full_product_name":{"product_id":"deb12:glibc","name":"glibc of 12"},"product_reference":"glibc","relates_to_product_reference":"deb12"},
  {"category":"default_component_of","full_product_name":{"product_id":"deb11:glibc","name":"glibc of 11"},"product_reference":"glibc","relates_to_product_reference":"deb11"},
  {"category":"default_component_of","full_product_name":{"product_id":"image:net","name":"net of the image"},"product_reference":"net","relates_to_product_reference":"image"}],
 "product_groups":[{"group_id":"g","product_ids":["image:net"]}]},
"vulnerabilities":[
 {"cve":"CVE-1","product_status":{"known_not_affected":["deb12:glibc","image:net","deb12","nowhere"]},
  "flags":[{"label":"vulnerable_code_not_present","product_ids":["deb12:glibc"]},{"label":"component_not_present","group_ids":["g"]}],
  "threats":[{"category":"impact","details":"never called","product_ids":["deb12:glibc"]},{"category":"exploit_status","details":"high"}]},
 {"cve":"CVE-2","product_status":{"known_not_affected":["deb11:glibc"]}},
 {"cve":"CVE-3","product_status":{"known_not_affected":["net"],"known_affected":["net"]}},
 {"ids":[{"text":"GHSA-4"}],"product_status":{"fixed":["net"]}}]}`

func TestCSAF(t *testing.T) {
	want := []finding.Suppression{
		{ID: "CVE-1", Package: "pkg:deb/debian/libc6@2.36-9", Reason: "not_affected: vulnerable_code_not_present, never called", Origin: "test.json:14"},
		{ID: "CVE-1", Package: "pkg:deb/debian/libc-bin@2.36-9", Reason: "not_affected: vulnerable_code_not_present, never called", Origin: "test.json:14"},
		{ID: "CVE-1", Package: "pkg:golang/golang.org/x/net@v0.10.0", Reason: "not_affected: component_not_present", Origin: "test.json:14"},
		{ID: "GHSA-4", Package: "pkg:golang/golang.org/x/net@v0.10.0", Reason: "fixed", Origin: "test.json:19"},
	}
	for i := range want {
		want[i].Source = finding.SourceVEX
	}
	d := read(t, csaf)
	if diff := cmp.Diff(want, d.For(image())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if d.Statements != 8 {
		t.Errorf("%d statements", d.Statements)
	}
}

// TestCovers joins both ends: what For gives covers the finding that it was meant for, and not its neighbour.
func TestCovers(t *testing.T) {
	v := image()
	s := read(t, openVEX(`{"@id":"pkg:oci/api","subcomponents":[{"@id":"pkg:golang/golang.org/x/net@v0.10.0"}]}`, "not_affected")).For(v)
	f := finding.Finding{ID: "CVE-1", Package: v.Packages[2]}
	other := finding.Finding{ID: "CVE-1", Package: v.Packages[0]}
	if !s[0].Covers(&f, time.Now()) || s[0].Covers(&other, time.Now()) {
		t.Errorf("%+v", s)
	}
}

func TestReadRefuses(t *testing.T) {
	deep := strings.Repeat(`{"branches":[`, 40) + strings.Repeat("]}", 40)
	for name, text := range map[string]string{
		"empty": "", "a list": "[]", "other JSON": "{}", "an SBOM": `{"bomFormat":"CycloneDX"}`,
		"no justification":     strings.Replace(openVEX(`"x"`, "not_affected"), `,"justification":"component_not_present"`, "", 1),
		"unknown status":       openVEX(`"x"`, "fine"),
		"no vulnerability":     `{"@context":"https://openvex.dev/ns","statements":[{"status":"fixed","products":["x"]}]}`,
		"statements no list":   `{"@context":"https://openvex.dev/ns","statements":{"a":1}}`,
		"CSAF of the future":   `{"document":{"csaf_version":"3.0"}}`,
		"CSAF deep":            `{"document":{"csaf_version":"2.0"},"product_tree":{"branches":[` + deep + `]}}`,
		"CSAF without a name":  `{"document":{"csaf_version":"2.0"},"vulnerabilities":[{"product_status":{"fixed":["a"]}}]}`,
		"a document of others": `{"document":{"title":"x"}}`,
	} {
		if d, err := Read(strings.NewReader(text), "x"); err == nil {
			t.Errorf("%s was read: %+v", name, d)
		}
	}
	if _, err := Read(strings.NewReader("{}"), "x"); !errors.Is(err, ErrNotVEX) {
		t.Errorf("not VEX: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(csaf))
	f.Add([]byte(openVEX(`{"@id":"pkg:oci/api@sha256%3A11?tag=x","subcomponents":[{"@id":"pkg:deb/debian/glibc@1?arch=source&distro=debian-12"}]}`, "not_affected")))
	f.Add([]byte(openVEX(`"pkg:npm/a"`, "affected")))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := Read(strings.NewReader(string(data)), "fuzz")
		if err != nil {
			return
		}
		for _, s := range d.For(image()) {
			if s.ID == "" || s.Source != finding.SourceVEX {
				t.Errorf("a suppression that means everything: %+v", s)
			}
		}
	})
}
