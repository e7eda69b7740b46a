package finding

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
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
	// Every path of a finding must match: an occurrence elsewhere still counts.
	Path string `json:"path,omitempty"`
	// Identity, when not "", narrows it to one finding, secret or check: it is one of their keys for the scope "".
	// Whoever makes the list for an image has chosen the scope. Baselines use it.
	Identity string `json:"identity,omitempty"`
	Reason   string `json:"reason,omitempty"`
	Owner    string `json:"owner,omitempty"`
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

// Validate reports why the suppression must be refused: a source that is not in the precedence table, something that
// the table asks for and that is missing, a pattern that cannot match, or nothing that it names.
func (s *Suppression) Validate() error {
	r, _, ok := s.Rule()
	if !ok {
		return fmt.Errorf("unknown source %q", s.Source)
	}
	if anyID(s.ID) && s.Package == "" && s.Path == "" && s.Identity == "" {
		return errors.New("it names nothing: give an id, a package or a path")
	}
	for _, need := range []struct {
		asked bool
		value string
		name  string
	}{
		{r.NeedsReason, s.Reason, "a reason"},
		{r.NeedsOwner, s.Owner, "an owner"},
	} {
		if need.asked && strings.TrimSpace(need.value) == "" {
			return fmt.Errorf("%s needs %s", describe(s), need.name)
		}
	}
	if r.NeedsExpiry && s.Expires.IsZero() {
		return fmt.Errorf("%s needs a day on which it expires", describe(s))
	}
	for _, pattern := range []string{s.Package, s.Path} {
		if err := ValidPattern(pattern); err != nil {
			return err
		}
	}
	return nil
}

// describe names a suppression in an error.
func describe(s *Suppression) string {
	if s.ID != "" {
		return "the suppression of " + s.ID
	}
	return "the suppression"
}

// Covers reports whether the suppression speaks of f at now. It says nothing about which suppression wins.
func (s *Suppression) Covers(f *Finding, now time.Time) bool {
	r, _, ok := s.Rule()
	if !ok || s.Expired(now) || (f.KEV != nil || f.State == StateMalware) && !r.MayCoverKEV {
		return false
	}
	if s.Identity != "" && !slices.Contains(f.Keys(""), s.Identity) {
		return false
	}
	return (anyID(s.ID) || f.Names(s.ID)) && s.coversPackage(&f.Package) && s.coversPaths(f.Paths)
}

// CoversSecret is Covers for a secret: ID names its rule. "*" does not: a secret is only set aside by name.
func (s *Suppression) CoversSecret(x *Secret, now time.Time) bool {
	_, _, ok := s.Rule()
	return ok && !s.Expired(now) && s.Package == "" && strings.EqualFold(s.ID, x.Rule) &&
		(s.Identity == "" || s.Identity == x.Key("")) && s.coversPaths([]string{x.Path})
}

// CoversCheck is Covers for a configuration check: ID names it. A suppression with an identity speaks of one path of
// the check, so that it covers only a check with that path alone.
func (s *Suppression) CoversCheck(c *Check, now time.Time) bool {
	_, _, ok := s.Rule()
	return ok && !s.Expired(now) && s.Package == "" && strings.EqualFold(s.ID, c.ID) &&
		(s.Identity == "" || slices.Equal(c.Keys(""), []string{s.Identity})) && s.coversPaths(c.Paths)
}

func anyID(id string) bool { return id == "" || id == "*" }

func (s *Suppression) coversPackage(p *Package) bool {
	return s.Package == "" || p.Matches(s.Package)
}

// Matches reports whether pattern speaks of p: a shell pattern over its name or its source's name, or a package URL,
// in which an absent version means every version and qualifiers do not count.
func (p *Package) Matches(pattern string) bool {
	if strings.HasPrefix(pattern, "pkg:") {
		return matchPURL(pattern, p.PURL)
	}
	return MatchPath(pattern, p.Name) || p.SourceName != "" && MatchPath(pattern, p.SourceName)
}

func matchPURL(pattern, have string) bool {
	wantName, wantVersion := splitPURL(pattern)
	name, version := splitPURL(have)
	return MatchPath(wantName, name) && (wantVersion == "" || wantVersion == version)
}

// splitPURL cuts a package URL into what stands before the version and the version, both unescaped, without
// qualifiers and subpath. The version follows the last "@" behind the last "/": a scope's "@" stands before it.
func splitPURL(u string) (name, version string) {
	if i := strings.IndexAny(u, "?#"); i >= 0 {
		u = u[:i]
	}
	if i := strings.LastIndexByte(u, '@'); i > strings.LastIndexByte(u, '/') {
		u, version = u[:i], u[i+1:]
	}
	return unescape(u), unescape(version)
}

func unescape(s string) string {
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	return s
}

func (s *Suppression) coversPaths(paths []string) bool {
	if s.Path == "" {
		return true
	}
	for _, p := range paths {
		if p == "" || !MatchPath(s.Path, p) {
			return false
		}
	}
	return len(paths) > 0
}

// ValidPattern reports why a pattern could never match; MatchPath treats such a pattern as matching nothing.
func ValidPattern(pattern string) error {
	if len(pattern) > maxPattern {
		return fmt.Errorf("pattern of %d bytes: at most %d are allowed", len(pattern), maxPattern)
	}
	for elem := range strings.SplitSeq(pattern, "/") {
		if _, err := path.Match(elem, ""); err != nil {
			return fmt.Errorf("pattern %q: a bracket or backslash is left open in %q", pattern, elem)
		}
	}
	return nil
}

// maxPattern bounds patterns, in bytes.
const maxPattern = 4096

// MatchPath matches a shell pattern (path.Match) in which the element "**" stands for any number of elements, none
// included. A leading slash of the pattern does not count.
func MatchPath(pattern, name string) bool {
	return matchElems(strings.Split(strings.TrimPrefix(pattern, "/"), "/"), strings.Split(name, "/"))
}

// matchElems goes back only to the last "**", which keeps it from growing with the number of them.
func matchElems(pattern, name []string) bool {
	p, n := 0, 0
	backP, backN := -1, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == "**":
			backP, backN = p, n
			p++
		case p < len(pattern) && matchElem(pattern[p], name[n]):
			p++
			n++
		case backP >= 0:
			backN++
			p, n = backP+1, backN
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == "**" {
		p++
	}
	return p == len(pattern)
}

func matchElem(pattern, elem string) bool {
	ok, err := path.Match(pattern, elem)
	return err == nil && ok
}
