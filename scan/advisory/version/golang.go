package version

import "strings"

// appendGo follows golang.org/ref/mod#versions: semver with a leading "v" or without. Pseudo-versions are
// pre-releases, "+incompatible" and "+dirty" are build metadata. The toolchain's own spelling is read too, as build
// information has it: "go1.21rc3" is 1.21.0-rc.3, "go1.20" is 1.20.0, and what follows a space or the number
// ("go1.22.3 X:boringcrypto", "go1.22.3-fips") does not order.
func appendGo(b []byte, s string) ([]byte, error) {
	if tool, ok := strings.CutPrefix(s, "go"); ok {
		return appendToolchain(b, tool)
	}
	b, rest, err := appendNumbers(b, trimV(s), 3)
	if err != nil {
		return nil, err
	}
	rest, _, _ = cut(rest, '+')
	if n := letters(rest); n > 0 {
		return appendToolchainPre(b, rest, n) // "1.21rc3": the standard library without its prefix
	}
	return appendPre(b, rest, false)
}

func appendToolchain(b []byte, s string) ([]byte, error) {
	s, _, _ = cut(s, ' ')
	s, _, _ = cut(s, '+')
	b, rest, err := appendNumbers(b, s, 3)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(rest, "-devel") {
		return appendPre(b, "-devel", false)
	}
	rest, _, _ = cut(rest, '-')
	n := letters(rest)
	if n == 0 {
		return append(b, semRelease), nil
	}
	return appendToolchainPre(b, rest, n)
}

// appendToolchainPre appends "rc3" as the pre-release "rc.3"; n counts its letters.
func appendToolchainPre(b []byte, s string, n int) ([]byte, error) {
	b = appendText(append(b, semPre, idText), s[:n])
	switch number := s[n:]; {
	case number == "":
	case allDigits(number):
		b = appendNumber(append(b, idNumber), number)
	default:
		return nil, errMalformed
	}
	return append(b, idEnd), nil
}
