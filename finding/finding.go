// Package finding holds the nouns of the way image → findings → verdict: the image, what was found in it
// (packages, executables, secrets, configuration), what is known against it (advisories), the findings that join
// the two, the suppressions that set findings aside and the verdict that decides.
//
// It promises values that marshal to the JSON that users script against, and identities that stay the same when an
// image is rebuilt. It leaves out how any of it is found: it imports nothing of ours and does no I/O.
package finding

import (
	"strings"
	"time"
)

// State says what the publisher of an advisory has decided about a package that is affected.
type State string

const (
	// StateFixed: a version that is not affected can be installed.
	StateFixed State = "fixed"
	// StateUnfixed: affected, and no fixed version is known.
	StateUnfixed State = "unfixed"
	// StateDeferred: the distribution will fix it later or in a point release (Debian: no-dsa, postponed).
	StateDeferred State = "deferred"
	// StateWontFix: the distribution will not fix it (Debian: ignored).
	StateWontFix State = "wont-fix"
	// StateUnimportant: the distribution says it has no security effect as packaged (Debian: unimportant).
	StateUnimportant State = "unimportant"
	// StateEndOfLife: the distribution no longer supports the package or the release (Debian: end-of-life).
	StateEndOfLife State = "end-of-life"
	// StateMalware: the package itself is hostile (OSV: MAL-). There is nothing to upgrade to.
	StateMalware State = "malware"
)

// States lists every State.
var States = []State{
	StateFixed, StateUnfixed, StateDeferred, StateWontFix, StateUnimportant, StateEndOfLife, StateMalware,
}

// Finding is one row: one advisory group that applies to one package of an image. All occurrences of the package
// at the same version, in the same layer, are one Finding with several Paths.
type Finding struct {
	// ID is the canonical id of the advisory group: a CVE where there is one, else GHSA, else the publisher's own.
	ID string `json:"id"`
	// Aliases are the other ids of the group, sorted, ID itself left out.
	Aliases []string `json:"aliases,omitempty"`
	// Advisories are the ids of the records that matched: the sources of this row, sorted.
	Advisories []string `json:"advisories"`
	Title      string   `json:"title,omitempty"`
	URL        string   `json:"url,omitempty"`

	// Package is what is installed. Its Source is what the advisory speaks of, where the two differ.
	Package Package `json:"package"`
	// Paths are the places in the image where the package was found, sorted: slash-separated, no leading slash.
	Paths []string `json:"paths,omitempty"`
	// Fixed is the lowest version above the installed one that no matched record of the group affects;
	// "" where none is known.
	Fixed string `json:"fixed,omitempty"`
	State State  `json:"state"`

	Severity Severity `json:"severity"`
	// SeveritySource says who rated it: "cvss:<record id>", "distribution:<name>", "publisher:<record id>" or "".
	SeveritySource string `json:"severitySource,omitempty"`
	// Score is the CVSS base score, 0 where there is no vector. Vector is what it was computed from.
	Score  float64  `json:"score,omitempty"`
	Vector string   `json:"vector,omitempty"`
	CWE    []string `json:"cwe,omitempty"`
	// KEV: an id of the group is in CISA's catalogue of known exploited vulnerabilities.
	KEV *KEV `json:"kev,omitempty"`
	// EPSS is FIRST's estimate for the group: the highest over its CVEs. Nil where there is none.
	EPSS      *EPSS     `json:"epss,omitempty"`
	Published time.Time `json:"published,omitzero"`
	Modified  time.Time `json:"modified,omitzero"`

	// Layer credits the layer that brought the package; nil when unknown (an SBOM, a root file system).
	Layer *LayerRef `json:"layer,omitempty"`
	// KernelHeaders: the package only carries headers (linux-libc-dev): the kernel that they describe is not in
	// the image. Such findings are listed apart and never fail a gate by default.
	KernelHeaders bool `json:"kernelHeaders,omitempty"`
	// Suppressed, when not nil, is why this finding does not count.
	Suppressed *Suppression `json:"suppressed,omitempty"`
}

// Names reports whether id is the finding's canonical id, one of its aliases or one of its advisories.
func (f *Finding) Names(id string) bool {
	for _, ids := range [][]string{{f.ID}, f.Aliases, f.Advisories} {
		for _, have := range ids {
			if strings.EqualFold(have, id) {
				return true
			}
		}
	}
	return false
}

// KEV is an entry of CISA's Known Exploited Vulnerabilities catalogue.
type KEV struct {
	Added      string `json:"added"`         // YYYY-MM-DD
	Due        string `json:"due,omitempty"` // YYYY-MM-DD
	Ransomware bool   `json:"ransomware,omitempty"`
}

// EPSS is FIRST's exploit prediction: both figures are fractions between 0 and 1.
type EPSS struct {
	Score      float64 `json:"score"`
	Percentile float64 `json:"percentile"`
}

// LayerRef points at one layer of an image.
type LayerRef struct {
	// Index counts layers with content from 0, the bottom one.
	Index  int    `json:"index"`
	DiffID string `json:"diffId"`
	// CreatedBy is the Dockerfile instruction, as the image's history tells it, cleaned of shell wrapping.
	CreatedBy string `json:"createdBy,omitempty"`
	// Base: the layer belongs to the base image.
	Base bool `json:"base,omitempty"`
}
