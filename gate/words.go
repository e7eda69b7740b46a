package gate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// maxIDs bounds the ids of a reason.
const maxIDs = 20

// some returns the first of distinct.
func some(ids []string) []string {
	ids = distinct(ids)
	return ids[:min(len(ids), maxIDs)]
}

// distinct returns ids sorted, each once.
func distinct(ids []string) []string {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return slices.Compact(ids)
}

// number writes "1 thing" or "2 things".
func number(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return strconv.Itoa(n) + " " + thing + "s"
}

// list writes the first three of names, and how many more there are.
func list(names []string) string {
	const shown = 3
	var b strings.Builder
	for i, name := range names[:min(len(names), shown)] {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(plain(name))
	}
	if more := len(names) - shown; more > 0 {
		fmt.Fprintf(&b, " and %d more", more)
	}
	return b.String()
}

// plain makes a foreign text fit for a sentence: nothing in it can move a cursor, and it ends somewhere.
func plain(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		s = strings.Trim(strconv.Quote(clip(s)), `"`)
	}
	return clip(s)
}

// clip shortens a text to what an error or a sentence can hold.
func clip(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
