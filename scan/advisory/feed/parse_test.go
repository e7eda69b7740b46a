package feed

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/advisory/record"
)

const fullOSV = `{
	"schema_version": "1.7.3", "id": "GHSA-xxxx-yyyy-zzzz", "modified": "2026-01-02T03:04:05.678Z", "published": "2026-01-01T00:00:00+01:00",
	"withdrawn": "2026-01-03T00:00:00Z", "aliases": ["CVE-2026-1"], "upstream": ["CVE-2026-2"], "related": ["CVE-2026-3"],
	"summary": "Something", "details": "long", "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}, {"type": "Ubuntu", "score": "medium"}],
	"affected": [
		{"package": {"ecosystem": "npm", "name": "left-pad", "purl": "pkg:npm/left-pad"}, "versions": ["1.0.0"],
		 "ranges": [{"type": "SEMVER", "events": [{"introduced": "0", "fixed": "1.2.0"}, {"introduced": "2.0.0"}, {"last_affected": "2.1.0"}]},
			{"type": "GIT", "repo": "https://example.org", "events": [{"introduced": "0"}, {"limit": "*"}]}],
		 "severity": [{"type": "CVSS_V4", "score": "x"}], "ecosystem_specific": {"severity": "High", "urgency": 3}, "database_specific": "odd"}],
	"database_specific": {"severity": "MODERATE", "cwe_ids": ["CWE-79"], "github_reviewed": true}}`

func TestParseOSV(t *testing.T) {
	got, err := ParseOSV([]byte(fullOSV))
	if err != nil {
		t.Fatal(err)
	}
	want := record.Record{
		ID: "GHSA-xxxx-yyyy-zzzz", Aliases: []string{"CVE-2026-1"}, Upstream: []string{"CVE-2026-2"}, Related: []string{"CVE-2026-3"},
		Summary: "Something", Published: time.Date(2025, 12, 31, 23, 0, 0, 0, time.UTC),
		Modified:  time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC),
		Withdrawn: time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC),
		Severities: []record.Severity{
			{Type: "CVSS_V3", Score: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}, {Type: "Ubuntu", Score: "medium"},
		},
		Rating: "MODERATE", CWE: []string{"CWE-79"},
		Affected: []record.Affected{{
			Ecosystem: "npm", Name: "left-pad", Versions: []string{"1.0.0"}, Rating: "High",
			Severities: []record.Severity{{Type: "CVSS_V4", Score: "x"}},
			Ranges: []record.Range{
				{Kind: record.Semver, Events: []record.Event{{Introduced: "0"}, {Fixed: "1.2.0"}, {Introduced: "2.0.0"}, {LastAffected: "2.1.0"}}},
				{Kind: record.Git, Events: []record.Event{{Introduced: "0"}, {Limit: "*"}}},
			},
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestOSVSpecifics(t *testing.T) {
	one := func(id, affected string) record.Record {
		t.Helper()
		r, err := ParseOSV([]byte(fmt.Sprintf(`{"id":%q,"affected":[{"package":{"ecosystem":"e","name":"n"},%s}]}`, id, affected)))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for id, want := range map[string]record.Kind{
		"MAL-2026-1": record.Malware, "ALBA-2026:1": record.Bug, "ALEA-2026:1": record.Enhancement, "RLBA-2026:1": record.Bug,
		"ALSA-2026:1": record.Vulnerability, "MALFORMED-1": record.Vulnerability,
	} {
		if got := one(id, `"versions":[]`).Kind; got != want {
			t.Errorf("%s: kind %d, want %d", id, got, want)
		}
	}
	for text, want := range map[string]record.Affected{
		`"ecosystem_specific":{"urgency":"unimportant"}`:       {Urgency: "unimportant", State: finding.StateUnimportant},
		`"ecosystem_specific":{"urgency":"end-of-life"}`:       {Urgency: "end-of-life", State: finding.StateEndOfLife},
		`"ecosystem_specific":{"urgency":"not yet assigned"}`:  {Urgency: "not yet assigned"},
		`"ecosystem_specific":{"ubuntu_priority":"high"}`:      {Rating: "high"},
		`"database_specific":{"severity":"Low"}`:               {Rating: "Low"},
		`"database_specific":{"informational":"unmaintained"}`: {Rating: "negligible"},
		`"database_specific":[1]`:                              {},
		`"ecosystem_specific":null`:                            {},
	} {
		want.Ecosystem, want.Name = "e", "n"
		if diff := cmp.Diff(want, one("X-1", text).Affected[0]); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
	if got := one("RUSTSEC-1", `"database_specific":{"categories":["malicious"]}`).Kind; got != record.Malware {
		t.Errorf("a malicious crate is of kind %d", got)
	}
}

func TestParseOSVErrors(t *testing.T) {
	for _, text := range []string{
		"", "null", "[]", "{}", `{"id":1}`, `{"id":"A","schema_version":"2.0"}`, `{"id":"A","modified":"x"}`, `{"id":"A","affected":[1]}`,
		`{"id":"A"} trailing`, strings.Repeat(`{"affected":[`, 20000),
	} {
		if r, err := ParseOSV([]byte(text)); err == nil {
			t.Errorf("%.40s: got %+v", text, r)
		}
	}
}

func TestZipBomb(t *testing.T) {
	path := filepath.Join(t.TempDir(), "all.zip")
	huge := `{"id":"HUGE-1","summary":"` + strings.Repeat(" ", maxRecord) + `"}`
	if err := os.WriteFile(path, archive(append(manyJSON("npm", 3), huge)...), 0o644); err != nil {
		t.Fatal(err)
	}
	c := newContent()
	tally, err := ReadOSVZip(context.Background(), path, nil, c)
	if err != nil || tally.Bad != 1 || tally.Records != 3 || !strings.Contains(tally.Complaints[0], "32 MiB") {
		t.Errorf("%+v, %v", tally, err)
	}
}

func TestReadKEV(t *testing.T) {
	c := newContent()
	tally, err := ReadKEV(strings.NewReader(kevJSON), c)
	want := map[string]finding.KEV{"CVE-2026-1": {Added: "2026-01-02", Due: "2026-01-23", Ransomware: true}}
	if diff := cmp.Diff(want, c.KEV); diff != "" || err != nil || tally.Records != 1 {
		t.Error(tally, err, diff)
	}
	for _, text := range []string{"", "{}", `{"count":2,"vulnerabilities":[{"cveID":"CVE-1-1"}]}`} {
		if _, err := ReadKEV(strings.NewReader(text), newContent()); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}

func TestReadEPSS(t *testing.T) {
	const text = "#model_version:v2025.03.14,score_date:2026-01-02T12:55:00Z\ncve,epss,percentile\nCVE-2026-1,0.5,0.75\nCVE-2026-2,1.5,0.1\nCVE-2026-3,NaN,0\nCVE-2026-4\n"
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	for _, in := range []string{text, packed.String()} {
		c := newContent()
		tally, err := ReadEPSS(strings.NewReader(in), c)
		if err != nil || tally.Records != 1 || tally.Bad != 3 || tally.Newest.Day() != 2 {
			t.Errorf("%+v, %v", tally, err)
		}
		if diff := cmp.Diff(map[string]finding.EPSS{"CVE-2026-1": {Score: 0.5, Percentile: 0.75}}, c.EPSS); diff != "" {
			t.Error(diff)
		}
	}
	for _, in := range []string{"", "cve\n", "cve,epss,percentile\n", packed.String()[:packed.Len()/2]} {
		if _, err := ReadEPSS(strings.NewReader(in), newContent()); err == nil {
			t.Errorf("%.20q: no error", in)
		}
	}
}

const secdbYAML = `---
distroversion: v3.20
reponame: main
packages:
  - pkg:
      name: xen
      secfixes:
        4.11.1-r0:
        - XSA-273 CVE-2019-1 CVE-2019-2
        - CVE-2019-3 (+ regression fix)
        "0":
          - CVE-2019-4
  - pkg:
      name: curl
      secfixes:
        7.0-r1: [CVE-2019-1, ZBX-77]
`

const secdbJSON = `{"distroversion":"v3.20","packages":[
	{"pkg":{"name":"xen","secfixes":{"4.11.1-r0":["XSA-273 CVE-2019-1 CVE-2019-2","CVE-2019-3 (+ regression fix)"],"0":["CVE-2019-4"]}}},
	{"pkg":{"name":"curl","secfixes":{"7.0-r1":["CVE-2019-1","ZBX-77"]}}}]}`

func TestReadSecDB(t *testing.T) {
	affected := func(name, fixed string) record.Affected {
		return record.Affected{Ecosystem: "Alpine:v3.20", Name: name, Ranges: []record.Range{{
			Kind: record.Ecosystem, Events: []record.Event{{Introduced: "0"}, {Fixed: fixed}},
		}}}
	}
	want := map[string]record.Record{}
	for id, a := range map[string][]record.Affected{
		"CVE-2019-1": {affected("curl", "7.0-r1"), affected("xen", "4.11.1-r0")},
		"CVE-2019-2": {affected("xen", "4.11.1-r0")}, "CVE-2019-3": {affected("xen", "4.11.1-r0")}, "ZBX-77": {affected("curl", "7.0-r1")},
	} {
		want["ALPINE-"+id] = record.Record{ID: "ALPINE-" + id, Aliases: []string{id}, Affected: a}
	}
	for _, text := range []string{secdbYAML, secdbJSON} {
		c := newContent()
		if _, err := ReadSecDB(strings.NewReader(text), c); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(want, c.Records); diff != "" {
			t.Error(diff)
		}
	}
	for _, text := range []string{"", "{}", "distroversion: ../../etc\n", "packages: 3"} {
		if _, err := ReadSecDB(strings.NewReader(text), newContent()); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}

const trackerJSON = `{"openssl": {
	"CVE-2026-1": {"description": "bad", "scope": "remote", "releases": {
		"bookworm": {"status": "resolved", "repositories": {"bookworm": "3.0.1-1"}, "fixed_version": "3.0.2-1", "urgency": "high**"},
		"bullseye": {"status": "open", "repositories": {}, "urgency": "low", "nodsa": "Minor issue", "nodsa_reason": ""},
		"trixie": {"status": "open", "repositories": {}, "urgency": "low", "nodsa": "Minor issue", "nodsa_reason": "ignored"},
		"sid": {"status": "open", "urgency": "low"}}},
	"CVE-2026-2": {"releases": {"bookworm": {"status": "resolved", "fixed_version": "0", "urgency": "low"}, "trixie": {"status": "undetermined", "urgency": "low"}}},
	"TEMP-0000001-ABCDEF": {"releases": {"bookworm": {"status": "open", "urgency": "unimportant"}, "bullseye": {"status": "open", "urgency": "end-of-life"}}}},
	"broken": {"CVE-2026-9": {"releases": 7}}}`

func TestReadDebianTracker(t *testing.T) {
	affected := func(n, urgency, fixed string, s finding.State) record.Affected {
		events := []record.Event{{Introduced: "0"}}
		if fixed != "" {
			events = append(events, record.Event{Fixed: fixed})
		}
		return record.Affected{
			Ecosystem: "Debian:" + n, Name: "openssl", Urgency: urgency, State: s,
			Ranges: []record.Range{{Kind: record.Ecosystem, Events: events}},
		}
	}
	want := map[string]record.Record{
		"DEBIAN-CVE-2026-1": {ID: "DEBIAN-CVE-2026-1", Upstream: []string{"CVE-2026-1"}, Summary: "bad", Affected: []record.Affected{
			affected("12", "high", "3.0.2-1", ""), affected("11", "low", "", finding.StateDeferred), affected("13", "low", "", finding.StateWontFix),
		}},
		"TEMP-0000001-ABCDEF": {ID: "TEMP-0000001-ABCDEF", Affected: []record.Affected{
			affected("12", "unimportant", "", finding.StateUnimportant), affected("11", "end-of-life", "", finding.StateEndOfLife),
		}},
	}
	c := newContent()
	tally, err := ReadDebianTracker(strings.NewReader(trackerJSON), c)
	if diff := cmp.Diff(want, c.Records); diff != "" || err != nil || tally.Bad != 1 {
		t.Error(tally, err, diff)
	}
	for _, text := range []string{"", "[]", `{"a":`, `{"a":{"b":{}}`} {
		if _, err := ReadDebianTracker(strings.NewReader(text), newContent()); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}

func TestSecfixIDs(t *testing.T) {
	for entry, want := range map[string][]string{
		"CVE-2019-1": {"CVE-2019-1"}, "CVE_2019-2426": {"CVE-2019-2426"}, "CVE 2018-16859": {"CVE-2018-16859"},
		"XSA-273 CVE-2018-3620/CVE-2018-3646": {"CVE-2018-3620", "CVE-2018-3646"}, "XSA-207": {"XSA-207"},
		"wnpa-sec-2017-18": {"wnpa-sec-2017-18"}, "GHSA-c2qf-rxjj-qqgw": {"GHSA-c2qf-rxjj-qqgw"}, "(none)": nil, "": nil,
	} {
		if diff := cmp.Diff(want, secfixIDs(entry)); diff != "" {
			t.Errorf("%q: %s", entry, diff)
		}
	}
}

func FuzzParseOSV(f *testing.F) {
	f.Add([]byte(fullOSV))
	f.Add([]byte(osvJSON("npm", "N-1", 1)))
	f.Fuzz(func(t *testing.T, data []byte) {
		if r, err := ParseOSV(data); err == nil && r.ID == "" {
			t.Error("a record without an id")
		}
	})
}

// FuzzLists gives any bytes to every reader of lists: errors are fine, the tally must add up.
func FuzzLists(f *testing.F) {
	for _, text := range []string{kevJSON, secdbYAML, secdbJSON, trackerJSON, "cve,epss,percentile\nCVE-2026-1,0.5,0.75\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c := newContent()
		var tallies []Tally
		for _, read := range []func(*bytes.Reader) (Tally, error){
			func(r *bytes.Reader) (Tally, error) { return ReadKEV(r, c) },
			func(r *bytes.Reader) (Tally, error) { return ReadEPSS(r, c) },
			func(r *bytes.Reader) (Tally, error) { return ReadSecDB(r, c) },
			func(r *bytes.Reader) (Tally, error) { return ReadDebianTracker(r, c) },
		} {
			tally, _ := read(bytes.NewReader(data))
			tallies = append(tallies, tally)
		}
		for _, tally := range tallies {
			if len(tally.Complaints) > maxComplaints || tally.Bad < len(tally.Complaints) {
				t.Errorf("%+v", tally)
			}
		}
		_, _ = readChanges(bytes.NewReader(data), input{}, 100)
	})
}

func FuzzZip(f *testing.F) {
	f.Add(archive(manyJSON("npm", 3)...))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "all.zip")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		c := newContent()
		tally, err := ReadOSVZip(context.Background(), path, nil, c)
		if err == nil && tally.Records < len(c.Records) {
			t.Errorf("%+v: %d records", tally, len(c.Records))
		}
	})
}
