package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/advisory/affected"
	"github.com/seawall/seawall/scan/database"
	"github.com/seawall/seawall/scan/inventory"
	"github.com/seawall/seawall/scan/report"
	"github.com/seawall/seawall/scan/report/sbom"
)

// affectedFlags are those of `db affected`.
type affectedFlags struct {
	*dbFlags
	since, sboms, index string
	reindex             bool
}

// affectedReport is its answer in JSON.
type affectedReport struct {
	Since   time.Time        `json:"since"`
	Summary affected.Summary `json:"summary"`
	Hits    []affected.Hit   `json:"hits"`
}

func newDBAffected(t terminal, f *dbFlags) *cobra.Command {
	a := affectedFlags{dbFlags: f}
	cmd := &cobra.Command{
		Use:   "affected --since DATE --sboms DIR",
		Short: "Say which stored inventories new or changed advisories hit",
		Long: `Affected asks the advisories that were modified since a date which of the SBOMs and JSON reports below a directory they
hit. Nothing is scanned: an index of all packages is made once and kept until a file in the directory changes.`,
		Example: "  seawall db affected --since 2026-11-19 --sboms ./sboms\n  seawall db affected --since 24h --sboms ./sboms -o json",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.run(cmd.Context(), t) },
	}
	fs := cmd.Flags()
	fs.StringVar(&a.since, "since", "", "`DATE` (2026-11-19, or RFC 3339), or how long ago (24h)")
	fs.StringVar(&a.sboms, "sboms", "", "`DIR` of CycloneDX, SPDX or Syft files, or of reports written with -o json")
	fs.StringVar(&a.index, "index", "", "keep the index in this `FILE` (default: in the cache directory)")
	fs.BoolVar(&a.reindex, "reindex", false, "make the index anew")
	return cmd
}

func (a *affectedFlags) run(ctx context.Context, t terminal) error {
	since, err := parseSince(a.since, time.Now())
	if err != nil {
		return err
	}
	index, err := a.openIndex(ctx, t)
	if err != nil {
		return err
	}
	defer index.Close()
	db, err := database.Open(a.dir)
	if err != nil {
		return err
	}
	defer db.Close()
	r := affectedReport{Since: since, Hits: []affected.Hit{}}
	r.Summary, err = index.Query(ctx, db, since, func(h affected.Hit) error {
		r.Hits = append(r.Hits, h)
		return nil
	})
	if err != nil {
		return err
	}
	return a.print(t, r, func(w io.Writer) error { return printAffected(w, &r) })
}

func parseSince(s string, now time.Time) (time.Time, error) {
	if ago, err := time.ParseDuration(s); err == nil && ago > 0 {
		return now.Add(-ago), nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if since, err := time.Parse(layout, s); err == nil {
			return since, nil
		}
	}
	return time.Time{}, usagef("--since %q: want a date like 2026-11-19, a time in RFC 3339, or how long ago like 24h", s)
}

// openIndex opens the index, which it makes first where there is none or a file has changed since.
func (a *affectedFlags) openIndex(ctx context.Context, t terminal) (*affected.Index, error) {
	dir, err := filepath.EvalSymlinks(a.sboms) // a link to a directory is not walked
	if info, statErr := os.Stat(dir); err != nil || statErr != nil || !info.IsDir() {
		return nil, usagef("--sboms %q is not a directory", a.sboms)
	}
	a.sboms = dir
	path, err := a.indexPath(t)
	if err != nil {
		return nil, err
	}
	stale, err := changedAfter(a.sboms, path)
	if err != nil {
		return nil, err
	}
	if stale || a.reindex {
		fmt.Fprintf(t.err, "indexing %s\n", a.sboms)
		stats, err := affected.Build(ctx, a.sboms, path, readInventory)
		if err == nil && stats.Inventories == 0 {
			err = usagef("no SBOM and no JSON report that can be read below %s", a.sboms)
		}
		if err != nil {
			return nil, errors.Join(err, removeIfThere(path))
		}
		fmt.Fprintf(t.err, "%d inventories, %d packages, %d distinct\n", stats.Inventories, stats.Packages, stats.Distinct)
		for _, failed := range stats.Failed {
			fmt.Fprintf(t.err, "not evaluated: %s: %v\n", failed.Path, failed.Err)
		}
	}
	return affected.Open(path)
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (a *affectedFlags) indexPath(t terminal) (string, error) {
	if a.index != "" {
		return a.index, replaceable(a.index)
	}
	full, err := filepath.Abs(a.sboms)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(full))
	dir := filepath.Join(defaultDirs(t).cache, "affected")
	return filepath.Join(dir, hex.EncodeToString(sum[:8])+".index"), os.MkdirAll(dir, 0o700)
}

// changedAfter reports whether anything below dir is newer than the file at path, or the file missing. A file that
// was removed or renamed changes its directory's time.
func changedAfter(dir, path string) (bool, error) {
	made, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	changed := false
	err = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.ModTime().After(made.ModTime()) {
			changed = true
			return fs.SkipAll
		}
		return err
	})
	return changed, err
}

// readInventory reads an SBOM or a report of ours.
func readInventory(path string) (*finding.Inventory, error) {
	b, err := readBounded(path, maxReport)
	if err != nil {
		return nil, err
	}
	if sbom.Sniff(b[:min(len(b), 4096)]) {
		return sbom.Read(bytes.NewReader(b), path, sbom.Options{Ecosystem: inventory.Ecosystem})
	}
	results, err := report.ReadJSON(bytes.NewReader(b))
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax) || err == nil && len(results) == 0:
		return nil, affected.ErrSkip
	case err != nil:
		return nil, err
	case len(results) > 1:
		return nil, fmt.Errorf("%d platforms in one report: store one report for each", len(results))
	}
	return &results[0].Inventory, nil
}

func printAffected(w io.Writer, r *affectedReport) error {
	for _, h := range r.Hits {
		for i := range h.Findings {
			f := &h.Findings[i]
			fmt.Fprintf(w, "%-10s %-20s %s %s -> %s\n", f.Severity, f.ID, report.Printable(h.Package.Name), report.Printable(h.Package.Version), fixed(f))
		}
		for _, inv := range h.Inventories {
			fmt.Fprintf(w, "    %s\n", report.Printable(inv.Path))
		}
	}
	_, err := fmt.Fprintf(w, "%d advisories modified since %s: %d packages in %d inventories are affected\n",
		r.Summary.Records, r.Since.Format(time.DateOnly), r.Summary.Hits, r.Summary.Inventories)
	return err
}

func fixed(f *finding.Finding) string {
	if f.Fixed == "" {
		return "no fix"
	}
	return report.Printable(f.Fixed)
}
