package gate_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/gate"
)

var now = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// clean is a result that passes by default.
func clean() finding.Result {
	return finding.Result{
		ScannedAt: now.Add(-time.Hour),
		Inventory: finding.Inventory{
			Image:  finding.Image{Ref: "r.example/app:1", ID: "sha256:01", Platform: "linux/amd64"},
			Distro: finding.Distro{ID: "debian", VersionID: "12", Ecosystem: "Debian:12", EndOfLife: "2028-06-30"},
			Packages: []finding.Package{
				{Name: "libssl3", Version: "3.0.11-1", Type: "deb", Ecosystem: "Debian:12", SourceName: "openssl",
					PURL: "pkg:deb/debian/libssl3@3.0.11-1", Licenses: []string{"Apache-2.0"}, Path: "var/lib/dpkg/status"},
			},
			Scanned: finding.Scanned{Packages: true, Executables: true, Secrets: true, Checks: true},
		},
		Coverage: []finding.Coverage{{Ecosystem: "Debian:12", Packages: 1, Records: 1000}},
		Database: finding.Database{Digest: "sha256:02", BuiltAt: now.AddDate(0, 0, -1), Records: 1000},
	}
}

// vulnerability is the n-th finding of severity s.
func vulnerability(s finding.Severity, n int) finding.Finding {
	return finding.Finding{
		ID: fmt.Sprintf("CVE-2026-%d%03d", s, n), Severity: s, State: finding.StateFixed, Fixed: "3.0.12-1",
		Package: clean().Inventory.Packages[0], Paths: []string{"var/lib/dpkg/status"},
	}
}

// with returns a clean result that has n findings of severity s.
func with(s finding.Severity, n int) finding.Result {
	r := clean()
	for i := range n {
		r.Findings = append(r.Findings, vulnerability(s, i))
	}
	return r
}

// change returns a clean result after a change.
func change(f func(*finding.Result)) finding.Result {
	r := clean()
	f(&r)
	return r
}

// one returns a clean result with one low finding after a change.
func one(f func(*finding.Finding)) finding.Result {
	r := with(finding.SeverityLow, 1)
	f(&r.Findings[0])
	return r
}

func parse(t *testing.T, text string) *gate.Policy {
	t.Helper()
	p, err := gate.Parse("gate.yaml", []byte("version: 1\n"+text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func inBase(f *finding.Finding)  { f.Layer = &finding.LayerRef{Base: true} }
func exploit(f *finding.Finding) { f.KEV = &finding.KEV{Added: "2026-01-01"} }
func hostile(f *finding.Finding) { f.State, f.Fixed = finding.StateMalware, "" }
func unfix(f *finding.Finding)   { f.State, f.Fixed = finding.StateUnfixed, "" }
func headers(f *finding.Finding) { f.KernelHeaders = true }

func both(fs ...func(*finding.Finding)) func(*finding.Finding) {
	return func(f *finding.Finding) {
		for _, g := range fs {
			g(f)
		}
	}
}

func baseHigh() finding.Result {
	r := with(finding.SeverityHigh, 1)
	inBase(&r.Findings[0])
	return r
}

func gap(kind finding.GapKind, where string) finding.Result {
	return change(func(r *finding.Result) {
		r.Inventory.Gaps = []finding.Gap{{Kind: kind, Where: where, Detail: "it did not parse"}}
	})
}

func secret(s finding.Severity) finding.Result {
	return change(func(r *finding.Result) {
		r.Inventory.Secrets = []finding.Secret{{Rule: "aws-access-key", Severity: s, Path: "app/.env", Masked: "AKIA…"}}
	})
}

func check(s finding.Severity) finding.Result {
	return change(func(r *finding.Result) {
		r.Inventory.Checks = []finding.Check{{ID: "SW-IMG-001", Severity: s}}
	})
}

func based(name string, layers ...string) finding.Result {
	return change(func(r *finding.Result) {
		r.Inventory.Image.Config.Labels = map[string]string{"org.opencontainers.image.base.name": name}
		for _, id := range layers {
			r.Inventory.Image.Layers = append(r.Inventory.Image.Layers, finding.Layer{LayerRef: finding.LayerRef{DiffID: id}})
		}
	})
}

func licensed(texts ...string) finding.Result {
	return change(func(r *finding.Result) { r.Inventory.Packages[0].Licenses = texts })
}

func TestDecide(t *testing.T) {
	d1 := "sha256:" + strings.Repeat("1", 64)
	d2 := "sha256:" + strings.Repeat("2", 64)
	require := "baseImages: {require: [{name: 'r.example/base/*'}]}"
	layers := "baseImages: {require: [{layers: ['" + d1 + "']}]}"
	const (
		pass = finding.Pass
		warn = finding.Warn
		fail = finding.Fail
		none = finding.NotEvaluated
	)
	for _, c := range []struct {
		name   string
		policy string
		result finding.Result
		want   finding.Decision
		rule   string // of the first reason, "" for no reason
	}{
		{"clean", "", clean(), pass, ""},

		// The thresholds of the default.
		{"critical", "", with(finding.SeverityCritical, 1), fail, "max.critical"},
		{"high", "", with(finding.SeverityHigh, 1), fail, "max.high"},
		{"1 medium", "", with(finding.SeverityMedium, 1), warn, "warn.medium"},
		{"5 medium", "", with(finding.SeverityMedium, 5), warn, "warn.medium"},
		{"6 medium", "", with(finding.SeverityMedium, 6), fail, "max.medium"},
		{"1 low", "", with(finding.SeverityLow, 1), warn, "warn.low"},
		{"15 low", "", with(finding.SeverityLow, 15), warn, "warn.low"},
		{"16 low", "", with(finding.SeverityLow, 16), fail, "max.low"},
		{"negligible", "", with(finding.SeverityNegligible, 99), pass, ""},
		{"5 unrated", "", with(finding.SeverityUnknown, 5), warn, "warn.unknown"},
		{"6 unrated", "", with(finding.SeverityUnknown, 6), fail, "max.unknown"},

		// Own thresholds.
		{"1 high allowed", "max: {high: 1}\nwarn: {high: any}", with(finding.SeverityHigh, 1), pass, ""},
		{"2 high, 1 allowed", "max: {high: 1}", with(finding.SeverityHigh, 2), fail, "max.high"},
		{"any medium", "max: {medium: any}", with(finding.SeverityMedium, 500), warn, "warn.medium"},

		// What is exploited, hostile or likely to be exploited.
		{"exploited", "", one(exploit), fail, "kev"},
		{"exploited, warn", "kev: warn", one(exploit), warn, "kev"},
		{"exploited, ignore", "kev: ignore\nwarn: {low: any}", one(exploit), pass, ""},
		{"exploited and unfixed", "ignoreUnfixed: true", one(both(exploit, unfix)), fail, "kev"},
		{"exploited in the base", "scope: own", one(both(exploit, inBase)), fail, "kev"},
		{"exploited kernel headers", "", one(both(exploit, headers)), pass, ""},
		{"hostile", "max: {low: any}", one(hostile), fail, "malware"},
		{"hostile and unfixed", "ignoreUnfixed: true\nscope: own", one(both(hostile, inBase)), fail, "malware"},
		{"probable", "epss: {fail: 0.5}", one(func(f *finding.Finding) { f.EPSS = &finding.EPSS{Score: 0.5} }), fail, "epss.fail"},
		{"less probable", "epss: {fail: 0.5, warn: 0.1}", one(func(f *finding.Finding) { f.EPSS = &finding.EPSS{Score: 0.4} }), warn, "epss.warn"},
		{"improbable", "epss: {fail: 0.5}\nwarn: {low: any}", one(func(f *finding.Finding) { f.EPSS = &finding.EPSS{Score: 0.4} }), pass, ""},

		// What does not count.
		{"unfixed", "", one(unfix), warn, "warn.low"},
		{"unfixed ignored", "ignoreUnfixed: true", one(unfix), pass, ""},
		{"state ignored", "ignoreStates: [wont-fix]", one(func(f *finding.Finding) { f.State = finding.StateWontFix }), pass, ""},
		{"kernel headers", "", one(headers), pass, ""},
		{"kernel headers count", "kernelHeaders: count", one(headers), warn, "warn.low"},
		{"base high", "", baseHigh(), fail, "max.high"},
		{"base high, own scope", "scope: own", baseHigh(), warn, "max.high"},

		// Gaps.
		{"unreadable", "", gap(finding.GapUnreadable, "a/b"), none, "gaps.unreadable"},
		{"unreadable warns", "gaps: {warn: [unreadable]}", gap(finding.GapUnreadable, "a/b"), warn, "gaps.unreadable"},
		{"unreadable ignored", "gaps: {ignore: [unreadable]}", gap(finding.GapUnreadable, "a/b"), pass, ""},
		{"ignored there", "gaps: {ignore: ['unreadable:a/**']}", gap(finding.GapUnreadable, "a/b"), pass, ""},
		{"ignored elsewhere", "gaps: {ignore: ['unreadable:b/**']}", gap(finding.GapUnreadable, "a/b"), none, "gaps.unreadable"},
		{"a place outweighs", "gaps: {ignore: [unreadable], stop: ['unreadable:a/**']}", gap(finding.GapUnreadable, "a/b"), none, "gaps.unreadable"},
		{"unparsed version", "", gap(finding.GapUnparsedVersion, "npm"), warn, "gaps.unparsed-version"},
		{"unparsed version stops", "gaps: {stop: [unparsed-version]}", gap(finding.GapUnparsedVersion, "npm"), none, "gaps.unparsed-version"},
		{"a kind that is new", "", gap("something-else", ""), none, "gaps.something-else"},
		{"starter", "", change(func(r *finding.Result) { r.Database.Starter = true }), none, "gaps.starter-only"},
		{"no database", "", change(func(r *finding.Result) { r.Database = finding.Database{} }), none, "gaps.database-mismatch"},
		{"old database", "", change(func(r *finding.Result) { r.Database.BuiltAt = now.AddDate(0, 0, -31) }), none, "gaps.stale-database"},
		{"old database allowed", "maxDatabaseAge: any", change(func(r *finding.Result) { r.Database.BuiltAt = time.Time{} }), pass, ""},
		{"undated database", "", change(func(r *finding.Result) { r.Database.BuiltAt = time.Time{} }), none, "gaps.stale-database"},
		{"database of tomorrow", "", change(func(r *finding.Result) { r.Database.BuiltAt = now.AddDate(0, 0, 1) }), none, "gaps.stale-database"},
		{"old scan", "maxScanAge: 30m", clean(), none, "maxScanAge"},
		{"fresh scan", "maxScanAge: 2h", clean(), pass, ""},
		{"nothing", "", change(func(r *finding.Result) { r.Inventory.Packages = nil }), none, "gaps.nothing-found"},
		{"no coverage", "", change(func(r *finding.Result) { r.Coverage = nil }), none, "gaps.no-data"},
		{"no data", "", change(func(r *finding.Result) { r.Coverage[0].Gap = finding.GapNoData }), none, "gaps.no-data"},
		{"no data for a kind without advisories", "", generic(), warn, "gaps.no-data"},
		{"the same, stopped by name", "gaps: {stop: ['no-data:generic']}", generic(), none, "gaps.no-data"},
		{"the same, ignored", "gaps: {ignore: [no-data]}", generic(), pass, ""},
		{"not scanned", "", change(func(r *finding.Result) { r.Inventory.Scanned.Packages = false }), none, "gaps.not-scanned"},
		{"end of life since the scan", "", change(func(r *finding.Result) { r.Inventory.Distro.EndOfLife = "2026-11-19" }), none, "gaps.end-of-life"},
		{"last day of life", "", change(func(r *finding.Result) { r.Inventory.Distro.EndOfLife = "2026-11-20" }), pass, ""},

		// Secrets and configuration.
		{"secret", "", secret(finding.SeverityHigh), warn, "secrets.warn"},
		{"secret fails", "secrets: {fail: high}", secret(finding.SeverityHigh), fail, "secrets.fail"},
		{"lesser secret", "secrets: {fail: high, warn: never}", secret(finding.SeverityMedium), pass, ""},
		{"unrated secret", "secrets: {fail: medium}", secret(finding.SeverityUnknown), fail, "secrets.fail"},
		{"secrets not looked for", "secrets: {fail: high}", change(func(r *finding.Result) { r.Inventory.Scanned.Secrets = false }), none, "gaps.not-scanned"},
		{"secrets not asked for", "", change(func(r *finding.Result) { r.Inventory.Scanned.Secrets = false }), pass, ""},
		{"check", "", check(finding.SeverityHigh), pass, ""},
		{"check warns", "checks: {warn: low}", check(finding.SeverityHigh), warn, "checks.warn"},
		{"check fails", "checks: {fail: high}", check(finding.SeverityHigh), fail, "checks.fail"},
		{"check denied", "checks: {deny: ['SW-IMG-00*']}", check(finding.SeverityLow), fail, "checks.deny"},
		{"checks not made", "checks: {deny: [SW-IMG-001]}", change(func(r *finding.Result) { r.Inventory.Scanned.Checks = false }), none, "gaps.not-scanned"},

		// Packages, licences, base images.
		{"package denied", "packages: {deny: [openssl]}", clean(), fail, "packages.deny"},
		{"package denied by version", "packages: {deny: [{package: libssl3, version: '3.0.*'}]}", clean(), fail, "packages.deny"},
		{"another version", "packages: {deny: [{package: libssl3, version: '1.*'}]}", clean(), pass, ""},
		{"package URL denied", "packages: {deny: ['pkg:deb/debian/libssl3']}", clean(), fail, "packages.deny"},
		{"another package", "packages: {deny: [libssl]}", clean(), pass, ""},
		{"licence denied", "licenses: {deny: ['GPL-*']}", licensed("GPL-3.0-only"), fail, "licenses.deny"},
		{"licence by its old name", "licenses: {deny: [GPL-3.0]}", licensed("GPL-3.0-only"), fail, "licenses.deny"},
		{"licence by choice", "licenses: {deny: ['GPL-*']}", licensed("MIT OR GPL-3.0-only"), pass, ""},
		{"licences together", "licenses: {deny: ['GPL-*']}", licensed("MIT AND GPL-3.0-only"), fail, "licenses.deny"},
		{"several licences", "licenses: {deny: ['GPL-*']}", licensed("MIT", "GPL-3.0+"), fail, "licenses.deny"},
		{"licence with exception", "licenses: {deny: ['GPL-*'], allow: ['GPL-2.0-only WITH Classpath-exception-2.0']}",
			licensed("GPL-2.0-only WITH Classpath-exception-2.0"), pass, ""},
		{"licence allowed", "licenses: {allow: [mit, apache-2.0]}", licensed("Apache-2.0"), pass, ""},
		{"licence not allowed", "licenses: {allow: [MIT]}", licensed("Apache-2.0"), fail, "licenses.allow"},
		{"licence that is a sentence", "licenses: {allow: [MIT]}", licensed("see LICENSE"), fail, "licenses.allow"},
		{"no licence", "licenses: {allow: [MIT]}", licensed(), warn, "licenses.unknown"},
		{"no licence, nothing allowed", "licenses: {deny: [MIT]}", licensed(), pass, ""},
		{"no licence fails", "licenses: {allow: [MIT], unknown: fail}", licensed(), fail, "licenses.unknown"},
		{"base", require, based("r.example/base/debian"), pass, ""},
		{"another base", require, based("r.example/debian"), fail, "baseImages.require"},
		{"no base", require, based(""), fail, "baseImages.require"},
		{"base unknown", require, clean(), none, "baseImages.require"},
		{"base by layers", layers, based("x", d1, d2), pass, ""},
		{"another base by layers", layers, based("x", d2, d1), fail, "baseImages.require"},

		// What fails stays failed, whatever else could not be looked at.
		{"fail and gap", "", change(func(r *finding.Result) {
			r.Findings = with(finding.SeverityHigh, 1).Findings
			r.Database.Starter = true
		}), fail, "max.high"},
		{"warn and gap", "", change(func(r *finding.Result) {
			r.Findings = with(finding.SeverityLow, 1).Findings
			r.Database.Starter = true
		}), none, "gaps.starter-only"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := gate.Decide(&c.result, parse(t, c.policy), nil, now)
			rule := ""
			if len(v.Reasons) > 0 {
				rule = v.Reasons[0].Rule
			}
			if v.Decision != c.want || rule != c.rule {
				t.Errorf("%s because of %q; want %s because of %q\n%+v", v.Decision, rule, c.want, c.rule, v.Reasons)
			}
		})
	}
}

func generic() finding.Result {
	return change(func(r *finding.Result) {
		r.Inventory.Packages = append(r.Inventory.Packages, finding.Package{Name: "x", Version: "1", Type: "generic"})
		r.Coverage = append(r.Coverage, finding.Coverage{Ecosystem: "generic", Packages: 1, Gap: finding.GapNoData})
	})
}

func TestNeverScanned(t *testing.T) {
	v := gate.Decide(nil, nil, nil, now)
	want := finding.Verdict{
		Decision: finding.NotEvaluated, Policy: "default", DecidedAt: now,
		Reasons: []finding.Reason{{Decision: finding.NotEvaluated, Rule: "gaps.not-scanned", Message: "the image was not scanned"}},
	}
	if diff := cmp.Diff(want, v); diff != "" {
		t.Error(diff)
	}
}

func TestVerdict(t *testing.T) {
	r := with(finding.SeverityHigh, 2)
	r.Findings = append(r.Findings, vulnerability(finding.SeverityLow, 1), vulnerability(finding.SeverityLow, 2))
	headers(&r.Findings[2])
	s := []finding.Suppression{{Source: finding.SourceIgnore, ID: r.Findings[1].ID}}
	p := parse(t, "maxScanAge: 30m")
	want := finding.Verdict{
		Decision: finding.Fail,
		Reasons: []finding.Reason{
			{Decision: finding.Fail, Rule: "max.high", Message: "1 high finding, none allowed", IDs: []string{r.Findings[0].ID}},
			{Decision: finding.NotEvaluated, Rule: "maxScanAge", Message: "the scan is 1h old, 30m allowed"},
			{Decision: finding.Warn, Rule: "warn.low", Message: "1 low finding", IDs: []string{r.Findings[3].ID}},
		},
		Counts: finding.Counts{High: 1, Low: 1}, Suppressed: 1, SetApart: 1,
		Policy: "gate.yaml", PolicyDigest: p.Digest, DecidedAt: now,
	}
	if diff := cmp.Diff(want, gate.Decide(&r, p, s, now)); diff != "" {
		t.Error(diff)
	}
}

// An image cannot write to the terminal through the names of its packages.
func TestMessagesArePlain(t *testing.T) {
	r := clean()
	r.Inventory.Packages[0].Name = "evil\x1b[2J\nname\u202e"
	v := gate.Decide(&r, parse(t, "packages: {deny: ['evil*']}"), nil, now)
	if m := v.Reasons[0].Message; strings.ContainsAny(m, "\x1b\n\u202e") {
		t.Errorf("%q", m)
	}
}

func TestIDsAreBounded(t *testing.T) {
	r := with(finding.SeverityHigh, 1000)
	if n := len(gate.Decide(&r, nil, nil, now).Reasons[0].IDs); n != 20 {
		t.Errorf("%d ids; want 20", n)
	}
}

func BenchmarkDecide(b *testing.B) {
	r := with(finding.SeverityLow, 2000)
	s := gate.Baseline([]finding.Result{r}, &r.Inventory.Image, "old.json")
	p := gate.Default()
	for b.Loop() {
		gate.Decide(&r, p, s, now)
	}
}
