package image

import (
	"fmt"
	"runtime"
	"strings"
)

// platform is os/arch[/variant] as OCI writes it: the values of GOOS and GOARCH.
// Source: OCI image specification 1.1, image-index.md, platform.
type platform struct {
	OS           string `json:"os"`
	Architecture string `json:"architecture"`
	Variant      string `json:"variant"`
}

func hostPlatform() platform { return platform{OS: "linux", Architecture: runtime.GOARCH}.normal() }

// parsePlatform reads "linux/arm64", "linux/arm/v7" or an architecture alone, with uname's names too.
func parsePlatform(s string) (platform, error) {
	parts := strings.Split(s, "/")
	p := platform{OS: "linux"}
	switch len(parts) {
	case 1:
		p.Architecture = parts[0]
	case 2:
		p.OS, p.Architecture = parts[0], parts[1]
	case 3:
		p.OS, p.Architecture, p.Variant = parts[0], parts[1], parts[2]
	}
	if p.Architecture == "" || p.OS == "" {
		return p, fmt.Errorf("platform %q: want os/arch or os/arch/variant, as in linux/arm64", s)
	}
	return p.normal(), nil
}

// normal gives equal platforms one spelling.
func (p platform) normal() platform {
	p.OS, p.Architecture = strings.ToLower(p.OS), strings.ToLower(p.Architecture)
	switch p.Architecture {
	case "x86_64", "x86-64":
		p.Architecture = "amd64"
	case "aarch64":
		p.Architecture = "arm64"
	case "i386", "i686":
		p.Architecture = "386"
	case "armhf":
		p.Architecture, p.Variant = "arm", "v7"
	case "armel":
		p.Architecture, p.Variant = "arm", "v6"
	}
	if p.Architecture == "arm64" && (p.Variant == "v8" || p.Variant == "8") {
		p.Variant = ""
	}
	return p
}

func (p platform) String() string {
	if p.OS == "" && p.Architecture == "" {
		return ""
	}
	s := p.OS + "/" + p.Architecture
	if p.Variant != "" {
		s += "/" + p.Variant
	}
	return s
}

// unknown: nobody says what it runs on.
func (p platform) unknown() bool { return p.OS == "" && p.Architecture == "" }

// The ranks of match.
const (
	noMatch = iota
	unknownMatch
	variantMatch // the variant differs or is not asked for
	exactMatch
)

// match ranks how well p serves the wanted platform.
func (p platform) match(want platform) int {
	p = p.normal()
	switch {
	case p.unknown():
		return unknownMatch
	case p.OS != want.OS || p.Architecture != want.Architecture:
		return noMatch
	case p.Variant == want.Variant:
		return exactMatch
	case want.Variant == "" || p.Variant == "":
		return variantMatch
	}
	return noMatch
}
