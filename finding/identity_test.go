package finding_test

import (
	"slices"
	"testing"

	"github.com/seawall/seawall/finding"
)

func openssl() finding.Finding {
	return finding.Finding{
		ID: "CVE-2024-0001", Aliases: []string{"GHSA-aaaa-bbbb-cccc"}, Advisories: []string{"DEBIAN-CVE-2024-0001"},
		Package: finding.Package{
			Name: "libssl3", Version: "3.0.11-1~deb12u2", Type: "deb", SourceName: "openssl",
			PURL: "pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64&distro=debian-12",
		},
		Paths: []string{"var/lib/dpkg/status"},
		State: finding.StateFixed,
	}
}

// The keys are stored by the hub and in baselines: a change of this value orphans every exception and due date.
func TestKeyIsStable(t *testing.T) {
	f := openssl()
	const want = "f0c3b014f859e209686216a7d1d60b14" // printf 'registry.example/app\0CVE-2024-0001\0deb\0libssl3' | sha256sum | cut -c1-32
	if got := f.Key("registry.example/app"); got != want {
		t.Errorf("Key = %s; want %s", got, want)
	}
}

func TestKeySurvivesRebuilds(t *testing.T) {
	f, rebuilt := openssl(), openssl()
	rebuilt.Package.Version = "3.0.13-1~deb12u1"
	rebuilt.Paths = []string{"var/lib/dpkg/status.d/libssl3"}
	rebuilt.Layer = &finding.LayerRef{Index: 4}
	rebuilt.Severity = finding.SeverityCritical
	if f.Key("app") != rebuilt.Key("app") {
		t.Error("a rebuild changes the key")
	}
	for name, change := range map[string]func(*finding.Finding){
		"id":      func(f *finding.Finding) { f.ID = "CVE-2024-0002" },
		"type":    func(f *finding.Finding) { f.Package.Type = "rpm" },
		"package": func(f *finding.Finding) { f.Package.Name = "openssl" },
	} {
		other := openssl()
		change(&other)
		if f.Key("app") == other.Key("app") {
			t.Errorf("another %s has the same key", name)
		}
	}
	if f.Key("app") == f.Key("other") {
		t.Error("another scope has the same key")
	}
}

func TestKeysFollowAliases(t *testing.T) {
	before, after := openssl(), openssl()
	before.ID, before.Aliases = "GHSA-aaaa-bbbb-cccc", nil
	if !slices.Contains(after.Keys(""), before.Key("")) {
		t.Error("a finding that got a CVE is not known by its former id")
	}
	if after.Keys("")[0] != after.Key("") {
		t.Error("Keys does not begin with Key")
	}
}

func TestSecretKey(t *testing.T) {
	s := finding.Secret{Rule: "aws-access-key", Path: "app/.env", Line: 3, Masked: "AKIA…7Q"}
	moved, other := s, s
	moved.Line, other.Masked = 9, "AKIA…ZZ"
	if s.Key("") != moved.Key("") || s.Key("") == other.Key("") {
		t.Error("a secret is the same on another line, and another one with another value")
	}
}

func TestCheckKeys(t *testing.T) {
	c := finding.Check{ID: "SW-IMG-005"}
	if len(c.Keys("")) != 1 {
		t.Error("a check without paths has one key")
	}
	c.Paths = []string{"usr/bin/su", "usr/bin/mount"}
	if keys := c.Keys(""); len(keys) != 2 || keys[0] == keys[1] {
		t.Errorf("a check has one key for each path, not %v", keys)
	}
}

func TestRepository(t *testing.T) {
	for ref, want := range map[string]string{
		"alpine":                              "alpine",
		"alpine:3.20":                         "alpine",
		"localhost:5000/app":                  "localhost:5000/app",
		"localhost:5000/app:1":                "localhost:5000/app",
		"r.example/app@sha256:0123":           "r.example/app",
		"r.example:5000/team/app:1@sha256:01": "r.example:5000/team/app",
		"./out/app.tar":                       "./out/app.tar",
	} {
		image := finding.Image{Ref: ref}
		if got := image.Repository(); got != want {
			t.Errorf("Repository of %q = %q; want %q", ref, got, want)
		}
	}
}
