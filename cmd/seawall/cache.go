package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/seawall/seawall/scan/image"
)

func newCache(t terminal) *cobra.Command {
	var dir string
	open := func() (*image.Cache, error) {
		c, err := image.OpenCache(dir, 0)
		if err != nil {
			return nil, exitError{code: exitUsage, err: err}
		}
		return c, nil
	}
	cmd := &cobra.Command{Use: "cache", Short: "Look at or empty the cache of layer results", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.PersistentFlags().StringVar(&dir, "cache-dir", defaultDirs(t).cache, "`DIR` for results of layers")
	var output string
	status := &cobra.Command{Use: "status", Short: "Show how much is kept", Args: cobra.NoArgs, Example: "  seawall cache status",
		RunE: func(*cobra.Command, []string) error {
			if output != "text" && output != "json" {
				return usagef("unknown output %q: want text or json", output)
			}
			c, err := open()
			if err != nil {
				return err
			}
			defer c.Close()
			usage, err := c.Usage()
			if err != nil {
				return inputError("reading the cache", err)
			}
			if output == "json" {
				return json.NewEncoder(t.out).Encode(map[string]any{"dir": dir, "entries": usage.Entries, "bytes": usage.Bytes})
			}
			_, err = fmt.Fprintf(t.out, "%s: %d entries, %d KiB\n", dir, usage.Entries, usage.Bytes>>10)
			return err
		}}
	status.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	clean := &cobra.Command{Use: "clean", Short: "Forget every result", Args: cobra.NoArgs, Example: "  seawall cache clean",
		RunE: func(*cobra.Command, []string) error {
			c, err := open()
			if err != nil {
				return err
			}
			defer c.Close()
			if err := c.Clean(); err != nil {
				return inputError("emptying the cache", err)
			}
			_, err = fmt.Fprintf(t.out, "emptied %s\n", dir)
			return err
		}}
	cmd.AddCommand(status, clean)
	return cmd
}
