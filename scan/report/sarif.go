package report

import (
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/seawall/seawall/finding"
)

// writeSARIF writes SARIF 2.1.0: one run for each result, one rule for each advisory group, secret rule and check.
// The rule properties are those that GitHub code scanning reads ("security-severity", "tags", "precision"). What was
// not evaluated stands in the run's notifications; what was set aside carries a suppression.
func writeSARIF(w io.Writer, results []finding.Result, o Options) error {
	log := sarifLog{
		Schema:  "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
		Version: "2.1.0",
		Runs:    []sarifRun{},
	}
	for i := range results {
		log.Runs = append(log.Runs, newSarifRun(&results[i], o))
	}
	return encode(w, log)
}

// imageRoot stands for the root of the image's file system: paths in results are relative to it.
const imageRoot = "IMAGE_ROOT"

// sarifWriter fills one run.
type sarifWriter struct {
	r     *finding.Result
	scope string
	run   sarifRun
	rules map[string]int
}

func newSarifRun(r *finding.Result, o Options) sarifRun {
	image := &r.Inventory.Image
	s := &sarifWriter{r: r, scope: scope(o, r), rules: map[string]int{}}
	s.run = sarifRun{
		Tool: sarifTool{sarifDriver{Name: toolName, Version: toolVersion(r), InformationURI: toolURL, Rules: []sarifRule{}}},
		// Results of one category replace each other on upload: one for each repository and platform.
		AutomationDetails: sarifAutomation{ID: strings.Trim("seawall/"+s.scope+"/"+image.Platform, "/") + "/"},
		Invocations:       []sarifInvocation{sarifInvoked(r)},
		BaseIDs:           map[string]sarifArtifact{imageRoot: {Description: &sarifMessage{Text: "the root of " + image.Ref}}},
		Results:           []sarifResult{},
		ColumnKind:        "unicodeCodePoints",
		Properties:        map[string]any{"image": image.Ref, "imageID": image.ID, "platform": image.Platform},
	}
	if r.Verdict != nil {
		s.run.Properties["verdict"] = r.Verdict.Decision
	}
	for i := range r.Findings {
		s.finding(&r.Findings[i])
	}
	for i := range r.Inventory.Secrets {
		s.secret(&r.Inventory.Secrets[i])
	}
	for i := range r.Inventory.Checks {
		s.check(&r.Inventory.Checks[i])
	}
	return s.run
}

// sarifInvoked says how the scan went. Gaps are warnings there: a run that did not look at everything says so.
func sarifInvoked(r *finding.Result) sarifInvocation {
	inv := sarifInvocation{ExecutionSuccessful: r.Verdict == nil || r.Verdict.Decision != finding.NotEvaluated, EndTimeUTC: stamp(r.ScannedAt)}
	for _, g := range gaps(r) {
		inv.Notifications = append(inv.Notifications, sarifNotification{
			Level: "warning", Message: sarifMessage{Text: "not evaluated: " + g.String()}, Descriptor: sarifDescriptor{ID: string(g.Kind)},
		})
	}
	return inv
}

// rule returns the place of the rule called id, making it where it is new. A rule takes the highest severity of its
// results: GitHub shows that of the rule.
func (s *sarifWriter) rule(id string, score float64, level finding.Severity, build func() sarifRule) int {
	at, ok := s.rules[id]
	if !ok {
		at = len(s.run.Tool.Driver.Rules)
		s.rules[id] = at
		rule := build()
		rule.ID = id
		rule.DefaultConfiguration.Level = sarifLevel(level)
		rule.Properties["precision"] = "very-high"
		rule.Properties["security-severity"] = fmt.Sprintf("%.1f", score)
		s.run.Tool.Driver.Rules = append(s.run.Tool.Driver.Rules, rule)
		return at
	}
	rule := &s.run.Tool.Driver.Rules[at]
	var have float64
	if _, err := fmt.Sscan(rule.Properties["security-severity"].(string), &have); err == nil && score > have {
		rule.Properties["security-severity"] = fmt.Sprintf("%.1f", score)
		rule.DefaultConfiguration.Level = sarifLevel(level)
	}
	return at
}

func sarifLevel(s finding.Severity) string {
	switch s {
	case finding.SeverityCritical, finding.SeverityHigh:
		return "error"
	case finding.SeverityMedium:
		return "warning"
	}
	return "note"
}

// sarifScore is a number on the scale of CVSS: that of the finding where it agrees with its severity, else the middle
// of the severity's span, for what a distribution rates lower is not to be shown as critical.
func sarifScore(sev finding.Severity, score float64) float64 {
	if score > 0 && finding.SeverityOfScore(score) == sev {
		return score
	}
	switch sev {
	case finding.SeverityCritical:
		return 9.5
	case finding.SeverityHigh:
		return 8
	case finding.SeverityMedium:
		return 5.5
	case finding.SeverityLow:
		return 2
	}
	return 0.1
}

func (s *sarifWriter) finding(f *finding.Finding) {
	at := s.rule(f.ID, sarifScore(f.Severity, f.Score), f.Severity, func() sarifRule { return sarifFindingRule(f) })
	result := sarifResult{
		RuleID: f.ID, RuleIndex: at, Level: sarifLevel(f.Severity),
		Message:             sarifMessage{Text: sarifText(f)},
		Locations:           s.findingLocations(f),
		PartialFingerprints: s.fingerprints(f.Key(s.scope)),
		Suppressions:        sarifSuppressions(f.Suppressed),
		Properties:          map[string]any{"state": f.State, "severity": f.Severity},
	}
	if f.Package.PURL != "" {
		result.Properties["purl"] = f.Package.PURL
	}
	if f.KernelHeaders && f.Suppressed == nil {
		result.Suppressions = []sarifSuppression{{Kind: "external", Status: "accepted", Justification: headersReason}}
	}
	s.run.Results = append(s.run.Results, result)
}

func sarifText(f *finding.Finding) string {
	text := fmt.Sprintf("%s %s is affected by %s (%s)", f.Package.Name, f.Package.Version, f.ID, f.Severity)
	if f.Title != "" {
		text += ": " + f.Title
	}
	text = strings.TrimSuffix(text, ".") + ". " + advice(f) + "."
	if f.KEV != nil {
		text += " Known to be exploited since " + f.KEV.Added + "."
	}
	if f.Layer != nil && f.Layer.CreatedBy != "" {
		text += " Brought by: " + f.Layer.CreatedBy
	}
	return text
}

func sarifFindingRule(f *finding.Finding) sarifRule {
	tags := append([]string{"security", "vulnerability"}, f.CWE...)
	if f.KEV != nil {
		tags = append(tags, "known-exploited")
	}
	help := f.ID + ": " + title(f) + "\n\nAlso known as: " + strings.Join(f.Aliases, ", ") + "\nRead more: " + link(f)
	if len(f.Aliases) == 0 {
		help = f.ID + ": " + title(f) + "\n\nRead more: " + link(f)
	}
	return sarifRule{
		Name:             "Vulnerability",
		ShortDescription: sarifMessage{Text: shorten(f.ID+": "+title(f), 1000)},
		FullDescription:  sarifMessage{Text: shorten(title(f), 1000)},
		HelpURI:          link(f),
		Help:             sarifMessage{Text: help},
		Properties:       map[string]any{"tags": distinct(tags)},
	}
}

// distinct drops repetitions: SARIF wants the tags of a rule to differ.
func distinct(all []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, s := range all {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

func (s *sarifWriter) findingLocations(f *finding.Finding) []sarifLocation {
	paths := f.Paths
	if len(paths) == 0 {
		paths = []string{f.Package.Path}
	}
	var out []sarifLocation
	for _, p := range paths[:min(len(paths), 10)] {
		l := s.location(p, 0)
		l.Logical = append(l.Logical, sarifLogical{
			Name: f.Package.Name, FullyQualifiedName: f.Package.Type + ":" + f.Package.Name + "@" + f.Package.Version, Kind: "package",
		})
		out = append(out, l)
	}
	return out
}

// location points at a path of the image; without one, at the image itself. GitHub refuses results without a place.
func (s *sarifWriter) location(path string, line int) sarifLocation {
	uri := path
	if uri == "" {
		uri = "image"
	}
	return sarifLocation{
		Physical: sarifPhysical{
			Artifact: sarifArtifact{URI: (&url.URL{Path: strings.TrimPrefix(uri, "/")}).EscapedPath(), BaseID: imageRoot},
			Region:   sarifRegion{StartLine: max(line, 1)},
		},
		Logical: []sarifLogical{{FullyQualifiedName: s.r.Inventory.Image.Ref, Kind: "container-image"}},
		Message: &sarifMessage{Text: s.r.Inventory.Image.Ref + ": " + uri},
	}
}

// fingerprints: GitHub matches alerts by primaryLocationLineHash, which it would otherwise compute from a file that
// it does not have.
func (s *sarifWriter) fingerprints(key string) map[string]string {
	return map[string]string{"seawall/v1": key, "primaryLocationLineHash": key + ":1"}
}

func sarifSuppressions(s *finding.Suppression) []sarifSuppression {
	if s == nil {
		return nil
	}
	why := string(s.Source)
	for _, part := range []string{s.Reason, s.Origin} {
		if part != "" {
			why += ": " + part
		}
	}
	return []sarifSuppression{{Kind: "external", Status: "accepted", Justification: why}}
}

func (s *sarifWriter) secret(x *finding.Secret) {
	id := "secret/" + x.Rule
	at := s.rule(id, sarifScore(x.Severity, 0), x.Severity, func() sarifRule {
		return sarifRule{
			Name: "Secret", ShortDescription: sarifMessage{Text: x.Title}, FullDescription: sarifMessage{Text: x.Title},
			Help:       sarifMessage{Text: "Revoke the credential, then remove it from the image: deleting the file in a later layer does not."},
			Properties: map[string]any{"tags": []string{"security", "secret"}},
		}
	})
	text := fmt.Sprintf("%s in %s: %s", x.Title, secretPlace(x), x.Masked)
	if note := secretNote(x); note != "" && x.Suppressed == nil {
		text += " (" + note + ")"
	}
	s.run.Results = append(s.run.Results, sarifResult{
		RuleID: id, RuleIndex: at, Level: sarifLevel(x.Severity), Message: sarifMessage{Text: text},
		Locations:           []sarifLocation{s.location(x.Path, x.Line)},
		PartialFingerprints: s.fingerprints(x.Key(s.scope)),
		Suppressions:        sarifSuppressions(x.Suppressed),
	})
}

func (s *sarifWriter) check(c *finding.Check) {
	at := s.rule(c.ID, sarifScore(c.Severity, 0), c.Severity, func() sarifRule {
		return sarifRule{
			Name: "Configuration", ShortDescription: sarifMessage{Text: c.Title}, FullDescription: sarifMessage{Text: c.Title},
			Help: sarifMessage{Text: strings.TrimSpace(c.Detail + "\n\n" + c.Fix)}, Properties: map[string]any{"tags": []string{"security", "configuration"}},
		}
	})
	path := ""
	if len(c.Paths) > 0 {
		path = c.Paths[0]
	}
	s.run.Results = append(s.run.Results, sarifResult{
		RuleID: c.ID, RuleIndex: at, Level: sarifLevel(c.Severity), Message: sarifMessage{Text: strings.TrimSpace(c.Title + ". " + c.Detail + " " + c.Fix)},
		Locations:           []sarifLocation{s.location(path, 0)},
		PartialFingerprints: s.fingerprints(c.Keys(s.scope)[0]),
		Suppressions:        sarifSuppressions(c.Suppressed),
	})
}
