// Package record holds the neutral form of an advisory: what every feed is turned into before the database is
// built from it.
//
// It promises plain values without behaviour, so that a reader of feeds and the builder of the database need not
// know each other. It leaves out what no match or report needs: credits, reference lists, full descriptions.
package record

import (
	"time"

	"github.com/seawall/seawall/finding"
)

// Kind says what a record is about. Only vulnerabilities and malware are matched.
type Kind uint8

const (
	Vulnerability Kind = iota
	// Malware: the package itself is hostile (OSV: MAL-).
	Malware
	// Bug and Enhancement are distribution updates without a security reason (AlmaLinux: ALBA, ALEA).
	Bug
	Enhancement
)

// Record is one advisory of one publisher.
type Record struct {
	ID string
	// Aliases name the same vulnerability; Upstream are the vulnerabilities that a distribution's advisory
	// bundles (OSV 1.7 "upstream"). Related never leads to a merge.
	Aliases, Upstream, Related []string
	// Summary is one line for a person.
	Summary string
	// URL is the page of the publisher to send a reader to; "" where there is none.
	URL string
	// Published, Modified and Withdrawn are kept to the second; zero means not given.
	// A withdrawn record is never matched.
	Published, Modified, Withdrawn time.Time
	Severities                     []Severity
	// Rating is the publisher's own word: "Moderate", "HIGH".
	Rating   string
	CWE      []string // "CWE-79"
	Kind     Kind
	Affected []Affected
}

// Severity is a rating as OSV gives it.
type Severity struct {
	Type  string // CVSS_V2, CVSS_V3, CVSS_V4, Ubuntu
	Score string // the vector, or the word where Type is a publisher's name
}

// Affected says which versions of one package are affected.
type Affected struct {
	// Ecosystem is OSV's, with the release for distributions: "Debian:12".
	Ecosystem string
	Name      string
	// Ranges and Versions add up: a version that either names is affected.
	Ranges     []Range
	Versions   []string
	Severities []Severity // instead of the record's, where given
	Rating     string     // instead of the record's, where given
	// State is what the distribution decided; "" lets the ranges speak: fixed or unfixed.
	State finding.State
	// Modularity is rpm's module and stream, "nodejs:18"; "" where not known or none.
	Modularity string
	// Urgency is Debian's urgency for its package: "unimportant", "low", "medium", "high", "not yet assigned".
	Urgency string
	// Arch are the architectures that the entry is about, as the package manager names them; none means all.
	Arch []string
}

// RangeKind says how the versions of a range are ordered.
type RangeKind uint8

const (
	// Semver orders by SemVer 2.0, whatever the ecosystem's own order.
	Semver RangeKind = iota
	// Ecosystem orders as the ecosystem's own tool does.
	Ecosystem
	// Git ranges name commits. They are dropped by the builder.
	Git
)

// Range is a list of events, in any order. See the OSV schema, section "affected[].ranges[].events".
type Range struct {
	Kind   RangeKind
	Events []Event
}

// Event has exactly one field set. Introduced "0" is before every version; Limit "*" is infinity.
type Event struct {
	Introduced, Fixed, LastAffected, Limit string
}
