package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/seawall/seawall/auth"
	"github.com/seawall/seawall/state"
)

const recoverLong = `Recover gives a local user a new password that can be used once, ends its lock-out, takes its one-time codes and its tokens
away and makes it owner of everything: for when nobody can sign in any more. It is recorded in the audit trail. Run it on
the hub's machine, as the hub's user, with the hub's --config or --data-dir; the hub may run.

` + exitCodes

func newRecover(t terminal) *cobra.Command {
	c := defaults()
	var file string
	cmd := &cobra.Command{
		Use: "recover NAME", Short: "Let an administrator in again", Long: recoverLong, Args: cobra.ExactArgs(1),
		Example: "  seawall recover admin --data-dir /var/lib/seawall",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.load(cmd, t, file, &[]string{}); err != nil {
				return usageError{err}
			}
			password, err := c.recover(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(t.out, "%s may sign in once with the password %s\n", args[0], password)
			return err
		},
	}
	c.flags(cmd.Flags(), &file, &[]string{})
	return cmd
}

func (c *config) recover(ctx context.Context, name string) (string, error) {
	cfg, done, err := c.stateOf(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	db, err := state.Open(ctx, cfg)
	if err != nil {
		return "", err
	}
	defer db.Close()
	a, err := auth.New(auth.Config{Store: db})
	if err != nil {
		return "", err
	}
	return a.Recover(ctx, name)
}
