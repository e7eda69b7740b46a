package vex

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// CSAF 2.0 (OASIS, docs.oasis-open.org/csaf/csaf/v2.0), section 4.5: the VEX profile. Advisories of the other
// profiles have the same product status and are read as well.

// maxDepth bounds how deep branches of the product tree nest; section 3.1.2.1 allows 30.
const maxDepth = 30

type csafBranch struct {
	Product  *csafProduct `json:"product"`
	Branches []csafBranch `json:"branches"`
}

type csafProduct struct {
	ID     string `json:"product_id"`
	Name   string `json:"name"`
	Helper struct {
		PURL string `json:"purl"`
		CPE  string `json:"cpe"`
	} `json:"product_identification_helper"`
}

type csafTree struct {
	Branches  []csafBranch  `json:"branches"`
	Products  []csafProduct `json:"full_product_names"`
	Relations []struct {
		Product csafProduct `json:"full_product_name"`
		Part    string      `json:"product_reference"`
		Of      string      `json:"relates_to_product_reference"`
	} `json:"relationships"`
	Groups []struct {
		ID       string   `json:"group_id"`
		Products []string `json:"product_ids"`
	} `json:"product_groups"`
}

type csafVulnerability struct {
	CVE string `json:"cve"`
	IDs []struct {
		Text string `json:"text"`
	} `json:"ids"`
	Status struct {
		NotAffected        []string `json:"known_not_affected"`
		Fixed              []string `json:"fixed"`
		FirstFixed         []string `json:"first_fixed"`
		Affected           []string `json:"known_affected"`
		UnderInvestigation []string `json:"under_investigation"`
	} `json:"product_status"`
	Flags   []csafNote `json:"flags"`
	Threats []csafNote `json:"threats"`
}

// csafNote is a flag (label) or a threat (category, details) with the products that it is about.
type csafNote struct {
	Label    string   `json:"label"`
	Category string   `json:"category"`
	Details  string   `json:"details"`
	Products []string `json:"product_ids"`
	Groups   []string `json:"group_ids"`
}

func (d *Document) csaf(data []byte, head json.RawMessage) error {
	var document struct {
		Version  string `json:"csaf_version"`
		Tracking struct {
			Released time.Time `json:"current_release_date"`
		} `json:"tracking"`
	}
	if err := json.Unmarshal(head, &document); err != nil {
		return fmt.Errorf("CSAF: document: %w", err)
	}
	switch document.Version {
	case "2.0", "2.1":
	case "":
		return ErrNotVEX
	default:
		return fmt.Errorf("CSAF version %q is not read: want 2.0", document.Version)
	}
	var doc struct {
		Tree csafTree `json:"product_tree"`
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return fmt.Errorf("CSAF: %w", err)
	}
	c := csafReader{d: d, at: document.Tracking.Released, products: map[string]product{}, groups: map[string][]string{}}
	if err := c.tree(&doc.Tree); err != nil {
		return fmt.Errorf("CSAF: product_tree: %w", err)
	}
	return list(data, "vulnerabilities", func(raw json.RawMessage, line int) error {
		var v csafVulnerability
		if err := json.Unmarshal(raw, &v); err != nil {
			return err
		}
		return c.vulnerability(&v, line)
	})
}

type csafReader struct {
	d        *Document
	at       time.Time
	products map[string]product
	groups   map[string][]string
}

func (c *csafReader) tree(t *csafTree) error {
	things := map[string]thing{}
	add := func(p *csafProduct) {
		x := thing{purl: p.Helper.PURL, cpe: p.Helper.CPE, name: p.Name}
		things[p.ID] = x
		c.products[p.ID] = whole(x)
	}
	for i := range t.Products {
		add(&t.Products[i])
	}
	if err := walk(t.Branches, 0, add); err != nil {
		return err
	}
	for i := range t.Relations {
		r := &t.Relations[i]
		part, of := things[r.Part], things[r.Of]
		if own := r.Product.Helper.PURL; own != "" {
			part.purl = own
		}
		// A part that has no package URL cannot be found in an image: the product stays one that matches nothing.
		c.products[r.Product.ID] = product{of: of, component: part.purl}
		if part.purl == "" || of.empty() {
			c.products[r.Product.ID] = product{of: thing{name: r.Product.Name}}
		}
	}
	for _, g := range t.Groups {
		c.groups[g.ID] = g.Products
	}
	return nil
}

func walk(branches []csafBranch, depth int, add func(*csafProduct)) error {
	if depth > maxDepth {
		return fmt.Errorf("branches nest deeper than %d", maxDepth)
	}
	for i := range branches {
		if p := branches[i].Product; p != nil {
			add(p)
		}
		if err := walk(branches[i].Branches, depth+1, add); err != nil {
			return err
		}
	}
	return nil
}

func (c *csafReader) vulnerability(v *csafVulnerability, line int) error {
	ids := []string{v.CVE}
	for _, id := range v.IDs {
		ids = append(ids, id.Text)
	}
	if ids = distinct(ids...); len(ids) == 0 {
		return errors.New("a vulnerability without cve and ids")
	}
	reasons := c.reasons(v)
	for _, group := range []struct {
		status   status
		products []string
	}{
		{notAffected, v.Status.NotAffected}, {fixed, v.Status.Fixed}, {fixed, v.Status.FirstFixed},
		// What is affected comes last: of two statuses for one product the cautious one holds.
		{affected, v.Status.Affected}, {underInvestigation, v.Status.UnderInvestigation},
	} {
		for _, id := range group.products {
			s := statement{ids: ids, product: c.products[id], status: group.status, at: c.at, line: line,
				reason: sentence(string(group.status), strings.Join(reasons[id], ", "))}
			if err := c.d.add(s); err != nil {
				return err
			}
		}
	}
	return nil
}

// reasons gathers flags and impact statements by product.
func (c *csafReader) reasons(v *csafVulnerability) map[string][]string {
	out := map[string][]string{}
	for _, n := range append(append([]csafNote{}, v.Flags...), v.Threats...) {
		text := n.Label
		if n.Category == "impact" {
			text = n.Details
		}
		if text == "" {
			continue
		}
		products := n.Products
		for _, g := range n.Groups {
			products = append(products, c.groups[g]...)
		}
		for _, id := range distinct(products...) {
			out[id] = append(out[id], text)
		}
	}
	return out
}
