// Package report writes the results of scans: as a table for a person at a terminal, as a page for a browser, and in
// the formats that other tools read.
//
// It promises that every format says what was not evaluated, that nothing found in an image can steer a terminal,
// break out of a page or make a document invalid, and that the same results give the same bytes: no clock, no
// environment, no random number is consulted. Documents follow their published schemas.
//
// It leaves out the decision (package gate makes it; reports show it) and exit codes. Reading SBOMs is in
// scan/report/sbom, reading VEX documents in scan/report/vex.
package report

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/seawall/seawall/finding"
)

// Options is how to write. The zero value works for every format.
type Options struct {
	// Color allows escape sequences for colour in the table.
	Color bool
	// Width is the terminal's width in columns; 0 means that lines are never shortened.
	Width int
	// All lists in the table what is otherwise only counted: suppressed findings and those of kernel headers.
	All bool
	// Inventory asks for what is in the image instead of what is wrong with it. Only the table, cyclonedx and spdx
	// heed it.
	Inventory bool
	// Scope is the repository or workload that fingerprints are made for; "" means each image's own repository.
	Scope string
	// GitHub fills the parts of a dependency snapshot that an image does not know.
	GitHub GitHub
}

// GitHub says which commit and which job a dependency snapshot belongs to: GitHub demands all but URL.
type GitHub struct {
	SHA        string // 40 hex digits
	Ref        string // refs/heads/main
	Job        string // id of the run
	Correlator string // what replaces an earlier snapshot: workflow and job
	URL        string // address of the run, "" for none
}

// Format is one way to write results.
type Format struct {
	Name        string
	Description string
	write       func(io.Writer, []finding.Result, Options) error
}

// Formats lists every format in the order in which help texts show them.
var Formats = []Format{
	{"table", "for a person at a terminal", writeTable},
	{"json", "everything, in the project's own documented shape", writeJSON},
	{"sarif", "SARIF 2.1.0, for code scanning", writeSARIF},
	{"cyclonedx", "CycloneDX 1.6 JSON: packages and vulnerabilities", writeCycloneDX},
	{"spdx", "SPDX 2.3 JSON: packages", writeSPDX},
	{"junit", "JUnit XML, for the test page of a CI system", writeJUnit},
	{"html", "one self-contained page", writeHTML},
	{"github", "GitHub dependency submission snapshot", writeGitHub},
	{"gitlab", "GitLab container scanning report", writeGitLab},
}

// ErrFormat is wrapped by the error of Write for a format that does not exist: a usage error.
var ErrFormat = errors.New("unknown report format")

// ErrOneImage is wrapped by the error of Write for formats that describe a single image: choose one platform.
var ErrOneImage = errors.New("this format describes one image")

// Write writes results to w in the named format. Several results are the platforms of one image, or several images;
// cyclonedx and spdx take exactly one.
func Write(w io.Writer, format string, results []finding.Result, o Options) error {
	for _, f := range Formats {
		if f.Name != format {
			continue
		}
		if err := f.write(w, results, o); err != nil {
			return fmt.Errorf("writing the %s report: %w", format, err)
		}
		return nil
	}
	return fmt.Errorf("%w %q: want one of %s", ErrFormat, format, strings.Join(names(), ", "))
}

func names() []string {
	var all []string
	for _, f := range Formats {
		all = append(all, f.Name)
	}
	return all
}

func single(results []finding.Result) (*finding.Result, error) {
	if len(results) != 1 {
		return nil, fmt.Errorf("%w, and there are %d: choose one with --platform", ErrOneImage, len(results))
	}
	return &results[0], nil
}
