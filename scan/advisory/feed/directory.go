package feed

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// listDirectory finds the sources that lie below dir, sorted by name. See Config.From for the layout.
func listDirectory(dir string) ([]input, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if _, err := os.ReadDir(dir); err != nil {
		return nil, fmt.Errorf("reading the directory of sources: %w", err)
	}
	var out []input
	for _, l := range []struct {
		pattern string
		kind    kind
		name    func(path string) string
	}{
		{"*/all.zip", osvZip, func(p string) string { return "osv/" + filepath.Base(filepath.Dir(p)) }},
		{"osv/*/all.zip", osvZip, func(p string) string { return "osv/" + filepath.Base(filepath.Dir(p)) }},
		{"*.jsonl*", osvLines, linesName}, {"osv/*.jsonl*", osvLines, linesName},
		{"alpine-secdb/*/*.yaml", alpineSecDB, func(p string) string { return "alpine/" + secDBName(p) }},
		{"alpine-secdb/*/*.json", alpineSecDB, func(p string) string { return "alpine/" + secDBName(p) }},
		{layoutDebian, debianTracker, func(string) string { return "debian" }},
		{layoutKEV, kevList, func(string) string { return "kev" }},
		{"epss/*.csv.gz", epssList, func(string) string { return "epss" }},
	} {
		paths, err := filepath.Glob(filepath.Join(globEscape(dir), l.pattern))
		if err != nil {
			return nil, err
		}
		for _, p := range paths {
			out = append(out, input{Name: l.name(p), Kind: l.kind, URL: p, Path: p})
		}
	}
	slices.SortStableFunc(out, func(a, b input) int { return strings.Compare(a.Name, b.Name) })
	// Of several of one name (a year of EPSS files, say) the last in the alphabet is the newest.
	for i := len(out) - 2; i >= 0; i-- {
		if out[i].Name == out[i+1].Name {
			out = slices.Delete(out, i, i+1)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s holds no advisories: want <Ecosystem>/all.zip or <Ecosystem>.jsonl", dir)
	}
	return out, nil
}

func linesName(p string) string {
	name, _, _ := strings.Cut(filepath.Base(p), ".jsonl")
	return "osv/" + name
}

func globEscape(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(s)
}

// describeFile fills in what the manifest says of a file that lies where the user keeps it.
func describeFile(in *input) error {
	f, err := os.Open(in.Path)
	if err != nil {
		return fmt.Errorf("reading source %s: %w", in.Name, err)
	}
	defer f.Close()
	sum := sha256.New()
	if in.Size, err = io.Copy(sum, f); err != nil {
		return fmt.Errorf("reading source %s: %w", in.Name, err)
	}
	in.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return nil
}
