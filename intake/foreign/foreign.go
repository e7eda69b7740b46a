// Package foreign reads the results of other scanners, so that they can be shown beside ours: Trivy's and Grype's JSON,
// SARIF 2.1, and CycloneDX with vulnerabilities.
//
// It promises that hostile input gives an error or a bounded list, and that a finding gets the key that ours has for the
// same advisory and package, so that Join sets both beside each other. It leaves out judging: what another scanner says
// never decides about an image.
package foreign

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
)

// Report is what another scanner said about one image.
type Report struct {
	// Source names the scanner: "trivy", "grype", or what the document says of its tool.
	Source string
	// Found have Key, Repository, Type, ID, Aliases, Title, Package, Version, FixedIn, Severity and Source; one of each
	// key, sorted by it.
	Found []catalog.Tracked
	// Skipped counts entries without an id.
	Skipped int
}

// Limits of one report. Both are far above what scanners write about one image.
const (
	MaxBytes    = 64 << 20
	MaxFindings = 100_000
)

// ErrUnknown says that a document is none of the formats.
var ErrUnknown = errors.New("neither Trivy's nor Grype's JSON, nor SARIF, nor CycloneDX with vulnerabilities")

// sniff has a key of each format.
type sniff struct {
	SchemaVersion   json.RawMessage
	Results         json.RawMessage `json:"Results"`
	Matches         json.RawMessage `json:"matches"`
	Runs            json.RawMessage `json:"runs"`
	BOMFormat       string          `json:"bomFormat"`
	Vulnerabilities json.RawMessage `json:"vulnerabilities"`
}

// Read reads a report about an image of the repository. The errors are for the user who sent it.
func Read(r io.Reader, repository string) (Report, error) {
	body, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return Report{}, fmt.Errorf("reading the report: %w", err)
	}
	if len(body) > MaxBytes {
		return Report{}, fmt.Errorf("reading the report: it has more than %d MiB", MaxBytes>>20)
	}
	var s sniff
	if err := json.Unmarshal(body, &s); err != nil {
		return Report{}, fmt.Errorf("reading the report: %w", err)
	}
	c := collector{repository: repository, by: map[string]*catalog.Tracked{}}
	switch {
	case s.BOMFormat == "CycloneDX" && s.Vulnerabilities != nil:
		err = c.cycloneDX(body)
	case s.Runs != nil:
		err = c.sarif(body)
	case s.Matches != nil:
		err = c.grype(body)
	case s.SchemaVersion != nil || s.Results != nil:
		err = c.trivy(body)
	default:
		err = ErrUnknown
	}
	if err != nil {
		return Report{}, fmt.Errorf("reading the report: %w", err)
	}
	return c.report(), nil
}

// collector gathers findings, one of each key: the one that is rated highest.
type collector struct {
	repository, source string
	by                 map[string]*catalog.Tracked
	skipped            int
}

// entry is one finding in the words of all formats.
type entry struct {
	kind     string // "vulnerability", "secret" or "check"
	ids      []string
	title    string
	name     string // of the package, as ours would have it
	pkgType  string // of its package URL
	version  string
	fixed    string
	severity string
	score    float64
	path     string
}

var errTooMany = fmt.Errorf("more than %d findings", MaxFindings)

func (c *collector) add(e entry) error {
	e.clip()
	if len(e.ids) == 0 {
		c.skipped++
		return nil
	}
	t := catalog.Tracked{
		Repository: c.repository, Type: e.kind, ID: e.ids[0], Aliases: e.ids[1:], Title: e.title, Package: e.name,
		Version: e.version, FixedIn: e.fixed, Severity: severityOf(e.severity, e.score), State: catalog.Open, Source: c.source,
	}
	t.Key = e.key(c.repository)
	if have := c.by[t.Key]; have != nil {
		if t.Severity > have.Severity {
			*have = t
		}
		return nil
	}
	if len(c.by) >= MaxFindings {
		return errTooMany
	}
	c.by[t.Key] = &t
	return nil
}

// key is the one that ours has for the same thing. Secrets and checks go by other ids in every scanner; theirs only have
// to be told apart.
func (e *entry) key(repository string) string {
	f := finding.Finding{ID: e.ids[0], Package: finding.Package{Type: e.pkgType, Name: e.name}}
	switch e.kind {
	case "secret":
		x := finding.Secret{Rule: e.ids[0], Path: e.path}
		return x.Key(repository)
	case "check":
		x := finding.Check{ID: e.ids[0], Paths: []string{e.path}}
		return x.Keys(repository)[0]
	}
	return f.Key(repository)
}

// clip bounds every text, and puts the id by which ours is known first: a CVE where there is one.
func (e *entry) clip() {
	for _, text := range []*string{&e.title, &e.name, &e.version, &e.fixed, &e.path} {
		*text = clip(*text, 500)
	}
	ids := make([]string, 0, len(e.ids))
	for _, id := range e.ids {
		if id = clip(strings.TrimSpace(id), 100); id != "" && !slices.Contains(ids, id) && len(ids) < 50 {
			ids = append(ids, id)
		}
	}
	slices.SortStableFunc(ids, func(a, b string) int { return cmp.Compare(idRank(a), idRank(b)) })
	e.ids = ids
}

func idRank(id string) int {
	switch {
	case strings.HasPrefix(id, "CVE-"):
		return 0
	case strings.HasPrefix(id, "GHSA-"):
		return 1
	}
	return 2
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}

// severityOf reads a severity's name, and rates the score where the name says nothing.
func severityOf(name string, score float64) finding.Severity {
	s, err := finding.ParseSeverity(name)
	if (err != nil || s == finding.SeverityUnknown) && score > 0 {
		return finding.SeverityOfScore(score)
	}
	return s
}

func (c *collector) report() Report {
	r := Report{Source: c.source, Skipped: c.skipped, Found: make([]catalog.Tracked, 0, len(c.by))}
	for _, t := range c.by {
		t.Source = c.source
		r.Found = append(r.Found, *t)
	}
	slices.SortFunc(r.Found, func(a, b catalog.Tracked) int { return cmp.Compare(a.Key, b.Key) })
	return r
}

// tool is a scanner's name in the form of Source.
func tool(name string) string {
	name = strings.ToLower(clip(strings.TrimSpace(name), 60))
	name = strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9', r == '.', r == '-', r == '_':
			return r
		}
		return '-'
	}, name)
	if name = strings.Trim(name, "-"); name == "" || name == "seawall" {
		return "imported" // ours is a name that nobody else may take
	}
	return name
}
