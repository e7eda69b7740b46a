package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/seawall/seawall/api/client"
)

func newKeys(t terminal) *cobra.Command {
	cmd := &cobra.Command{Use: "keys", Short: "Show and rotate the keys that a hub encrypts with", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(newKeysStatus(t), newKeysRotate(t))
	return cmd
}

func newKeysStatus(t terminal) *cobra.Command {
	f := &hubFlags{}
	return f.command(t, &cobra.Command{
		Use: "status", Short: "Show the key provider and the data keys", Args: cobra.NoArgs,
		Example: "  seawall keys status\n  seawall keys status -o json",
	}, func(ctx context.Context, c *client.Client, _ []string) error {
		k, err := c.Keys(ctx)
		if err != nil {
			return err
		}
		return f.print(t, k, func(w io.Writer) error { return printKeys(w, &k) })
	})
}

func newKeysRotate(t terminal) *cobra.Command {
	f, fresh := &hubFlags{}, false
	cmd := f.command(t, &cobra.Command{
		Use: "rotate", Short: "Wrap the data keys with a new key-encryption key", Args: cobra.NoArgs,
		Long: "Rotate has the provider make or take a new key-encryption key and wraps all data keys with it. No data is rewritten;\nwith --data-keys what is written from now on is encrypted with new data keys.",
	}, func(ctx context.Context, c *client.Client, _ []string) error {
		k, err := c.RotateKeys(ctx, fresh)
		if err != nil {
			return err
		}
		return f.print(t, k, func(w io.Writer) error { return printKeys(w, &k) })
	})
	cmd.Flags().BoolVar(&fresh, "data-keys", false, "make new data keys for what is written from now on")
	return cmd
}

func printKeys(w io.Writer, k *client.Keys) error {
	if !k.Encrypted {
		_, err := fmt.Fprintln(w, "nothing is encrypted: start the hub with --key-provider")
		return err
	}
	state := "answers"
	if !k.Healthy {
		state = "does not answer: " + k.Error
	}
	fmt.Fprintf(w, "provider %s %s; asked again %s\n", k.Provider, state, day(k.Next))
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "KEY\tPURPOSE\tCREATED\tWRAPPED\tCURRENT\t")
	for _, d := range k.Items {
		current := ""
		if d.Current {
			current = "yes"
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t\n", d.ID, d.Purpose, day(d.Created), day(d.Wrapped), current)
	}
	return tw.Flush()
}
