package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/gate"
	"github.com/seawall/seawall/scan"
	"github.com/seawall/seawall/scan/database"
	"github.com/seawall/seawall/scan/report/vex"
)

// ignoreFile is read from the current directory when it is there and no other is named.
const ignoreFile = ".seawallignore"

// maxSmallFile bounds gate files, ignore files and VEX documents; maxReport bounds baselines.
const (
	maxSmallFile = 16 << 20
	maxReport    = 1 << 30
)

// ruleFlags say what an image is judged by.
type ruleFlags struct {
	dbDir         string
	gateFile      string
	ignoreFile    string
	vexFiles      []string
	baseline      string
	ignoreUnfixed bool
}

func (f *ruleFlags) register(cmd *cobra.Command, t terminal) {
	fs := cmd.Flags()
	fs.StringVar(&f.dbDir, "db-dir", defaultDirs(t).db, "`DIR` of the advisory database")
	fs.StringVar(&f.gateFile, "gate-file", "", "YAML `FILE` with the gate's rules (default: the built-in ones)")
	fs.StringVar(&f.ignoreFile, "ignore-file", "", "`FILE` of findings to set aside (default: "+ignoreFile+" if it is there)")
	fs.StringArrayVar(&f.vexFiles, "vex", nil, "OpenVEX or CSAF `FILE`; may be repeated")
	fs.StringVar(&f.baseline, "since-baseline", "", "JSON report `FILE`: only what is not in it counts")
	fs.BoolVar(&f.ignoreUnfixed, "ignore-unfixed", false, "do not count findings that have no fix")
}

// load reads everything that the flags name. The caller closes the database.
func (f *ruleFlags) load(t terminal) (*scan.Rules, error) {
	rules := &scan.Rules{Policy: gate.Default()}
	for _, step := range []func(*scan.Rules) error{f.loadPolicy, f.loadIgnore, f.loadVEX, f.loadBaseline} {
		if err := step(rules); err != nil {
			return nil, exitError{code: exitUsage, err: err}
		}
	}
	var err error
	if rules.Database, err = database.Open(f.dbDir); err != nil {
		return nil, exitError{code: exitUsage, err: err}
	}
	return rules, nil
}

func (f *ruleFlags) loadPolicy(rules *scan.Rules) error {
	if f.gateFile != "" {
		b, err := readBounded(f.gateFile, maxSmallFile)
		if err != nil {
			return fmt.Errorf("reading the gate file: %w", err)
		}
		if rules.Policy, err = gate.Parse(f.gateFile, b); err != nil {
			return err
		}
	}
	if f.ignoreUnfixed {
		rules.Policy.IgnoreUnfixed = true
	}
	return nil
}

func (f *ruleFlags) loadIgnore(rules *scan.Rules) error {
	name := f.ignoreFile
	if name == "" {
		name = ignoreFile
	}
	b, err := readBounded(name, maxSmallFile)
	if errors.Is(err, fs.ErrNotExist) && f.ignoreFile == "" {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the ignore file: %w", err)
	}
	s, err := gate.ParseIgnore(name, b)
	rules.Suppressions = append(rules.Suppressions, s...)
	return err
}

func (f *ruleFlags) loadVEX(rules *scan.Rules) error {
	for _, name := range f.vexFiles {
		file, err := os.Open(name)
		if err != nil {
			return fmt.Errorf("reading VEX: %w", err)
		}
		d, err := vex.Read(file, name)
		file.Close()
		if err != nil {
			return err
		}
		rules.VEX = append(rules.VEX, d)
	}
	return nil
}

func (f *ruleFlags) loadBaseline(rules *scan.Rules) error {
	if f.baseline == "" {
		return nil
	}
	b, err := readBounded(f.baseline, maxReport)
	if err != nil {
		return fmt.Errorf("reading the baseline: %w", err)
	}
	rules.BaselineName = f.baseline
	rules.Baseline, err = gate.ParseBaseline(f.baseline, b)
	if rules.Baseline == nil {
		rules.Baseline = []finding.Result{}
	}
	return err
}

// readBounded reads a file of at most max bytes.
func readBounded(name string, max int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, max+1))
	if err == nil && int64(len(b)) > max {
		err = fmt.Errorf("%s is larger than %d MiB", name, max>>20)
	}
	return b, err
}
