package gate

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/seawall/seawall/finding"
)

// Limit is a number of findings that is still allowed.
type Limit int

// Any is no limit: "any" in a gate file.
const Any Limit = -1

// exceeded reports whether n findings are more than allowed.
func (l Limit) exceeded(n int) bool { return l >= 0 && n > int(l) }

// MarshalJSON writes a number, or "any".
func (l Limit) MarshalJSON() ([]byte, error) {
	if l < 0 {
		return []byte(`"any"`), nil
	}
	return json.Marshal(int(l))
}

// UnmarshalText reads a number or "any".
func (l *Limit) UnmarshalText(text []byte) error {
	if string(text) == "any" {
		*l = Any
		return nil
	}
	n, err := strconv.ParseUint(string(text), 10, 31)
	if err != nil {
		return fmt.Errorf("want a whole number from 0, or any, not %q", clip(string(text)))
	}
	*l = Limit(n)
	return nil
}

// Level is a severity from which on something happens. The zero value is never.
type Level int8

// LevelOf is the level that starts at s.
func LevelOf(s finding.Severity) Level { return Level(s) + 1 }

// Never is the level that nothing reaches.
const Never Level = 0

// Reached reports whether s is at or above the level. An unknown severity counts as medium.
func (l Level) Reached(s finding.Severity) bool {
	if s == finding.SeverityUnknown {
		s = finding.SeverityMedium
	}
	return l != Never && LevelOf(s) >= l
}

// MarshalText writes a severity's name, or "never".
func (l Level) MarshalText() ([]byte, error) {
	if l == Never {
		return []byte("never"), nil
	}
	return finding.Severity(l - 1).MarshalText()
}

// levelNames are the severities that a level can start at.
var levelNames = []string{"critical", "high", "medium", "low", "negligible", "never"}

// UnmarshalText reads one of critical, high, medium, low, negligible and never.
func (l *Level) UnmarshalText(text []byte) error {
	for _, name := range levelNames {
		if name != string(text) {
			continue
		}
		if name == "never" {
			*l = Never
			return nil
		}
		s, err := finding.ParseSeverity(name)
		*l = LevelOf(s)
		return err
	}
	return oneOf(string(text), levelNames)
}

// Age is a length of time; 0 is any. Days have 24 hours, weeks 7 days.
type Age time.Duration

// Day is 24 hours.
const Day = Age(24 * time.Hour)

// maxAge is a hundred years: more is a typing error, and a Duration ends at 292.
const maxAge = 36525 * Day

// String writes whole days as "30d", else as time.Duration does, without the zeros at its end; 0 as "any".
func (a Age) String() string {
	switch {
	case a == 0:
		return "any"
	case a%Day == 0:
		return strconv.FormatInt(int64(a/Day), 10) + "d"
	}
	s := time.Duration(a).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// MarshalText writes what String does.
func (a Age) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads "any" or a length of time above 0: "30d", "2w", "36h", "1d12h".
func (a *Age) UnmarshalText(text []byte) error {
	if string(text) == "any" {
		*a = 0
		return nil
	}
	age, ok := parseAge(string(text))
	if !ok || age <= 0 || age > maxAge {
		return fmt.Errorf("want a length of time such as 30d, 2w or 36h, at most 100 years, or any, not %q", clip(string(text)))
	}
	*a = age
	return nil
}

// parseAge reads weeks and days in front of what time.ParseDuration reads.
func parseAge(s string) (Age, bool) {
	var sum Age
	for _, unit := range []struct {
		name string
		size Age
	}{{"w", 7 * Day}, {"d", Day}} {
		digits, rest, found := strings.Cut(s, unit.name)
		if !found {
			continue
		}
		n, err := strconv.ParseUint(digits, 10, 16)
		if err != nil {
			return 0, false
		}
		sum += Age(n) * unit.size
		s = rest
	}
	if s == "" {
		return sum, true
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 || s[0] == '+' || s[0] == '-' {
		return 0, false
	}
	if d > time.Duration(maxAge) {
		return 0, false
	}
	return sum + Age(d), true
}
