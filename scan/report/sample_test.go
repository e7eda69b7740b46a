package report

import (
	"time"

	"github.com/seawall/seawall/finding"
)

var at = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// layers are two of a base image and two of the user's own.
var layers = []finding.Layer{
	{LayerRef: finding.LayerRef{Index: 0, DiffID: "sha256:aa00", CreatedBy: "ADD rootfs.tar.xz /", Base: true}, Size: 74 << 20},
	{LayerRef: finding.LayerRef{Index: 1, DiffID: "sha256:bb11", CreatedBy: "RUN apt-get update && apt-get install -y curl nodejs", Base: true}},
	{LayerRef: finding.LayerRef{Index: 2, DiffID: "sha256:cc22", CreatedBy: "COPY package*.json ./"}},
	{LayerRef: finding.LayerRef{Index: 3, DiffID: "sha256:dd33", CreatedBy: "RUN npm ci --omit=dev"}},
}

func layer(i int) *finding.LayerRef {
	ref := layers[i].LayerRef
	return &ref
}

// deb, npm and the others make packages as the inventory gives them.
func deb(name, version, source, sourceVersion string) finding.Package {
	return finding.Package{
		Name: name, Version: version, Type: "deb", Ecosystem: "Debian:12", SourceName: source, SourceVersion: sourceVersion, Arch: "amd64",
		PURL:     "pkg:deb/debian/" + name + "@" + version + "?arch=amd64&distro=debian-12&upstream=" + source,
		Licenses: []string{"GPL-2.0-only WITH Classpath-exception-2.0", "custom: as is"}, Path: "var/lib/dpkg/status", Layer: layer(0),
	}
}

func npm(name, version, path string) finding.Package {
	return finding.Package{Name: name, Version: version, Type: "npm", Ecosystem: "npm", PURL: "pkg:npm/" + name + "@" + version,
		Licenses: []string{"MIT"}, Path: path, Layer: layer(3)}
}

func samplePackages() []finding.Package {
	dnf := finding.Package{Name: "nodejs", Version: "1:18.19.0-1.module+el9", Type: "rpm", Ecosystem: "AlmaLinux:9", SourceName: "nodejs",
		Arch: "x86_64", Modularity: "nodejs:18:9030020230101:abc", PURL: "pkg:rpm/almalinux/nodejs@18.19.0-1.module%2Bel9?epoch=1", Layer: layer(1)}
	return []finding.Package{
		deb("libc6", "2.36-9+deb12u4", "glibc", "2.36-9+deb12u4"),
		deb("libc-bin", "2.36-9+deb12u4", "glibc", "2.36-9+deb12u4"),
		deb("linux-libc-dev", "6.1.76-1", "linux", "6.1.76-1"),
		dnf,
		npm("minimist", "1.2.0", "app/node_modules/minimist/package.json"),
		npm("minimist", "1.2.0", "app/node_modules/mkdirp/node_modules/minimist/package.json"),
		{Name: "six", Version: "1.16.0", Type: "pypi", Ecosystem: "PyPI", PURL: "pkg:pypi/six@1.16.0", OwnedBy: "python3-six",
			Path: "usr/lib/python3/dist-packages/six-1.16.0.egg-info", Layer: layer(0)},
	}
}

func sampleFindings() []finding.Finding {
	p := samplePackages()
	return []finding.Finding{
		{ID: "CVE-2021-44906", Aliases: []string{"GHSA-xvch-5gv4-984h"}, Advisories: []string{"GHSA-xvch-5gv4-984h"}, Title: "Prototype Pollution in minimist",
			URL: "https://github.com/advisories/GHSA-xvch-5gv4-984h", Package: p[4], Paths: []string{p[4].Path, p[5].Path}, Fixed: "1.2.6",
			State: finding.StateFixed, Severity: finding.SeverityCritical, SeveritySource: "cvss:GHSA-xvch-5gv4-984h", Score: 9.8,
			Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", CWE: []string{"CWE-1321"}, Layer: layer(3), EPSS: &finding.EPSS{Score: 0.0123, Percentile: 0.79}},
		{ID: "CVE-2023-4911", Advisories: []string{"DSA-5514-1"}, Title: "glibc: buffer overflow in ld.so leading to privilege escalation", Package: p[0],
			Paths: []string{"var/lib/dpkg/status"}, Fixed: "2.36-9+deb12u5", State: finding.StateFixed, Severity: finding.SeverityHigh, Score: 7.8,
			Vector: "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", KEV: &finding.KEV{Added: "2023-11-21", Due: "2023-12-12", Ransomware: true},
			EPSS: &finding.EPSS{Score: 0.94, Percentile: 0.99}, Layer: layer(0), Published: at.AddDate(-3, 0, 0), Modified: at.AddDate(-1, 0, 0)},
		{ID: "CVE-2023-4911", Advisories: []string{"DSA-5514-1"}, Title: "glibc: buffer overflow in ld.so leading to privilege escalation", Package: p[1],
			Paths: []string{"var/lib/dpkg/status"}, Fixed: "2.36-9+deb12u5", State: finding.StateFixed, Severity: finding.SeverityHigh, Score: 7.8,
			KEV: &finding.KEV{Added: "2023-11-21"}, EPSS: &finding.EPSS{Score: 0.94, Percentile: 0.99}, Layer: layer(0)},
		{ID: "CVE-2024-2961", Advisories: []string{"DEBIAN-CVE-2024-2961"}, Package: p[0], State: finding.StateDeferred, Severity: finding.SeverityMedium,
			Paths: []string{"var/lib/dpkg/status"}, Layer: layer(0), Suppressed: &finding.Suppression{Source: finding.SourceVEX, ID: "CVE-2024-2961",
				Reason: "vulnerable_code_not_in_execute_path: iconv is never called", Origin: "app.vex.json:1"}},
		{ID: "CVE-2010-4756", Advisories: []string{"DEBIAN-CVE-2010-4756"}, Title: "glob implementation may use unbounded CPU", Package: p[0],
			Paths: []string{"var/lib/dpkg/status"}, State: finding.StateUnimportant, Severity: finding.SeverityNegligible, Layer: layer(0)},
		{ID: "CVE-2024-1086", Advisories: []string{"DSA-5681-1"}, Title: "netfilter: use after free", Package: p[2], Paths: []string{"var/lib/dpkg/status"},
			Fixed: "6.1.90-1", State: finding.StateFixed, Severity: finding.SeverityHigh, KernelHeaders: true, Layer: layer(0)},
	}
}

// sample is a result that has something of everything.
func sample() finding.Result {
	return finding.Result{
		Tool: "seawall 1.2.3", ScannedAt: at,
		Inventory: finding.Inventory{
			Image: finding.Image{Ref: "registry.example.com:5000/shop/api:1.4.2", ID: "sha256:8f0c2a91d3e4b5a6978812345678900011223344556677889900aabbccddeeff",
				IDKind: finding.IDManifest, Platform: "linux/amd64", Tags: []string{"shop/api:1.4.2"}, Layers: layers, Size: 120 << 20},
			Distro:   finding.Distro{ID: "debian", VersionID: "12", Codename: "bookworm", Name: "Debian GNU/Linux 12 (bookworm)", Ecosystem: "Debian:12"},
			Analyser: "1", Packages: samplePackages(), Scanned: finding.Scanned{Packages: true, Secrets: true, Checks: true},
			Secrets: []finding.Secret{
				{Rule: "aws-access-key", Title: "AWS access key", Severity: finding.SeverityCritical, Path: "app/.env", Line: 3, Masked: "AKIA****************", Deleted: true, Layer: layer(2)},
				{Rule: "password-env", Title: "Password in the environment", Severity: finding.SeverityHigh, Where: "env DB_PASSWORD", Masked: "hu****"},
			},
			Checks: []finding.Check{
				{ID: "SW-IMG-001", Title: "The image runs as root", Severity: finding.SeverityMedium, Detail: "No USER is set.", Fix: "Add USER 65532 as the last instruction."},
				{ID: "SW-IMG-002", Title: "No HEALTHCHECK", Severity: finding.SeverityLow, Detail: "Nothing tells whether the service answers.", Fix: "Add a HEALTHCHECK.",
					Suppressed: &finding.Suppression{Source: finding.SourceGate, Reason: "Kubernetes probes it", Owner: "team-shop", Expires: at.AddDate(0, 6, 0)}},
			},
			Gaps: []finding.Gap{{Kind: finding.GapTooLarge, Where: "opt/big.jar", Detail: "2.1 GiB, over the limit of 1 GiB"}},
		},
		Findings: sampleFindings(),
		Coverage: []finding.Coverage{
			{Ecosystem: "Debian:12", Packages: 3, Records: 12000, Newest: at},
			{Ecosystem: "npm", Packages: 2, Records: 3000, Newest: at},
			{Ecosystem: "AlmaLinux:9", Packages: 1, Gap: finding.GapNoData, Detail: "the database has no advisories for AlmaLinux:9"},
		},
		Database: finding.Database{Digest: "sha256:0011", BuiltAt: at.Add(-5 * time.Hour), Records: 45012},
		Upgrades: []finding.Upgrade{
			{Kind: "base", Package: "debian", From: "12.1", To: "12.8", Fixes: finding.Counts{High: 2}, IDs: []string{"CVE-2023-4911"}},
			{Kind: "package", Package: "minimist", From: "1.2.0", To: "1.2.6", Fixes: finding.Counts{Critical: 1}, IDs: []string{"CVE-2021-44906"}},
		},
		Verdict: &finding.Verdict{Decision: finding.Fail, Counts: finding.Counts{Critical: 1, High: 2, Negligible: 1}, Suppressed: 1, Policy: "default", DecidedAt: at,
			Reasons: []finding.Reason{
				{Decision: finding.Fail, Rule: "max.critical", Message: "1 critical finding; none is allowed", IDs: []string{"CVE-2021-44906"}},
				{Decision: finding.Warn, Rule: "gaps.no-data", Message: "AlmaLinux:9 was not evaluated"},
			}},
	}
}

// clean is a result without anything to report.
func clean() finding.Result {
	r := sample()
	r.Findings, r.Upgrades, r.Verdict, r.Coverage = nil, nil, nil, r.Coverage[:2]
	r.Inventory.Secrets, r.Inventory.Checks, r.Inventory.Gaps = nil, nil, nil
	return r
}

// hostileText has what could steer a terminal, leave a page or break a document.
const hostileText = "evil\x1b[31m\x1b]0;own\x07<script>alert(1)</script>\"'&\r\n\x00\u202e\u009b2J\xff]]>"

// hostile is the sample with that text in every field that an image or an advisory decides.
func hostile() finding.Result {
	r := sample()
	v := &r.Inventory
	v.Image.Ref += hostileText
	v.Distro.Name = hostileText
	for i := range v.Packages {
		p := &v.Packages[i]
		p.Name, p.Version, p.Path, p.Licenses = p.Name+hostileText, p.Version+hostileText, p.Path+hostileText, []string{hostileText}
	}
	for i := range v.Secrets {
		v.Secrets[i].Title, v.Secrets[i].Masked, v.Secrets[i].Path = hostileText, hostileText, hostileText
	}
	for i := range v.Checks {
		v.Checks[i].Title, v.Checks[i].Fix, v.Checks[i].Paths = hostileText, hostileText, []string{hostileText}
	}
	v.Gaps[0].Where, v.Gaps[0].Detail = hostileText, hostileText
	r.Coverage[2].Detail, r.Upgrades[1].Package, r.Verdict.Reasons[0].Message, r.Verdict.Policy = hostileText, hostileText, hostileText, hostileText
	for i := range r.Findings {
		f := &r.Findings[i]
		f.Title, f.URL, f.Fixed, f.Paths = hostileText, "javascript:"+hostileText, hostileText, []string{hostileText}
		f.Package.Name, f.Package.Version = f.Package.Name+hostileText, hostileText
		f.Layer = &finding.LayerRef{Index: 1, CreatedBy: hostileText}
		if f.Suppressed != nil {
			f.Suppressed.Reason = hostileText
		}
	}
	return r
}
