package advisory

import "strings"

// addresses are the publishers' pages by the prefix of their ids: what follows from an id is not stored.
var addresses = []struct{ prefix, before, after string }{
	{"CVE-", "https://nvd.nist.gov/vuln/detail/", ""},
	{"GHSA-", "https://github.com/advisories/", ""},
	{"GO-", "https://pkg.go.dev/vuln/", ""},
	{"RUSTSEC-", "https://rustsec.org/advisories/", ".html"},
	{"DSA-", "https://security-tracker.debian.org/tracker/", ""},
	{"DLA-", "https://security-tracker.debian.org/tracker/", ""},
	{"DEBIAN-CVE-", "https://security-tracker.debian.org/tracker/CVE-", ""},
	{"UBUNTU-CVE-", "https://ubuntu.com/security/CVE-", ""},
	{"USN-", "https://ubuntu.com/security/notices/", ""},
	{"ALPINE-CVE-", "https://security.alpinelinux.org/vuln/CVE-", ""},
	{"RHSA-", "https://access.redhat.com/errata/", ""},
	{"RLSA-", "https://errata.rockylinux.org/", ""},
}

const osvAddress = "https://osv.dev/vulnerability/"

// addressOf is the page about an id; OSV's own for those that it does not know better.
func addressOf(id string) string {
	for _, a := range addresses {
		if rest, ok := strings.CutPrefix(id, a.prefix); ok {
			if strings.HasSuffix(a.before, "CVE-") {
				return a.before + rest + a.after
			}
			return a.before + id + a.after
		}
	}
	return osvAddress + id
}
