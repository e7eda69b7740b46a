package gate_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/gate"
)

func TestParseIgnore(t *testing.T) {
	const text = "\ufeff# accepted by the team\r\n" +
		"CVE-2024-1\r\n" +
		"\n" +
		"  CVE-2024-2   # no fix yet\n" +
		"CVE-2024-3 package=openssl path=/usr/lib/** until=2027-01-31 # not reachable # really\n" +
		"CVE-2024-4 exp:2027-01-31\n" +
		"CVE-2024-5 path=\"opt/my app/**\"\n" +
		"* package=pkg:npm/%40a/b@1.0#x\n" +
		"aws-access-key path=app/test/*.env"
	s := func(line, id string, f func(*finding.Suppression)) finding.Suppression {
		out := finding.Suppression{Source: finding.SourceIgnore, ID: id, Origin: ".seawallignore:" + line}
		if f != nil {
			f(&out)
		}
		return out
	}
	end := time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC)
	want := []finding.Suppression{
		s("2", "CVE-2024-1", nil),
		s("4", "CVE-2024-2", func(s *finding.Suppression) { s.Reason = "no fix yet" }),
		s("5", "CVE-2024-3", func(s *finding.Suppression) {
			s.Package, s.Path, s.Expires, s.Reason = "openssl", "/usr/lib/**", end, "not reachable # really"
		}),
		s("6", "CVE-2024-4", func(s *finding.Suppression) { s.Expires = end }),
		s("7", "CVE-2024-5", func(s *finding.Suppression) { s.Path = "opt/my app/**" }),
		s("8", "*", func(s *finding.Suppression) { s.Package = "pkg:npm/%40a/b@1.0#x" }),
		s("9", "aws-access-key", func(s *finding.Suppression) { s.Path = "app/test/*.env" }),
	}
	got, err := gate.ParseIgnore(".seawallignore", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestParseIgnoreErrors(t *testing.T) {
	for text, want := range map[string]string{
		"\nCVE-1 pakage=a":                `ig:2: "pakage" is not known: did you mean package?`,
		"CVE-1 CVE-2":                     `ig:1: "CVE-2": one id a line; a reason stands behind #`,
		"CVE-1 package=a package=b":       "ig:1: package= stands here twice",
		"CVE-1 package=":                  "ig:1: package= has no value",
		"CVE-1 until=tomorrow":            `ig:1: want the last day on which it holds as YYYY-MM-DD, not "tomorrow"`,
		"CVE-1 path=a[":                   `ig:1: pattern "a[": a bracket or backslash is left open`,
		"CVE-1 path=\"a":                  "ig:1: a double quote is left open",
		"package=a":                       "ig:1: package= stands where the id should: write * for any",
		"*":                               "ig:1: it names nothing: give an id, a package or a path",
		"CVE-1\x1b[2J":                    "ig:1: a character that is no text",
		"CVE-\xff":                        "ig:1: a character that is no text",
		strings.Repeat("x", 9000):         "ig:1: a line of 9000 bytes: at most 8192 are read",
		strings.Repeat("\n", 4<<20+1):     "ig: 4194305 bytes: an ignore file has at most 4194304",
		"CVE-1 a=b\nCVE-2\nCVE-3 until=1": "ig:1: \"a\" is not known: want one of package, path, until\nig:3: want the last day",
	} {
		_, err := gate.ParseIgnore("ig", []byte(text))
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%.40q:\n got %v\nwant %s", text, err, want)
		}
	}
}

func FuzzParseIgnore(f *testing.F) {
	f.Add([]byte("CVE-2024-3 package=openssl path=usr/lib/** until=2027-01-31 # reason\n* path=\"a b\"\n"))
	f.Add([]byte("\ufeffCVE-1 exp:2027-01-31\r\n# c\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := gate.ParseIgnore("ig", b)
		if err != nil && s != nil {
			t.Error("both entries and an error")
		}
		for i := range s {
			if err := s[i].Validate(); err != nil {
				t.Error(err)
			}
		}
		r := with(finding.SeverityHigh, 2)
		gate.Decide(&r, nil, s, now)
	})
}
