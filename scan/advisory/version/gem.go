package version

import "strings"

// What can stand next in a gem version, lowest first. The end counts as an endless row of zeros.
const (
	gemWord = 1 + iota
	gemZeroPre
	gemEnd
	gemZeroPost
	gemNumber
)

// appendGem follows Gem::Version: segments of digits or letters, a hyphen stands for ".pre.", a word makes a
// pre-release, and zeros at the end of the numbers and of the whole do not count.
func appendGem(b []byte, s string) ([]byte, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		s = "0"
	}
	var room [32]string
	segments, err := splitGem(room[:0], s)
	if err != nil {
		return nil, err
	}
	for i, seg := range segments {
		switch {
		case isAlpha(seg[0]):
			b = appendText(append(b, gemWord), seg)
		case !isZero(seg):
			b = appendNumber(append(b, gemNumber), seg)
		case startsWithWord(segments[i:]):
			b = append(b, gemZeroPre)
		default:
			b = append(b, gemZeroPost)
		}
	}
	return append(b, gemEnd), nil
}

func splitGem(segments []string, s string) ([]string, error) {
	if !isDigit(s[0]) {
		return nil, errNoNumber
	}
	words := false
	for dot := false; s != ""; {
		n, word := digits(s), false
		if n == 0 {
			n, word = letters(s), true
		}
		switch {
		case n > 0:
			if word && !words {
				segments, words = trimZeros(segments), true
			}
			segments, dot = append(segments, s[:n]), false
		case s[0] == '.' && !dot:
			n, dot = 1, true
		case s[0] == '-' && !dot:
			if !words {
				segments, words = trimZeros(segments), true
			}
			segments, n = append(segments, "pre"), 1
		default:
			return nil, errMalformed
		}
		s = s[n:]
		if s == "" && dot {
			return nil, errMalformed
		}
	}
	return trimZeros(segments), nil
}

func trimZeros(segments []string) []string {
	for len(segments) > 0 && isZero(segments[len(segments)-1]) {
		segments = segments[:len(segments)-1]
	}
	return segments
}

// startsWithWord reports whether the first segment that is not zero is a word.
func startsWithWord(segments []string) bool {
	for _, seg := range segments {
		if !isZero(seg) {
			return isAlpha(seg[0])
		}
	}
	return false
}
