//go:build e2e

package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/seawall/seawall/finding"
)

// The exit code is the answer that pipelines read.
func TestGateExitCodes(t *testing.T) {
	root := bookworm(t)
	u := withMadeUp(t, newUser(t))
	gate := func(flags ...string) []string {
		return append([]string{"gate", "-q", "--scanners", "vuln", "-o", "json", root}, flags...)
	}
	ignore := func(ids ...string) string {
		return "--ignore-file=" + write(t, filepath.Join(t.TempDir(), "ignore"), strings.Join(ids, " # a test\n")+" # a test\n")
	}
	decides := func(t *testing.T, code int, want finding.Decision, flags ...string) finding.Verdict {
		t.Helper()
		r := one(t, u.must(t, code, gate(flags...)...).stdout)
		if r.Verdict == nil || r.Verdict.Decision != want {
			t.Fatalf("verdict %+v; want %s", r.Verdict, want)
		}
		return *r.Verdict
	}
	t.Run("fail", func(t *testing.T) {
		if v := decides(t, 1, finding.Fail); len(v.Reasons) == 0 {
			t.Error("a failure without a reason")
		}
	})
	t.Run("pass", func(t *testing.T) {
		if v := decides(t, 0, finding.Pass, ignore("CVE-2099-0001", "CVE-2099-0002", "CVE-2099-0003", "CVE-2099-0004")); v.Suppressed != 4 {
			t.Errorf("%d suppressed; want 4", v.Suppressed)
		}
	})
	warn := ignore("CVE-2099-0001", "CVE-2099-0004")
	t.Run("warn", func(t *testing.T) { decides(t, 2, finding.Warn, warn, "--warn-exit") })
	t.Run("warn passes unless asked", func(t *testing.T) { decides(t, 0, finding.Warn, warn) })
	t.Run("starter database only", func(t *testing.T) {
		fresh := newUser(t)
		r := one(t, fresh.must(t, 3, gate()...).stdout)
		if r.Verdict.Decision != finding.NotEvaluated || !r.Database.Starter {
			t.Errorf("verdict %s, starter %v", r.Verdict.Decision, r.Database.Starter)
		}
	})
	t.Run("no such image", func(t *testing.T) { u.must(t, 4, "gate", "-q", "./no-such-file.tar") })
	t.Run("unknown flag", func(t *testing.T) { u.must(t, 4, gate("--no-such-flag")...) })
	t.Run("broken gate file", func(t *testing.T) {
		broken := write(t, filepath.Join(t.TempDir(), "gate.yaml"), "version: 1\nmaximum: 3\n")
		if o := u.must(t, 4, gate("--gate-file", broken)...); !strings.Contains(o.stderr, ":2") {
			t.Errorf("the error names no line:\n%s", o.stderr)
		}
	})
	t.Run("only what is new fails", func(t *testing.T) {
		old := filepath.Join(t.TempDir(), "old.json")
		u.must(t, 1, gate("--out", old)...)
		decides(t, 0, finding.Pass, "--since-baseline", old)
	})
}

// An image of which nothing is known does not pass.
func TestGateOfUnknownDistribution(t *testing.T) {
	u := withMadeUp(t, newUser(t))
	root := t.TempDir()
	write(t, filepath.Join(root, "etc/os-release"), "ID=nobodyslinux\nVERSION_ID=1\n")
	write(t, filepath.Join(root, "var/lib/dpkg/status"), "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5\nDescription: x\n\n")
	u.must(t, 3, "gate", "-q", "--scanners", "vuln", root)
}

func TestVEXSetsAside(t *testing.T) {
	u := withMadeUp(t, newUser(t))
	vex := write(t, filepath.Join(t.TempDir(), "vex.json"), `{
		"@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.org/vex/1", "author": "a test",
		"timestamp": "2026-01-01T00:00:00Z", "version": 1,
		"statements": [{"vulnerability": {"name": "CVE-2099-0001"}, "products": [{"@id": "pkg:deb/debian/perl-base"}],
			"status": "not_affected", "justification": "vulnerable_code_not_in_execute_path"}]}`)
	r := u.scan(t, bookworm(t), "--scanners", "vuln", "--vex", vex)
	for _, f := range r.Findings {
		if aside := f.Suppressed != nil; aside != (f.ID == "CVE-2099-0001") {
			t.Errorf("%s of %s: set aside: %v", f.ID, f.Package.Name, aside)
		}
	}
}
