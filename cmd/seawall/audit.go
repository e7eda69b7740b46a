package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/seawall/seawall/audit/verify"
)

const auditExitCodes = `Exit codes:
  0  the export holds
  1  it does not: a record, the log or a signature is wrong
  4  usage or input error: nothing was decided`

func newAudit(t terminal) *cobra.Command {
	cmd := &cobra.Command{Use: "audit", Short: "List, export and check the audit trail", Args: cobra.NoArgs,
		Long: "The audit trail is a log to which every administrative act is committed before it is answered.\n\n" + auditExitCodes,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(newAuditList(t), newAuditExport(t), newAuditVerify(t))
	return cmd
}

// auditVerifyFlags are those of audit verify.
type auditVerifyFlags struct {
	keys, witnesses string
	older, output   string
	minimum         int
	quiet           bool
}

func newAuditVerify(t terminal) *cobra.Command {
	f := &auditVerifyFlags{}
	cmd := &cobra.Command{
		Use:   "verify DIR",
		Short: "Check an exported audit log, offline",
		Long: `Verify checks an export of the audit log that was unpacked into DIR, without the hub and without a network: every record
must be the one that the log committed to, none may be missing, added or moved, and the log's key must have signed all
of it. The first record that is wrong is named by its index and id.

Give the log's public key with --key, from a place that whoever runs the hub cannot write to: the key inside of the
export proves only that the export agrees with itself. An older checkpoint shows that the log was only added to since.

` + auditExitCodes,
		Example: `  tar xf audit.tar -C audit
  seawall audit verify audit --key log.pub
  seawall audit verify audit --key log.pub --older checkpoint-of-last-month`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, t, args[0]) },
	}
	fs := cmd.Flags()
	fs.StringVar(&f.keys, "key", "", "the log's public key is in this `FILE` (default: the export's own, which proves less)")
	fs.StringVar(&f.witnesses, "witness-keys", "", "public keys of witnesses are in this `FILE`, a key a line")
	fs.IntVar(&f.minimum, "min-witnesses", 0, "at least `N` of them must have signed")
	fs.StringVar(&f.older, "older", "", "the log must continue the checkpoint in this `FILE`")
	fs.StringVarP(&f.output, "output", "o", "text", "text or json")
	fs.BoolVarP(&f.quiet, "quiet", "q", false, "show no progress")
	return cmd
}

func (f *auditVerifyFlags) run(cmd *cobra.Command, t terminal, dir string) error {
	if f.output != "text" && f.output != "json" {
		return usagef("unknown output %q: want text or json", f.output)
	}
	o, err := f.options()
	if err != nil {
		return err
	}
	m := newMeter(t.err, f.quiet)
	o.Progress = func(done, total int64) { m.bytes("checking records", done, total) }
	report, err := verify.Dir(cmd.Context(), dir, o)
	m.finish()
	var problem *verify.Problem
	if err != nil && !errors.As(err, &problem) {
		return exitError{code: exitUsage, err: err}
	}
	if f.output == "json" {
		err = json.NewEncoder(t.out).Encode(auditResult{Holds: problem == nil, Problem: problem, Report: report})
	} else if problem == nil {
		err = printAudit(t.out, &report)
	} else {
		err = nil
	}
	if err != nil || problem == nil {
		return err
	}
	return exitError{code: exitFail, err: problem}
}

// auditResult is the JSON of audit verify.
type auditResult struct {
	Holds   bool            `json:"holds"`
	Problem *verify.Problem `json:"problem,omitempty"`
	verify.Report
}

func (f *auditVerifyFlags) options() (verify.Options, error) {
	o := verify.Options{MinWitnesses: f.minimum}
	if f.keys != "" {
		keys, err := auditKeys(f.keys)
		if err != nil {
			return o, err
		}
		if len(keys) != 1 {
			return o, usagef("%s holds %d keys: --key wants the log's only", f.keys, len(keys))
		}
		o.Key = keys[0]
	}
	var err error
	if f.witnesses != "" {
		if o.Witnesses, err = auditKeys(f.witnesses); err != nil {
			return o, err
		}
	}
	if f.older != "" {
		if o.Older, err = readBounded(f.older, 1<<16); err != nil {
			return o, inputError("reading the older checkpoint", err)
		}
	}
	return o, nil
}

// auditKeys reads a file of public keys, a key a line.
func auditKeys(name string) ([]string, error) {
	b, err := readBounded(name, 1<<20)
	if err != nil {
		return nil, inputError("reading a public key", err)
	}
	keys, err := verify.ParseKeys(string(b))
	if err != nil {
		return nil, usagef("%s: %w", name, err)
	}
	return keys, nil
}

func printAudit(w io.Writer, r *verify.Report) error {
	fmt.Fprintf(w, "holds: %s, signed by %s with key %s\n", auditRange(r), r.Origin, r.KeyHash)
	if !r.First.IsZero() {
		fmt.Fprintf(w, "from %s to %s\n", r.First.Format(time.RFC3339), r.Last.Format(time.RFC3339))
	}
	for _, c := range r.Cosigned {
		fmt.Fprintf(w, "witnessed by %s at %s\n", c.Name, c.Time.Format(time.RFC3339))
	}
	if r.Continues >= 0 {
		fmt.Fprintf(w, "continues the older checkpoint of %d records\n", r.Continues)
	}
	for _, i := range r.OpenIntents[:min(len(r.OpenIntents), 10)] {
		fmt.Fprintf(w, "without an outcome: record %d (id %s), %s at %s\n", i.Index, i.ID, i.Action, i.Time.Format(time.RFC3339))
	}
	if r.Open > 10 {
		fmt.Fprintf(w, "%d acts in all are without an outcome\n", r.Open)
	}
	if !r.KeyTrusted {
		fmt.Fprintln(w, "note: the key is the export's own, so this shows only that the export agrees with itself; give the log's key with --key")
	}
	_, err := fmt.Fprintf(w, "root %s\n", r.Root)
	return err
}

func auditRange(r *verify.Report) string {
	switch {
	case r.From == r.To:
		return fmt.Sprintf("no records of a log of %d", r.Size)
	case r.From == 0 && r.To == r.Size:
		return fmt.Sprintf("all %d records", r.Size)
	}
	return fmt.Sprintf("records %d to %d of a log of %d", r.From, r.To-1, r.Size)
}
