package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/seawall/seawall/api/client"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/job"
)

func newImages(t terminal) *cobra.Command {
	f, q, limit, artifacts := &hubFlags{}, client.Images{}, 0, false
	cmd := f.command(t, &cobra.Command{
		Use: "images", Short: "List the hub's images with their verdicts", Args: cobra.NoArgs,
		Example: "  seawall images --status rejected\n  seawall images --affected-by CVE-2024-3094 -o json",
	}, func(ctx context.Context, c *client.Client, _ []string) error {
		all, err := take(c.Images(ctx, q), limit, func(m *catalog.Manifest) bool { return artifacts || m.Kind != catalog.KindArtifact })
		if err != nil {
			return err
		}
		return f.print(t, all, func(w io.Writer) error { return printImages(w, all) })
	})
	fs := cmd.Flags()
	fs.StringVar(&q.Repository, "repository", "", "only this repository")
	fs.StringVar(&q.Search, "search", "", "part of a repository, tag or digest")
	fs.StringVar(&q.Status, "status", "", "received, quarantined, released or rejected")
	fs.StringVar(&q.Finding, "affected-by", "", "only images that this advisory affects")
	fs.BoolVar(&artifacts, "artifacts", false, "list signatures, SBOMs and other artifacts too")
	fs.IntVar(&limit, "limit", 1000, "at most so many; 0 for all")
	return cmd
}

func printImages(w io.Writer, all []catalog.Manifest) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "REPOSITORY\tTAGS\tDIGEST\tSTATUS\tCRITICAL\tHIGH\tPUSHED\t")
	for i := range all {
		m := &all[i]
		critical, high := "-", "-"
		if m.Scan != nil {
			critical, high = fmt.Sprint(m.Scan.Counts.Critical), fmt.Sprint(m.Scan.Counts.High)
		}
		fmt.Fprintf(tw, "%s\t%s\t%.19s\t%s\t%s\t%s\t%s\t\n", m.Repository, strings.Join(m.Tags, ","), m.Digest, m.EffectiveStatus(time.Now()), critical, high, day(m.Pushed))
	}
	return tw.Flush()
}

func newImport(t terminal) *cobra.Command {
	f, credential, detach := &hubFlags{}, "", false
	cmd := f.command(t, &cobra.Command{
		Use: "import SOURCE DESTINATION", Short: "Have the hub copy an image from another registry", Args: cobra.ExactArgs(2),
		Long:    "Import copies an image, or an index with all its platforms, and what is attached to it into the hub, where it is scanned\nand judged as if it had been pushed. The hub fetches it, with a credential that it keeps where --credential names one.",
		Example: "  seawall import registry.example/library/alpine:3.20 mirror/alpine:3.20",
	}, func(ctx context.Context, c *client.Client, args []string) error {
		id, err := c.Import(ctx, args[0], args[1], credential)
		if err != nil || detach {
			return err
		}
		j, err := await(ctx, c, t, id)
		if err != nil {
			return err
		}
		if err := f.print(t, j, func(w io.Writer) error { _, err := fmt.Fprintf(w, "%s: %s\n", args[1], j.Progress); return err }); err != nil {
			return err
		}
		if j.State != job.Done {
			return exitError{code: exitFail, err: fmt.Errorf("the import %s: %s", j.State, j.Error)}
		}
		return nil
	})
	cmd.Flags().StringVar(&credential, "credential", "", "`NAME` of the hub's credential for the source")
	cmd.Flags().BoolVarP(&detach, "detach", "d", false, "do not wait for it")
	return cmd
}

// await waits for a job and shows how it comes along.
func await(ctx context.Context, c *client.Client, t terminal, id int64) (job.Job, error) {
	shown := ""
	for {
		var now job.Job
		for j, err := range c.Jobs(ctx, job.Filter{}) {
			if err != nil {
				return now, err
			}
			if j.ID <= id {
				now = j
				break
			}
		}
		if now.ID != id {
			return now, fmt.Errorf("the hub does not know job %d any more", id)
		}
		if now.Progress != shown {
			shown = now.Progress
			fmt.Fprintln(t.err, shown)
		}
		if now.State != job.Waiting && now.State != job.Running {
			return now, nil
		}
		select {
		case <-ctx.Done():
			return now, ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
}
