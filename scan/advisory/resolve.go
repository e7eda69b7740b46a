package advisory

import "strings"

// resolved is an ecosystem of the database that speaks of an inventory's packages. Extended ones describe support
// that is sold apart (Ubuntu Pro, SUSE LTSS): what they call affected is, but their fixes cannot be had without it.
type resolved struct {
	*ecosystem
	extended bool
}

// resolve finds the database's ecosystems for that of an inventory. Most are equal; the exceptions are those that
// publishers split finer than an os-release can tell.
func (db *DB) resolve(name string) (out []resolved) {
	fam, release, _ := strings.Cut(name, ":")
	for i := range db.ecos {
		e := &db.ecos[i]
		if e.name == name || e.name == fam && release != "" {
			out = append(out, resolved{e, false})
			continue
		}
		rest, ok := strings.CutPrefix(e.name, fam+":")
		if !ok || release == "" {
			continue
		}
		if part, extended := partOf(fam, release, rest); part {
			out = append(out, resolved{e, extended})
		}
	}
	return out
}

// partOf: have is a part of the family's release.
func partOf(fam, release, have string) (part, extended bool) {
	switch fam {
	case "Ubuntu":
		return partOfUbuntu(release, have)
	case "Red Hat":
		return partOfRedHat(release, have), false
	case "SUSE":
		return partOfSUSE(release, have)
	}
	return false, false
}

// partOfUbuntu: long-term releases carry ":LTS", and what only Ubuntu Pro fixes is filed under "Pro:22.04:LTS".
// FIPS, real-time and hardware variants are other builds.
func partOfUbuntu(release, have string) (part, extended bool) {
	number := strings.TrimSuffix(release, ":LTS")
	rest, pro := strings.CutPrefix(have, "Pro:")
	return rest == number || rest == number+":LTS", pro
}

// partOfRedHat: repositories carry a CPE, "enterprise_linux:9::appstream", from release 10 on with a minor version.
// Streams of extended support (rhel_eus) have builds of their own.
func partOfRedHat(release, have string) bool {
	cpe, ok := strings.CutPrefix(have, "enterprise_linux:")
	version, _, _ := strings.Cut(cpe, ":")
	major, _, _ := strings.Cut(version, ".")
	wanted, _, _ := strings.Cut(release, ".")
	return ok && major == wanted
}

// partOfSUSE: packages are filed under the module that ships them ("Linux Enterprise Module for Basesystem 15 SP5"),
// and after general support under variants of the product ("Linux Enterprise Server 15 SP5-LTSS").
func partOfSUSE(release, have string) (part, extended bool) {
	product, version := suseVersion(release)
	other, otherVersion := suseVersion(have)
	otherVersion, support, _ := strings.Cut(otherVersion, "-")
	if version != otherVersion || !strings.HasPrefix(other, "Linux Enterprise ") {
		return false, false
	}
	extended = support != "" || other != product &&
		(strings.Contains(other, "LTSS") || strings.Contains(other, "for SAP") || strings.Contains(other, "High Performance"))
	return true, extended
}

// suseVersion cuts "15 SP5" from the end of a product's name.
func suseVersion(s string) (product, version string) {
	i := strings.LastIndexByte(s, ' ')
	if i > 0 && strings.HasPrefix(s[i+1:], "SP") {
		i = strings.LastIndexByte(s[:i], ' ')
	}
	if i < 0 {
		return s, ""
	}
	return s[:i], s[i+1:]
}

// offers: the installed package can be upgraded to the version without buying support. Ubuntu Pro's own builds say
// "esm"; SUSE's look like all others.
func (s *subject) offers(version string) bool {
	if !s.eco.extended {
		return true
	}
	return family(s.eco.name) == "Ubuntu" && (!strings.Contains(version, "esm") || strings.Contains(s.version, "esm"))
}
