package advisory

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/advisory/feed"
)

// published are records in the form in which OSV publishes each distribution's.
var published = []string{
	`{"id": "UBUNTU-CVE-2024-1001", "upstream": ["CVE-2024-1001"], "modified": "2024-05-01T00:00:00Z",
	"severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}, {"type": "Ubuntu", "score": "medium"}],
	"affected": [
	{"package": {"ecosystem": "Ubuntu:22.04:LTS", "name": "expat", "purl": "pkg:deb/ubuntu/expat@2.4.7-1ubuntu0.3?arch=source&distro=jammy"},
	 "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.4.7-1ubuntu0.3"}]}], "versions": ["2.4.1-2", "2.4.7-1"],
	 "ecosystem_specific": {"binaries": [{"binary_name": "libexpat1", "binary_version": "2.4.7-1ubuntu0.3"}]}},
	{"package": {"ecosystem": "Ubuntu:Pro:22.04:LTS", "name": "expat"},
	 "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.4.7-1ubuntu0.3+esm1"}]}]},
	{"package": {"ecosystem": "Ubuntu:Pro:FIPS-updates:22.04:LTS", "name": "expat"},
	 "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "9+fips1"}]}]},
	{"package": {"ecosystem": "Ubuntu:24.04:LTS", "name": "expat"},
	 "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "9"}]}]}]}`,
	`{"id": "UBUNTU-CVE-2024-1002", "upstream": ["CVE-2024-1002"], "modified": "2024-05-01T00:00:00Z",
	"severity": [{"type": "Ubuntu", "score": "low"}], "affected": [
	{"package": {"ecosystem": "Ubuntu:Pro:22.04:LTS", "name": "imagemagick"},
	 "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "8:6.9.11.60+dfsg-1.3ubuntu0.22.04.5+esm1"}]}]}]}`,
	`{"id": "UBUNTU-CVE-2019-1003", "upstream": ["CVE-2019-1003"], "modified": "2024-05-01T00:00:00Z", "affected": [
	{"package": {"ecosystem": "Ubuntu:Pro:18.04:LTS", "name": "bash"},
	 "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "4.4.18-2ubuntu1.2"}]}]}]}`,
	`{"id": "RHSA-2024:2001", "upstream": ["CVE-2024-2001"], "modified": "2024-05-01T00:00:00Z",
	"summary": "Red Hat Security Advisory: openssl security update", "affected": [
	{"package": {"ecosystem": "Red Hat:enterprise_linux:9::baseos", "name": "openssl-libs", "purl": "pkg:rpm/redhat/openssl-libs"},
	 "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1:3.0.7-25.el9_3"}]}]},
	{"package": {"ecosystem": "Red Hat:enterprise_linux:10.0", "name": "openssl-libs"},
	 "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1:3.2.2-16.el10_0"}]}]},
	{"package": {"ecosystem": "Red Hat:rhel_eus:9.2::baseos", "name": "openssl-libs"},
	 "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1:3.9-1.el9_2"}]}]}]}`,
	`{"id": "RHSA-2024:2002", "upstream": ["CVE-2024-2002"], "modified": "2024-05-01T00:00:00Z",
	"summary": "Red Hat Security Advisory: nodejs:18 security update", "affected": [
	{"package": {"ecosystem": "Red Hat:enterprise_linux:8::appstream", "name": "nodejs"},
	 "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1:18.20.4-1.module+el8.10.0+22202+761b9a65"}]}]}]}`,
	`{"id": "RLSA-2024:3001", "upstream": ["CVE-2024-3001"], "modified": "2024-05-01T00:00:00Z",
	"summary": "Important: nodejs:20 security update", "affected": [
	{"package": {"ecosystem": "Rocky Linux:9", "name": "nodejs", "purl": "pkg:rpm/rocky-linux/nodejs?distro=rocky-linux-9&epoch=1"},
	 "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1:20.16.0-1.module+el9.4.0+21819+c0d0e04b"}]}]}]}`,
	`{"id": "RLSA-2024:3002", "upstream": ["CVE-2024-3002"], "modified": "2024-05-01T00:00:00Z",
	"summary": "Moderate: glibc security update", "affected": [
	{"package": {"ecosystem": "Rocky Linux:9", "name": "glibc", "purl": "pkg:rpm/rocky-linux/glibc?distro=rocky-linux-9&epoch=0"},
	 "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "0:2.34-100.el9_4.2"}]}]}]}`,
	`{"id": "SUSE-SU-2024:4001-1", "upstream": ["CVE-2024-4001"], "modified": "2024-05-01T00:00:00Z", "affected": [
	{"package": {"ecosystem": "SUSE:Linux Enterprise Module for Basesystem 15 SP5", "name": "openssl-1_1", "purl": "pkg:rpm/suse/openssl-1_1&distro=SUSE%20Linux%20Enterprise%20Module%20for%20Basesystem%2015%20SP5"},
	 "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1.1l-150500.17.31.1"}]}],
	 "ecosystem_specific": {"binaries": [{"libopenssl1_1": "1.1.1l-150500.17.31.1"}]}},
	{"package": {"ecosystem": "SUSE:Linux Enterprise Server for SAP Applications 15 SP5", "name": "openssl-1_1"},
	 "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1.1l-150500.17.99.1"}]}]},
	{"package": {"ecosystem": "openSUSE:Leap 15.6", "name": "openssl-1_1"},
	 "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1.1w-150600.5.3.1"}]}]}]}`,
	`{"id": "SUSE-SU-2025:4002-1", "upstream": ["CVE-2025-4002"], "modified": "2025-05-01T00:00:00Z", "affected": [
	{"package": {"ecosystem": "SUSE:Linux Enterprise Server 15 SP5-LTSS", "name": "glibc"},
	 "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.31-150300.92.1"}]}]}]}`,
	`{"id": "OESA-2024-5001", "upstream": ["CVE-2024-5001"], "modified": "2024-05-01T00:00:00Z", "affected": [
	{"package": {"ecosystem": "openEuler:22.03-LTS-SP3", "name": "curl", "purl": "pkg:rpm/openEuler/curl&distro=openEuler-22.03-LTS-SP3"},
	 "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "7.79.1-29.oe2203sp3"}]}],
	 "ecosystem_specific": {"x86_64": ["curl-7.79.1-29.oe2203sp3.x86_64.rpm"]}}]}`,
	`{"id": "CGA-6001-aaaa-bbbb", "upstream": ["CVE-2024-6001"], "modified": "2024-05-01T00:00:00Z", "affected": [
	{"package": {"ecosystem": "Wolfi", "name": "curl", "purl": "pkg:apk/wolfi/curl?arch=aarch64"},
	 "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "8.9.1-r0"}]}]},
	{"package": {"ecosystem": "Chainguard", "name": "curl"},
	 "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "8.9.1-r1"}]}]}]}`,
	`{"id": "MGASA-2024-0312", "upstream": ["CVE-2024-7001"], "modified": "2024-05-01T00:00:00Z", "affected": [
	{"package": {"ecosystem": "Mageia:9", "name": "curl", "purl": "pkg:rpm/mageia/curl?arch=source&distro=mageia-9"},
	 "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "7.88.1-4.4.mga9"}]}]}]}`,
}

func TestDistributions(t *testing.T) {
	b := NewBuilder(Options{})
	defer b.Close()
	for _, raw := range published {
		r, err := feed.ParseOSV([]byte(raw))
		if err == nil {
			err = b.Add(r)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	db := finish(t, b)
	f := func(eco, typ, name, source, version, module string, want ...string) {
		t.Helper()
		p := finding.Package{
			Ecosystem: eco, Type: typ, Name: name, Version: version, SourceName: source, SourceVersion: version, Modularity: module,
		}
		if diff := cmp.Diff(want, summary(match(t, db, one(p)))); diff != "" {
			t.Errorf("%s %s %s (-want +got):\n%s", eco, name, version, diff)
		}
	}
	const jammy, sles = "Ubuntu:22.04:LTS", "SUSE:Linux Enterprise Server 15 SP5"
	f(jammy, "deb", "libexpat1", "expat", "2.4.7-1ubuntu0.2", "", "CVE-2024-1001 2.4.7-1ubuntu0.3 fixed [UBUNTU-CVE-2024-1001]")
	f(jammy, "deb", "libexpat1", "expat", "2.4.7-1ubuntu0.3", "") // fixed in the release, whatever Pro says
	f("Ubuntu:22.04", "deb", "libexpat1", "expat", "2.4.7-1", "", "CVE-2024-1001 2.4.7-1ubuntu0.3 fixed [UBUNTU-CVE-2024-1001]")
	f(jammy, "deb", "imagemagick", "imagemagick", "8:6.9.11.60+dfsg-1.3ubuntu0.22.04.3", "", "CVE-2024-1002  unfixed [UBUNTU-CVE-2024-1002]")
	f(jammy, "deb", "imagemagick", "imagemagick", "8:6.9.11.60+dfsg-1.3ubuntu0.22.04.4+esm3", "",
		"CVE-2024-1002 8:6.9.11.60+dfsg-1.3ubuntu0.22.04.5+esm1 fixed [UBUNTU-CVE-2024-1002]")
	f(jammy, "deb", "imagemagick", "imagemagick", "8:6.9.11.60+dfsg-1.3ubuntu0.22.04.5+esm1", "")
	f("Ubuntu:18.04:LTS", "deb", "bash", "bash", "4.4.18-2ubuntu1", "", "CVE-2019-1003 4.4.18-2ubuntu1.2 fixed [UBUNTU-CVE-2019-1003]")
	f("Ubuntu:20.04:LTS", "deb", "bash", "bash", "1", "")

	f("Red Hat:9", "rpm", "openssl-libs", "openssl", "1:3.0.7-24.el9", "", "CVE-2024-2001 1:3.0.7-25.el9_3 fixed [RHSA-2024:2001]")
	f("Red Hat:9", "rpm", "openssl-libs", "openssl", "1:3.0.7-25.el9_3", "")
	f("Red Hat:10", "rpm", "openssl-libs", "openssl", "1:3.2.2-15.el10", "", "CVE-2024-2001 1:3.2.2-16.el10_0 fixed [RHSA-2024:2001]")
	f("Red Hat:8", "rpm", "nodejs", "nodejs", "1:18.1.0-1.module+el8.10.0+1+a", "nodejs:18:8100:abc",
		"CVE-2024-2002 1:18.20.4-1.module+el8.10.0+22202+761b9a65 fixed [RHSA-2024:2002]")
	f("Red Hat:8", "rpm", "nodejs", "nodejs", "1:16.1.0-1.module+el8.10.0+1+a", "nodejs:16:8100:abc")

	f("Rocky Linux:9", "rpm", "nodejs", "nodejs", "1:20.1.0-1.module+el9.4.0+1+a", "nodejs:20:9040:abc",
		"CVE-2024-3001 1:20.16.0-1.module+el9.4.0+21819+c0d0e04b fixed [RLSA-2024:3001]")
	f("Rocky Linux:9", "rpm", "nodejs", "nodejs", "1:16.20.2-4.el9_3", "") // the plain package, not the module's
	f("Rocky Linux:9", "rpm", "nodejs", "nodejs", "1:18.1.0-1.module+el9.4.0+1+a", "nodejs:18:9040:abc")
	f("Rocky Linux:9", "rpm", "glibc-common", "glibc", "2.34-60.el9", "", "CVE-2024-3002 0:2.34-100.el9_4.2 fixed [RLSA-2024:3002]")
	f("Rocky Linux:9", "rpm", "glibc-common", "glibc", "2.34-100.el9_4.2", "")

	f(sles, "rpm", "libopenssl1_1", "openssl-1_1", "1.1.1l-150500.17.28.2", "", "CVE-2024-4001 1.1.1l-150500.17.31.1 fixed [SUSE-SU-2024:4001-1]")
	f(sles, "rpm", "libopenssl1_1", "openssl-1_1", "1.1.1l-150500.17.31.1", "") // fixed in the release, whatever SAP's says
	f(sles, "rpm", "glibc", "glibc", "2.31-150300.83.1", "", "CVE-2025-4002  unfixed [SUSE-SU-2025:4002-1]")
	f("SUSE:Linux Enterprise Server 15 SP4", "rpm", "glibc", "glibc", "2.31-150300.83.1", "")
	f("openSUSE:Leap 15.6", "rpm", "libopenssl1_1", "openssl-1_1", "1.1.1w-150600.3.10", "", "CVE-2024-4001 1.1.1w-150600.5.3.1 fixed [SUSE-SU-2024:4001-1]")

	f("openEuler:22.03-LTS-SP3", "rpm", "libcurl", "curl", "7.79.1-27.oe2203sp3", "", "CVE-2024-5001 7.79.1-29.oe2203sp3 fixed [OESA-2024-5001]")
	f("openEuler:22.03-LTS-SP1", "rpm", "libcurl", "curl", "7.79.1-27.oe2203sp1", "")
	f("Wolfi", "apk", "libcurl-openssl4", "curl", "8.9.0-r0", "", "CVE-2024-6001 8.9.1-r0 fixed [CGA-6001-aaaa-bbbb]")
	f("Chainguard", "apk", "libcurl-openssl4", "curl", "8.9.1-r0", "", "CVE-2024-6001 8.9.1-r1 fixed [CGA-6001-aaaa-bbbb]")
	f("Mageia:9", "rpm", "lib64curl4", "curl", "7.88.1-4.2.mga9", "", "CVE-2024-7001 7.88.1-4.4.mga9 fixed [MGASA-2024-0312]")
	f("Mageia:8", "rpm", "lib64curl4", "curl", "7.88.1-4.2.mga8", "")

	m := match(t, db, one(finding.Package{Ecosystem: jammy, Type: "deb", Name: "expat", Version: "2.4.7-1"}))
	if got := m.Findings[0]; got.Severity != finding.SeverityMedium || got.SeveritySource != "distribution:Ubuntu" || got.Score != 9.8 {
		t.Errorf("rated %s by %s with score %v, want Ubuntu's medium and a score of 9.8", got.Severity, got.SeveritySource, got.Score)
	}
}
