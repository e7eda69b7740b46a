package report

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/seawall/seawall/finding"
)

// SchemaVersion is the "schemaVersion" of the json format. Fields may be added within a version; none changes its
// meaning or goes away.
const SchemaVersion = 1

// Schema is the JSON Schema (draft 2020-12) of the json format.
//
//go:embed schema/result.schema.json
var Schema []byte

// maxJSON bounds what ReadJSON takes in, in bytes.
const maxJSON = 256 << 20

type document struct {
	SchemaVersion int              `json:"schemaVersion"`
	Results       []finding.Result `json:"results"`
}

func writeJSON(w io.Writer, results []finding.Result, _ Options) error {
	doc := document{SchemaVersion: SchemaVersion, Results: make([]finding.Result, len(results))}
	for i, r := range results {
		doc.Results[i] = withoutNil(r)
	}
	return encode(w, doc)
}

// withoutNil replaces the lists that readers iterate over without asking, so that they are [] and never null.
func withoutNil(r finding.Result) finding.Result {
	if r.Inventory.Packages == nil {
		r.Inventory.Packages = []finding.Package{}
	}
	if r.Findings == nil {
		r.Findings = []finding.Finding{}
	}
	if r.Coverage == nil {
		r.Coverage = []finding.Coverage{}
	}
	return r
}

// ReadJSON reads a report that Write made in the json format: a baseline, for example. It takes at most 256 MiB.
func ReadJSON(r io.Reader) ([]finding.Result, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxJSON+1))
	if err != nil {
		return nil, fmt.Errorf("reading the report: %w", err)
	}
	if len(data) > maxJSON {
		return nil, fmt.Errorf("reading the report: larger than %d MiB", maxJSON>>20)
	}
	var doc document
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("reading the report: %w", err)
	}
	switch {
	case doc.SchemaVersion == 0:
		return nil, errors.New("reading the report: no schemaVersion: give a report written with -o json")
	case doc.SchemaVersion != SchemaVersion:
		return nil, fmt.Errorf("reading the report: schema version %d is not known, only %d", doc.SchemaVersion, SchemaVersion)
	}
	return doc.Results, nil
}

// encode writes v as indented JSON. "<" and "&" stay as they are: these are files, not parts of pages.
func encode(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
