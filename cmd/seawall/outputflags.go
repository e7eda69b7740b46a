package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/report"
)

// outputFlags say how to report and where.
type outputFlags struct {
	format    string
	formats   []string // those that the command can write
	out       string
	all       bool
	inventory bool
}

// register offers the given formats, of which the first is the default.
func (f *outputFlags) register(cmd *cobra.Command, formats ...string) {
	f.formats = formats
	fs := cmd.Flags()
	fs.StringVarP(&f.format, "output", "o", formats[0], "`FORMAT`: "+strings.Join(formats, ", "))
	fs.StringVar(&f.out, "out", "", "write the report to this `FILE`")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
}

// check refuses an unknown format before anything is scanned.
func (f *outputFlags) check() error {
	if slices.Contains(f.formats, f.format) {
		return nil
	}
	last := len(f.formats) - 1
	return usagef("unknown output %q: want %s or %s", f.format, strings.Join(f.formats[:last], ", "), f.formats[last])
}

// reportFormats names every format that a scan can be written in.
func reportFormats() []string {
	var names []string
	for _, known := range report.Formats {
		names = append(names, known.Name)
	}
	return names
}

// report writes results to the terminal or to --out, which appears whole or not at all.
func (f *outputFlags) report(t terminal, results []finding.Result) error {
	o := report.Options{All: f.all, Inventory: f.inventory, GitHub: gitHub(t)}
	if f.out == "" {
		o.Color, o.Width = color(t), width(t.out)
		return f.write(t.out, results, o)
	}
	err := writeFile(f.out, func(w io.Writer) error { return f.write(w, results, o) })
	if err != nil && !errors.As(err, new(exitError)) {
		err = inputError("writing "+f.out, err)
	}
	return err
}

// replaceable refuses what must not be replaced by a file: devices, pipes, directories.
func replaceable(name string) error {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return usagef("%s is not a regular file: give the name of a file to write", name)
	}
	return nil
}

// writeFile replaces a regular file in one step: it has either its old content or all of the new. A device or a pipe
// (/dev/stdout, /dev/null) is written to.
func writeFile(name string, write func(io.Writer) error) error {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		w, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return errors.Join(write(w), w.Close())
	}
	tmp, err := os.CreateTemp(filepath.Dir(name), ".seawall-report-")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if err := errors.Join(write(tmp), tmp.Chmod(0o644), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), name)
}

func (f *outputFlags) write(w io.Writer, results []finding.Result, o report.Options) error {
	err := report.Write(w, f.format, results, o)
	if errors.Is(err, report.ErrOneImage) {
		return usagef("%w", err)
	}
	return err
}

// gitHub reads what a dependency snapshot needs from the variables that GitHub Actions sets.
func gitHub(t terminal) report.GitHub {
	v := func(name string) string { s, _ := t.env(name); return s }
	g := report.GitHub{SHA: v("GITHUB_SHA"), Ref: v("GITHUB_REF"), Job: v("GITHUB_RUN_ID")}
	if g.Job != "" {
		g.Correlator = fmt.Sprintf("%s_%s", v("GITHUB_WORKFLOW"), v("GITHUB_JOB"))
		g.URL = fmt.Sprintf("%s/%s/actions/runs/%s", v("GITHUB_SERVER_URL"), v("GITHUB_REPOSITORY"), g.Job)
	}
	return g
}
