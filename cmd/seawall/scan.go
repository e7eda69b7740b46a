package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/gate"
	"github.com/seawall/seawall/scan"
)

func newScan(t terminal) *cobra.Command {
	var f scanFlags
	cmd := &cobra.Command{
		Use:   "scan IMAGE",
		Short: "Show what is wrong with an image",
		Long: `Scan lists the vulnerable packages, secrets and misconfiguration of an image, and what the gate thinks of it.

It always exits with 0 when a report could be made, so that it can be tried out anywhere; use ` + "`seawall gate`" + ` to decide
in a pipeline.

` + exitCodes,
		Example: `  seawall scan debian:12
  seawall scan ./image.tar
  seawall scan docker:myapp:latest
  seawall scan -o sarif --out findings.sarif registry.example/team/app@sha256:…
  seawall scan --scanners vuln --ignore-unfixed ./rootfs
  seawall scan sbom.cdx.json`,
		Args: oneImage,
		RunE: func(cmd *cobra.Command, args []string) error {
			results, err := f.run(cmd.Context(), t, args[0])
			if err != nil {
				return err
			}
			return f.report(t, results)
		},
	}
	f.register(cmd, t)
	return cmd
}

func newGate(t terminal) *cobra.Command {
	var f scanFlags
	var warnExit bool
	var sbomFile string
	cmd := &cobra.Command{
		Use:   "gate IMAGE | --sbom FILE",
		Short: "Decide by exit code whether an image may ship",
		Long: `Gate scans an image and decides by a gate file; without one, by the defaults: any high or critical finding fails,
more than 5 medium or more than 15 low ones fail, fewer warn, and what could not be evaluated does not pass.

` + exitCodes,
		Example: `  seawall gate myapp:1.2
  seawall gate --gate-file gate.yaml --vex vex.json -o sarif --out gate.sarif myapp:1.2
  seawall gate --sbom sbom.cdx.json --ignore-unfixed
  seawall gate --since-baseline last.json myapp:1.3`,
		Args: func(cmd *cobra.Command, args []string) error {
			if sbomFile != "" {
				if len(args) > 0 {
					return usagef("give an image or --sbom, not both")
				}
				return nil
			}
			return oneImage(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			ref := sbomFile
			if sbomFile == "" {
				ref = args[0]
			}
			f.sbomOnly = sbomFile != ""
			results, err := f.run(cmd.Context(), t, ref)
			if err != nil {
				return err
			}
			if err := f.report(t, results); err != nil {
				return err
			}
			return decide(results, warnExit)
		},
	}
	f.register(cmd, t)
	cmd.Flags().BoolVar(&warnExit, "warn-exit", false, "exit with 2 on a warning")
	cmd.Flags().StringVar(&sbomFile, "sbom", "", "gate this SBOM `FILE` instead of an image")
	return cmd
}

// decide turns the verdicts of all platforms into the exit code.
func decide(results []finding.Result, warnExit bool) error {
	var all []finding.Decision
	for i := range results {
		all = append(all, results[i].Verdict.Decision)
	}
	if code := gate.ExitCode(gate.Worst(all...), warnExit); code != exitOK {
		return exitError{code: code}
	}
	return nil
}

func oneImage(cmd *cobra.Command, args []string) error {
	switch len(args) {
	case 1:
		return nil
	case 0:
		return usagef("which image? see `%s --help`", cmd.CommandPath())
	}
	return usagef("one image at a time, not %d", len(args))
}

// scanFlags are what scan and gate have in common.
type scanFlags struct {
	imageFlags
	ruleFlags
	outputFlags
}

func (f *scanFlags) register(cmd *cobra.Command, t terminal) {
	f.imageFlags.register(cmd, t)
	f.ruleFlags.register(cmd, t)
	f.outputFlags.register(cmd, reportFormats()...)
	cmd.Flags().BoolVar(&f.all, "all", false, "list suppressed findings and kernel headers too")
}

// run takes the inventories and judges them.
func (f *scanFlags) run(ctx context.Context, t terminal, ref string) ([]finding.Result, error) {
	if err := f.outputFlags.check(); err != nil {
		return nil, err
	}
	rules, err := f.ruleFlags.load(t)
	if err != nil {
		return nil, err
	}
	defer rules.Database.Close()
	inventories, err := f.inventories(ctx, t, ref)
	if err != nil {
		return nil, err
	}
	var results []finding.Result
	for _, inv := range inventories {
		r, err := scan.Evaluate(inv, "seawall "+version, rules, time.Now())
		if err != nil {
			return nil, err
		}
		results = append(results, r)
	}
	return results, nil
}

// inputError marks what the user can mend: it exits with exitUsage.
func inputError(doing string, err error) error {
	if errors.Is(err, context.Canceled) {
		return exitError{code: exitUsage, err: errors.New("interrupted")}
	}
	return exitError{code: exitUsage, err: fmt.Errorf("%s: %w", doing, err)}
}
