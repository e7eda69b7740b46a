package feed

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/seawall/seawall/scan/advisory/feed/fetch"
)

// kind says how a source is read.
type kind string

const (
	osvZip        kind = "osv-zip"
	osvLines      kind = "osv-lines"
	alpineSecDB   kind = "alpine-secdb"
	debianTracker kind = "debian-tracker"
	kevList       kind = "kev"
	epssList      kind = "epss"
)

// input is one source that lies on disk, as the manifest remembers it.
type input struct {
	Name string `json:"name"`
	Kind kind   `json:"kind"`
	URL  string `json:"url"`
	// Path of the file: below sources/ where it is relative, the user's own where it is absolute.
	Path string `json:"path"`
	fetch.Validator
	Fetched time.Time `json:"fetched"` // when it was last seen to be current
	Size    int64     `json:"size"`
	SHA256  string    `json:"sha256"`
	Records int       `json:"records"`
	Newest  time.Time `json:"newest,omitzero"`

	// For OSV's archives: when the archive itself was fetched, up to when changes are known, which records were
	// modified then, and the file of the records that changed since.
	Full     time.Time `json:"full,omitzero"`
	Cursor   time.Time `json:"cursor,omitzero"`
	AtCursor []string  `json:"atCursor,omitempty"`
	Delta    string    `json:"delta,omitempty"`
	Changed  int       `json:"changed,omitempty"` // records in Delta
}

// manifest remembers the sources by name. It is written in one step: it describes files that are there.
type manifest struct {
	Version int              `json:"version"`
	Sources map[string]input `json:"sources"`
}

const manifestVersion = 1

func (p paths) loadManifest() (manifest, error) {
	m := manifest{Version: manifestVersion, Sources: map[string]input{}}
	data, err := os.ReadFile(p.manifest())
	if errors.Is(err, os.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return m, fmt.Errorf("reading the manifest of sources: %w", err)
	}
	var read manifest
	if json.Unmarshal(data, &read) != nil || read.Version != manifestVersion || read.Sources == nil {
		return m, nil // by another version of the program, or damaged: fetch everything anew
	}
	return read, nil
}

func (p paths) saveManifest(m manifest) error {
	data, err := json.MarshalIndent(m, "", "\t")
	if err != nil {
		return err
	}
	return writeFile(p.manifest(), data)
}

// paths are the places in a database directory.
type paths string

func (p paths) database() string { return filepath.Join(string(p), "advisories.db") }
func (p paths) building() string { return filepath.Join(string(p), "advisories.db.new") }
func (p paths) manifest() string { return filepath.Join(string(p), "sources", "manifest.json") }
func (p paths) lock() string     { return filepath.Join(string(p), "lock") }
func (p paths) source(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(string(p), "sources", path)
}

// writeFile replaces a file in one step, durably.
func writeFile(path string, data []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(data)
	err = errors.Join(err, tmp.Chmod(0o644), tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		_ = os.Remove(tmp.Name())
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes renames in dir durable. Some file systems cannot: the renames are then as durable as they make them.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	_ = d.Sync()
	return d.Close()
}
