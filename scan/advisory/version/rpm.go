package version

import (
	"errors"
	"strings"
)

// What can stand next in an rpm version, lowest first (rpmvercmp: a tilde before the end, a caret after it but
// before any segment, words before numbers).
const (
	rpmTilde = 1 + iota
	rpmEnd
	rpmCaret
	rpmWord
	rpmNumber
)

// appendRPM follows rpm-version(7): [epoch:]version[-release]. No epoch orders as 0; no release before any.
func appendRPM(b []byte, s string) ([]byte, error) {
	epoch, rest, ok := cut(s, ':')
	if !ok || !allDigits(epoch) {
		if ok {
			return nil, errors.New("has an epoch that is no number")
		}
		epoch, rest = "", s
	}
	version, release, hasRelease := rest, "", false
	if i := strings.LastIndexByte(rest, '-'); i >= 0 {
		version, release, hasRelease = rest[:i], rest[i+1:], true
	}
	if version == "" {
		return nil, errEmpty
	}
	b = appendNumber(b, epoch)
	b, ok = appendRPMPart(b, version)
	if ok && hasRelease {
		b, ok = appendRPMPart(b, release)
	}
	if !ok {
		return nil, errCharacter
	}
	return b, nil
}

// appendRPMPart appends segments. All that is neither letter, digit, tilde nor caret only separates them.
func appendRPMPart(b []byte, s string) ([]byte, bool) {
	for s != "" {
		n := 1
		switch c := s[0]; {
		case isDigit(c):
			n = digits(s)
			b = appendNumber(append(b, rpmNumber), s[:n])
		case isAlpha(c):
			n = letters(s)
			b = appendText(append(b, rpmWord), s[:n])
		case c == '~':
			b = append(b, rpmTilde)
		case c == '^':
			b = append(b, rpmCaret)
		case c <= ' ' || c == 0x7f:
			return b, false
		}
		s = s[n:]
	}
	return append(b, rpmEnd), true
}
