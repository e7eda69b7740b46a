// Package version orders package versions exactly as each ecosystem's own tool does: dpkg, rpm, apk, pip, npm, Go,
// Maven, RubyGems, NuGet, Composer, cargo and the rest of OSV's list.
//
// It promises a total order. Parse turns a version into a key, a short string whose bytes order as the tool orders
// versions; Compare compares keys. So no three versions can contradict each other, whatever they are, and a
// comparison costs a few nanoseconds. Where a tool contradicts itself (Maven does, see maven.go), the key keeps what
// the tool says about releases and their pre-releases.
//
// It leaves out ranges ("^1.2", ">= 3"): advisories speak in points, introduced and fixed. OSV's "0" as an
// introduced point means "from the first version", which is the caller's to know: here it is a version like any other.
package version

import (
	"errors"
	"fmt"
	"strings"
)

// MaxLength is the longest version that Parse accepts, in bytes. The longest in the public advisories of 2026 has 69.
const MaxLength = 512

// ErrUnsupported: the ecosystem's ordering is not known here. Report its packages as not evaluated.
var ErrUnsupported = errors.New("ecosystem without a known version order")

// Version is one parsed version. The zero value orders before every other.
type Version struct {
	key    string
	scheme scheme
}

// Parse reads s by the rules of an OSV ecosystem, with or without a release ("Debian:12", "npm"). The error says
// what is wrong with s, or wraps ErrUnsupported.
func Parse(ecosystem, s string) (Version, error) {
	sch := schemeOf(ecosystem)
	if sch == unsupported {
		return Version{}, fmt.Errorf("%w: %q", ErrUnsupported, ecosystem)
	}
	return parse(sch, s)
}

// Compare returns -1, 0 or 1. Two versions that order alike need not be spelt alike ("1.0" and "1.0.0" of npm's
// kin). Versions of different schemes have an order too, but it means nothing.
func (v Version) Compare(w Version) int {
	if v.scheme != w.scheme {
		if v.scheme < w.scheme {
			return -1
		}
		return 1
	}
	return strings.Compare(v.key, w.key)
}

// Key is the version's place in its ecosystem's order: keys of one ecosystem compare as byte strings. Keys are not
// text, and may change with a new release of the program: never store them without its version.
func (v Version) Key() string { return v.key }

// IsZero reports whether v was never parsed.
func (v Version) IsZero() bool { return v.scheme == unsupported }

// Compare parses a and b and compares them.
func Compare(ecosystem, a, b string) (int, error) {
	va, err := Parse(ecosystem, a)
	if err != nil {
		return 0, err
	}
	vb, err := Parse(ecosystem, b)
	if err != nil {
		return 0, err
	}
	return va.Compare(vb), nil
}

// Supported reports whether the ecosystem's order is known.
func Supported(ecosystem string) bool { return schemeOf(ecosystem) != unsupported }

func parse(sch scheme, s string) (Version, error) {
	if len(s) > MaxLength {
		return Version{}, fmt.Errorf("version of %d bytes is longer than the %d that are read", len(s), MaxLength)
	}
	var room [128]byte
	b, err := appendKey(room[:0], sch, s)
	if err != nil {
		return Version{}, fmt.Errorf("version %q: %w", s, err)
	}
	return Version{key: string(b), scheme: sch}, nil
}

// appendKey is a switch and not a table of functions, so that the key's buffer stays on the stack.
func appendKey(b []byte, sch scheme, s string) ([]byte, error) {
	switch sch {
	case dpkg:
		return appendDpkg(b, s)
	case rpm:
		return appendRPM(b, s)
	case apk:
		return appendApk(b, s)
	case semver:
		return appendSemver(b, s)
	case goModule:
		return appendGo(b, s)
	case pep440:
		return appendPEP440(b, s)
	case maven:
		return appendMaven(b, s)
	case gem:
		return appendGem(b, s)
	case nuget:
		return appendNuGet(b, s)
	case composer:
		return appendComposer(b, s)
	case pub:
		return appendPub(b, s)
	case dotted:
		return appendDotted(b, s)
	case conan:
		return appendConan(b, s)
	case bitnami:
		return appendBitnami(b, s)
	}
	return nil, ErrUnsupported
}
