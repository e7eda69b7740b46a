package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/seawall/seawall/api/client"
	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/scan/report"
)

func newAuditList(t terminal) *cobra.Command {
	f, q, limit, since := &hubFlags{}, audit.Query{}, 0, time.Duration(0)
	cmd := f.command(t, &cobra.Command{
		Use: "list", Short: "List records of a hub's audit trail, newest first", Args: cobra.NoArgs,
		Example: "  seawall audit list --actor user:alice --since 24h\n  seawall audit list --action image.release -o json",
	}, func(ctx context.Context, c *client.Client, _ []string) error {
		if since > 0 {
			q.From = time.Now().Add(-since)
		}
		all, err := take(c.Audit(ctx, q), limit, func(*audit.Stored) bool { return true })
		if err != nil {
			return err
		}
		return f.print(t, all, func(w io.Writer) error { return printRecords(w, all) })
	})
	fs := cmd.Flags()
	fs.StringVar(&q.Actor, "actor", "", "only acts of this `ID`: user:alice")
	fs.StringVar(&q.Action, "action", "", "only this `ACTION`: image.push")
	fs.StringVar(&q.Object, "object", "", "only acts on this `NAME`, or on all that begin with it before a *")
	fs.DurationVar(&since, "since", 0, "only the last `TIME`: 24h")
	fs.IntVar(&limit, "limit", 100, "at most so many; 0 for all")
	return cmd
}

func printRecords(w io.Writer, all []audit.Stored) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "INDEX\tTIME\tACTOR\tACTION\tOBJECT\tOUTCOME\tREASON\t")
	for i := range all {
		r := &all[i]
		index := "waiting"
		if r.Index >= 0 {
			index = fmt.Sprint(r.Index)
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", index, r.Time.Format(time.RFC3339), report.Printable(r.Actor.ID), r.Action, report.Printable(r.Object.Name), r.Outcome, report.Printable(r.Reason))
	}
	return tw.Flush()
}

func newAuditExport(t terminal) *cobra.Command {
	f := &hubFlags{}
	return f.command(t, &cobra.Command{
		Use: "export FILE", Short: "Write a hub's audit log to a tar that audit verify checks", Args: cobra.ExactArgs(1),
		Example: "  seawall audit export audit.tar && mkdir audit && tar xf audit.tar -C audit\n  seawall audit verify audit",
	}, func(ctx context.Context, c *client.Client, args []string) error {
		out, err := os.OpenFile(args[0], os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return fmt.Errorf("writing the export: %w", err)
		}
		err = errors.Join(c.Export(ctx, out), out.Sync(), out.Close())
		if err != nil {
			return errors.Join(err, os.Remove(args[0]))
		}
		return f.print(t, map[string]string{"file": args[0]}, func(w io.Writer) error {
			_, err := fmt.Fprintf(w, "wrote %s\n", args[0])
			return err
		})
	})
}
