package foreign

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
)

const trivyText = `{"SchemaVersion":2,"ArtifactName":"app:1","Results":[
 {"Target":"app:1 (debian 12)","Class":"os-pkgs","Type":"debian","Vulnerabilities":[
  {"VulnerabilityID":"CVE-2024-1","VendorIDs":["DSA-1"],"PkgName":"libssl3","InstalledVersion":"3.0","FixedVersion":"3.1","Severity":"HIGH","Title":"overflow"},
  {"VulnerabilityID":"CVE-2024-1","PkgName":"libssl3","InstalledVersion":"3.0","Severity":"LOW"},
  {"PkgName":"nameless"}]},
 {"Target":"Java","Type":"jar","Vulnerabilities":[{"VulnerabilityID":"CVE-2021-44228","PkgName":"org.apache:log4j","Severity":"CRITICAL",
  "PkgIdentifier":{"PURL":"pkg:maven/org.apache/log4j@2.0"}}]},
 {"Target":"/app/.env","Class":"secret","Secrets":[{"RuleID":"aws-access-key-id","Severity":"CRITICAL","Title":"AWS key"}]},
 {"Target":"Dockerfile","Misconfigurations":[{"ID":"DS002","Title":"root","Severity":"HIGH","Status":"FAIL"},{"ID":"DS003","Status":"PASS"}]}]}`

const grypeText = `{"matches":[
 {"vulnerability":{"id":"GHSA-jfh8-c2jp-5v3q","severity":"Critical","fix":{"versions":["2.15.0"]},"description":"remote code\nmore"},
  "relatedVulnerabilities":[{"id":"CVE-2021-44228"}],
  "artifact":{"name":"log4j","version":"2.0","type":"java-archive","purl":"pkg:maven/org.apache/log4j@2.0"}},
 {"vulnerability":{"id":"CVE-2024-1","severity":"Negligible"},"artifact":{"name":"libssl3","version":"3.0","type":"deb"}}],
 "descriptor":{"name":"grype","version":"0.80"}}`

const sarifReport = `{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"Trivy","rules":[
  {"id":"CVE-2024-1","shortDescription":{"text":"overflow"},"properties":{"security-severity":"8.1"}},{"id":"SECRET-1"}]}},
 "results":[{"ruleId":"CVE-2024-1","ruleIndex":0,"level":"error","message":{"text":"Package: libssl3\nInstalled Version: 3.0\nFixed Version: 3.1"}},
  {"ruleId":"GHSA-jfh8-c2jp-5v3q-log4j","level":"note","message":{"text":"x"}},
  {"ruleIndex":1,"ruleId":"SECRET-1","level":"error","message":{"text":"a key"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"app/.env"}}}]},
  {"ruleId":"DS002","message":{"text":"root"}},
  {"ruleId":"DS003","kind":"pass"},{"ruleId":"DS004","suppressions":[{}]}]}]}`

const bomText = `{"bomFormat":"CycloneDX","specVersion":"1.5","metadata":{"tools":{"components":[{"name":"Depend Scan"}]}},
 "components":[{"bom-ref":"a","name":"left-pad","version":"1.0.0","purl":"pkg:npm/%40scope/left-pad@1.0.0","components":[{"bom-ref":"b","name":"inner","version":"2"}]}],
 "vulnerabilities":[{"id":"CVE-2024-2","ratings":[{"severity":"low"},{"score":9.8}],"affects":[{"ref":"a"},{"ref":"b"},{"ref":"pkg:golang/example.com/m@v1"}]},
  {"id":"CVE-2024-3","analysis":{"state":"not_affected"},"affects":[{"ref":"a"}]},{"id":"CVE-2024-4"}]}`

func TestRead(t *testing.T) {
	for _, c := range []struct {
		name, text, source string
		skipped            int
		want               []string
	}{
		{"trivy", trivyText, "trivy", 1, []string{
			"check DS002 [] high  ", "secret aws-access-key-id [] critical  ",
			"vulnerability CVE-2021-44228 [] critical org.apache:log4j ", "vulnerability CVE-2024-1 [DSA-1] high libssl3 3.0→3.1"}},
		{"grype", grypeText, "grype", 0, []string{
			"vulnerability CVE-2021-44228 [GHSA-jfh8-c2jp-5v3q] critical org.apache:log4j 2.0→2.15.0", "vulnerability CVE-2024-1 [] negligible libssl3 3.0"}},
		{"sarif", sarifReport, "trivy", 0, []string{
			"check DS002 [] medium  ", "secret SECRET-1 [] high  ", "vulnerability CVE-2024-1 [] high libssl3 3.0→3.1",
			"vulnerability GHSA-jfh8-c2jp-5v3q [] low log4j "}},
		{"cyclonedx", bomText, "depend-scan", 0, []string{
			"vulnerability CVE-2024-2 [] critical @scope/left-pad 1.0.0", "vulnerability CVE-2024-2 [] critical example.com/m v1",
			"vulnerability CVE-2024-2 [] critical inner 2", "vulnerability CVE-2024-4 [] unknown  "}},
	} {
		r, err := Read(strings.NewReader(c.text), "team/app")
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var got []string
		for _, f := range r.Found {
			line := fmt.Sprintf("%s %s %v %s %s %s", f.Type, f.ID, f.Aliases, f.Severity, f.Package, f.Version)
			if f.FixedIn != "" {
				line += "→" + f.FixedIn
			}
			got = append(got, line)
			if f.Source != c.source || f.Repository != "team/app" || f.Key == "" {
				t.Errorf("%s: %+v", c.name, f)
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(c.want, got); diff != "" || r.Skipped != c.skipped || r.Source != c.source {
			t.Errorf("%s: source %s, %d skipped (-want +got):\n%s", c.name, r.Source, r.Skipped, diff)
		}
	}
}

func TestKeysAreOurs(t *testing.T) {
	r, err := Read(strings.NewReader(trivyText), "team/app")
	if err != nil {
		t.Fatal(err)
	}
	ours := finding.Finding{ID: "CVE-2024-1", Package: finding.Package{Name: "libssl3", Type: "deb"}}
	if !slices.ContainsFunc(r.Found, func(f catalog.Tracked) bool { return f.Key == ours.Key("team/app") }) {
		t.Error("the same finding has another key")
	}
}

func TestRefused(t *testing.T) {
	for _, text := range []string{``, `[]`, `{}`, `{"bomFormat":"CycloneDX","components":[]}`, `{"matches":[{"vulnerability":7}]}`, `{"runs":{}}`, `{"a":`} {
		if r, err := Read(strings.NewReader(text), "a"); err == nil {
			t.Errorf("%s: read as %+v", text, r)
		}
	}
	if _, err := Read(strings.NewReader(`{"hello":1}`), "a"); !errors.Is(err, ErrUnknown) {
		t.Errorf("%v", err)
	}
	many := `{"matches":[` + strings.Repeat(`{"vulnerability":{"id":"x"}},`, 3) + `{}]}`
	if _, err := Read(strings.NewReader(many), "a"); err != nil {
		t.Errorf("%v", err)
	}
}

func TestPURL(t *testing.T) {
	for _, c := range []struct{ purl, want string }{
		{"pkg:deb/debian/libssl3@3.0?arch=amd64", "deb libssl3 3.0"},
		{"pkg:npm/%40scope/name@1.0.0", "npm @scope/name 1.0.0"},
		{"pkg:maven/org.apache/log4j@2#x", "maven org.apache:log4j 2"},
		{"pkg:golang/github.com/a/b@v1", "golang github.com/a/b v1"},
		{"pkg:pypi/requests", "pypi requests "},
		{"pkg:npm", ""}, {"npm/x", ""}, {"", ""},
	} {
		pkgType, name, version, ok := parsePURL(c.purl)
		if got := pkgType + " " + name + " " + version; ok != (c.want != "") || ok && got != c.want {
			t.Errorf("%s: %q, %v", c.purl, got, ok)
		}
	}
}

func TestJoin(t *testing.T) {
	row := func(source, id, pkg string, aliases ...string) catalog.Tracked {
		return catalog.Tracked{Source: source, ID: id, Package: pkg, Aliases: aliases}
	}
	got := Join(
		[]catalog.Tracked{row("seawall", "CVE-1", "log4j", "GHSA-1"), row("seawall", "CVE-2", "log4j")},
		[]catalog.Tracked{row("grype", "GHSA-1", "log4j"), row("trivy", "CVE-1", "log4j"), row("trivy", "CVE-1", "other"), row("grype", "CVE-1", "Other")},
	)
	var lines []string
	for _, b := range got {
		line := "-"
		if b.Ours != nil {
			line = b.Ours.ID
		}
		for _, x := range b.Theirs {
			line += " " + x.Source
		}
		lines = append(lines, line)
	}
	if diff := cmp.Diff([]string{"CVE-1 grype trivy", "CVE-2", "- grype trivy"}, lines); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// FuzzRead: whatever the bytes, reading gives an error or a bounded list with ids and keys.
func FuzzRead(f *testing.F) {
	for _, text := range []string{trivyText, grypeText, sarifReport, bomText, `{}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := Read(strings.NewReader(string(b)), "team/app")
		if err != nil {
			return
		}
		if r.Source == "" || r.Source == "seawall" {
			t.Errorf("source %q", r.Source)
		}
		for _, x := range r.Found {
			if x.Key == "" || x.ID == "" || len(x.Title) > 600 || len(x.Aliases) > 50 {
				t.Errorf("%+v", x)
			}
		}
	})
}
