package report

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/seawall/seawall/finding"
)

// JUnit XML as Jenkins, GitLab and Azure Pipelines read it: there is no standard, the attributes here are those that
// all of them take.

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Skipped  int          `xml:"skipped,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name       string          `xml:"name,attr"`
	Tests      int             `xml:"tests,attr"`
	Failures   int             `xml:"failures,attr"`
	Errors     int             `xml:"errors,attr"`
	Skipped    int             `xml:"skipped,attr"`
	Timestamp  string          `xml:"timestamp,attr"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Failure *junitOutcome `xml:"failure"`
	Error   *junitOutcome `xml:"error"`
	Skipped *junitOutcome `xml:"skipped"`
}

type junitOutcome struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// writeJUnit writes one suite for each result. A finding is a failed test, one that is set aside a skipped test, a
// part that was not evaluated an error; the verdict, where there is one, is a test of its own.
func writeJUnit(w io.Writer, results []finding.Result, _ Options) error {
	all := junitSuites{Name: "seawall"}
	for i := range results {
		s := newJunitSuite(&results[i])
		all.Tests += s.Tests
		all.Failures += s.Failures
		all.Errors += s.Errors
		all.Skipped += s.Skipped
		all.Suites = append(all.Suites, s)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func newJunitSuite(r *finding.Result) junitSuite {
	image := &r.Inventory.Image
	s := junitSuite{
		Name:      xmlText(strings.TrimSpace(image.Ref + " " + image.Platform)),
		Timestamp: r.ScannedAt.UTC().Format("2006-01-02T15:04:05"),
		Properties: []junitProperty{
			{"image", xmlText(image.ID)}, {"database", xmlText(r.Database.Digest)}, {"tool", xmlText(r.Tool)},
		},
	}
	if v := r.Verdict; v != nil {
		s.add(junitVerdict(v))
	}
	for _, g := range gaps(r) {
		s.add(junitCase{Class: "not evaluated", Name: xmlText(strings.TrimSpace(string(g.Kind) + " " + g.Where)),
			Error: &junitOutcome{Message: xmlText(g.Detail), Type: xmlText(string(g.Kind))}})
	}
	for i := range r.Findings {
		s.add(junitFinding(&r.Findings[i]))
	}
	for i := range r.Inventory.Secrets {
		s.add(junitSecret(&r.Inventory.Secrets[i]))
	}
	for i := range r.Inventory.Checks {
		s.add(junitCheck(&r.Inventory.Checks[i]))
	}
	if len(s.Cases) == 0 {
		s.add(junitCase{Class: "vulnerabilities", Name: "none known in " + plural(len(r.Inventory.Packages), "package")})
	}
	return s
}

func (s *junitSuite) add(c junitCase) {
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
	s.Cases = append(s.Cases, c)
}

func junitVerdict(v *finding.Verdict) junitCase {
	c := junitCase{Class: "gate", Name: xmlText(v.Policy)}
	var lines []string
	for _, r := range v.Reasons {
		lines = append(lines, fmt.Sprintf("%s: %s (%s)", r.Decision, r.Message, r.Rule))
	}
	text := xmlText(strings.Join(lines, "\n"))
	switch v.Decision {
	case finding.Fail:
		c.Failure = &junitOutcome{Message: "the gate says fail", Type: "fail", Text: text}
	case finding.NotEvaluated:
		c.Error = &junitOutcome{Message: "the gate could not decide", Type: "not-evaluated", Text: text}
	}
	return c
}

func junitFinding(f *finding.Finding) junitCase {
	c := junitCase{Class: xmlText(f.Package.Name + " " + f.Package.Version), Name: xmlText(fmt.Sprintf("%s (%s)", f.ID, f.Severity))}
	switch {
	case f.Suppressed != nil:
		c.Skipped = junitSkipped(f.Suppressed)
	case f.KernelHeaders:
		c.Skipped = &junitOutcome{Message: headersReason}
	default:
		c.Failure = &junitOutcome{Message: xmlText(title(f)), Type: f.Severity.String(), Text: xmlText(junitText(f))}
	}
	return c
}

func junitText(f *finding.Finding) string {
	lines := []string{advice(f), link(f)}
	if f.KEV != nil {
		lines = append(lines, "known to be exploited since "+f.KEV.Added)
	}
	lines = append(lines, f.Paths...)
	if f.Layer != nil && f.Layer.CreatedBy != "" {
		lines = append(lines, fmt.Sprintf("layer %d: %s", f.Layer.Index, f.Layer.CreatedBy))
	}
	return strings.Join(lines, "\n")
}

func junitSkipped(s *finding.Suppression) *junitOutcome {
	return &junitOutcome{Message: xmlText(string(s.Source) + ": " + cmp.Or(s.Reason, "no reason given"))}
}

func junitSecret(x *finding.Secret) junitCase {
	c := junitCase{Class: "secrets", Name: xmlText(x.Title + " in " + secretPlace(x))}
	if x.Suppressed != nil {
		c.Skipped = junitSkipped(x.Suppressed)
	} else {
		c.Failure = &junitOutcome{Message: xmlText(x.Masked), Type: x.Severity.String(), Text: xmlText(secretNote(x))}
	}
	return c
}

func junitCheck(x *finding.Check) junitCase {
	c := junitCase{Class: "configuration", Name: xmlText(x.ID + ": " + x.Title)}
	if x.Suppressed != nil {
		c.Skipped = junitSkipped(x.Suppressed)
	} else {
		c.Failure = &junitOutcome{Message: xmlText(x.Detail), Type: x.Severity.String(), Text: xmlText(x.Fix)}
	}
	return c
}
