package foreign

import (
	"encoding/json"
	"strconv"
	"strings"
)

// sarifDoc is the part that is read of SARIF 2.1.0.
type sarifDoc struct {
	Runs []struct {
		Tool struct {
			Driver struct {
				Name  string      `json:"name"`
				Rules []sarifRule `json:"rules"`
			} `json:"driver"`
		} `json:"tool"`
		Results []sarifResult `json:"results"`
	} `json:"runs"`
}

type sarifRule struct {
	ID    string    `json:"id"`
	Name  string    `json:"name"`
	Short sarifText `json:"shortDescription"`
	Props struct {
		Score json.RawMessage `json:"security-severity"`
		Tags  []string        `json:"tags"`
		PURLs []string        `json:"purls"`
	} `json:"properties"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifResult struct {
	RuleID    string    `json:"ruleId"`
	RuleIndex *int      `json:"ruleIndex"`
	Level     string    `json:"level"`
	Kind      string    `json:"kind"`
	Message   sarifText `json:"message"`
	Locations []struct {
		Physical struct {
			Artifact struct {
				URI string `json:"uri"`
			} `json:"artifactLocation"`
		} `json:"physicalLocation"`
	} `json:"locations"`
	Suppressions []json.RawMessage `json:"suppressions"`
}

func (c *collector) sarif(body []byte) error {
	var doc sarifDoc
	if err := json.Unmarshal(body, &doc); err != nil {
		return err
	}
	for i := range doc.Runs {
		run := &doc.Runs[i]
		if c.source == "" {
			c.source = tool(run.Tool.Driver.Name)
		}
		rules := map[string]*sarifRule{}
		for k := range run.Tool.Driver.Rules {
			rules[run.Tool.Driver.Rules[k].ID] = &run.Tool.Driver.Rules[k]
		}
		for k := range run.Results {
			r := &run.Results[k]
			if r.Kind == "pass" || r.Kind == "notApplicable" || len(r.Suppressions) > 0 {
				continue
			}
			rule := rules[r.RuleID]
			if at := r.RuleIndex; rule == nil && at != nil && *at >= 0 && *at < len(run.Tool.Driver.Rules) {
				rule = &run.Tool.Driver.Rules[*at]
			}
			if err := c.add(r.entry(rule)); err != nil {
				return err
			}
		}
	}
	if c.source == "" {
		c.source = "imported"
	}
	return nil
}

func (r *sarifResult) entry(rule *sarifRule) entry {
	e := entry{kind: "check", ids: []string{r.RuleID}, title: firstLine(r.Message.Text), severity: levels[r.Level]}
	if len(r.Locations) > 0 {
		e.path = r.Locations[0].Physical.Artifact.URI
	}
	if rule != nil {
		e.ids = append(e.ids, rule.ID)
		if rule.Short.Text != "" {
			e.title = firstLine(rule.Short.Text)
		}
		if score, err := strconv.ParseFloat(strings.Trim(string(rule.Props.Score), `"`), 64); err == nil && score >= 0 && score <= 10 {
			e.score, e.severity = score, ""
		}
		if len(rule.Props.PURLs) == 1 {
			e.pkgType, e.name, e.version, _ = parsePURL(rule.Props.PURLs[0])
		}
	}
	if strings.Contains(strings.ToLower(r.RuleID), "secret") {
		e.kind = "secret"
	}
	e.vulnerability(r)
	return e
}

// levels rates results of rules without a score. Source: SARIF 2.1.0, section 3.27.10; "" is a warning there.
var levels = map[string]string{"error": "high", "warning": "medium", "": "medium", "note": "low", "none": "negligible"}

// vulnerability recognises an advisory by the form of its id. Some tools append the package: "CVE-2021-44228-log4j".
func (e *entry) vulnerability(r *sarifResult) {
	id := r.RuleID
	switch {
	case strings.HasPrefix(id, "CVE-"):
		parts := strings.SplitN(id, "-", 4)
		if len(parts) < 3 {
			return
		}
		e.ids = []string{strings.Join(parts[:3], "-")}
		if len(parts) == 4 && e.name == "" {
			e.name = parts[3]
		}
	case strings.HasPrefix(id, "GHSA-"):
		parts := strings.SplitN(id, "-", 5)
		if len(parts) < 4 {
			return
		}
		e.ids = []string{strings.Join(parts[:4], "-")}
		if len(parts) == 5 && e.name == "" {
			e.name = parts[4]
		}
	default:
		return
	}
	e.kind = "vulnerability"
	e.fields(r.Message.Text)
}

// fields reads the lines that Trivy puts into a message: "Package: openssl", "Installed Version: 1", "Fixed Version: 2".
func (e *entry) fields(message string) {
	for line := range strings.SplitSeq(clip(message, 4000), "\n") {
		key, value, ok := strings.Cut(line, ": ")
		if !ok {
			continue
		}
		switch strings.TrimSpace(key) {
		case "Package":
			e.name = strings.TrimSpace(value)
		case "Installed Version":
			e.version = strings.TrimSpace(value)
		case "Fixed Version":
			e.fixed = strings.TrimSpace(value)
		}
	}
}
