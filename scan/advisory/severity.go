package advisory

import (
	"encoding/binary"
	"slices"
	"strconv"
	"strings"

	"github.com/seawall/seawall/finding"
)

// foundScore is a CVSS score and who gave it.
type foundScore struct {
	scored
	id string
}

// rate sets severity, score and vector. docs/decisions/0011-severity.md gives the order: hostile packages, the
// distribution's own word, CVSS of the records that matched, CVSS of any other record about the same
// vulnerability, the publisher's word.
func (g *grouper) rate(f *finding.Finding, gr *group, eco string) error {
	best := ownScore(gr)
	if best.text == "" {
		var err error
		if best, err = g.scoreElsewhere(gr); err != nil {
			return err
		}
	}
	if best.text != "" {
		f.Score, f.Vector = best.score, best.text
		f.Severity, f.SeveritySource = finding.SeverityOfScore(best.score), "cvss:"+best.id
	}
	if f.State == finding.StateMalware {
		f.Severity, f.SeveritySource = finding.SeverityCritical, "publisher:"+malwareID(gr)
		return nil
	}
	if isDistribution(eco) {
		if sev, ok := distributionRating(gr); ok {
			f.Severity, f.SeveritySource = sev, "distribution:"+family(eco)
			return nil
		}
	}
	if best.text == "" {
		f.Severity, f.SeveritySource = publisherRating(gr)
	}
	return nil
}

// isDistribution: the ecosystem's advisories rate a vulnerability as it is in their own package.
func isDistribution(eco string) bool {
	switch fam := family(eco); fam {
	case "AlmaLinux", "Rocky Linux", "Red Hat", "CentOS":
		return true
	default:
		return namings[fam] != byName
	}
}

func malwareID(gr *group) string {
	for _, m := range gr.members {
		if m.malware {
			return m.id
		}
	}
	return gr.id
}

// distributionRating is the highest that the members give; attached bundles count only where no other rates.
func distributionRating(gr *group) (sev finding.Severity, ok bool) {
	for _, bundles := range []bool{false, true} {
		for _, m := range gr.members {
			if m.bundle != bundles {
				continue
			}
			if s, has := m.distributionRating(); has {
				sev, ok = max(sev, s), true
			}
		}
		if ok {
			return sev, true
		}
	}
	return sev, false
}

func (m *member) distributionRating() (sev finding.Severity, ok bool) {
	for i := range m.hits {
		a := m.hits[i].attrs
		words := []string{a.rating, a.urgency}
		if a.state == finding.StateUnimportant {
			words = append(words, "unimportant")
		}
		for _, s := range a.severities {
			words = append(words, wordOf(s))
		}
		if s, has := highestWord(words); has {
			sev, ok = max(sev, s), true
		}
	}
	if ok {
		return sev, true
	}
	words := []string{m.rating}
	for _, s := range m.severities {
		words = append(words, wordOf(s))
	}
	return highestWord(words)
}

// wordOf is a severity's text where it is a word and no vector.
func wordOf(s scored) string {
	if strings.HasPrefix(s.kind, "CVSS") {
		return ""
	}
	return s.text
}

// highestWord reads words that rate; others ("not yet assigned", "end-of-life", "untriaged") do not.
func highestWord(words []string) (sev finding.Severity, ok bool) {
	for _, w := range words {
		s, err := finding.ParseSeverity(strings.TrimSuffix(w, "**"))
		if err == nil && s != finding.SeverityUnknown {
			sev, ok = max(sev, s), true
		}
	}
	return sev, ok
}

func publisherRating(gr *group) (finding.Severity, string) {
	for _, m := range gr.members {
		if s, ok := m.distributionRating(); ok {
			return s, "publisher:" + m.id
		}
	}
	return finding.SeverityUnknown, ""
}

// cvssRank prefers newer versions of CVSS.
func cvssRank(s scored) int {
	switch {
	case s.kind == "CVSS_V4" || strings.HasPrefix(s.text, "CVSS:4"):
		return 4
	case strings.HasPrefix(s.text, "CVSS:3.1"):
		return 3
	case s.kind == "CVSS_V3":
		return 2
	case strings.HasPrefix(s.kind, "CVSS"):
		return 1
	}
	return 0
}

func (f *foundScore) offer(s scored, id string) {
	rank, have := cvssRank(s), cvssRank(f.scored)
	if rank > have || rank > 0 && rank == have && s.score > f.score {
		*f = foundScore{s, id}
	}
}

// ownScore is the best of the members': what they say of the package itself before what they say at large. A
// bundle's vector is that of no one vulnerability in it, so an attached one has no say.
func ownScore(gr *group) (best foundScore) {
	for _, m := range gr.members {
		if m.bundle {
			continue
		}
		for i := range m.hits {
			for _, s := range m.hits[i].attrs.severities {
				best.offer(s, m.id)
			}
		}
	}
	if best.text != "" {
		return best
	}
	for _, m := range gr.members {
		if m.bundle {
			continue
		}
		for _, s := range m.severities {
			best.offer(s, m.id)
		}
	}
	return best
}

// scoreElsewhere looks for a score among all records of the database that are about a vulnerability of the group.
func (g *grouper) scoreElsewhere(gr *group) (best foundScore, err error) {
	places := slices.Clone(gr.cves)
	for _, m := range gr.members {
		if !m.bundle && len(m.cves) < 2 {
			places = append(places, m.aliases...)
			places = append(places, m.upstream...)
		}
	}
	for _, place := range places {
		s, err := g.scoreOf(place)
		if err != nil {
			return best, err
		}
		if s.text != "" {
			best.offer(s.scored, s.id)
		}
	}
	return best, nil
}

// maxLookups bounds how many records about one id are asked for a score.
const maxLookups = 64

func (g *grouper) scoreOf(place uint32) (best foundScore, err error) {
	if s, ok := g.scores[place]; ok {
		if s != nil {
			best = *s
		}
		return best, nil
	}
	n, err := g.db.entryAt(place, &g.places)
	if err != nil {
		return best, err
	}
	if n.rec >= 0 {
		if err = g.offerRecord(&best, uint32(n.rec), place); err != nil {
			return best, err
		}
	}
	for _, rec := range n.refs[:min(len(n.refs), maxLookups)] {
		if err = g.offerRecord(&best, rec, place); err != nil {
			return best, err
		}
	}
	g.scores[place] = nil
	if best.text != "" {
		kept := best
		g.scores[place] = &kept
	}
	return best, nil
}

// offerRecord offers the scores of a record that is about the vulnerability at place alone.
func (g *grouper) offerRecord(best *foundScore, rec, place uint32) error {
	k, err := g.record(rec)
	if err != nil || len(k.severities) == 0 || !k.withdrawn.IsZero() || !g.alone(k, place) {
		return err
	}
	if k.id == "" {
		k.id, err = g.id(k.place)
	}
	for _, s := range k.severities {
		best.offer(s, k.id)
	}
	return err
}

// alone: the record is about the vulnerability at place and no other.
func (g *grouper) alone(k *known, place uint32) bool {
	names := k.place == place || slices.Contains(k.aliases, place) || slices.Contains(k.upstream, place)
	return names && len(g.ownCVEs(k)) < 2
}

func cwesOf(gr *group) (out []string) {
	var all []uint32
	for _, m := range gr.members {
		if !m.bundle {
			all = append(all, m.cwe...)
		}
	}
	slices.Sort(all)
	for _, n := range slices.Compact(all) {
		out = append(out, "CWE-"+strconv.FormatUint(uint64(n), 10))
	}
	return out
}

// exploited sets KEV and EPSS from the group's CVEs. A distribution's erratum that names its CVEs as related only
// (AlmaLinux) fixes them all the same: they count here, though they never merge rows.
func (g *grouper) exploited(f *finding.Finding, gr *group) error {
	cves := gr.cves
	if len(cves) == 0 {
		for _, m := range gr.members {
			cves = append(cves, m.related...)
		}
	}
	for _, place := range cves {
		if b, ok := g.db.kevOf(place); ok {
			k := readKEV(b)
			if f.KEV == nil || k.Added < f.KEV.Added {
				f.KEV = &k
			}
		}
		if b, ok := g.db.epssOf(place); ok {
			if e := readEPSS(b); f.EPSS == nil || e.Score > f.EPSS.Score {
				f.EPSS = &e
			}
		}
	}
	return nil
}

func readKEV(b []byte) finding.KEV {
	le := binary.LittleEndian
	return finding.KEV{Added: dateOf(le.Uint32(b)), Due: dateOf(le.Uint32(b[4:])), Ransomware: le.Uint32(b[8:])&1 != 0}
}

func readEPSS(b []byte) finding.EPSS {
	bits := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 | uint64(b[4])<<32
	return finding.EPSS{Score: float64(bits>>20) / 100_000, Percentile: float64(bits&(1<<20-1)) / 100_000}
}
