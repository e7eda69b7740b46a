package foreign

import (
	"encoding/json"
	"strings"
)

// grypeDoc is the part that is read of Grype's JSON.
type grypeDoc struct {
	Matches []grypeMatch `json:"matches"`
}

type grypeMatch struct {
	Vulnerability struct {
		ID          string `json:"id"`
		Severity    string `json:"severity"`
		Description string `json:"description"`
		Fix         struct {
			Versions []string `json:"versions"`
		} `json:"fix"`
	} `json:"vulnerability"`
	Related []struct {
		ID string `json:"id"`
	} `json:"relatedVulnerabilities"`
	Artifact struct {
		Name    string `json:"name"`
		Version string `json:"version"`
		Type    string `json:"type"`
		PURL    string `json:"purl"`
	} `json:"artifact"`
}

func (c *collector) grype(body []byte) error {
	c.source = "grype"
	var doc grypeDoc
	if err := json.Unmarshal(body, &doc); err != nil {
		return err
	}
	for i := range doc.Matches {
		if err := c.add(doc.Matches[i].entry()); err != nil {
			return err
		}
	}
	return nil
}

func (m *grypeMatch) entry() entry {
	e := entry{
		kind: "vulnerability", ids: []string{m.Vulnerability.ID}, title: firstLine(m.Vulnerability.Description),
		name: m.Artifact.Name, pkgType: typeOf(m.Artifact.Type), version: m.Artifact.Version,
		fixed: strings.Join(m.Vulnerability.Fix.Versions, ", "), severity: m.Vulnerability.Severity,
	}
	// What is related to a distribution's record may be several vulnerabilities: then none of them is this one's name.
	if len(m.Related) == 1 {
		e.ids = append(e.ids, m.Related[0].ID)
	}
	if t, name, _, ok := parsePURL(m.Artifact.PURL); ok {
		e.pkgType, e.name = t, name
	}
	return e
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}
