package advisory

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/advisory/record"
)

// starterJSON is written by hand: ids, packages and versions of famous vulnerabilities and hostile packages, so that
// a first scan without a database shows something true. Versions are "introduced <fixed", "<fixed", "introduced <*"
// where no version is fixed, or "=exactly".
//
//go:embed starter/advisories.json
var starterJSON []byte

// starterBuilt dates the set: change it with the file.
var starterBuilt = time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)

type starterRecord struct {
	ID       string   `json:"id"`
	Aliases  []string `json:"aliases"`
	Related  []string `json:"related"`
	Title    string   `json:"title"`
	CVSS     string   `json:"cvss"`
	CWE      []string `json:"cwe"`
	KEV      string   `json:"kev"`
	Kind     string   `json:"kind"`
	Affected []struct {
		Ecosystem string   `json:"ecosystem"`
		Packages  []string `json:"packages"`
		Versions  []string `json:"versions"`
	} `json:"affected"`
}

// Starter opens the advisories that are built into the program, compiled at first use. Info().Starter is true, and
// every Coverage says that only these were consulted.
func Starter() (*DB, error) { return starter() }

var starter = sync.OnceValues(func() (*DB, error) {
	var records []starterRecord
	if err := json.Unmarshal(starterJSON, &records); err != nil {
		return nil, fmt.Errorf("reading the built-in advisories: %w", err)
	}
	b := NewBuilder(Options{Starter: true})
	defer b.Close()
	for _, s := range records {
		r, err := s.record()
		if err == nil {
			err = b.Add(r)
		}
		if err != nil {
			return nil, fmt.Errorf("reading the built-in advisory %s: %w", s.ID, err)
		}
		if s.KEV != "" {
			b.AddKEV(s.ID, finding.KEV{Added: s.KEV})
		}
	}
	var w memory
	if _, err := b.writeTo(context.Background(), &w, Meta{BuiltAt: starterBuilt}); err != nil {
		return nil, fmt.Errorf("compiling the built-in advisories: %w", err)
	}
	db, err := openBytes(w.b, int64(len(w.b)))
	if err != nil {
		return nil, err
	}
	db.shared = true
	return db, nil
})

func (s *starterRecord) record() (record.Record, error) {
	r := record.Record{
		ID: s.ID, Aliases: s.Aliases, Related: s.Related, Summary: s.Title, CWE: s.CWE, Modified: starterBuilt,
	}
	if s.CVSS != "" {
		r.Severities = []record.Severity{{Type: "CVSS_V3", Score: s.CVSS}}
	}
	if s.Kind == "malware" {
		r.Kind = record.Malware
	}
	for _, a := range s.Affected {
		for _, name := range a.Packages {
			ra := record.Affected{Ecosystem: a.Ecosystem, Name: name}
			for _, v := range a.Versions {
				if err := addStarterVersion(&ra, v); err != nil {
					return r, err
				}
			}
			r.Affected = append(r.Affected, ra)
		}
	}
	return r, nil
}

func addStarterVersion(a *record.Affected, v string) error {
	if exact, ok := strings.CutPrefix(v, "="); ok {
		a.Versions = append(a.Versions, exact)
		return nil
	}
	introduced, fixed, ok := strings.Cut(v, "<")
	if introduced = strings.TrimSpace(introduced); introduced == "" {
		introduced = "0"
	}
	if !ok || fixed == "" {
		return fmt.Errorf("versions %q: want \"introduced <fixed\", \"<fixed\", \"introduced <*\" or \"=exactly\"", v)
	}
	events := []record.Event{{Introduced: introduced}}
	if fixed != "*" {
		events = append(events, record.Event{Fixed: fixed})
	}
	a.Ranges = append(a.Ranges, record.Range{Kind: record.Ecosystem, Events: events})
	return nil
}

// memory is a file in memory, as much of one as writing a database needs.
type memory struct {
	b  []byte
	at int
}

func (m *memory) Write(p []byte) (int, error) {
	n := copy(m.b[m.at:], p)
	m.b = append(m.b, p[n:]...)
	m.at += len(p)
	return len(p), nil
}

func (m *memory) Seek(off int64, whence int) (int64, error) {
	if whence != io.SeekStart || off < 0 || off > int64(len(m.b)) {
		return 0, errors.New("seeking outside the file")
	}
	m.at = int(off)
	return off, nil
}
