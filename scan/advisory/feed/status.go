package feed

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// DatabaseStatus describes a database directory.
type DatabaseStatus struct {
	Path string `json:"path"`
	Info
	// Signer is the name of the trusted key that signed the database; "" for one that is not signed, or by a key that
	// is not among the trusted.
	Signer string `json:"signer,omitempty"`
	// Downloads are the sources as they lie on disk, which may be newer than the database.
	Downloads []OnDisk `json:"downloads,omitempty"`
}

// OnDisk is one source on disk.
type OnDisk struct {
	Name    string    `json:"name"`
	URL     string    `json:"url"`
	Size    int64     `json:"size"`
	Records int       `json:"records"`
	Fetched time.Time `json:"fetched"`
	Newest  time.Time `json:"newest,omitzero"`
	Changed int       `json:"changed,omitempty"` // records added since the whole archive was fetched
}

// Age is how long before now the database was built.
func (s DatabaseStatus) Age(now time.Time) time.Duration { return now.Sub(s.BuiltAt) }

// ErrNoDatabase: the directory has none. Update it or import one.
var ErrNoDatabase = errors.New("there is no advisory database yet")

// Status verifies the database of a directory and describes it. trusted are public keys, for Signer.
func Status(dir string, db Database, trusted []string) (s DatabaseStatus, err error) {
	p := paths(dir)
	s.Path = p.database()
	if s.Info, err = db.Inspect(s.Path); errors.Is(err, os.ErrNotExist) {
		return s, fmt.Errorf("%w in %s", ErrNoDatabase, dir)
	}
	if err != nil {
		return s, err
	}
	if len(trusted) > 0 {
		// Whoever signed it otherwise is nobody that is known here.
		s.Signer, _ = db.Verify(s.Path, trusted)
	}
	m, err := p.loadManifest()
	if err != nil {
		return s, err
	}
	for _, in := range m.Sources {
		s.Downloads = append(s.Downloads, OnDisk{in.Name, in.URL, in.Size, in.Records, in.Fetched, in.Newest, in.Changed})
	}
	slices.SortFunc(s.Downloads, func(a, b OnDisk) int { return strings.Compare(a.Name, b.Name) })
	return s, nil
}
