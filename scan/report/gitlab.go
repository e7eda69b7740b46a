package report

import (
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/seawall/seawall/finding"
)

// GitLab's container scanning report, schema 15 (gitlab.com/gitlab-org/security-products/security-report-schemas).

type gitlabReport struct {
	Version         string                `json:"version"`
	Schema          string                `json:"schema"`
	Scan            gitlabScan            `json:"scan"`
	Vulnerabilities []gitlabVulnerability `json:"vulnerabilities"`
	Remediations    []any                 `json:"remediations"`
}

type gitlabScan struct {
	Analyzer  gitlabTool      `json:"analyzer"`
	Scanner   gitlabTool      `json:"scanner"`
	Type      string          `json:"type"`
	Status    string          `json:"status"`
	StartTime string          `json:"start_time"`
	EndTime   string          `json:"end_time"`
	Messages  []gitlabMessage `json:"messages,omitempty"`
}

type gitlabTool struct {
	ID      string       `json:"id"`
	Name    string       `json:"name"`
	Version string       `json:"version"`
	URL     string       `json:"url"`
	Vendor  gitlabVendor `json:"vendor"`
}

type gitlabVendor struct {
	Name string `json:"name"`
}

type gitlabMessage struct {
	Level string `json:"level"`
	Value string `json:"value"`
}

type gitlabVulnerability struct {
	ID          string             `json:"id"`
	Name        string             `json:"name"`
	Description string             `json:"description"`
	Severity    string             `json:"severity"`
	Solution    string             `json:"solution"`
	Location    gitlabLocation     `json:"location"`
	Identifiers []gitlabIdentifier `json:"identifiers"`
	Links       []gitlabLink       `json:"links,omitempty"`
}

type gitlabLocation struct {
	Dependency      gitlabDependency `json:"dependency"`
	OperatingSystem string           `json:"operating_system"`
	Image           string           `json:"image"`
}

type gitlabDependency struct {
	Package gitlabPackage `json:"package"`
	Version string        `json:"version"`
}

type gitlabPackage struct {
	Name string `json:"name"`
}

type gitlabIdentifier struct {
	Type  string `json:"type"`
	Name  string `json:"name"`
	Value string `json:"value"`
	URL   string `json:"url,omitempty"`
}

type gitlabLink struct {
	URL string `json:"url"`
}

// writeGitLab leaves out what is set aside: the schema has no mark for it, and GitLab would list it as open. How many
// that are stands in the scan's messages, beside what was not evaluated.
func writeGitLab(w io.Writer, results []finding.Result, o Options) error {
	doc := gitlabReport{
		Version:         "15.2.1",
		Schema:          "https://gitlab.com/gitlab-org/security-products/security-report-schemas/-/raw/v15.2.1/dist/container-scanning-report-format.json",
		Vulnerabilities: []gitlabVulnerability{},
		Remediations:    []any{},
	}
	for i := range results {
		r := &results[i]
		if i == 0 {
			doc.Scan = newGitlabScan(r)
		}
		doc.Scan.Messages = append(doc.Scan.Messages, gitlabMessages(r)...)
		if r.Verdict != nil && r.Verdict.Decision == finding.NotEvaluated {
			doc.Scan.Status = "failure"
		}
		for k := range r.Findings {
			if f := &r.Findings[k]; f.Suppressed == nil && !f.KernelHeaders {
				doc.Vulnerabilities = append(doc.Vulnerabilities, newGitlabVulnerability(r, f, o))
			}
		}
	}
	return encode(w, doc)
}

func newGitlabScan(r *finding.Result) gitlabScan {
	tool := gitlabTool{ID: "seawall", Name: toolName, Version: toolVersion(r), URL: toolURL, Vendor: gitlabVendor{toolName}}
	at := r.ScannedAt.UTC().Format("2006-01-02T15:04:05")
	return gitlabScan{Analyzer: tool, Scanner: tool, Type: "container_scanning", Status: "success", StartTime: at, EndTime: at}
}

func gitlabMessages(r *finding.Result) []gitlabMessage {
	var all []gitlabMessage
	for _, g := range gaps(r) {
		all = append(all, gitlabMessage{"warn", "not evaluated: " + g.String()})
	}
	if aside, _, _ := strings.Cut(asideText(r.Findings), " ("); aside != "" {
		all = append(all, gitlabMessage{"info", "left out: " + strings.TrimPrefix(aside, "+ ")})
	}
	return all
}

func newGitlabVulnerability(r *finding.Result, f *finding.Finding, o Options) gitlabVulnerability {
	image := gitlabImage(&r.Inventory.Image)
	v := gitlabVulnerability{
		ID:          uuid(f.Key(scope(o, r)), r.Inventory.Image.Platform, f.Package.Version, where(f)),
		Name:        shorten(f.ID+": "+title(f), 250),
		Description: title(f),
		Severity:    gitlabSeverity(f.Severity),
		Solution:    shorten(advice(f), 7000),
		Location: gitlabLocation{
			Dependency:      gitlabDependency{gitlabPackage{f.Package.Name}, f.Package.Version},
			OperatingSystem: gitlabOS(&r.Inventory.Distro),
			Image:           image,
		},
		Identifiers: gitlabIdentifiers(f),
	}
	if l := link(f); l != "" {
		v.Links = []gitlabLink{{l}}
	}
	return v
}

func gitlabSeverity(s finding.Severity) string {
	switch s {
	case finding.SeverityNegligible:
		return "Info"
	case finding.SeverityUnknown:
		return "Unknown"
	}
	return strings.ToUpper(s.String()[:1]) + s.String()[1:]
}

func gitlabOS(d *finding.Distro) string {
	if d.ID == "" {
		return "unknown"
	}
	return strings.TrimSuffix(d.ID+":"+d.VersionID, ":")
}

// gitlabImagePattern is what the schema demands of an image's name: something, a colon, something.
var gitlabImagePattern = regexp.MustCompile(`^[^:]+(:\d+[^:]*)?:[^:]+(:[^:]+)?$`)

// gitlabImage gives the image's name in the form that the schema demands; a path gets the digest appended.
func gitlabImage(i *finding.Image) string {
	if gitlabImagePattern.MatchString(i.Ref) {
		return i.Ref
	}
	name := strings.ReplaceAll(i.Ref, ":", "_")
	if name == "" {
		name = "image"
	}
	if gitlabImagePattern.MatchString(name + "@" + i.ID) {
		return name + "@" + i.ID
	}
	return name + ":unknown"
}

func gitlabIdentifiers(f *finding.Finding) []gitlabIdentifier {
	var all []gitlabIdentifier
	for _, id := range append([]string{f.ID}, f.Aliases...) {
		kind := strings.ToLower(publisher(id))
		switch kind {
		case "cve", "ghsa", "rhsa", "usn", "elsa", "osvdb":
		default:
			kind = "seawall_" + strings.ToLower(publisher(id))
		}
		g := gitlabIdentifier{Type: kind, Name: id, Value: id}
		if id == f.ID {
			g.URL = link(f)
		}
		all = append(all, g)
	}
	for _, c := range f.CWE {
		if n, ok := strings.CutPrefix(c, "CWE-"); ok {
			all = append(all, gitlabIdentifier{Type: "cwe", Name: c, Value: n, URL: fmt.Sprintf("https://cwe.mitre.org/data/definitions/%s.html", n)})
		}
	}
	return all[:min(len(all), 20)]
}
