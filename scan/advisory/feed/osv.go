package feed

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/advisory/record"
)

// maxRecord bounds the JSON of one record, in bytes. The largest public ones have about 5 MiB.
const maxRecord = 32 << 20

// osvRecord is the part of the OSV schema (ossf.github.io/osv-schema, 1.7) that matching and reports need.
type osvRecord struct {
	SchemaVersion    string        `json:"schema_version"`
	ID               string        `json:"id"`
	Modified         string        `json:"modified"`
	Published        string        `json:"published"`
	Withdrawn        string        `json:"withdrawn"`
	Aliases          []string      `json:"aliases"`
	Upstream         []string      `json:"upstream"`
	Related          []string      `json:"related"`
	Summary          string        `json:"summary"`
	Severity         []osvSeverity `json:"severity"`
	Affected         []osvAffected `json:"affected"`
	References       []osvLink     `json:"references"`
	DatabaseSpecific osvSpecific   `json:"database_specific"`
}

type osvSeverity struct {
	Type  string `json:"type"`
	Score string `json:"score"`
}

type osvLink struct {
	Type string `json:"type"`
	URL  string `json:"url"`
}

type osvAffected struct {
	Package struct {
		Ecosystem string `json:"ecosystem"`
		Name      string `json:"name"`
	} `json:"package"`
	Severity          []osvSeverity `json:"severity"`
	Ranges            []osvRange    `json:"ranges"`
	Versions          []string      `json:"versions"`
	EcosystemSpecific osvSpecific   `json:"ecosystem_specific"`
	DatabaseSpecific  osvSpecific   `json:"database_specific"`
}

type osvRange struct {
	Type   string     `json:"type"`
	Events []osvEvent `json:"events"`
}

type osvEvent struct {
	Introduced   string `json:"introduced"`
	Fixed        string `json:"fixed"`
	LastAffected string `json:"last_affected"`
	Limit        string `json:"limit"`
}

// osvSpecific are the publishers' own fields that are known. Each publisher chooses their types, so that one that is
// not the expected text or list of texts is passed over.
type osvSpecific struct {
	Severity       looseText `json:"severity"`        // GHSA, Bitnami, openEuler
	CWE            looseList `json:"cwe_ids"`         // GHSA
	CWES           looseList `json:"cwes"`            // PyPA and others
	Urgency        looseText `json:"urgency"`         // Debian
	UbuntuPriority looseText `json:"ubuntu_priority"` // Ubuntu
	Priority       looseText `json:"priority"`
	Informational  looseText `json:"informational"` // RustSec: unmaintained, unsound, notice
	Categories     looseList `json:"categories"`    // RustSec: malicious among them
}

type looseText string

func (t *looseText) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*t = looseText(s)
	}
	return nil
}

type looseList []string

func (l *looseList) UnmarshalJSON(b []byte) error {
	var s []string
	if json.Unmarshal(b, &s) == nil {
		*l = s
	}
	return nil
}

// UnmarshalJSON passes over a value that is no object.
func (s *osvSpecific) UnmarshalJSON(b []byte) error {
	type plain osvSpecific
	if len(b) > 0 && b[0] == '{' {
		return json.Unmarshal(b, (*plain)(s))
	}
	return nil
}

// ParseOSV reads one record in OSV's JSON, schema 1.0 to 1.x. Ranges of commits come with it as record.Git.
func ParseOSV(data []byte) (record.Record, error) {
	var o osvRecord
	if len(data) > maxRecord {
		return record.Record{}, fmt.Errorf("an OSV record of more than %d MiB", maxRecord>>20)
	}
	if err := json.Unmarshal(data, &o); err != nil {
		return record.Record{ID: o.ID}, fmt.Errorf("reading an OSV record: %w", err)
	}
	if o.ID == "" {
		return record.Record{}, errors.New("an OSV record without an id")
	}
	r, err := o.record()
	if err != nil {
		return record.Record{ID: o.ID}, fmt.Errorf("OSV record %.80s: %w", o.ID, err)
	}
	return r, nil
}

func (o *osvRecord) record() (r record.Record, err error) {
	// Before 1.0 the field did not exist; what comes after 1.x may mean anything.
	if o.SchemaVersion != "" && !strings.HasPrefix(o.SchemaVersion, "1.") {
		return r, fmt.Errorf("schema version %.20q is not known: want 1.x", o.SchemaVersion)
	}
	r = record.Record{
		ID: o.ID, Aliases: o.Aliases, Upstream: o.Upstream, Related: o.Related, Summary: o.Summary,
		URL: o.url(), Severities: severitiesOf(o.Severity), CWE: append(o.DatabaseSpecific.CWE, o.DatabaseSpecific.CWES...),
		Rating: string(o.DatabaseSpecific.Severity), Kind: o.kind(),
	}
	for _, f := range []struct {
		to   *time.Time
		from string
		name string
	}{{&r.Published, o.Published, "published"}, {&r.Modified, o.Modified, "modified"}, {&r.Withdrawn, o.Withdrawn, "withdrawn"}} {
		if *f.to, err = parseTime(f.from); err != nil {
			return r, fmt.Errorf("%s: %w", f.name, err)
		}
	}
	for i := range o.Affected {
		r.Affected = append(r.Affected, o.Affected[i].affected())
	}
	return r, nil
}

func parseTime(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, fmt.Errorf("%.40q is no time", s)
	}
	return t.UTC(), nil
}

// kind knows the prefixes by which publishers tell advisories without a security reason apart.
func (o *osvRecord) kind() record.Kind {
	prefix, _, _ := strings.Cut(o.ID, "-")
	switch prefix {
	case "MAL":
		return record.Malware
	case "ALBA", "RLBA", "RHBA":
		return record.Bug
	case "ALEA", "RLEA", "RHEA":
		return record.Enhancement
	}
	for i := range o.Affected {
		for _, c := range o.Affected[i].DatabaseSpecific.Categories {
			if c == "malicious" {
				return record.Malware
			}
		}
	}
	return record.Vulnerability
}

// wellKnown are publishers whose page follows from the id: their links need no place.
var wellKnown = map[string]bool{
	"CVE": true, "GHSA": true, "GO": true, "RUSTSEC": true, "DSA": true, "DLA": true, "DEBIAN": true, "UBUNTU": true,
	"USN": true, "ALPINE": true, "RHSA": true, "RLSA": true, "MAL": true, "PYSEC": true,
}

func (o *osvRecord) url() string {
	if prefix, _, _ := strings.Cut(o.ID, "-"); wellKnown[prefix] {
		return ""
	}
	for _, l := range o.References {
		if l.Type == "ADVISORY" && strings.HasPrefix(l.URL, "https://") {
			return l.URL
		}
	}
	return ""
}

func severitiesOf(in []osvSeverity) []record.Severity {
	var out []record.Severity
	for _, s := range in {
		if s.Score != "" {
			out = append(out, record.Severity{Type: s.Type, Score: s.Score})
		}
	}
	return out
}

func (a *osvAffected) affected() record.Affected {
	out := record.Affected{
		Ecosystem: a.Package.Ecosystem, Name: a.Package.Name, Versions: a.Versions,
		Severities: severitiesOf(a.Severity), Rating: a.rating(), Urgency: a.urgency(),
	}
	out.State = debianState(out.Urgency)
	for _, g := range a.Ranges {
		out.Ranges = append(out.Ranges, g.affected())
	}
	return out
}

func (a *osvAffected) rating() string {
	switch a.DatabaseSpecific.Informational {
	case "unmaintained", "notice":
		return finding.SeverityNegligible.String() // RustSec's notices are no vulnerabilities
	}
	for _, s := range []looseText{
		a.EcosystemSpecific.UbuntuPriority, a.EcosystemSpecific.Severity, a.EcosystemSpecific.Priority, a.DatabaseSpecific.Severity,
	} {
		if s != "" {
			return string(s)
		}
	}
	return ""
}

func (a *osvAffected) urgency() string {
	if a.EcosystemSpecific.Urgency != "" {
		return string(a.EcosystemSpecific.Urgency)
	}
	return string(a.DatabaseSpecific.Urgency)
}

func (g *osvRange) affected() record.Range {
	out := record.Range{Kind: record.Ecosystem, Events: make([]record.Event, 0, len(g.Events))}
	switch g.Type {
	case "SEMVER":
		out.Kind = record.Semver
	case "GIT":
		out.Kind = record.Git
	}
	for _, e := range g.Events {
		out.Events = append(out.Events, splitEvent(record.Event(e))...)
	}
	return out
}

// splitEvent gives one event per field: old records hold an introduced and a fixed point in one.
func splitEvent(e record.Event) (out []record.Event) {
	for _, one := range []record.Event{{Introduced: e.Introduced}, {Fixed: e.Fixed}, {LastAffected: e.LastAffected}, {Limit: e.Limit}} {
		if one != (record.Event{}) {
			out = append(out, one)
		}
	}
	return out
}
