package finding_test

import (
	"strings"
	"testing"
	"time"

	"github.com/seawall/seawall/finding"
)

var now = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func TestCovers(t *testing.T) {
	for _, c := range []struct {
		name string
		s    finding.Suppression
		want bool
	}{
		{"id", finding.Suppression{ID: "CVE-2024-0001"}, true},
		{"id in another case", finding.Suppression{ID: "cve-2024-0001"}, true},
		{"alias", finding.Suppression{ID: "GHSA-aaaa-bbbb-cccc"}, true},
		{"record", finding.Suppression{ID: "DEBIAN-CVE-2024-0001"}, true},
		{"another id", finding.Suppression{ID: "CVE-2024-0002"}, false},
		{"start of an id", finding.Suppression{ID: "CVE-2024"}, false},
		{"any id", finding.Suppression{ID: "*", Package: "libssl3"}, true},
		{"package", finding.Suppression{Package: "libssl3"}, true},
		{"source package", finding.Suppression{Package: "openssl"}, true},
		{"package pattern", finding.Suppression{Package: "libssl*"}, true},
		{"another package", finding.Suppression{Package: "libssl"}, false},
		{"purl", finding.Suppression{Package: "pkg:deb/debian/libssl3"}, true},
		{"purl with version", finding.Suppression{Package: "pkg:deb/debian/libssl3@3.0.11-1~deb12u2"}, true},
		{"purl with qualifiers", finding.Suppression{Package: "pkg:deb/debian/libssl3?arch=arm64"}, true},
		{"purl escaped", finding.Suppression{Package: "pkg:deb/debian/libssl3@3.0.11-1%7Edeb12u2"}, true},
		{"purl of another version", finding.Suppression{Package: "pkg:deb/debian/libssl3@3.0.9"}, false},
		{"purl of another type", finding.Suppression{Package: "pkg:rpm/debian/libssl3"}, false},
		{"purl pattern", finding.Suppression{Package: "pkg:deb/**"}, true},
		{"path", finding.Suppression{Path: "var/lib/dpkg/status"}, true},
		{"path with slash", finding.Suppression{Path: "/var/lib/dpkg/status"}, true},
		{"path pattern", finding.Suppression{Path: "var/**"}, true},
		{"directory alone", finding.Suppression{Path: "var/lib/dpkg"}, false},
		{"star does not cross slashes", finding.Suppression{Path: "var/*"}, false},
		{"all must hold", finding.Suppression{ID: "CVE-2024-0001", Package: "zlib"}, false},
		{"not yet expired", finding.Suppression{ID: "CVE-2024-0001", Expires: now.Add(1)}, true},
		{"expires now", finding.Suppression{ID: "CVE-2024-0001", Expires: now}, false},
		{"expired", finding.Suppression{ID: "CVE-2024-0001", Expires: now.Add(-1)}, false},
		{"bad pattern", finding.Suppression{Package: "libssl[3"}, false},
		{"identity", finding.Suppression{Identity: keyOf(openssl())}, true},
		{"other identity", finding.Suppression{Identity: "0123"}, false},
	} {
		f := openssl()
		c.s.Source = finding.SourceIgnore
		if got := c.s.Covers(&f, now); got != c.want {
			t.Errorf("%s: Covers = %v; want %v", c.name, got, c.want)
		}
	}
}

func keyOf(f finding.Finding) string { return f.Key("") }

func TestCoversNeedsAKnownSource(t *testing.T) {
	f := openssl()
	s := finding.Suppression{Source: "rumour", ID: f.ID}
	if s.Covers(&f, now) {
		t.Error("a suppression of unknown source covers a finding")
	}
}

func TestEveryPathMustBeCovered(t *testing.T) {
	f := openssl()
	f.Paths = []string{"app/a/package.json", "app/b/package.json"}
	s := finding.Suppression{Source: finding.SourceIgnore, ID: f.ID, Path: "app/a/**"}
	if s.Covers(&f, now) {
		t.Error("an occurrence outside the path is covered")
	}
	f.Paths = f.Paths[:1]
	if !s.Covers(&f, now) {
		t.Error("an occurrence inside the path is not covered")
	}
	f.Paths = nil
	if s.Covers(&f, now) {
		t.Error("a finding without a path is covered by a path")
	}
}

// The table says who may set aside what is exploited or hostile.
func TestPrecedenceGuardsKEVAndMalware(t *testing.T) {
	exploited, hostile := openssl(), openssl()
	exploited.KEV = &finding.KEV{Added: "2024-01-01"}
	hostile.State = finding.StateMalware
	for _, rule := range finding.Precedence {
		s := finding.Suppression{Source: rule.Source, ID: exploited.ID}
		for name, f := range map[string]*finding.Finding{"exploited": &exploited, "hostile": &hostile} {
			if got := s.Covers(f, now); got != rule.MayCoverKEV {
				t.Errorf("%s covers what is %s: %v; the table says %v", rule.Source, name, got, rule.MayCoverKEV)
			}
		}
	}
}

func TestRuleRanksAsTheTable(t *testing.T) {
	for i, want := range finding.Precedence {
		s := finding.Suppression{Source: want.Source}
		if r, rank, ok := s.Rule(); !ok || rank != i || r != want {
			t.Errorf("Rule of %s = %v, %d, %v", want.Source, r, rank, ok)
		}
	}
}

func TestCoversSecretAndCheck(t *testing.T) {
	secret := finding.Secret{Rule: "aws-access-key", Path: "app/.env", Masked: "AKIA…"}
	check := finding.Check{ID: "SW-IMG-005", Paths: []string{"usr/bin/su", "usr/bin/mount"}}
	for _, c := range []struct {
		name          string
		s             finding.Suppression
		secret, check bool
	}{
		{"rule", finding.Suppression{ID: "aws-access-key"}, true, false},
		{"rule and path", finding.Suppression{ID: "aws-access-key", Path: "app/**"}, true, false},
		{"rule elsewhere", finding.Suppression{ID: "aws-access-key", Path: "test/**"}, false, false},
		{"any id", finding.Suppression{ID: "*", Path: "**"}, false, false},
		{"with a package", finding.Suppression{ID: "aws-access-key", Package: "*"}, false, false},
		{"expired", finding.Suppression{ID: "aws-access-key", Expires: now}, false, false},
		{"check", finding.Suppression{ID: "sw-img-005"}, false, true},
		{"check and all paths", finding.Suppression{ID: "SW-IMG-005", Path: "usr/bin/*"}, false, true},
		{"check and one path", finding.Suppression{ID: "SW-IMG-005", Path: "usr/bin/su"}, false, false},
		{"identity of one path", finding.Suppression{ID: "SW-IMG-005", Identity: check.Keys("")[0]}, false, false},
		{"identity of the secret", finding.Suppression{ID: "aws-access-key", Identity: secret.Key("")}, true, false},
	} {
		c.s.Source = finding.SourceIgnore
		if got := c.s.CoversSecret(&secret, now); got != c.secret {
			t.Errorf("%s: CoversSecret = %v; want %v", c.name, got, c.secret)
		}
		if got := c.s.CoversCheck(&check, now); got != c.check {
			t.Errorf("%s: CoversCheck = %v; want %v", c.name, got, c.check)
		}
	}
}

func TestSecretInConfigurationHasNoPath(t *testing.T) {
	secret := finding.Secret{Rule: "password", Where: "env DB_PASSWORD"}
	s := finding.Suppression{Source: finding.SourceIgnore, ID: "password", Path: "**"}
	if s.CoversSecret(&secret, now) {
		t.Error("a path covers a secret of the configuration")
	}
}

func TestValidate(t *testing.T) {
	full := finding.Suppression{ID: "CVE-1", Reason: "not reachable", Owner: "team-a", Expires: now}
	for _, rule := range finding.Precedence {
		s := full
		s.Source = rule.Source
		if err := s.Validate(); err != nil {
			t.Errorf("%s: %v", rule.Source, err)
		}
		for name, c := range map[string]struct {
			needed bool
			clear  func(*finding.Suppression)
		}{
			"reason": {rule.NeedsReason, func(s *finding.Suppression) { s.Reason = " " }},
			"owner":  {rule.NeedsOwner, func(s *finding.Suppression) { s.Owner = "" }},
			"day":    {rule.NeedsExpiry, func(s *finding.Suppression) { s.Expires = time.Time{} }},
		} {
			s := full
			s.Source = rule.Source
			c.clear(&s)
			err := s.Validate()
			if (err != nil) != c.needed || err != nil && !strings.Contains(err.Error(), name) {
				t.Errorf("%s without %s: %v; the table asks for it: %v", rule.Source, name, err, c.needed)
			}
		}
	}
	for name, s := range map[string]finding.Suppression{
		"nothing named":  {Source: finding.SourceIgnore, ID: "*"},
		"unknown source": {Source: "rumour", ID: "CVE-1"},
		"open bracket":   {Source: finding.SourceIgnore, ID: "CVE-1", Package: "a[b"},
		"split bracket":  {Source: finding.SourceIgnore, ID: "CVE-1", Path: "a[b/c]"},
		"endless":        {Source: finding.SourceIgnore, ID: "CVE-1", Path: strings.Repeat("a", 5000)},
	} {
		if s.Validate() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestMatchPath(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"a/b", "a/b", true},
		{"a/**", "a/b/c", true},
		{"a/**", "a", true},
		{"**/c", "a/b/c", true},
		{"**/c", "c", true},
		{"a/**/c", "a/c", true},
		{"a/**/b/**/c", "a/x/b/y/z/c", true},
		{"a/**/b/**/c", "a/x/y/z/c", false},
		{"**/b/c", "b/x/b/c", true},
		{"a/*", "a/b/c", false},
		{"a/?.txt", "a/b.txt", true},
		{"**", "a/b", true},
		{"", "a", false},
	} {
		if got := finding.MatchPath(c.pattern, c.name); got != c.want {
			t.Errorf("MatchPath(%q, %q) = %v; want %v", c.pattern, c.name, got, c.want)
		}
	}
}

// Many "**" in a row must not multiply the work: the time grows with the product of both lengths at most.
func TestMatchPathIsBounded(t *testing.T) {
	pattern := strings.Repeat("**/a/", 400) + "b"
	name := strings.Repeat("a/", 2000) + "c"
	if finding.MatchPath(pattern, name) {
		t.Error("matches")
	}
}

func FuzzMatchPath(f *testing.F) {
	f.Add("a/**/b*", "a/x/bc")
	f.Add("[a-", "a")
	f.Add("**/**/**", "//")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if len(pattern) < 4096 && finding.ValidPattern(pattern) != nil && finding.MatchPath(pattern, name) && !strings.Contains(pattern, "**") {
			t.Errorf("the invalid pattern %q matches %q", pattern, name)
		}
		if !finding.MatchPath("**", name) {
			t.Errorf("** does not match %q", name)
		}
	})
}
