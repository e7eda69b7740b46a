package gate

import (
	"fmt"
	"strings"
)

// oneOf is the error for a word that is none of names.
func oneOf(word string, names []string) error {
	if near := nearest(word, names); near != "" {
		return fmt.Errorf("%q is not known: did you mean %s?", clip(word), near)
	}
	return fmt.Errorf("%q is not known: want one of %s", clip(word), strings.Join(names, ", "))
}

// nearest returns the name that word was most likely meant to be, "" for none.
func nearest(word string, names []string) string {
	best, found := len(word)/3+2, ""
	for _, name := range names {
		if d := distance(strings.ToLower(word), strings.ToLower(name)); d < best {
			best, found = d, name
		}
	}
	return found
}

// distance counts the bytes to insert, delete or replace between a and b, up to where nobody mistypes.
func distance(a, b string) int {
	const far = 64
	if len(a) > far || len(b) > far {
		return far
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal + one(a[i] != b[j])
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}

func textsOf[T ~string](values []T) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = string(v)
	}
	return out
}
