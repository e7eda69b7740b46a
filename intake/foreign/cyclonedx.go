package foreign

import "encoding/json"

// bomDoc is the part that is read of CycloneDX 1.4 to 1.6.
type bomDoc struct {
	Metadata struct {
		Tools json.RawMessage `json:"tools"`
	} `json:"metadata"`
	Components      []bomComponent     `json:"components"`
	Vulnerabilities []bomVulnerability `json:"vulnerabilities"`
}

type bomComponent struct {
	Ref        string         `json:"bom-ref"`
	Group      string         `json:"group"`
	Name       string         `json:"name"`
	Version    string         `json:"version"`
	PURL       string         `json:"purl"`
	Components []bomComponent `json:"components"`
}

type bomVulnerability struct {
	ID         string `json:"id"`
	References []struct {
		ID string `json:"id"`
	} `json:"references"`
	Ratings []struct {
		Severity string  `json:"severity"`
		Score    float64 `json:"score"`
	} `json:"ratings"`
	Description string `json:"description"`
	Affects     []struct {
		Ref string `json:"ref"`
	} `json:"affects"`
	Analysis struct {
		State string `json:"state"`
	} `json:"analysis"`
}

// set aside are the states of an analysis that says that a vulnerability does not count.
var setAside = map[string]bool{"not_affected": true, "false_positive": true, "resolved": true, "resolved_with_pedigree": true}

func (c *collector) cycloneDX(body []byte) error {
	var doc bomDoc
	if err := json.Unmarshal(body, &doc); err != nil {
		return err
	}
	c.source = bomTool(doc.Metadata.Tools)
	components := map[string]*bomComponent{}
	index(doc.Components, components, 0)
	for i := range doc.Vulnerabilities {
		v := &doc.Vulnerabilities[i]
		if setAside[v.Analysis.State] {
			continue
		}
		for _, a := range v.Affects {
			if err := c.add(v.entry(components[a.Ref], a.Ref)); err != nil {
				return err
			}
		}
		if len(v.Affects) == 0 {
			if err := c.add(v.entry(nil, "")); err != nil {
				return err
			}
		}
	}
	return nil
}

// index lists components by their references, those inside others too.
func index(list []bomComponent, by map[string]*bomComponent, depth int) {
	for i := range list {
		if by[list[i].Ref] = &list[i]; depth < 20 {
			index(list[i].Components, by, depth+1)
		}
	}
}

func (v *bomVulnerability) entry(p *bomComponent, ref string) entry {
	e := entry{kind: "vulnerability", ids: []string{v.ID}, title: firstLine(v.Description)}
	if len(v.References) == 1 {
		e.ids = append(e.ids, v.References[0].ID)
	}
	for _, r := range v.Ratings {
		if severityOf(r.Severity, r.Score) > severityOf(e.severity, e.score) {
			e.severity, e.score = r.Severity, r.Score
		}
	}
	purl := ref // references are often package URLs
	if p != nil {
		e.name, e.version = join("", p.Group, p.Name), p.Version
		if p.PURL != "" {
			purl = p.PURL
		}
	}
	if t, name, version, ok := parsePURL(purl); ok {
		e.pkgType, e.name = t, name
		if e.version == "" {
			e.version = version
		}
	}
	return e
}

// bomTool is the name of the tool, in the form of 1.4 (a list) or of 1.5 (components).
func bomTool(raw json.RawMessage) string {
	type named struct {
		Name string `json:"name"`
	}
	var list []named
	if json.Unmarshal(raw, &list) == nil && len(list) > 0 {
		return tool(list[0].Name)
	}
	var object struct {
		Components []named `json:"components"`
	}
	if json.Unmarshal(raw, &object) == nil && len(object.Components) > 0 {
		return tool(object.Components[0].Name)
	}
	return "cyclonedx"
}
