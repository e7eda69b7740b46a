// Package feed turns public advisory sources into records and keeps a directory with the database that is compiled
// from them: it downloads or reads the sources, checks them, has the database built, and puts it in place.
//
// It promises that a working database stays a working database: an update happens beside it and replaces it in one
// step, or not at all, also when the process is killed at any moment. It distrusts what it fetches: TLS, limits on
// every size and count, bad records counted and named, and a new database that lost more than a tenth of a source or
// an ecosystem is refused until somebody accepts it.
//
// It leaves out what a record means to an image, and the compiled form: that is Database, which the caller gives.
//
//	DIR/advisories.db         the compiled database
//	DIR/sources/manifest.json what was fetched when, from where, with which checksum
//	DIR/sources/...           the raw sources
//	DIR/keys/*.pub            public keys whose exports are imported
//	DIR/lock                  held by an update or an import
package feed

import (
	"context"
	"fmt"
	"time"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/advisory/record"
)

// Sink takes what the readers of sources produce. An error of Add rejects that record only.
type Sink interface {
	Add(record.Record) error
	AddKEV(cve string, k finding.KEV)
	AddEPSS(cve string, e finding.EPSS)
}

// Database builds compiled databases and says what is in one.
type Database interface {
	// Build compiles all that fill adds and writes it to path, durable on return.
	Build(ctx context.Context, path string, builtAt time.Time, sources func() []Source, fill func(Sink) error) error
	// Inspect opens the database at path, verifies all of it and describes it.
	Inspect(path string) (Info, error)
	// Sign signs the database at path, in place, with a private key as GenerateKey makes it.
	Sign(path, key string) error
	// Verify returns the name of the trusted public key that has signed the database, an error if none has.
	Verify(path string, trusted []string) (signer string, err error)
}

// Info describes a compiled database.
type Info struct {
	Digest  string    `json:"digest"` // "sha256:…" of the content
	BuiltAt time.Time `json:"builtAt"`
	Schema  int       `json:"schema,omitempty"` // of the compiled form
	Records int       `json:"records"`
	Newest  time.Time `json:"newest,omitzero"` // when its newest record was modified
	Size    int64     `json:"size"`            // bytes
	// Ecosystems are the records per OSV ecosystem with release.
	Ecosystems []Count  `json:"ecosystems,omitempty"`
	Sources    []Source `json:"sources,omitempty"`
}

// Count counts the records of something.
type Count struct {
	Name    string    `json:"name"`
	Records int       `json:"records"`
	Newest  time.Time `json:"newest,omitzero"`
}

// Source is one source that went into a database.
type Source struct {
	Name    string    `json:"name"` // "osv/Debian", "kev", "epss", "debian", "alpine/v3.20/main"
	URL     string    `json:"url"`  // or the file
	Fetched time.Time `json:"fetched"`
	Newest  time.Time `json:"newest,omitzero"`
	Records int       `json:"records"`
	Digest  string    `json:"digest,omitempty"`
	ETag    string    `json:"etag,omitempty"`
}

// Tally is the outcome of reading one source.
type Tally struct {
	// Records counts the good ones.
	Records int
	// Bad counts those that were left out; Complaints names the first of them and says why.
	Bad        int
	Complaints []string
	// Newest is when the newest record was modified; the date of a list where its entries have none.
	Newest time.Time
	// newestIDs are the records modified at Newest: a later look for what is new passes over them.
	newestIDs []string
}

const (
	maxComplaints = 20
	// A source with a record in a hundred broken is broken; three are let pass in the smallest.
	badShare   = 100
	badAllowed = 3

	maxNewestIDs = 1000
)

func (t *Tally) reject(name string, err error) {
	if t.Bad++; len(t.Complaints) < maxComplaints {
		t.Complaints = append(t.Complaints, fmt.Sprintf("%.80s: %v", name, err))
	}
}

func (t *Tally) accept(id string, modified time.Time) {
	t.Records++
	switch modified.Compare(t.Newest) {
	case 1:
		t.Newest, t.newestIDs = modified, append(t.newestIDs[:0], id)
	case 0:
		if len(t.newestIDs) < maxNewestIDs {
			t.newestIDs = append(t.newestIDs, id)
		}
	}
}

// verdict is an error where too many records were bad.
func (t *Tally) verdict() error {
	if t.Bad > badAllowed && t.Bad*badShare > t.Bad+t.Records {
		return fmt.Errorf("%d of %d records cannot be read, which is more than one in %d; the first: %s",
			t.Bad, t.Bad+t.Records, badShare, t.Complaints[0])
	}
	return nil
}

// take adds r, or rejects it.
func (t *Tally) take(sink Sink, r record.Record) {
	if err := sink.Add(r); err != nil {
		t.reject(r.ID, err)
		return
	}
	t.accept(r.ID, r.Modified)
}
