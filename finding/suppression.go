package finding

import (
	"path"
	"strings"
	"time"
)

// SuppressionSource says where a suppression comes from.
type SuppressionSource string

const (
	SourceHub      SuppressionSource = "hub"         // an approved exception
	SourceGate     SuppressionSource = "gate-file"   // the suppressions of a gate file
	SourceVEX      SuppressionSource = "vex"         // OpenVEX or CSAF: not_affected, fixed, false positive
	SourceIgnore   SuppressionSource = "ignore-file" // .seawallignore
	SourceBaseline SuppressionSource = "baseline"    // in the report given by --since-baseline
)

// Rule is what a source of suppressions may do.
type Rule struct {
	Source SuppressionSource
	// NeedsReason, NeedsOwner and NeedsExpiry: without them the suppression is refused.
	NeedsReason, NeedsOwner, NeedsExpiry bool
	// MayCoverKEV: it may set aside a vulnerability that is known to be exploited.
	// Malware is set aside by the same sources.
	MayCoverKEV bool
}

// Precedence is the one table of all suppressions. Where several apply to a finding, the first source in this
// order is the one that is reported. docs/suppressions.md explains it.
var Precedence = []Rule{
	{Source: SourceHub, NeedsReason: true, NeedsOwner: true, NeedsExpiry: true, MayCoverKEV: true},
	{Source: SourceGate, NeedsReason: true, NeedsOwner: true, NeedsExpiry: true, MayCoverKEV: true},
	{Source: SourceVEX, MayCoverKEV: true},
	{Source: SourceIgnore},
	{Source: SourceBaseline},
}

// Suppression sets findings, secrets or checks aside. Every kind of exception is one of these.
type Suppression struct {
	Source SuppressionSource `json:"source"`
	// ID is an advisory id or alias, a secret rule or a check id; "*" or "" means any.
	ID string `json:"id,omitempty"`
	// Package is a package name (shell pattern) or a package URL; "" means any. A package URL without a version
	// means every version.
	Package string `json:"package,omitempty"`
	// Path is a shell pattern over paths in the image, "**" crossing slashes; "" means any.
	Path   string `json:"path,omitempty"`
	Reason string `json:"reason,omitempty"`
	Owner  string `json:"owner,omitempty"`
	// Expires is the first moment at which it no longer holds; zero means never.
	Expires time.Time `json:"expires,omitzero"`
	// Origin says where it is written: "gate.yaml:12".
	Origin string `json:"origin,omitempty"`
}

// Expired reports whether the suppression no longer holds at now.
func (s *Suppression) Expired(now time.Time) bool {
	return !s.Expires.IsZero() && !now.Before(s.Expires)
}

// Rule returns the source's line of the precedence table and its place in it; ok is false for an unknown source.
func (s *Suppression) Rule() (r Rule, rank int, ok bool) {
	for i, r := range Precedence {
		if r.Source == s.Source {
			return r, i, true
		}
	}
	return Rule{}, len(Precedence), false
}

// Covers reports whether the suppression speaks of f at now. It says nothing about which suppression wins.
func (s *Suppression) Covers(f *Finding, now time.Time) bool {
	r, _, ok := s.Rule()
	if !ok || s.Expired(now) || (f.KEV != nil || f.State == StateMalware) && !r.MayCoverKEV {
		return false
	}
	return (anyID(s.ID) || f.Names(s.ID)) && s.coversPackage(&f.Package) && s.coversPaths(f.Paths)
}

// CoversSecret is Covers for a secret: ID names its rule.
func (s *Suppression) CoversSecret(x *Secret, now time.Time) bool {
	_, _, ok := s.Rule()
	return ok && !s.Expired(now) && s.Package == "" && s.ID == x.Rule && s.coversPaths([]string{x.Path})
}

// CoversCheck is Covers for a configuration check: ID names it.
func (s *Suppression) CoversCheck(c *Check, now time.Time) bool {
	_, _, ok := s.Rule()
	return ok && !s.Expired(now) && s.Package == "" && s.ID == c.ID && (s.Path == "" || s.coversPaths(c.Paths))
}

func anyID(id string) bool { return id == "" || id == "*" }

func (s *Suppression) coversPackage(p *Package) bool {
	switch {
	case s.Package == "":
		return true
	case strings.HasPrefix(s.Package, "pkg:"):
		return coversPURL(s.Package, p.PURL)
	}
	for _, name := range []string{p.Name, p.SourceName} {
		if ok, err := path.Match(s.Package, name); err == nil && ok && name != "" {
			return true
		}
	}
	return false
}

// coversPURL compares package URLs without their qualifiers and subpath; a pattern without a version covers all.
func coversPURL(pattern, have string) bool {
	pattern, have = bareURL(pattern), bareURL(have)
	if pattern == have {
		return true
	}
	// A version follows the last "@" behind the last "/": a scope (%40 or @) stands before it.
	i := strings.LastIndexByte(have, '@')
	return i > strings.LastIndexByte(have, '/') && pattern == have[:i]
}

func bareURL(u string) string {
	if i := strings.IndexAny(u, "?#"); i >= 0 {
		return u[:i]
	}
	return u
}

func (s *Suppression) coversPaths(paths []string) bool {
	if s.Path == "" {
		return true
	}
	// Every occurrence must be covered: one that is not still counts.
	for _, p := range paths {
		if !matchPath(strings.TrimPrefix(s.Path, "/"), p) {
			return false
		}
	}
	return len(paths) > 0
}

// matchPath matches a shell pattern in which "**" stands for any number of path elements.
func matchPath(pattern, name string) bool {
	return matchElems(strings.Split(pattern, "/"), strings.Split(name, "/"))
}

func matchElems(pattern, name []string) bool {
	for len(pattern) > 0 {
		if pattern[0] == "**" {
			for i := 0; i <= len(name); i++ {
				if matchElems(pattern[1:], name[i:]) {
					return true
				}
			}
			return false
		}
		if len(name) == 0 {
			return false
		}
		if ok, err := path.Match(pattern[0], name[0]); err != nil || !ok {
			return false
		}
		pattern, name = pattern[1:], name[1:]
	}
	return len(name) == 0
}
