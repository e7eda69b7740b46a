package gate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/seawall/seawall/finding"
)

// ParseBaseline reads the results of a report that `-o json` wrote; name stands in errors. The caller bounds its size.
func ParseBaseline(name string, b []byte) ([]finding.Result, error) {
	var report struct {
		SchemaVersion int               `json:"schemaVersion"`
		Results       *[]finding.Result `json:"results"`
	}
	err := json.Unmarshal(bytes.TrimPrefix(b, []byte("\ufeff")), &report)
	switch {
	case err != nil:
		return nil, &SyntaxError{Name: name, Line: jsonLine(b, err), Message: "not a JSON report: " + err.Error()}
	case report.Results == nil:
		return nil, &SyntaxError{Name: name, Message: "no results in it: write the baseline with -o json"}
	case report.SchemaVersion != 1:
		return nil, &SyntaxError{Name: name, Message: fmt.Sprintf("report of schema version %d: want 1", report.SchemaVersion)}
	}
	return *report.Results, nil
}

// jsonLine is the line of a JSON error, 0 where it has no place.
func jsonLine(b []byte, err error) int {
	var syntax *json.SyntaxError
	var typ *json.UnmarshalTypeError
	var offset int64
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &typ):
		offset = typ.Offset
	default:
		return 0
	}
	return 1 + bytes.Count(b[:min(offset, int64(len(b)))], []byte("\n"))
}

// Baseline turns former results into suppressions for image, so that only what is new counts: a finding, secret or
// check whose key they hold. origin says where they come from.
//
// Results speak for an image of the same repository and platform; where all of them are of one repository, its name
// does not matter, since files and mirrors rename images. What another source had set aside is not part of the
// baseline: it would outlive that source's expiry. Exploited and hostile findings are never covered, see
// finding.Precedence.
func Baseline(old []finding.Result, image *finding.Image, origin string) []finding.Suppression {
	b := &baseline{origin: origin, seen: map[string]bool{}}
	single := oneRepository(old)
	for i := range old {
		was := &old[i].Inventory.Image
		samePlatform := was.Platform == image.Platform || was.Platform == "" || image.Platform == ""
		if samePlatform && (single || was.Repository() == image.Repository()) {
			b.result(&old[i])
		}
	}
	return b.out
}

func oneRepository(results []finding.Result) bool {
	for i := range results {
		if results[i].Inventory.Image.Repository() != results[0].Inventory.Image.Repository() {
			return false
		}
	}
	return true
}

type baseline struct {
	origin string
	seen   map[string]bool
	out    []finding.Suppression
}

func (b *baseline) result(r *finding.Result) {
	for i := range r.Findings {
		if f := &r.Findings[i]; counted(f.Suppressed) {
			b.add("", f.Keys("")...)
		}
	}
	for i := range r.Inventory.Secrets {
		if s := &r.Inventory.Secrets[i]; counted(s.Suppressed) {
			b.add(s.Rule, s.Key(""))
		}
	}
	for i := range r.Inventory.Checks {
		if c := &r.Inventory.Checks[i]; counted(c.Suppressed) {
			b.add(c.ID, c.Keys("")...)
		}
	}
}

// counted reports whether something counted then, or was itself set aside only for not being new.
func counted(s *finding.Suppression) bool { return s == nil || s.Source == finding.SourceBaseline }

func (b *baseline) add(id string, keys ...string) {
	for _, key := range keys {
		if b.seen[key] {
			continue
		}
		b.seen[key] = true
		b.out = append(b.out, finding.Suppression{
			Source: finding.SourceBaseline, ID: id, Identity: key, Reason: "not new", Origin: b.origin,
		})
	}
}
