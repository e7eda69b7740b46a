package finding

import "fmt"

// Severity orders findings. The zero value is SeverityUnknown: nobody has rated it.
type Severity int8

// The severities, lowest first. Negligible is Debian's unimportant and Ubuntu's negligible.
const (
	SeverityUnknown Severity = iota
	SeverityNegligible
	SeverityLow
	SeverityMedium
	SeverityHigh
	SeverityCritical
)

var severityNames = [...]string{"unknown", "negligible", "low", "medium", "high", "critical"}

// Severities lists every severity, highest first: the order of reports.
var Severities = []Severity{SeverityCritical, SeverityHigh, SeverityMedium, SeverityLow, SeverityNegligible, SeverityUnknown}

func (s Severity) String() string {
	if s < 0 || int(s) >= len(severityNames) {
		return severityNames[0]
	}
	return severityNames[s]
}

// ParseSeverity reads a severity's name as publishers write it, in any case: also "moderate" and "important"
// (Red Hat), "none" and "unimportant".
func ParseSeverity(name string) (Severity, error) {
	switch lower := asciiLower(name); lower {
	case "moderate":
		return SeverityMedium, nil
	case "important":
		return SeverityHigh, nil
	case "none", "unimportant", "minimal":
		return SeverityNegligible, nil
	case "":
		return SeverityUnknown, nil
	default:
		for i, known := range severityNames {
			if lower == known {
				return Severity(i), nil
			}
		}
	}
	return SeverityUnknown, fmt.Errorf("unknown severity %q: want one of critical, high, medium, low, negligible, unknown", name)
}

// SeverityOfScore rates a CVSS base score by the scale of CVSS 3.1 section 5, which CVSS 4.0 keeps.
func SeverityOfScore(score float64) Severity {
	switch {
	case score >= 9:
		return SeverityCritical
	case score >= 7:
		return SeverityHigh
	case score >= 4:
		return SeverityMedium
	case score > 0:
		return SeverityLow
	}
	return SeverityNegligible
}

// MarshalText writes the severity's name.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText wrote, and publishers' other names.
func (s *Severity) UnmarshalText(text []byte) error {
	v, err := ParseSeverity(string(text))
	if err == nil {
		*s = v
	}
	return err
}

func asciiLower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
