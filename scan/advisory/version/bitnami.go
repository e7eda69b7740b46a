package version

// appendBitnami is semver, but a hyphen and a number is Bitnami's own package revision and orders after the release:
// 1.2.3 < 1.2.3-1 < 1.2.3-2. Any other pre-release orders before it.
func appendBitnami(b []byte, s string) ([]byte, error) {
	b, rest, err := appendNumbers(b, trimV(s), 0)
	if err != nil {
		return nil, err
	}
	rest, _, _ = cut(rest, '+')
	if len(rest) > 1 && rest[0] == '-' && allDigits(rest[1:]) {
		return appendNumber(append(b, semRelease), rest[1:]), nil
	}
	if b, err = appendPre(b, rest, false); rest == "" && err == nil {
		b = appendNumber(b, "")
	}
	return b, err
}
