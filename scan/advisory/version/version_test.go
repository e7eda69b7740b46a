package version

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// ladders are versions in rising order; "=" joins those that order alike. Each stands for a case that a comparator of
// its ecosystem is known to get wrong.
var ladders = []struct{ ecosystem, rising string }{
	{"Debian:12", "0~~ 0~~a 0~ 0=0-0 0a 0+ 1.0~beta1~svn1245 1.0~beta1 1.0=1.0-0=0:1.0 1.0-1 1.0-1+deb12u1 1.0a 1.0+b1 1.0.1 9 10 1:0.1"},
	{"Ubuntu:22.04:LTS", "2.35-0ubuntu3 2.35-0ubuntu3.1 2.35-0ubuntu3.10 2.36"},
	{"Red Hat:enterprise_linux:9::baseos", "1.a-1 1.0~rc1-1 1.0-1 1.0^git1-1 1.0.1-1 1.1-1 1.1-1.el9 1.1-1.el9_2 1.1-1.el9_10 1.1-2 1:0-1"},
	{"AlmaLinux:9", "1.2=1.2. 1.2-1=0:1.2-1 1.2-1.el9 1.10-1"},
	{"Alpine:v3.20", "1.0_alpha 1.0_beta 1.0_pre 1.0_rc1 1.0=01.0 1.0-r0 1.0-r1 1.0-r10 1.0_cvs 1.0_git20200101 1.0_p1 1.0_p1-r1 1.0a 1.0a-r1 1.0a1 1.0b 1.0.1 1.01 1.1 1.1.1 1.10"},
	{"npm", "1.2.3-0 1.2.3-1 1.2.3-alpha 1.2.3-alpha.1 1.2.3-alpha.beta 1.2.3-beta 1.2.3-rc.2 1.2.3-rc.10 1.2.3=v1.2.3=1.2.3+build 1.2.4 1.10.0"},
	{"crates.io", "0.0.0-0 0.1.0-alpha.1 0.1.0 0.1.1"},
	{"Go", "0.0.0-20190101000000-abcdefabcdef v0.0.0-20200101000000-abcdefabcdef 1.2.3-0.20200101000000-abcdefabcdef 1.2.3-rc.1 v1.2.3=1.2.3+incompatible v2.0.0+incompatible"},
	{"Go", "1.20.0=go1.20 1.21.0-0 go1.21beta1=1.21.0-beta.1 go1.21rc2=1.21.0-rc.2=1.21rc2 go1.21rc10 go1.21.0=1.21.0 1.22.3=go1.22.3-fips=go1.22.3#X:boringcrypto go1.23-devel_abc go1.23rc1"},
	{"PyPI", "not-a-version 1.dev0 1.0.dev456 1.0a1 1.0a2.dev456 1.0a12.dev456 1.0a12=1.0alpha12=1.0-A.12 1.0b1.dev456 1.0b2 1.0b2.post345.dev456 1.0b2.post345=1.0b2-345 1.0rc1.dev456 1.0rc1=1.0c1=1.0preview1 1=1.0=1.0.0=v1.0 1.0+abc.5 1.0+abc.7 1.0+5 1.0.post456.dev34 1.0.post456=1.0-456=1.0.rev456 1.1.dev1 1!0.1"},
	{"Maven", "1-alpha1=1-a1=1.0-alpha-1 1-beta 1-m1=1-milestone-1 1-rc1=1-cr1=1.0.rc1 1-SNAPSHOT 1=1.0=1.0.0=1-ga=1.0.Final=1.RELEASE 1-sp 1-foo 1-jre8 1-1 1.0.1-alpha 1.0.1 1.1-rc-1 1.1 1.9 1.10"},
	{"RubyGems", "1.0.a 1.0.a.2 1.0.b1=1.0.b.1 1.0-2 1.0.rc1 1=1.0=1.0.0 1.0.1.pre 1.0.1 1.2 1.10"},
	{"NuGet", "1.0.0-alpha=1.0.0-ALPHA 1.0.0-alpha.2 1.0.0-alpha.10 1.0.0-Beta 1.0=1.0.0=1.0.0.0=1.0.0+meta 1.0.0.1 1.0.1"},
	{"Packagist", "1.0-dev 1.0-alpha1=1.0.0-a1=v1.0.0.0-alpha.1 1.0-beta1 1.0-RC1=1.0.0-rc1 1.0=1.0.0=1.0.0+meta=1.0-stable 1.0-p1=1.0-patch1 1.0.1 1.x-dev 2.0"},
	{"Pub", "1.0.0-alpha 1.0.0-alpha+1 1.0.0 1.0.0+1 1.0.0+2 1.0.0+10 1.0.0+a 1.0.1"},
	{"Hex", "1.0.0-dev 1.0.0 1.0.1"},
	{"CRAN", "1.0 1.0-1=1.0.1 1.0.1.0 1.1"},
	{"Hackage", "1.0 1.0.0 1.0.1 1.10"},
	{"ConanCenter", "cci.20200203 1.0-pre 1.0=1.0.0 1.0.2a 1.0.2k 1.0.2zd 1.1.1 1.1.1w 1.1.2"},
	{"Bitnami", "1.2.3-rc1 1.2.3 1.2.3-1 1.2.3-10 1.2.4"},
	{"Root:Debian:12", "1.0~1 1.0"},
}

func TestLadders(t *testing.T) {
	for _, l := range ladders {
		steps := strings.Fields(l.rising)
		for i, step := range steps {
			alike := strings.Split(step, "=")
			for _, a := range alike {
				want(t, l.ecosystem, alike[0], a, 0)
				for _, above := range steps[i+1:] {
					for b := range strings.SplitSeq(above, "=") {
						want(t, l.ecosystem, a, b, -1)
						want(t, l.ecosystem, b, a, 1)
					}
				}
			}
		}
	}
}

func want(t *testing.T, ecosystem, a, b string, answer int) {
	t.Helper()
	a, b = strings.ReplaceAll(a, "#", " "), strings.ReplaceAll(b, "#", " ")
	got, err := Compare(ecosystem, a, b)
	if err != nil || got != answer {
		t.Errorf("%s: %q against %q: got %d, %v, want %d", ecosystem, a, b, got, err, answer)
	}
}

func TestInvalid(t *testing.T) {
	for ecosystem, versions := range map[string][]string{
		"Debian":    {"", "a:1", "1:", "1.0-", "1 0", "1\x00", "é"},
		"AlmaLinux": {"", "x:1", "-1", "1\n"},
		"Alpine":    {"", "a", "1..2", "1a.1", "1_foo", "1-1", "1~xyz", "1-r1x"},
		"npm":       {"", "latest", "v", "1.2.3-", "1.2.3-a..b", "1.2.3-é"},
		"Go":        {"", "(devel)", "devel go1.22-abc", "go", "1.2.3.4"},
		"PyPI":      {"", "1\x01", "é"},
		"Maven":     {"", "1 0", "é"},
		"RubyGems":  {"a", "1..2", "1.", "1_0"},
		"NuGet":     {"", "1.2.3.4.5"},
		"Packagist": {"", "dev-master", "master", "1.2.3.4.5", "1.x", "foo"},
		"Pub":       {"", "1.2.3.4", "1.0.0+"},
		"CRAN":      {"", "1.0a", "1..0"},
	} {
		for _, v := range append(versions, strings.Repeat("1", MaxLength+1)) {
			if _, err := Parse(ecosystem, v); err == nil || errors.Is(err, ErrUnsupported) {
				t.Errorf("%s: %q: got %v, want a complaint about the version", ecosystem, v, err)
			}
		}
	}
}

func TestUnsupported(t *testing.T) {
	for _, ecosystem := range []string{"", "Android", "Linux:Kernel", "OSS-Fuzz", "Docker Hardened Images:Debian", "debian"} {
		if _, err := Parse(ecosystem, "1.0"); !errors.Is(err, ErrUnsupported) || Supported(ecosystem) {
			t.Errorf("%q: got %v, want %v", ecosystem, err, ErrUnsupported)
		}
	}
	if !Supported("Debian:12") || !Supported("Root:npm") || !Supported("Red Hat:rhel_eus:8.2::baseos") {
		t.Error("an ecosystem with a release is not supported")
	}
}

func TestLongNumbers(t *testing.T) {
	for _, ecosystem := range []string{"Debian", "AlmaLinux", "Alpine", "npm", "PyPI", "Maven", "RubyGems", "NuGet"} {
		for _, n := range []int{9, 20, 253, 254, 255, 256, 300} {
			want(t, ecosystem, strings.Repeat("9", n), "1"+strings.Repeat("0", n), -1)
		}
	}
}

// FuzzOrder holds every ecosystem to a total order on any input: reflexive, antisymmetric, transitive.
func FuzzOrder(f *testing.F) {
	for _, l := range ladders {
		steps := strings.FieldsFunc(l.rising, func(r rune) bool { return r == ' ' || r == '=' })
		for i := 2; i < len(steps); i++ {
			f.Add(steps[i-2], steps[i-1], steps[i])
		}
	}
	var ecosystems []string
	for name := range schemes {
		ecosystems = append(ecosystems, name)
	}
	slices.Sort(ecosystems)
	f.Fuzz(func(t *testing.T, a, b, c string) {
		for _, ecosystem := range ecosystems {
			var parsed []Version
			for _, s := range []string{a, b, c} {
				if v, err := Parse(ecosystem, s); err == nil {
					parsed = append(parsed, v)
				}
			}
			checkOrder(t, ecosystem, parsed)
		}
	})
}

func checkOrder(t *testing.T, ecosystem string, parsed []Version) {
	for _, x := range parsed {
		if x.Compare(x) != 0 {
			t.Errorf("%s: %q is not equal to itself", ecosystem, x.Key())
		}
		for _, y := range parsed {
			if x.Compare(y) != -y.Compare(x) {
				t.Errorf("%s: %q and %q: turned round, the answer does not turn", ecosystem, x.Key(), y.Key())
			}
			for _, z := range parsed {
				if x.Compare(y) <= 0 && y.Compare(z) <= 0 && x.Compare(z) > 0 {
					t.Errorf("%s: %q, %q and %q go in a circle", ecosystem, x.Key(), y.Key(), z.Key())
				}
			}
		}
	}
}

var benchmarkPairs = []struct{ ecosystem, a, b string }{
	{"Debian:12", "2.36-9+deb12u4", "2.36-9+deb12u10"},
	{"AlmaLinux:9", "0:3.0.7-6.el9_2", "1:3.0.7-16.el9_2"},
	{"Alpine:v3.20", "1.36.1-r28", "1.36.1-r29"},
	{"npm", "4.17.20", "4.17.21-rc.1"},
	{"Go", "v0.0.0-20220314234659-1baeb1ce4c0b", "0.17.0"},
	{"PyPI", "2.31.0", "2.32.0rc1"},
	{"Maven", "2.14.1", "2.15.0-rc1"},
	{"RubyGems", "7.0.4.1", "7.0.5.rc1"},
}

func BenchmarkParseCompare(b *testing.B) {
	for _, p := range benchmarkPairs {
		b.Run(p.ecosystem, func(b *testing.B) {
			b.ReportAllocs()
			fixed, err := Parse(p.ecosystem, p.b)
			for b.Loop() {
				var v Version
				if v, err = Parse(p.ecosystem, p.a); v.Compare(fixed) == 0 {
					b.Fatal(err)
				}
			}
		})
	}
}
