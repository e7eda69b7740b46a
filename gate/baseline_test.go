package gate_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/gate"
)

// since decides about r with old as its baseline, through the report's JSON.
func since(t *testing.T, r finding.Result, old ...finding.Result) finding.Verdict {
	t.Helper()
	b, err := json.Marshal(map[string]any{"schemaVersion": 1, "results": old})
	if err != nil {
		t.Fatal(err)
	}
	results, err := gate.ParseBaseline("old.json", b)
	if err != nil {
		t.Fatal(err)
	}
	p := parse(t, "secrets: {fail: low}\nchecks: {fail: low}")
	return gate.Decide(&r, p, gate.Baseline(results, &r.Inventory.Image, "old.json"), now)
}

func TestBaseline(t *testing.T) {
	old := with(finding.SeverityHigh, 2)
	old.Inventory.Secrets = secret(finding.SeverityHigh).Inventory.Secrets
	old.Inventory.Checks = []finding.Check{{ID: "SW-IMG-005", Severity: finding.SeverityHigh, Paths: []string{"usr/bin/su", "usr/bin/mount"}}}
	rebuilt := func(f func(*finding.Result)) finding.Result {
		r := with(finding.SeverityHigh, 2)
		r.Inventory.Image.Ref, r.Inventory.Image.ID = "r.example/app:2", "sha256:03"
		r.Inventory.Secrets = append(r.Inventory.Secrets, old.Inventory.Secrets...)
		r.Inventory.Checks = append(r.Inventory.Checks, old.Inventory.Checks...)
		f(&r)
		return r
	}
	for _, c := range []struct {
		name string
		f    func(*finding.Result)
		want string // the rule that fails, "" for a pass
	}{
		{"rebuilt", func(*finding.Result) {}, ""},
		{"new version of the package", func(r *finding.Result) { r.Findings[0].Package.Version = "3.0.99" }, ""},
		{"one fixed", func(r *finding.Result) { r.Findings = r.Findings[1:] }, ""},
		{"got a CVE", func(r *finding.Result) {
			r.Findings[0].Aliases, r.Findings[0].ID = []string{r.Findings[0].ID}, "CVE-2026-9999"
		}, ""},
		{"new finding", func(r *finding.Result) { r.Findings = append(r.Findings, vulnerability(finding.SeverityHigh, 7)) }, "max.high"},
		{"another package", func(r *finding.Result) { r.Findings[0].Package.Name = "openssl" }, "max.high"},
		{"exploited now", func(r *finding.Result) { exploit(&r.Findings[0]) }, "max.high"},
		{"secret on another line", func(r *finding.Result) { r.Inventory.Secrets[0].Line = 9 }, ""},
		{"another secret", func(r *finding.Result) { r.Inventory.Secrets[0].Masked = "AKIB…" }, "secrets.fail"},
		{"fewer paths", func(r *finding.Result) { r.Inventory.Checks[0].Paths = []string{"usr/bin/su"} }, ""},
		{"more paths", func(r *finding.Result) { r.Inventory.Checks[0].Paths = []string{"usr/bin/su", "usr/bin/new"} }, "checks.fail"},
		{"another platform", func(r *finding.Result) { r.Inventory.Image.Platform = "linux/arm64" }, "max.high"},
		{"another name", func(r *finding.Result) { r.Inventory.Image.Ref = "mirror.example/app:2" }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := since(t, rebuilt(c.f), old)
			rule := ""
			if len(v.Reasons) > 0 {
				for _, reason := range v.Reasons {
					if strings.HasPrefix(reason.Rule, c.want) {
						rule = c.want
					}
				}
			}
			if (v.Decision == finding.Pass) != (c.want == "") || rule != c.want {
				t.Errorf("%s: %+v", v.Decision, v.Reasons)
			}
		})
	}
}

func TestBaselineOfSeveralImages(t *testing.T) {
	app, other := with(finding.SeverityHigh, 1), with(finding.SeverityHigh, 2)
	other.Inventory.Image.Ref = "r.example/other:1"
	if v := since(t, with(finding.SeverityHigh, 1), app, other); v.Decision != finding.Pass {
		t.Errorf("known: %+v", v)
	}
	if v := since(t, with(finding.SeverityHigh, 2), app, other); v.Decision != finding.Fail {
		t.Error("a finding of another image is not new")
	}
}

// An exception that has ended must not live on in a baseline.
func TestBaselineLeavesOutExceptions(t *testing.T) {
	old := with(finding.SeverityHigh, 1)
	was := full(finding.SourceGate)
	old.Findings[0].Suppressed = &was
	if v := since(t, with(finding.SeverityHigh, 1), old); v.Decision != finding.Fail {
		t.Error("an exception became a part of the baseline")
	}
	old.Findings[0].Suppressed = &finding.Suppression{Source: finding.SourceBaseline}
	if v := since(t, with(finding.SeverityHigh, 1), old); v.Decision != finding.Pass {
		t.Error("a baseline made with a baseline forgets what was known")
	}
}

func TestParseBaselineErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                                "old.json:1: not a JSON report: unexpected end of JSON input",
		"{}":                              "old.json: no results in it: write the baseline with -o json",
		"[]":                              "old.json:1: not a JSON report: json: cannot unmarshal array",
		`{"results":[]}`:                  "old.json: report of schema version 0: want 1",
		"{\"schemaVersion\":1,\n\"x\"}\n": "old.json:2: not a JSON report: invalid character",
	} {
		_, err := gate.ParseBaseline("old.json", []byte(text))
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v; want %s", text, err, want)
		}
	}
	empty, err := gate.ParseBaseline("old.json", []byte(`{"schemaVersion":1,"results":[]}`))
	if err != nil || len(gate.Baseline(empty, &finding.Image{}, "old.json")) != 0 {
		t.Error("an empty report is a baseline without anything in it")
	}
}

func FuzzParseBaseline(f *testing.F) {
	r := with(finding.SeverityHigh, 1)
	b, err := json.Marshal(map[string]any{"schemaVersion": 1, "results": []finding.Result{r}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"schemaVersion":1,"results":[{"findings":[{"severity":"severe"}]}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		results, err := gate.ParseBaseline("old.json", b)
		if err != nil {
			return
		}
		s := gate.Baseline(results, &r.Inventory.Image, "old.json")
		if diff := cmp.Diff(len(s), len(gate.Baseline(append(results, results...), &r.Inventory.Image, "old.json"))); diff != "" {
			t.Error("a result that stands there twice changes the baseline")
		}
	})
}
