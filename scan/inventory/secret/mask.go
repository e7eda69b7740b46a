package secret

import "strings"

// mask keeps what helps to recognise a value: four characters at the front and two at the back of a long one, of
// which issuers' prefixes are the greater part; two at the front of a middling one; nothing of a short one. Of a
// key in a frame it keeps the frame's first line.
func mask(rule, value string) string {
	if strings.HasPrefix(value, "-----BEGIN ") {
		if end := strings.Index(value[11:], "-----"); end >= 0 && end < 40 {
			return value[:11+end+5] + " …"
		}
	}
	value = printable(value)
	switch n := len(value); {
	case rule == "password-hash":
		return hashKind(value) + "…"
	case n >= 24:
		return value[:4] + "…" + value[n-2:]
	case n >= 12:
		return value[:2] + "…"
	}
	return "…"
}

// hashKind is the "$6$" in front of a crypt(5) hash, which says how it was made.
func hashKind(value string) string {
	if len(value) > 1 && value[0] == '$' {
		if end := strings.IndexByte(value[1:], '$'); end >= 0 && end < 6 {
			return value[:end+2]
		}
	}
	return ""
}

// printable replaces what could confuse a terminal: reports print masked values as they are.
func printable(value string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, value)
}
