package version

import (
	"errors"
	"strings"
)

// Errors of the grammars. The version itself is named by the caller.
var (
	errEmpty     = errors.New("is empty")
	errNoNumber  = errors.New("does not begin with a number")
	errCharacter = errors.New("holds a character that its ecosystem does not allow")
	errMalformed = errors.New("does not follow its ecosystem's grammar")
)

// appendNumber appends a run of decimal digits of any length so that keys order by value: a count of significant
// digits, then the digits. A run without digits counts as 0.
func appendNumber(b []byte, digits string) []byte {
	for len(digits) > 0 && digits[0] == '0' {
		digits = digits[1:]
	}
	if n := len(digits); n < 0xff {
		b = append(b, byte(n))
	} else {
		b = append(b, 0xff, byte(n>>8), byte(n))
	}
	return append(b, digits...)
}

// appendText appends text that holds no zero byte so that a prefix orders before what it begins.
func appendText(b []byte, text string) []byte { return append(append(b, text...), 0) }

// appendLower is appendText of the text in lower case.
func appendLower(b []byte, text string) []byte {
	for i := range len(text) {
		b = append(b, lower(text[i]))
	}
	return append(b, 0)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isAlpha(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}

// digits returns how many digits s begins with.
func digits(s string) int {
	i := 0
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	return i
}

// letters returns how many ASCII letters s begins with.
func letters(s string) int {
	i := 0
	for i < len(s) && isAlpha(s[i]) {
		i++
	}
	return i
}

func allDigits(s string) bool { return s != "" && digits(s) == len(s) }

func isZero(s string) bool { return allDigits(s) && strings.Trim(s, "0") == "" }

// cut is strings.Cut for one byte, which is faster.
func cut(s string, sep byte) (before, after string, found bool) {
	if i := strings.IndexByte(s, sep); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}
