package version

// appendPub follows Dart's pub_semver: semver, but build metadata orders after none.
func appendPub(b []byte, s string) ([]byte, error) {
	b, rest, err := appendNumbers(b, trimV(s), 3)
	if err != nil {
		return nil, err
	}
	pre, build, hasBuild := cut(rest, '+')
	if b, err = appendPre(b, pre, false); err != nil {
		return nil, err
	}
	if !hasBuild {
		return append(b, 0), nil
	}
	return appendIDs(append(b, 1), build, false)
}
