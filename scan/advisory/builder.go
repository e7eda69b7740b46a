package advisory

import (
	"encoding/binary"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/advisory/cvss"
	"github.com/seawall/seawall/scan/advisory/record"
)

// Limits of one record. The largest public ones stay below a tenth of each.
const (
	maxID         = 256
	maxNames      = 20_000
	maxAffected   = 200_000
	maxVersions   = 200_000
	maxText       = 1024
	maxSeverities = 64
	maxSummary    = 240 // bytes kept of a summary
)

// Options of a Builder. The zero value works.
type Options struct {
	// TempDir takes the build's temporary file; "" means the system's.
	TempDir string
	// Starter marks the database as the one that is built into the program.
	Starter bool
}

// Meta is what a database says of itself beside its records.
type Meta struct {
	// BuiltAt is kept to the second. Give the same time to get the same bytes.
	BuiltAt time.Time `json:"builtAt"`
	Sources []Source  `json:"sources,omitempty"`
}

// Source is one feed that went into the database.
type Source struct {
	Name    string    `json:"name"`              // "osv/Debian", "kev"
	URL     string    `json:"url,omitempty"`     // where it was read from
	Fetched time.Time `json:"fetched,omitzero"`  // when it was read
	Newest  time.Time `json:"newest,omitzero"`   // when its newest record was modified
	Records int       `json:"records,omitempty"` // how many it gave
	Digest  string    `json:"digest,omitempty"`  // of what was read
	ETag    string    `json:"etag,omitempty"`    // as the server gave it
}

// Stats counts what a build took and left.
type Stats struct {
	Records          int `json:"records"`
	Affected         int `json:"affected"`            // (record, package) pairs that can match
	Packages         int `json:"packages"`            // distinct (ecosystem, package)
	Withdrawn        int `json:"withdrawn,omitempty"` // kept for look-up, never matched
	Malware          int `json:"malware,omitempty"`
	Bugs             int `json:"bugs,omitempty"`             // left out: bug advisories
	Enhancements     int `json:"enhancements,omitempty"`     // left out: enhancement advisories
	Merged           int `json:"merged,omitempty"`           // records whose id had come before
	UnparsedVersions int `json:"unparsedVersions,omitempty"` // versions outside their ecosystem's rules
	BadVectors       int `json:"badVectors,omitempty"`       // severity vectors that do not score
	KEV              int `json:"kev,omitempty"`
	EPSS             int `json:"epss,omitempty"`
}

// Builder compiles records into a database. Its memory grows with the number of distinct strings, not with the
// records. It is not safe for concurrent use. Close it when done.
type Builder struct {
	opts  Options
	names *pool // ids and aliases
	words *pool // vectors, ratings, states, architectures
	texts *pool // versions, package names, ecosystems: only those that are needed go into the file
	attrs *pool // encoded attrs, with the numbers of words
	spool spool
	added []addedDraft
	kev   map[string]finding.KEV
	epss  map[string]finding.EPSS
	stats Stats
	buf   []byte
}

type addedDraft struct {
	id  uint32
	len uint32
	off int64
}

// NewBuilder returns an empty Builder.
func NewBuilder(opts Options) *Builder {
	b := &Builder{
		opts: opts, names: newPool(), words: newPool(), texts: newPool(), attrs: newPool(),
		kev: map[string]finding.KEV{}, epss: map[string]finding.EPSS{},
	}
	b.spool.dir = opts.TempDir
	return b
}

// Close removes what the build left behind.
func (b *Builder) Close() { b.spool.close() }

// Add takes one record. A record whose id came before is merged into the first: later entries replace earlier ones
// about the same package. Bug and enhancement advisories are counted and left out. An error names a record that
// is beyond the limits; the builder stays usable without it.
func (b *Builder) Add(r record.Record) error {
	if err := checkLimits(&r); err != nil {
		return fmt.Errorf("advisory %q: %w", r.ID[:min(len(r.ID), 64)], err)
	}
	switch kind := kindOf(&r); kind {
	case record.Bug:
		b.stats.Bugs++
		return nil
	case record.Enhancement:
		b.stats.Enhancements++
		return nil
	default:
		r.Kind = kind
	}
	d := b.draft(&r)
	b.buf = d.append(b.buf[:0])
	off, err := b.spool.add(b.buf)
	if err != nil {
		return err
	}
	b.added = append(b.added, addedDraft{id: d.id, off: off, len: uint32(len(b.buf))})
	return nil
}

// AddKEV notes that the CVE is in CISA's catalogue.
func (b *Builder) AddKEV(cve string, k finding.KEV) { b.kev[cve] = k }

// AddEPSS notes FIRST's estimate for the CVE. Estimates for ids that no record names are left out of the file.
func (b *Builder) AddEPSS(cve string, e finding.EPSS) { b.epss[cve] = e }

func checkLimits(r *record.Record) error {
	switch {
	case r.ID == "" || len(r.ID) > maxID:
		return fmt.Errorf("an id of %d bytes: want 1 to %d", len(r.ID), maxID)
	case len(r.Aliases)+len(r.Upstream)+len(r.Related) > maxNames:
		return fmt.Errorf("more than %d aliases", maxNames)
	case len(r.Affected) > maxAffected:
		return fmt.Errorf("more than %d affected packages", maxAffected)
	}
	total := 0
	for i := range r.Affected {
		a := &r.Affected[i]
		total += len(a.Versions)
		for _, g := range a.Ranges {
			total += len(g.Events)
		}
	}
	if total > maxVersions*10 {
		return fmt.Errorf("more than %d versions", maxVersions*10)
	}
	return nil
}

// kindOf trusts the record's kind and, beyond it, the prefixes that publishers reserve.
func kindOf(r *record.Record) record.Kind {
	switch {
	case r.Kind != record.Vulnerability:
		return r.Kind
	case strings.HasPrefix(r.ID, "MAL-"):
		return record.Malware
	case strings.HasPrefix(r.ID, "ALBA-"), strings.HasPrefix(r.ID, "RLBA-"), strings.HasPrefix(r.ID, "RHBA-"):
		return record.Bug
	case strings.HasPrefix(r.ID, "ALEA-"), strings.HasPrefix(r.ID, "RLEA-"), strings.HasPrefix(r.ID, "RHEA-"):
		return record.Enhancement
	}
	return record.Vulnerability
}

func (b *Builder) draft(r *record.Record) draft {
	d := draft{
		id: b.names.id(r.ID), kind: r.Kind,
		aliases: b.nameIDs(r.Aliases, r.ID), upstream: b.nameIDs(r.Upstream, r.ID), related: b.nameIDs(r.Related, r.ID),
		published: unixOf(r.Published), modified: unixOf(r.Modified), withdrawn: unixOf(r.Withdrawn),
		severities: b.severities(r.Severities), rating: b.word(ratingOf(r)), cwe: cweNumbers(r.CWE),
		title: titleOf(r),
	}
	for i := range r.Affected {
		if a := &r.Affected[i]; a.Name != "" && a.Ecosystem != "" && len(a.Name) <= maxText && len(a.Ecosystem) <= maxID {
			d.affected = append(d.affected, b.affected(r, a))
		}
	}
	return d
}

func (b *Builder) nameIDs(ids []string, own string) []uint32 {
	out := make([]uint32, 0, len(ids))
	for _, id := range ids {
		if id != "" && id != own && len(id) <= maxID {
			out = append(out, b.names.id(id))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// word numbers a short string; an absurdly long one is dropped.
func (b *Builder) word(s string) uint32 {
	if len(s) > maxText {
		return 0
	}
	return b.words.id(s)
}

func (b *Builder) severities(in []record.Severity) []draftSeverity {
	var out []draftSeverity
	for _, s := range in {
		if len(s.Score) > maxText || len(s.Type) > maxID || len(out) == maxSeverities {
			continue
		}
		ds := draftSeverity{kind: b.words.id(s.Type), text: b.words.id(s.Score)}
		if strings.HasPrefix(s.Type, "CVSS") {
			score, _, err := cvss.Score(s.Score)
			if err != nil {
				b.stats.BadVectors++
				continue
			}
			ds.score = byte(score*10 + 0.5)
		}
		out = append(out, ds)
	}
	return out
}

// errataRating is how Red Hat and those that rebuild it begin a summary.
var errataRating = regexp.MustCompile(`^(Critical|Important|Moderate|Low): `)

func ratingOf(r *record.Record) string {
	if r.Rating == "" {
		if m := errataRating.FindStringSubmatch(r.Summary); m != nil {
			return m[1]
		}
	}
	return r.Rating
}

func cweNumbers(cwe []string) []uint32 {
	var out []uint32
	for _, c := range cwe {
		if n, err := strconv.ParseUint(strings.TrimPrefix(strings.ToUpper(c), "CWE-"), 10, 24); err == nil {
			out = append(out, uint32(n))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// titleOf joins the summary's first line, cut to length, and the address, "" where it follows from the id.
func titleOf(r *record.Record) string {
	s, _, _ := strings.Cut(strings.TrimSpace(r.Summary), "\n")
	s = strings.Map(func(c rune) rune {
		if c < ' ' || c == utf8.RuneError {
			return -1
		}
		return c
	}, s)
	if len(s) > maxSummary {
		cut := maxSummary - len("…")
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "…"
	}
	url := r.URL
	if url == addressOf(r.ID) || len(url) > maxText || strings.ContainsRune(url, 0) {
		url = ""
	}
	return s + "\x00" + url
}

func (b *Builder) affected(r *record.Record, a *record.Affected) draftAffected {
	d := draftAffected{
		eco: b.texts.id(a.Ecosystem), name: b.texts.id(normalName(a.Ecosystem, a.Name)), attrs: b.attrsOf(r, a),
	}
	for _, g := range a.Ranges {
		if g.Kind == record.Git {
			continue
		}
		dr := draftRange{kind: g.Kind}
		for _, e := range g.Events {
			if what, at := eventOf(e); at != "" && len(at) <= maxText {
				dr.events = append(dr.events, draftEvent{what, b.texts.id(at)})
			}
		}
		d.ranges = append(d.ranges, dr)
	}
	for _, v := range a.Versions {
		if v != "" && len(v) <= maxText {
			d.versions = append(d.versions, b.texts.id(v))
		}
	}
	return d
}

func eventOf(e record.Event) (what byte, at string) {
	switch {
	case e.Introduced != "":
		return eventIntroduced, e.Introduced
	case e.Fixed != "":
		return eventFixed, e.Fixed
	case e.LastAffected != "":
		return eventLastAffected, e.LastAffected
	}
	return eventLimit, e.Limit
}

// attrsOf numbers what the distribution says of its package; 0 is nothing.
func (b *Builder) attrsOf(r *record.Record, a *record.Affected) uint32 {
	modular, module := moduleOf(r, a)
	if a.State == "" && a.Rating == "" && a.Urgency == "" && !modular && len(a.Arch) == 0 && len(a.Severities) == 0 {
		return 0
	}
	var e []byte
	for _, s := range []string{string(a.State), a.Rating, a.Urgency, module} {
		e = binary.AppendUvarint(e, uint64(b.word(s)))
	}
	e = append(e, boolByte(modular))
	arch := slices.Clone(a.Arch)
	slices.Sort(arch)
	arch = slices.Compact(arch)
	e = binary.AppendUvarint(e, uint64(len(arch)))
	for _, s := range arch {
		e = binary.AppendUvarint(e, uint64(b.word(s)))
	}
	sev := b.severities(a.Severities)
	e = binary.AppendUvarint(e, uint64(len(sev)))
	for _, s := range sev {
		e = binary.AppendUvarint(binary.AppendUvarint(e, uint64(s.kind)), uint64(s.text))
		e = append(e, s.score)
	}
	return b.attrs.id(string(e))
}

func boolByte(v bool) byte {
	if v {
		return 1
	}
	return 0
}
