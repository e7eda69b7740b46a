package gate_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/gate"
)

// everything is a gate file with every key.
const everything = `version: 1
max: {critical: 0, high: 1, medium: 2, low: any, negligible: 4, unknown: 5}
warn: {critical: 6, high: 7, medium: 8, low: 9, negligible: 10, unknown: any}
ignoreUnfixed: true
ignoreStates: [wont-fix, deferred]
kernelHeaders: count
scope: own
kev: warn
epss: {fail: 0.5, warn: 0.1}
maxScanAge: 36h
maxDatabaseAge: 2w
packages:
  deny:
    - netcat*
    - {package: "pkg:npm/left-pad", version: "1.0.*", reason: it was withdrawn}
licenses: {deny: [AGPL-3.0-only], allow: [MIT], unknown: ignore}
secrets: {fail: high, warn: never}
checks: {fail: critical, warn: medium, deny: [SW-IMG-001]}
baseImages:
  require:
    - name: r.example/base/**
      digest: sha256:1111111111111111111111111111111111111111111111111111111111111111
      layers: ["sha256:2222222222222222222222222222222222222222222222222222222222222222"]
gaps:
  stop: [unparsed-version, "no-data:generic"]
  warn: [end-of-life]
  ignore: ["unreadable:opt/app/test/**"]
suppressions:
  - id: CVE-2024-1
    package: openssl
    path: usr/lib/**
    reason: not reachable
    owner: team-a
    expires: 2027-01-31
`

func TestParseEverything(t *testing.T) {
	p, err := gate.Parse("gate.yaml", []byte(everything))
	if err != nil {
		t.Fatal(err)
	}
	want := &gate.Policy{
		Version: 1, Name: "gate.yaml", Digest: p.Digest,
		Max:           gate.Limits{Critical: 0, High: 1, Medium: 2, Low: gate.Any, Negligible: 4, Unknown: 5},
		Warn:          gate.Limits{Critical: 6, High: 7, Medium: 8, Low: 9, Negligible: 10, Unknown: gate.Any},
		IgnoreUnfixed: true,
		IgnoreStates:  []finding.State{finding.StateWontFix, finding.StateDeferred},
		KernelHeaders: gate.KernelHeadersCount, Scope: gate.ScopeOwn, KEV: gate.ActionWarn,
		EPSS:       gate.Probabilities{Fail: 0.5, Warn: 0.1},
		MaxScanAge: gate.Age(36 * time.Hour), MaxDatabaseAge: 14 * gate.Day,
		Packages: gate.PackageRules{Deny: []gate.PackageRule{
			{Package: "netcat*"}, {Package: "pkg:npm/left-pad", Version: "1.0.*", Reason: "it was withdrawn"},
		}},
		Licenses: gate.LicenseRules{Deny: []string{"AGPL-3.0-only"}, Allow: []string{"MIT"}, Unknown: gate.ActionIgnore},
		Secrets:  gate.Levels{Fail: gate.LevelOf(finding.SeverityHigh)},
		Checks: gate.CheckRules{
			Levels: gate.Levels{Fail: gate.LevelOf(finding.SeverityCritical), Warn: gate.LevelOf(finding.SeverityMedium)},
			Deny:   []string{"SW-IMG-001"},
		},
		BaseImages: gate.BaseImageRules{Require: []gate.BaseImage{{
			Name: "r.example/base/**", Digest: "sha256:" + strings.Repeat("1", 64), Layers: []string{"sha256:" + strings.Repeat("2", 64)},
		}}},
		Gaps: gate.GapRules{
			Stop:   []gate.GapRule{{Kind: finding.GapUnparsedVersion}, {Kind: finding.GapNoData, Where: "generic"}},
			Warn:   []gate.GapRule{{Kind: finding.GapEndOfLife}},
			Ignore: []gate.GapRule{{Kind: finding.GapUnreadable, Where: "opt/app/test/**"}},
		},
		Suppressions: []finding.Suppression{{
			Source: finding.SourceGate, ID: "CVE-2024-1", Package: "openssl", Path: "usr/lib/**", Reason: "not reachable",
			Owner: "team-a", Expires: time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC), Origin: "gate.yaml:29",
		}},
	}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Error(diff)
	}
	if !strings.HasPrefix(p.Digest, "sha256:") || len(p.Digest) != 71 {
		t.Errorf("digest %q", p.Digest)
	}
}

func TestParseKeepsDefaults(t *testing.T) {
	p := parse(t, "max: {high: 3}")
	want := gate.Default()
	want.Max.High = 3
	if diff := cmp.Diff(want, p, cmpopts.IgnoreFields(gate.Policy{}, "Name", "Digest")); diff != "" {
		t.Error(diff)
	}
}

// The JSON form of a policy is a gate file that says the same.
func TestPolicyIsAGateFile(t *testing.T) {
	for _, text := range []string{"version: 1", everything} {
		p, err := gate.Parse("gate.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		again, err := gate.Parse("gate.yaml", b)
		if err != nil {
			t.Fatalf("%s\n%v", b, err)
		}
		if diff := cmp.Diff(p, again, cmpopts.IgnoreFields(gate.Policy{}, "Digest", "Suppressions")); diff != "" {
			t.Error(diff)
		}
	}
}

func TestParseErrors(t *testing.T) {
	const s = "version: 1\nsuppressions:\n  - "
	for _, c := range []struct{ text, want string }{
		{"", "gate.yaml: the file is empty: write at least version: 1"},
		{"# nothing", "gate.yaml: the file is empty: write at least version: 1"},
		{"max: {high: 0}", "gate.yaml:1:1: the file must say version: 1"},
		{"version: 2", "gate.yaml:1:10: version: version 2 of the gate file is not known here: want 1"},
		{"version: 1\nmaxx: {}", `gate.yaml:2:1: key "maxx" is not known: did you mean max?`},
		{"version: 1\nignore-unfixed: true", `gate.yaml:2:1: key "ignore-unfixed" is not known: did you mean ignoreUnfixed?`},
		{"version: 1\nmalware: warn", "gate.yaml:2:1: malware: malware always fails: set a single record aside with a suppression"},
		{"version: 1\nzzzzzzzzzzzz: 1", `gate.yaml:2:1: key "zzzzzzzzzzzz" is not known: want one of baseImages, checks, `},
		{"version: 1\nmax:\n  hihg: 1", `gate.yaml:3:3: max: key "hihg" is not known: did you mean high?`},
		{"version: 1\nmax:\n  high: 1\n  high: 2", "gate.yaml:4:3: max: high stands here twice: first in line 3"},
		{"version: 1\nmax:\n  high: -1", `gate.yaml:3:9: max.high: want a whole number from 0, or any, not "-1"`},
		{"version: 1\nmax:\n  high: 1.5", `gate.yaml:3:9: max.high: want a whole number from 0, or any, not "1.5"`},
		{"version: 1\nmax:\n  high: [1]", "gate.yaml:3:9: max.high: want a single value, not a list"},
		{"version: 1\nmax: 3", `gate.yaml:2:6: max: want keys and values, not "3"`},
		{"version: 1\nmax:", "gate.yaml:2:5: max: has no value: want keys and values"},
		{"version: 1\nignoreUnfixed: yes", `gate.yaml:2:16: ignoreUnfixed: want true or false, not "yes"`},
		{"version: 1\nignoreUnfixed: \"true\"", `gate.yaml:2:16: ignoreUnfixed: want true or false, not "true"`},
		{"version: 1\nignoreStates: [fixed]", `gate.yaml:2:16: ignoreStates.1: "fixed" is not known: did you mean unfixed?`},
		{"version: 1\nscope: base", `gate.yaml:2:8: scope: "base" is not known: want one of all, own`},
		{"version: 1\nepss: {fail: 50}", `gate.yaml:2:14: epss.fail: want a number from 0 (never) to 1, not "50"`},
		{"version: 1\nepss: {fail: .nan}", `gate.yaml:2:14: epss.fail: want a number`},
		{"version: 1\nmaxScanAge: 30", `gate.yaml:2:13: maxScanAge: want a length of time such as 30d`},
		{"version: 1\nmaxScanAge: 0d", `gate.yaml:2:13: maxScanAge: want a length of time`},
		{"version: 1\nmaxScanAge: 101000d", `gate.yaml:2:13: maxScanAge: want a length of time`},
		{"version: 1\npackages: {deny: ['a[']}", `gate.yaml:2:19: packages.deny.1: pattern "a[": a bracket or backslash is left open`},
		{"version: 1\npackages: {deny: [{version: '1'}]}", `gate.yaml:2:19: packages.deny.1: names no package`},
		{"version: 1\npackages: {deny: [{package: a, version: 2.0}]}", `gate.yaml:2:41: packages.deny.1.version: want a text: put 2.0 in quotes`},
		{"version: 1\nsecrets: {fail: severe}", `gate.yaml:2:17: secrets.fail: "severe" is not known: did you mean never?`},
		{"version: 1\nbaseImages: {require: [{}]}", `gate.yaml:2:24: baseImages.require.1: names nothing`},
		{"version: 1\nbaseImages: {require: [{digest: sha256:12}]}", `gate.yaml:2:33: baseImages.require.1.digest: want sha256:`},
		{"version: 1\ngaps: {stop: [unreadible]}", `gate.yaml:2:15: gaps.stop.1: "unreadible" is not known: did you mean unreadable?`},
		{"version: 1\ngaps: {stop: ['no-data:']}", `gate.yaml:2:15: gaps.stop.1: "no-data:": nothing follows the colon`},
		{"version: 1\ngaps: {stop: [no-data], warn: [no-data]}", `gate.yaml:2:32: gaps.warn.1: no-data stands in stop already`},
		{s + "{id: CVE-1, owner: a, expires: 2027-01-31}", "gate.yaml:3:5: suppressions.1: the suppression of CVE-1 needs a reason"},
		{s + "{id: CVE-1, reason: b, expires: 2027-01-31}", "gate.yaml:3:5: suppressions.1: the suppression of CVE-1 needs an owner"},
		{s + "{id: CVE-1, reason: b, owner: a}", "gate.yaml:3:5: suppressions.1: the suppression of CVE-1 needs a day on which it expires"},
		{s + "{reason: b, owner: a, expires: 2027-01-31}", "gate.yaml:3:5: suppressions.1: it names nothing: give an id, a package or a path"},
		{s + "{id: CVE-1, reason: b, owner: a, expires: never}", `gate.yaml:3:47: suppressions.1.expires: want the last day on which it holds as YYYY-MM-DD, not "never"`},
		{s + "{id: CVE-1, reason: b, owner: a, expires: 2027-02-30}", `gate.yaml:3:47: suppressions.1.expires: want the last day`},
		{s + "{id: CVE-1, reason: '', owner: a, expires: 2027-01-31}", "gate.yaml:3:25: suppressions.1.reason: is empty"},
		{s + "{source: hub, id: CVE-1}", `gate.yaml:3:6: suppressions.1: key "source" is not known`},
		{"version: &v 1", "gate.yaml:1:10: version: anchors and aliases are not allowed here: write the value out"},
		{"max: &m {high: 1}\nwarn: *m\nversion: 1", "gate.yaml:1:6: max: anchors and aliases are not allowed here: write the value out"},
		{"version: 1\nmax: {<<: {high: 1}}", "gate.yaml:2:7: max: <<: merging is not allowed here: write the keys out"},
		{"version: 1\n---\nversion: 1", "gate.yaml:2: more than one document: a gate file has one"},
		{"version: 1\n? [a]\n: b", "gate.yaml:2:3: want a plain key"},
		{"version: [1", "gate.yaml:1: not YAML: did not find expected ',' or ']'"},
		{"\tversion: 1", "gate.yaml: not YAML: found character that cannot start any token"},
		{"version: 1\x00", "gate.yaml: not YAML: control characters are not allowed"},
		{strings.Repeat("#", 1<<20+1), "gate.yaml: 1048577 bytes: a gate file has at most 1048576"},
	} {
		_, err := gate.Parse("gate.yaml", []byte(c.text))
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%.60q:\n got %v\nwant %s", c.text, err, c.want)
		}
	}
}

func TestParseTellsAllMistakes(t *testing.T) {
	_, err := gate.Parse("g", []byte("version: 1\nmax: {hi: 1}\nscope: x\n"))
	if err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("%v; want two mistakes", err)
	}
	many := "version: 1\nignoreStates: [" + strings.Repeat("x, ", 9000) + "]"
	if _, err := gate.Parse("g", []byte(many)); strings.Count(err.Error(), "\n") != 19 {
		t.Error("the number of mistakes is not bounded")
	}
}

// A file of a few hundred bytes that would expand to billions of nodes is refused before anything expands.
func TestParseRefusesAliasBombs(t *testing.T) {
	bomb := "version: 1\na: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c <= 'i'; c++ {
		prev := string(c - 1)
		bomb += string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+prev+",", 8) + "*" + prev + "]\n"
	}
	bomb += "ignoreStates: *i\n"
	if _, err := gate.Parse("bomb", []byte(bomb)); err == nil {
		t.Error("accepted")
	}
	if _, err := gate.Parse("deep", []byte("version: 1\nmax: "+strings.Repeat("[", 100_000))); err == nil {
		t.Error("accepted")
	}
}

func TestAge(t *testing.T) {
	for text, want := range map[string]string{
		"30d": "30d", "2w": "14d", "1w1d": "8d", "36h": "36h", "48h": "2d", "1d12h": "36h", "90m": "1h30m", "any": "any", "1.5h": "1h30m",
	} {
		var a gate.Age
		if err := a.UnmarshalText([]byte(text)); err != nil || a.String() != want {
			t.Errorf("%s reads as %s, %v; want %s", text, a, err, want)
		}
	}
	for _, text := range []string{"", "d", "0", "0d", "-1d", "+1h", "1d-1h", "1d1w", "1", "1y", "300y", "1e9d", "999999h", "9999999999h"} {
		var a gate.Age
		if err := a.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q reads as %s", text, a)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(everything))
	f.Add([]byte("version: 1\nmax: &a {high: any}\nwarn: *a\n"))
	f.Add([]byte("version: 1\n? {a: b}\n: [c]\n"))
	f.Add([]byte("%YAML 1.1\n---\n!!map {version: !!int 1}\n...\n"))
	for _, name := range examples(f) {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := gate.Parse("gate.yaml", b)
		if err != nil {
			return
		}
		if p.Version != 1 {
			t.Error("a file without version 1 was read")
		}
		for i := range p.Suppressions {
			if err := p.Suppressions[i].Validate(); err != nil {
				t.Error(err)
			}
		}
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := gate.Parse("again", text); err != nil {
			t.Errorf("%s\n%v", text, err)
		}
		r := with(finding.SeverityMedium, 3)
		gate.Decide(&r, p, nil, now)
	})
}

// examples are the gate files that the project gives out.
func examples(tb testing.TB) []string {
	names, err := filepath.Glob("../deploy/ci/gate.yaml")
	if err != nil {
		tb.Fatal(err)
	}
	return names
}
