package version

const (
	dottedEnd = 1 + iota
	dottedNumber
)

// appendDotted follows R's package_version and Haskell's Data.Version: numbers between dots (R: or hyphens), compared
// one by one; of two that agree so far the longer is newer, so 1.0 comes before 1.0.0.
func appendDotted(b []byte, s string) ([]byte, error) {
	for {
		n := digits(s)
		if n == 0 {
			return nil, errNoNumber
		}
		b = appendNumber(append(b, dottedNumber), s[:n])
		if s = s[n:]; s == "" {
			return append(b, dottedEnd), nil
		}
		if s[0] != '.' && s[0] != '-' {
			return nil, errCharacter
		}
		s = s[1:]
	}
}
