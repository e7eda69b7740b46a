package version

import (
	"errors"
	"strings"
)

// What can stand next in a normalised Composer version, as PHP's version_compare orders it, lowest first.
const (
	phpDev = 1 + iota
	phpAlpha
	phpBeta
	phpRC
	phpEnd
	phpNumber
	phpPatch
)

var phpWords = []struct {
	word string
	rank byte
}{
	// Longer spellings first: the first that fits is taken.
	{"stable", phpEnd},
	{"beta", phpBeta}, {"b", phpBeta}, {"rc", phpRC}, {"alpha", phpAlpha}, {"a", phpAlpha},
	{"patch", phpPatch}, {"pl", phpPatch}, {"p", phpPatch},
}

var errBranch = errors.New("is a branch, which has no place among versions")

// appendComposer follows Composer's VersionParser::normalize and then version_compare: four numbers or a date, a
// stability with its number, "-dev" of a numeric branch. Branch names cannot be ordered.
func appendComposer(b []byte, s string) ([]byte, error) {
	s = strings.TrimSpace(s)
	s, _, _ = cut(s, '@')
	if hasFold(s, "dev-") || s == "master" || s == "trunk" || s == "default" {
		return nil, errBranch
	}
	s, _, _ = cut(trimV(s), '+')
	b, rest, wild, err := appendComposerNumbers(b, s)
	if err != nil {
		return nil, err
	}
	if wild {
		if !isDev(rest) {
			return nil, errMalformed
		}
		return append(b, phpDev, phpEnd), nil
	}
	return appendStability(b, rest)
}

// appendComposerNumbers reads up to four numbers, the missing ones as 0, or the parts of a date. In a branch's
// number ("1.x-dev") the missing ones stand above all others.
func appendComposerNumbers(b []byte, s string) (key []byte, rest string, wild bool, err error) {
	const above = "9999999"
	count, date := 0, digits(s) > 5
	for {
		n := digits(s)
		switch {
		case n > 0 && !wild:
			b = appendNumber(append(b, phpNumber), s[:n])
		case n == 0 && count > 0 && s != "" && strings.IndexByte("xX*", s[0]) >= 0:
			b = appendNumber(append(b, phpNumber), above)
			wild, n = true, 1
		default:
			return nil, "", false, errNoNumber
		}
		s, count = s[n:], count+1
		if len(s) < 2 || s[0] != '.' && !(s[0] == '-' || s[0] == ':') {
			break
		}
		next := isDigit(s[1]) || s[0] == '.' && strings.IndexByte("xX*", s[1]) >= 0
		if !next {
			break
		}
		date = date || s[0] != '.'
		s = s[1:]
	}
	for fill := "0"; count < 4 && !date; count++ {
		if wild {
			fill = above
		}
		b = appendNumber(append(b, phpNumber), fill)
	}
	if count > 4 && !date {
		return nil, "", false, errMalformed
	}
	return b, s, wild, nil
}

func appendStability(b []byte, s string) ([]byte, error) {
	if s != "" && strings.IndexByte("._-", s[0]) >= 0 && !isDev(s) {
		s = s[1:]
	}
	for _, w := range phpWords {
		if !hasFold(s, w.word) {
			continue
		}
		s = s[len(w.word):]
		if w.rank == phpEnd {
			return appendStable(b, s)
		}
		b, s = appendStabilityNumbers(append(b, w.rank), s)
		break
	}
	switch {
	case s == "":
		return append(b, phpEnd), nil
	case isDev(s):
		return append(b, phpDev, phpEnd), nil
	}
	return nil, errMalformed
}

// appendStable drops what follows "stable": a number, "-dev".
func appendStable(b []byte, s string) ([]byte, error) {
	if _, s = appendStabilityNumbers(b, s); s != "" && !isDev(s) {
		return nil, errMalformed
	}
	return append(b, phpEnd), nil
}

func appendStabilityNumbers(b []byte, s string) ([]byte, string) {
	for {
		skip := 0
		if s != "" && (s[0] == '.' || s[0] == '-') {
			skip = 1
		}
		n := digits(s[skip:])
		if n == 0 {
			return b, s
		}
		b = appendNumber(append(b, phpNumber), s[skip:skip+n])
		s = s[skip+n:]
	}
}

func isDev(s string) bool {
	return strings.EqualFold(strings.TrimLeft(s, ".-"), "dev")
}

func hasFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}
