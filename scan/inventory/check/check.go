// Package check looks at how an image is configured: its configuration, its build history and the few files that
// say something about it.
//
// It promises stable ids, each with what is wrong, where, and what to do (docs/checks.md lists them), at most one
// report for each id, and silence where there is nothing to look at: a root file system has no USER, so nothing is
// said about it. It leaves out Dockerfiles, which are not in an image, and runtime settings, which are not either.
package check

import (
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/seawall/seawall/finding"
)

// Input is what the checks look at. Its zero value gives no reports.
type Input struct {
	Image  finding.Image
	Distro finding.Distro
	// Setuid are the files with the setuid or setgid bit.
	Setuid []File
	// WorldWritable are files that anyone may write, and such directories without the sticky bit.
	WorldWritable []File
	// Paths are the files and directories of the final image for which Interesting is true.
	Paths []File
	// EmptyPasswords are the accounts that can be entered without a password.
	EmptyPasswords []string
	// Secrets are those that package secret found in the image's configuration.
	Secrets []finding.Secret
	// MaxAge is the age from which an image is called old; 0 means DefaultMaxAge.
	MaxAge time.Duration
}

// DefaultMaxAge is half a year: by then every base image has had security updates.
const DefaultMaxAge = 180 * 24 * time.Hour

// File is one path of the image.
type File struct {
	Path  string // slash-separated, no leading slash
	Mode  uint32 // permission bits with setuid 04000, setgid 02000, sticky 01000
	Layer *finding.LayerRef
}

// maxPaths and maxQuoted bound what one report repeats; it tells the full count.
const (
	maxPaths  = 200
	maxQuoted = 5
)

// result is what a check found. No detail means that all is well.
type result struct {
	detail string
	paths  []string
	layer  *finding.LayerRef
}

// Run gives the checks that failed, sorted by id. now is for the image's age and its distribution's end of life.
func Run(in Input, now time.Time) []finding.Check {
	if in.Image.IDKind == finding.IDSBOM {
		return nil
	}
	var failed []finding.Check
	for i := range rules {
		r := &rules[i]
		if r.needsConfig && !hasConfig(&in.Image) {
			continue
		}
		if got := r.run(&in, now); got.detail != "" {
			failed = append(failed, finding.Check{ID: r.ID, Title: r.Title, Severity: r.Severity, Detail: got.detail,
				Fix: r.Fix, Paths: got.paths, Layer: got.layer})
		}
	}
	return failed
}

// hasConfig is false for file systems and for images of which nothing is known but their layers.
func hasConfig(img *finding.Image) bool {
	return img.IDKind == finding.IDManifest || img.IDKind == finding.IDConfig
}

// filesResult reports files, sorted, with format saying what their number (%d) means.
func filesResult(files []File, format string) result {
	if len(files) == 0 {
		return result{}
	}
	files = append([]File(nil), files...)
	sort.SliceStable(files, func(i, j int) bool { return files[i].Path < files[j].Path })
	r := result{detail: fmt.Sprintf(format, len(files)), layer: commonLayer(files)}
	for _, f := range files[:min(len(files), maxPaths)] {
		r.paths = append(r.paths, f.Path)
	}
	if len(files) > maxPaths {
		r.detail += fmt.Sprintf("; the first %d are listed", maxPaths)
	}
	return r
}

// commonLayer is the layer that all files come from, nil when there are several.
func commonLayer(files []File) *finding.LayerRef {
	first := files[0].Layer
	for _, f := range files {
		if first == nil || f.Layer == nil || f.Layer.Index != first.Index {
			return nil
		}
	}
	return first
}

// secretsResult reports the secrets whose place begins with prefix.
func secretsResult(secrets []finding.Secret, prefix string) result {
	var places []string
	var r result
	for _, s := range secrets {
		if strings.HasPrefix(s.Where, prefix) {
			places = append(places, fmt.Sprintf("%s (%s)", s.Where, s.Title))
			if r.layer == nil {
				r.layer = s.Layer
			}
		}
	}
	if len(places) > 0 {
		r.detail = listed(places)
	}
	return r
}

// listed joins a few entries and counts the others.
func listed(entries []string) string {
	if len(entries) > maxQuoted {
		return fmt.Sprintf("%s and %d more", strings.Join(entries[:maxQuoted], ", "), len(entries)-maxQuoted)
	}
	return strings.Join(entries, ", ")
}
