package gate

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/seawall/seawall/finding"
)

// maxIgnoreFile bounds an ignore file in bytes, maxIgnoreLine one of its lines.
const (
	maxIgnoreFile = 4 << 20
	maxIgnoreLine = 8 << 10
)

// ParseIgnore reads an ignore file (.seawallignore); name stands in errors and origins. A line holds an id (of an
// advisory, a secret rule or a check; * for any), optional package=, path= and until=, and a reason behind #:
//
//	CVE-2024-1234 package=openssl path=usr/lib/** until=2027-01-31 # not reachable from outside
//
// Values with spaces stand in double quotes. until is the last day, in UTC, on which the line holds. Lines of ids alone,
// and exp: for until=, are read as other scanners write them. Errors are SyntaxErrors, joined.
func ParseIgnore(name string, b []byte) ([]finding.Suppression, error) {
	if len(b) > maxIgnoreFile {
		return nil, &SyntaxError{Name: name, Message: fmt.Sprintf("%d bytes: an ignore file has at most %d", len(b), maxIgnoreFile)}
	}
	var out []finding.Suppression
	var errs []error
	number := 0
	for line := range strings.SplitSeq(strings.TrimPrefix(string(b), "\ufeff"), "\n") {
		number++
		s, err := ignoreLine(strings.TrimSuffix(line, "\r"))
		switch {
		case err != nil:
			if errs = append(errs, &SyntaxError{Name: name, Line: number, Message: err.Error()}); len(errs) == maxErrors {
				return nil, errors.Join(errs...)
			}
		case s != nil:
			s.Origin = fmt.Sprintf("%s:%d", name, number)
			out = append(out, *s)
		}
	}
	if errs != nil {
		return nil, errors.Join(errs...)
	}
	return out, nil
}

// ignoreLine returns nil for a line without an entry.
func ignoreLine(line string) (*finding.Suppression, error) {
	switch {
	case len(line) > maxIgnoreLine:
		return nil, fmt.Errorf("a line of %d bytes: at most %d are read", len(line), maxIgnoreLine)
	case !utf8.ValidString(line) || strings.ContainsFunc(line, func(r rune) bool { return r != '\t' && unicode.IsControl(r) }):
		return nil, errors.New("a character that is no text")
	}
	words, reason, err := ignoreWords(line)
	if err != nil || len(words) == 0 {
		return nil, err
	}
	if key, _, option := strings.Cut(words[0], "="); option {
		return nil, fmt.Errorf("%s= stands where the id should: write * for any", clip(key))
	}
	s := &finding.Suppression{Source: finding.SourceIgnore, ID: words[0], Reason: reason}
	seen := map[string]bool{}
	for _, word := range words[1:] {
		if err := ignoreOption(s, word, seen); err != nil {
			return nil, err
		}
	}
	return s, s.Validate()
}

// ignoreOption reads key=value into s.
func ignoreOption(s *finding.Suppression, word string, seen map[string]bool) error {
	key, value, ok := strings.Cut(word, "=")
	if day, other := strings.CutPrefix(word, "exp:"); other {
		key, value, ok = "until", day, true
	}
	switch {
	case !ok:
		return fmt.Errorf("%q: one id a line; a reason stands behind #", clip(word))
	case seen[key]:
		return fmt.Errorf("%s= stands here twice", clip(key))
	case value == "":
		return fmt.Errorf("%s= has no value", clip(key))
	}
	seen[key] = true
	switch key {
	case "package":
		s.Package = value
	case "path":
		s.Path = value
	case "until":
		var err error
		s.Expires, err = endOf(value)
		return err
	default:
		return oneOf(key, []string{"package", "path", "until"})
	}
	return nil
}

// ignoreWords cuts a line into words and the reason behind the first # that begins a word. Double quotes keep spaces.
func ignoreWords(line string) (words []string, reason string, err error) {
	var word strings.Builder
	quoted, begun := false, false
	end := func() {
		if begun {
			words = append(words, word.String())
		}
		word.Reset()
		begun = false
	}
	for i, r := range line {
		switch {
		case r == '"':
			quoted, begun = !quoted, true
		case quoted:
			word.WriteRune(r)
		case r == '#' && !begun:
			return words, strings.TrimSpace(line[i+1:]), nil
		case unicode.IsSpace(r):
			end()
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	if quoted {
		return nil, "", errors.New("a double quote is left open")
	}
	end()
	return words, "", nil
}
