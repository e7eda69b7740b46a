package version

import "strings"

// What can follow in an apk version, lowest first: a longer version is newer unless it goes on with a pre-release.
const (
	apkPre = 1 + iota // _alpha _beta _pre _rc
	apkEnd
	apkRevision // -r1
	apkSuffixNumber
	apkPost // _cvs _svn _git _hg _p
	apkLetter
	apkDigit
	apkFraction // a number after a dot
)

var (
	apkPres  = [...]string{"alpha", "beta", "pre", "rc"}
	apkPosts = [...]string{"cvs", "svn", "git", "hg", "p"}
)

// appendApk follows apk-package(5), "pkgver", and apk-tools 2's comparison:
// number{.number}{letter}{_suffix{number}}{~hash}{-r#}. A commit hash does not order.
func appendApk(b []byte, s string) ([]byte, error) {
	n := digits(s)
	if n == 0 {
		return nil, errNoNumber
	}
	ok := true
	b, s = appendApkNumbers(appendApkNumber(b, s[:n]), s[n:])
	for s != "" && 'a' <= s[0] && s[0] <= 'z' {
		b = append(b, apkLetter, s[0])
		s = s[1:]
		if n = digits(s); n == 0 {
			break
		}
		// Against the manual, but apk takes it: 6.6.2p1 is between 6.6.2p and 6.6.2p2.
		b, s = appendApkNumbers(appendApkNumber(append(b, apkDigit), s[:n]), s[n:])
	}
	for s != "" && s[0] == '_' {
		if b, s, ok = appendApkSuffix(b, s[1:]); !ok {
			return nil, errMalformed
		}
	}
	if s, ok = skipApkHash(s); !ok {
		return nil, errMalformed
	}
	if rev, found := strings.CutPrefix(s, "-r"); found {
		if rev != "" && !allDigits(rev) {
			return nil, errMalformed
		}
		return append(appendApkNumber(append(b, apkRevision), rev), apkEnd), nil
	}
	if s != "" {
		return nil, errMalformed
	}
	return append(b, apkEnd), nil
}

// appendApkNumbers appends the numbers after the first. They order like decimals where they begin with zeros:
// 1.01 comes before 1.1, and 1.001 before 1.01. Before apk 2.14 a zero at the end hid a pre-release (1.0_rc1 came
// after 1.0); here it does not, as in later ones.
//
// A dot without a number, as typing errors leave it ("1.0.4.-r0"), orders below any number; apk takes it so.
// Two dots it takes too, but contradicts itself: they are left for the caller to refuse.
func appendApkNumbers(b []byte, s string) (key []byte, rest string) {
	for s != "" && s[0] == '.' && !strings.HasPrefix(s, "..") {
		n := digits(s[1:])
		number := s[1 : 1+n]
		s = s[1+n:]
		b = append(b, apkFraction)
		zeros := n - len(strings.TrimLeft(number, "0"))
		if n == 0 {
			b = append(b, 0, 0, 0)
			continue
		}
		if zeros == 0 {
			b = appendApkNumber(b, number)
			continue
		}
		// Below every number without leading zeros: the more zeros, the lower.
		b = append(b, 0, byte((MaxLength-zeros)>>8), byte(MaxLength-zeros))
		if zeros < n || strings.HasPrefix(s, ".") {
			b = appendApkNumber(append(b, apkDigit), number[zeros:])
		}
	}
	return b, s
}

func appendApkNumber(b []byte, number string) []byte { return appendNumber(append(b, 1), number) }

func appendApkSuffix(b []byte, s string) ([]byte, string, bool) {
	b, n := appendApkSuffixName(b, s)
	if n == 0 {
		return b, s, false
	}
	s = s[n:]
	if n = digits(s); n > 0 {
		b = appendApkNumber(append(b, apkSuffixNumber), s[:n])
	}
	return b, s[n:], true
}

func appendApkSuffixName(b []byte, s string) ([]byte, int) {
	for i, name := range apkPres {
		if strings.HasPrefix(s, name) {
			return append(b, apkPre, byte(i)), len(name)
		}
	}
	for i, name := range apkPosts {
		if strings.HasPrefix(s, name) {
			return append(b, apkPost, byte(i)), len(name)
		}
	}
	return b, 0
}

func skipApkHash(s string) (string, bool) {
	if s == "" || s[0] != '~' {
		return s, true
	}
	i := 1
	for i < len(s) && (isDigit(s[i]) || 'a' <= s[i] && s[i] <= 'f') {
		i++
	}
	return s[i:], i > 1
}
