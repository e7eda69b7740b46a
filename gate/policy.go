package gate

import (
	"slices"

	"github.com/seawall/seawall/finding"
)

// Policy is a gate file: what an image may have and still ship. Its JSON form is a gate file again, but for the
// suppressions. The zero Policy allows nothing; Default is what applies where a file says nothing else.
type Policy struct {
	Version int `json:"version"` // of the file's format: 1
	// Name and Digest ("sha256:…") identify the file in verdicts.
	Name   string `json:"-"`
	Digest string `json:"-"`

	// Max is how many findings of a severity may count without failing; Warn, without warning.
	Max  Limits `json:"max"`
	Warn Limits `json:"warn"`
	// IgnoreUnfixed sets findings apart for which no fixed version is known, but for exploited and hostile ones.
	IgnoreUnfixed bool `json:"ignoreUnfixed"`
	// IgnoreStates sets findings of these states apart, but for exploited ones.
	IgnoreStates []finding.State `json:"ignoreStates,omitempty"`
	// KernelHeaders: "ignore" (also "") sets findings of packages with kernel headers alone apart; "count" does not.
	KernelHeaders KernelHeaders `json:"kernelHeaders"`
	// Scope: "all" (also "") or "own", with which findings in the base image's layers warn where they would fail.
	Scope Scope `json:"scope"`

	KEV  Action        `json:"kev"` // known exploited vulnerabilities; "" is fail
	EPSS Probabilities `json:"epss"`
	// MaxScanAge and MaxDatabaseAge: older ones are not evaluated.
	MaxScanAge     Age `json:"maxScanAge"`
	MaxDatabaseAge Age `json:"maxDatabaseAge"`

	Packages   PackageRules   `json:"packages"`
	Licenses   LicenseRules   `json:"licenses"`
	Secrets    Levels         `json:"secrets"`
	Checks     CheckRules     `json:"checks"`
	BaseImages BaseImageRules `json:"baseImages"`
	Gaps       GapRules       `json:"gaps"`

	Suppressions []finding.Suppression `json:"-"`
}

// Scope says whose layers can fail an image.
type Scope string

const (
	ScopeAll Scope = "all"
	ScopeOwn Scope = "own"
)

// KernelHeaders says whether findings about kernel headers count: the kernel itself is not in the image.
type KernelHeaders string

const (
	KernelHeadersIgnore KernelHeaders = "ignore"
	KernelHeadersCount  KernelHeaders = "count"
)

// Action is what one kind of thing leads to.
type Action string

const (
	ActionFail   Action = "fail"
	ActionWarn   Action = "warn"
	ActionIgnore Action = "ignore"
)

// decision is what the action leads to; "" is fail.
func (a Action) decision() finding.Decision {
	switch a {
	case ActionWarn:
		return finding.Warn
	case ActionIgnore:
		return finding.Pass
	}
	return finding.Fail
}

// Limits are numbers of findings by severity.
type Limits struct {
	Critical   Limit `json:"critical"`
	High       Limit `json:"high"`
	Medium     Limit `json:"medium"`
	Low        Limit `json:"low"`
	Negligible Limit `json:"negligible"`
	Unknown    Limit `json:"unknown"`
}

// Of returns the limit for s.
func (l *Limits) Of(s finding.Severity) Limit {
	switch s {
	case finding.SeverityCritical:
		return l.Critical
	case finding.SeverityHigh:
		return l.High
	case finding.SeverityMedium:
		return l.Medium
	case finding.SeverityLow:
		return l.Low
	case finding.SeverityNegligible:
		return l.Negligible
	}
	return l.Unknown
}

// Levels are the severities from which on something fails or warns.
type Levels struct {
	Fail Level `json:"fail"`
	Warn Level `json:"warn"`
}

// Probabilities are EPSS scores, above 0 and at most 1, from which on a finding fails or warns; 0 is never.
type Probabilities struct {
	Fail float64 `json:"fail"`
	Warn float64 `json:"warn"`
}

// PackageRules name packages that must not be in an image.
type PackageRules struct {
	Deny []PackageRule `json:"deny,omitempty"`
}

// PackageRule names packages. Package is a shell pattern over names and source names, or a package URL; Version a shell
// pattern over versions, "" for any.
type PackageRule struct {
	Package string `json:"package"`
	Version string `json:"version,omitempty"`
	Reason  string `json:"reason,omitempty"`
}

// LicenseRules name licences by shell patterns over SPDX ids, in any case. Where Allow is not empty, what it does not
// name fails, and Unknown is what a package without a known licence leads to.
type LicenseRules struct {
	Deny    []string `json:"deny,omitempty"`
	Allow   []string `json:"allow,omitempty"`
	Unknown Action   `json:"unknown"`
}

// CheckRules are for the checks of an image's configuration. Deny names checks by shell pattern that fail whatever
// their severity.
type CheckRules struct {
	Levels
	Deny []string `json:"deny,omitempty"`
}

// BaseImageRules: where Require is not empty, one of its entries must hold.
type BaseImageRules struct {
	Require []BaseImage `json:"require,omitempty"`
}

// BaseImage describes a base image; everything that it gives must hold. Name (a shell pattern, "**" crossing slashes)
// and Digest are compared with the labels org.opencontainers.image.base.name and .digest, which whoever builds the
// image may set at will. Layers are the diff ids of its lowest layers, bottom first, which nobody can pretend.
type BaseImage struct {
	Name   string   `json:"name,omitempty"`
	Digest string   `json:"digest,omitempty"`
	Layers []string `json:"layers,omitempty"`
}

// Default is what applies where a gate file says nothing else. It is that of Microsoft's image-scan security gate: any
// critical or high finding fails, as do more than 5 medium or more than 15 low ones, and
// fewer warn. Findings that nobody has rated are limited as medium ones are.
func Default() *Policy {
	return &Policy{
		Version:        1,
		Name:           "default",
		Max:            Limits{Medium: 5, Low: 15, Unknown: 5, Negligible: Any},
		Warn:           Limits{Negligible: Any},
		KernelHeaders:  KernelHeadersIgnore,
		Scope:          ScopeAll,
		KEV:            ActionFail,
		MaxDatabaseAge: 30 * Day,
		Licenses:       LicenseRules{Unknown: ActionWarn},
		Secrets:        Levels{Warn: LevelOf(finding.SeverityLow)},
	}
}

// setsApart reports whether f does not count although nothing suppresses it.
func (p *Policy) setsApart(f *finding.Finding) bool {
	switch {
	case f.State == finding.StateMalware:
		return false
	case f.KernelHeaders && p.KernelHeaders != KernelHeadersCount:
		return true
	case f.KEV != nil && p.KEV != ActionIgnore:
		return false
	}
	return p.IgnoreUnfixed && unfixed(f) || slices.Contains(p.IgnoreStates, f.State)
}

func unfixed(f *finding.Finding) bool { return f.Fixed == "" && f.State != finding.StateFixed }
