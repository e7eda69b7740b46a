package report

import (
	"strings"

	"github.com/seawall/seawall/finding"
)

// palette paints text with the sixteen colours that every terminal has, in the user's own theme; or not at all.
type palette bool

const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
	blue   = "34"
	cyan   = "36"
)

func (p palette) paint(style, s string) string {
	if !p || s == "" || style == "" {
		return s
	}
	return "\x1b[" + style + "m" + s + "\x1b[0m"
}

func (p palette) bold(s string) string { return p.paint(bold, s) }
func (p palette) dim(s string) string  { return p.paint(dim, s) }

func (p palette) severity(v finding.Severity, s string) string {
	switch v {
	case finding.SeverityCritical:
		return p.paint("1;31", s)
	case finding.SeverityHigh:
		return p.paint(red, s)
	case finding.SeverityMedium:
		return p.paint(yellow, s)
	case finding.SeverityLow:
		return p.paint(blue, s)
	}
	return p.paint(dim, s)
}

func (p palette) decision(d finding.Decision, s string) string {
	switch d {
	case finding.Pass:
		return p.paint("1;32", s)
	case finding.Fail:
		return p.paint("1;31", s)
	}
	return p.paint("1;33", s)
}

// uncolored removes what paint added to a word.
func uncolored(s string) string {
	for {
		before, rest, ok := strings.Cut(s, "\x1b[")
		if !ok {
			return s
		}
		_, after, _ := strings.Cut(rest, "m")
		s = before + after
	}
}
