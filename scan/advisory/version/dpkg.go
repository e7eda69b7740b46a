package version

import (
	"errors"
	"strings"
)

// Weights of the characters outside numbers, as dpkg orders them: "~", the end, letters, all others.
const (
	dpkgTilde = 1
	dpkgEnd   = 2
	dpkgOther = 0x80 // added to the character
)

// appendDpkg follows deb-version(7): [epoch:]upstream-version[-debian-revision]. No revision orders as "0".
func appendDpkg(b []byte, s string) ([]byte, error) {
	s = strings.TrimSpace(s)
	epoch, rest, ok := cut(s, ':')
	if !ok {
		epoch, rest = "", s
	} else if !allDigits(epoch) {
		return nil, errors.New("has an epoch that is no number")
	}
	upstream, revision := rest, ""
	if i := strings.LastIndexByte(rest, '-'); i >= 0 {
		upstream, revision = rest[:i], rest[i+1:]
		if revision == "" {
			return nil, errors.New("has an empty revision after its last hyphen")
		}
	}
	if upstream == "" {
		return nil, errEmpty
	}
	b = appendNumber(b, epoch)
	b, ok = appendDpkgPart(b, upstream)
	if ok {
		b, ok = appendDpkgPart(b, revision)
	}
	if !ok {
		return nil, errCharacter
	}
	return b, nil
}

// appendDpkgPart appends alternating runs of non-digits and digits, the first run possibly empty.
func appendDpkgPart(b []byte, s string) ([]byte, bool) {
	for first := true; first || s != ""; first = false {
		i := 0
		for ; i < len(s) && !isDigit(s[i]); i++ {
			switch c := s[i]; {
			case isAlpha(c):
				b = append(b, c)
			case c == '~':
				b = append(b, dpkgTilde)
			case c == '.' || c == '+' || c == '-' || c == ':' || c == '_':
				// "_" is against the policy, but old packages and advisories have it, and dpkg only warns.
				b = append(b, c+dpkgOther)
			default:
				return b, false
			}
		}
		n := digits(s[i:])
		b = appendNumber(append(b, dpkgEnd), s[i:i+n])
		s = s[i+n:]
	}
	return append(b, dpkgEnd), true
}
