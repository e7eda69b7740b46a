package vex

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// OpenVEX (github.com/openvex/spec, OPENVEX-SPEC.md). Version 0.0.1 had strings where 0.2 has objects; both are read.

type openStatement struct {
	Vulnerability openVulnerability `json:"vulnerability"`
	Products      []openProduct     `json:"products"`
	// Subcomponents stood beside the products in 0.0.1.
	Subcomponents []openProduct `json:"subcomponents"`
	Status        status        `json:"status"`
	Justification string        `json:"justification"`
	Impact        string        `json:"impact_statement"`
	Timestamp     time.Time     `json:"timestamp"`
	LastUpdated   time.Time     `json:"last_updated"`
}

type openVulnerability struct {
	ID      string   `json:"@id"`
	Name    string   `json:"name"`
	Aliases []string `json:"aliases"`
}

type openProduct struct {
	ID          string `json:"@id"`
	Identifiers struct {
		PURL  string `json:"purl"`
		CPE22 string `json:"cpe22"`
		CPE23 string `json:"cpe23"`
	} `json:"identifiers"`
	Subcomponents []openProduct `json:"subcomponents"`
}

// UnmarshalJSON takes a string for a name.
func (v *openVulnerability) UnmarshalJSON(data []byte) error {
	if json.Unmarshal(data, &v.Name) == nil {
		return nil
	}
	type plain openVulnerability
	return json.Unmarshal(data, (*plain)(v))
}

// UnmarshalJSON takes a string for an id.
func (p *openProduct) UnmarshalJSON(data []byte) error {
	if json.Unmarshal(data, &p.ID) == nil {
		return nil
	}
	type plain openProduct
	return json.Unmarshal(data, (*plain)(p))
}

func (d *Document) openVEX(data []byte) error {
	var head struct {
		Timestamp time.Time `json:"timestamp"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return fmt.Errorf("OpenVEX: %w", err)
	}
	return list(data, "statements", func(raw json.RawMessage, line int) error {
		var s openStatement
		if err := json.Unmarshal(raw, &s); err != nil {
			return err
		}
		if s.Timestamp.IsZero() {
			s.Timestamp = head.Timestamp
		}
		return d.openStatement(&s, line)
	})
}

func (d *Document) openStatement(s *openStatement, line int) error {
	if err := s.check(); err != nil {
		return err
	}
	at := s.Timestamp
	if s.LastUpdated.After(at) {
		at = s.LastUpdated
	}
	base := statement{
		ids:    distinct(append([]string{s.Vulnerability.Name, nameOf(s.Vulnerability)}, s.Vulnerability.Aliases...)...),
		status: s.Status, reason: sentence(string(s.Status), s.Justification, s.Impact), at: at, line: line,
	}
	for _, p := range s.Products {
		for _, about := range p.products(s.Subcomponents) {
			x := base
			x.product = about
			if err := d.add(x); err != nil {
				return err
			}
		}
	}
	return nil
}

// nameOf is the vulnerability's id where it has no name.
func nameOf(v openVulnerability) string {
	if v.Name != "" {
		return ""
	}
	return v.ID
}

func (s *openStatement) check() error {
	if s.Vulnerability.Name == "" && s.Vulnerability.ID == "" {
		return errors.New("a statement without a vulnerability")
	}
	switch s.Status {
	case affected, fixed, underInvestigation:
	case notAffected:
		if s.Justification == "" && s.Impact == "" {
			return errors.New("not_affected needs a justification or an impact_statement")
		}
	default:
		return fmt.Errorf("status %q: want not_affected, affected, fixed or under_investigation", s.Status)
	}
	return nil
}

// products takes a product and its subcomponents apart.
func (p *openProduct) products(more []openProduct) []product {
	of := p.thing()
	subs := append(append([]openProduct{}, p.Subcomponents...), more...)
	if len(subs) == 0 {
		return []product{whole(of)}
	}
	var out []product
	for i := range subs {
		// A component without a package URL cannot be found in an image.
		if c := subs[i].thing(); c.purl != "" {
			out = append(out, product{of: of, component: c.purl})
		}
	}
	return out
}

// whole makes the product of a thing without components: a package stands for itself.
func whole(t thing) product {
	if t.purl != "" && !isImage(t.purl) {
		return product{component: t.purl}
	}
	return product{of: t}
}

func (p *openProduct) thing() thing {
	t := thing{purl: p.Identifiers.PURL, cpe: p.Identifiers.CPE23, name: p.ID}
	if t.cpe == "" {
		t.cpe = p.Identifiers.CPE22
	}
	if t.purl == "" && isPURL(p.ID) {
		t.purl = p.ID
	}
	return t
}
