package trust

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// subjectName is a distinguished name as the Notary Project compares them: each attribute once, one value each.
type subjectName map[string]string

// parseSubject reads a distinguished name (RFC 4514), which must have C, ST and O (trust-store-trust-policy.md,
// "Trusted identities"). S is another name of ST.
func parseSubject(text string) (subjectName, error) {
	if strings.Contains(text, "=#") {
		return nil, errors.New("values in hexadecimal are not compared")
	}
	name := subjectName{}
	for _, part := range splitUnescaped(text, ',') {
		if len(splitUnescaped(part, '+')) > 1 {
			return nil, errors.New("a part with several attributes is not compared")
		}
		key, value, ok := strings.Cut(part, "=")
		key = strings.ToUpper(strings.TrimSpace(key))
		if key == "S" {
			key = "ST"
		}
		value, err := unescape(value)
		switch {
		case !ok || key == "":
			return nil, fmt.Errorf("%q: want NAME=VALUE", clean(part))
		case err != nil:
			return nil, err
		case name[key] != "":
			return nil, fmt.Errorf("%s is given twice", key)
		}
		name[key] = value
	}
	for _, must := range []string{"C", "ST", "O"} {
		if name[must] == "" {
			return nil, fmt.Errorf("%s is missing: C, ST and O are demanded", must)
		}
	}
	return name, nil
}

// within reports whether other has everything that n has.
func (n subjectName) within(other subjectName) bool {
	for k, v := range n {
		if other[k] != v {
			return false
		}
	}
	return true
}

// splitUnescaped splits at a character that no backslash precedes.
func splitUnescaped(text string, at byte) []string {
	var parts []string
	start := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case at:
			parts = append(parts, text[start:i])
			start = i + 1
		}
	}
	return append(parts, text[start:])
}

// unescape resolves backslashes and trims spaces that are not escaped.
func unescape(text string) (string, error) {
	text = strings.TrimLeft(text, " ")
	for strings.HasSuffix(text, " ") && !strings.HasSuffix(text, `\ `) {
		text = text[:len(text)-1]
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			b.WriteByte(text[i])
			continue
		}
		if i+1 >= len(text) {
			return "", errors.New("a backslash at the end")
		}
		if i+2 < len(text) {
			if raw, err := hex.DecodeString(text[i+1 : i+3]); err == nil {
				b.Write(raw)
				i += 2
				continue
			}
		}
		b.WriteByte(text[i+1])
		i++
	}
	return b.String(), nil
}
