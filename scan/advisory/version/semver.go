package version

import "strings"

// What can follow the numbers of a semantic version, lowest first.
const (
	semPre     = 1 + iota // a pre-release orders before its release
	semRelease            // nothing, or build metadata
	semNumber             // another number
)

// Kinds of pre-release identifiers (semver.org 2.0.0, item 11), lowest first. Fewer identifiers order first.
const (
	idEnd = iota
	idNumber
	idText
)

// appendSemver follows semver.org 2.0.0, read leniently as node-semver's loose mode and cargo's users write it: a
// leading "v" or "=", missing numbers count as 0, a pre-release may follow without a hyphen ("1.2.3beta1"). More than
// three numbers order too. Build metadata does not.
func appendSemver(b []byte, s string) ([]byte, error) {
	s = trimV(s)
	b, rest, err := appendNumbers(b, s, 0)
	if err != nil {
		return nil, err
	}
	pre, _, _ := cut(rest, '+')
	return appendPre(b, pre, false)
}

// appendNumbers appends dotted numbers without their trailing zeros. At most max are allowed; 0 means any count.
func appendNumbers(b []byte, s string, max int) (key []byte, rest string, err error) {
	end := len(b)
	for count := 1; ; count++ {
		n := digits(s)
		if n == 0 {
			return nil, "", errNoNumber
		}
		if max > 0 && count > max {
			return nil, "", errMalformed
		}
		b = appendNumber(append(b, semNumber), s[:n])
		if !isZero(s[:n]) {
			end = len(b)
		}
		s = s[n:]
		if len(s) < 2 || s[0] != '.' || !isDigit(s[1]) {
			return b[:end], s, nil
		}
		s = s[1:]
	}
}

// appendPre appends a pre-release; text is what follows the numbers, up to any "+".
func appendPre(b []byte, text string, foldCase bool) ([]byte, error) {
	if text == "" {
		return append(b, semRelease), nil
	}
	if text[0] == '-' || text[0] == '.' {
		text = text[1:]
	}
	return appendIDs(append(b, semPre), text, foldCase)
}

// appendIDs appends dotted identifiers and their end.
func appendIDs(b []byte, text string, foldCase bool) ([]byte, error) {
	for more := true; more; {
		var id string
		id, text, more = cut(text, '.')
		switch {
		case id == "":
			return nil, errMalformed
		case !isIdentifier(id):
			return nil, errCharacter
		case allDigits(id):
			b = appendNumber(append(b, idNumber), id)
		case foldCase:
			b = appendLower(append(b, idText), id)
		default:
			b = appendText(append(b, idText), id)
		}
	}
	return append(b, idEnd), nil
}

// isIdentifier also lets "_" and "~" pass, which are not semver's but occur.
func isIdentifier(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isDigit(c) && !isAlpha(c) && c != '-' && c != '_' && c != '~' {
			return false
		}
	}
	return true
}

func trimV(s string) string {
	s = strings.TrimSpace(s)
	s = strings.TrimPrefix(s, "=")
	if len(s) > 1 && (s[0] == 'v' || s[0] == 'V') {
		s = s[1:]
	}
	return s
}
