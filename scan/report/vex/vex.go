// Package vex reads statements about which vulnerabilities do not matter for which products: OpenVEX (0.0.1 to 0.2)
// and CSAF 2.0 documents of the VEX profile. They become suppressions.
//
// It promises that only the statuses "not affected" and "fixed" set anything aside, that a later statement of a
// document takes an earlier one back, and that a statement about one product never reaches another: an image, a
// distribution or a package that it names must be the one at hand. Where that cannot be told, nothing is set aside.
//
// It leaves out who may make statements: signatures are not looked at here.
package vex

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/seawall/seawall/finding"
)

const (
	// maxSize bounds a document, in bytes.
	maxSize = 64 << 20
	// maxStatements bounds what a document says: vulnerabilities times products.
	maxStatements = 200_000
)

// ErrNotVEX is wrapped by Read's error when a document is JSON of another kind.
var ErrNotVEX = errors.New("not a VEX document: want OpenVEX or CSAF 2.0 JSON")

// Document is what a VEX file says.
type Document struct {
	// Name is how the user called the file.
	Name string
	// Statements counts pairs of a vulnerability and a product, whatever their status.
	Statements int

	statements []statement
}

// statement is one vulnerability, under all its ids, for one product.
type statement struct {
	ids     []string
	product product
	status  status
	reason  string
	at      time.Time
	line    int
}

// product is what a statement is about: a thing, or a component of it.
type product struct {
	// of is the thing: an image, a distribution, a package; zero where the component stands alone.
	of thing
	// component is the package in it; "" for the whole thing.
	component string
}

// thing is a product by whichever of its names the document gives.
type thing struct {
	purl, cpe, name string
}

func (t thing) empty() bool { return t == thing{} }

type status string

const (
	notAffected        status = "not_affected"
	affected           status = "affected"
	fixed              status = "fixed"
	underInvestigation status = "under_investigation"
)

func (s status) suppresses() bool { return s == notAffected || s == fixed }

// Read reads a whole document of at most 64 MiB. name is the file's name, for errors and origins.
func Read(r io.Reader, name string) (*Document, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxSize+1))
	if err != nil {
		return nil, fmt.Errorf("reading VEX %s: %w", name, err)
	}
	if len(data) > maxSize {
		return nil, fmt.Errorf("reading VEX %s: larger than %d MiB", name, maxSize>>20)
	}
	d := &Document{Name: name}
	if err := d.read(data); err != nil {
		return nil, fmt.Errorf("reading VEX %s: %w", name, err)
	}
	d.Statements = len(d.statements)
	return d, nil
}

func (d *Document) read(data []byte) error {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	var head struct {
		Context  json.RawMessage `json:"@context"`
		Document json.RawMessage `json:"document"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return fmt.Errorf("%w: %w", ErrNotVEX, err)
	}
	switch {
	case strings.Contains(string(head.Context), "openvex"):
		return d.openVEX(data)
	case len(head.Document) > 0:
		return d.csaf(data, head.Document)
	}
	return ErrNotVEX
}

func (d *Document) add(s statement) error {
	if len(d.statements) >= maxStatements {
		return fmt.Errorf("more than %d statements", maxStatements)
	}
	d.statements = append(d.statements, s)
	return nil
}

// For gives the suppressions that apply to an image, in the order of the document. Call it with the inventory whose
// findings they are for.
func (d *Document) For(v *finding.Inventory) []finding.Suppression {
	var out []finding.Suppression
	m := newMatcher(v)
	for _, s := range d.current() {
		for _, pkg := range m.packages(s.product) {
			for _, id := range s.ids {
				out = append(out, finding.Suppression{
					Source: finding.SourceVEX, ID: id, Package: pkg, Reason: s.reason, Origin: fmt.Sprintf("%s:%d", d.Name, s.line),
				})
			}
		}
	}
	return out
}

// current gives the suppressing statements that no later one of the same document takes back. Of statements of the
// same time, the one that stands further down is the later one.
func (d *Document) current() []statement {
	type key struct {
		id      string
		product product
	}
	last := map[key]int{}
	for i, s := range d.statements {
		for _, id := range s.ids {
			k := key{id, s.product}
			if j, ok := last[k]; !ok || !s.at.Before(d.statements[j].at) {
				last[k] = i
			}
		}
	}
	var out []statement
	for i, s := range d.statements {
		if !s.status.suppresses() {
			continue
		}
		s.ids = slices.DeleteFunc(slices.Clone(s.ids), func(id string) bool { return last[key{id, s.product}] != i })
		if len(s.ids) > 0 {
			out = append(out, s)
		}
	}
	return out
}

// list calls visit for each element of the array that the top-level member called name holds, with its line.
func list(data []byte, name string, visit func(raw json.RawMessage, line int) error) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if _, err := d.Token(); err != nil {
		return err
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		if key != name {
			var skip json.RawMessage
			if err := d.Decode(&skip); err != nil {
				return err
			}
			continue
		}
		if err := elements(d, data, visit); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func elements(d *json.Decoder, data []byte, visit func(json.RawMessage, int) error) error {
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return errors.New("want a list")
	}
	line, counted := 1, int64(0)
	for d.More() {
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return err
		}
		start := d.InputOffset() - int64(len(raw))
		line += bytes.Count(data[counted:start], []byte("\n"))
		counted = start
		if err := visit(raw, line); err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
	}
	_, err := d.Token()
	return err
}

// sentence joins the parts of a reason that are there.
func sentence(parts ...string) string {
	var all []string
	for _, p := range parts {
		if p = strings.TrimSpace(p); p != "" {
			all = append(all, p)
		}
	}
	return strings.Join(all, ": ")
}

func distinct(ids ...string) []string {
	var out []string
	for _, id := range ids {
		if id != "" && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}
