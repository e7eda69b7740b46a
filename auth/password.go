package auth

import (
	_ "embed"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	minPassword = 12  // characters
	maxPassword = 256 // bytes
	minDistinct = 5   // characters
)

//go:embed passwords.txt
var commonPasswords string

// CheckPassword says what is wrong with a new password of the user.
func CheckPassword(name, password string) error {
	low := strings.ToLower(password)
	switch {
	case !utf8.ValidString(password):
		return invalid("the password is not UTF-8")
	case utf8.RuneCountInString(password) < minPassword:
		return invalid("the password is too short: it needs %d characters", minPassword)
	case len(password) > maxPassword:
		return invalid("the password is longer than %d bytes", maxPassword)
	case name != "" && len(name) >= 3 && strings.Contains(low, strings.ToLower(name)):
		return invalid("the password contains the name")
	case distinct(low) < minDistinct:
		return invalid("the password is too simple: it needs %d different characters", minDistinct)
	case common(low):
		return invalid("the password is one that is tried first: choose another")
	}
	return nil
}

func distinct(s string) int {
	seen := map[rune]bool{}
	for _, r := range s {
		seen[r] = true
	}
	return len(seen)
}

// common reports whether a password is in the list, as it is or with digits and signs at its ends.
func common(low string) bool {
	bare := strings.Trim(low, "0123456789!?.,;:-_+*#$%&@ ")
	for line := range strings.Lines(commonPasswords) {
		if w := strings.TrimSpace(line); w != "" && (w == low || w == bare) {
			return true
		}
	}
	return counting(low)
}

// counting reports whether a password is digits in their order, with signs between or around them.
func counting(low string) bool {
	const up = "0123456789012345678901234567890"
	down := []byte(up)
	slices.Reverse(down)
	n := strings.Map(func(r rune) rune {
		if strings.ContainsRune("!?.,;:-_+*#$%&@ ", r) {
			return -1
		}
		return r
	}, low)
	return strings.Contains(up, n) || strings.Contains(string(down), n)
}
