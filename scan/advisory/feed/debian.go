package feed

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/advisory/record"
)

// debianReleases numbers the code names. OSV's ecosystem is "Debian:" and the number.
var debianReleases = map[string]string{
	"buzz": "1.1", "rex": "1.2", "bo": "1.3", "hamm": "2.0", "slink": "2.1", "potato": "2.2", "woody": "3.0",
	"sarge": "3.1", "etch": "4.0", "lenny": "5.0", "squeeze": "6.0", "wheezy": "7", "jessie": "8", "stretch": "9",
	"buster": "10", "bullseye": "11", "bookworm": "12", "trixie": "13", "forky": "14", "duke": "15",
}

// trackerIssue is one vulnerability of one source package.
type trackerIssue struct {
	Description string                    `json:"description"`
	Scope       string                    `json:"scope"`
	Releases    map[string]trackerRelease `json:"releases"`
}

type trackerRelease struct {
	Status       string  `json:"status"` // resolved, open, undetermined
	FixedVersion string  `json:"fixed_version"`
	Urgency      string  `json:"urgency"`
	NoDSA        *string `json:"nodsa"`        // present: no advisory will come for it
	NoDSAReason  string  `json:"nodsa_reason"` // "", postponed, ignored
}

// ReadDebianTracker reads the Debian security tracker's JSON
// (security-tracker.debian.org/tracker/data/json): source package → vulnerability → releases.
//
// Each vulnerability of a package becomes a record under OSV's name for it, "DEBIAN-CVE-…", so that what the tracker
// decided (no-dsa, ignored, unimportant, end-of-life) stands with what OSV has. Not affected (fixed in "0") and
// undetermined give nothing.
func ReadDebianTracker(r io.Reader, sink Sink) (t Tally, err error) {
	dec := json.NewDecoder(r)
	err = eachMember(dec, func(source string) error {
		return eachMember(dec, func(id string) error {
			var issue trackerIssue
			if err := dec.Decode(&issue); err != nil {
				var kind *json.UnmarshalTypeError
				if errors.As(err, &kind) {
					t.reject(source+" "+id, err)
					return nil
				}
				return err
			}
			if rec, ok := issue.record(source, id); ok {
				t.take(sink, rec)
			}
			return nil
		})
	})
	if err != nil {
		return t, fmt.Errorf("reading the Debian security tracker: %w", err)
	}
	return t, t.verdict()
}

// eachMember reads an object and calls f before each value, which f reads.
func eachMember(dec *json.Decoder, f func(name string) error) error {
	tok, err := dec.Token()
	if err != nil {
		return err
	}
	if tok != json.Delim('{') {
		return fmt.Errorf("found %v where an object should begin", tok)
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return err
		}
		if err := f(name.(string)); err != nil {
			return err
		}
	}
	_, err = dec.Token()
	return err
}

func (i *trackerIssue) record(source, id string) (record.Record, bool) {
	r := record.Record{ID: id, Summary: i.Description}
	if strings.HasPrefix(id, "CVE-") {
		r.ID, r.Upstream = "DEBIAN-"+id, []string{id}
	}
	codenames := make([]string, 0, len(i.Releases))
	for name := range i.Releases {
		codenames = append(codenames, name)
	}
	slices.Sort(codenames)
	for _, name := range codenames {
		release := i.Releases[name]
		if number, known := debianReleases[name]; known {
			r.Affected = append(r.Affected, release.affected(number, source)...)
		}
	}
	return r, len(r.Affected) > 0
}

func (d *trackerRelease) affected(number, source string) []record.Affected {
	a := record.Affected{Ecosystem: "Debian:" + number, Name: source, Urgency: strings.TrimRight(d.Urgency, "*")}
	events := []record.Event{{Introduced: "0"}}
	switch {
	case d.Status == "resolved" && d.FixedVersion != "0" && d.FixedVersion != "":
		events = append(events, record.Event{Fixed: d.FixedVersion})
	case d.Status != "open":
		return nil
	}
	if a.State = debianState(a.Urgency); a.State == "" && d.Status == "open" && d.NoDSA != nil {
		a.State = finding.StateDeferred
		if d.NoDSAReason == "ignored" {
			a.State = finding.StateWontFix
		}
	}
	a.Ranges = []record.Range{{Kind: record.Ecosystem, Events: events}}
	return []record.Affected{a}
}

// debianState is what an urgency of Debian's says beyond a severity.
func debianState(urgency string) finding.State {
	switch urgency {
	case "unimportant":
		return finding.StateUnimportant
	case "end-of-life":
		return finding.StateEndOfLife
	}
	return ""
}
