// Command seawall-hub is everything of Seawall that serves: registry, scanner, audit trail, API and console.
// `seawall serve` and `seawall up` run it.
//
// This package reads flags, files and the environment and wires the stages; it decides nothing itself.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/seawall/seawall/scan"
)

// version is set by the linker.
var version = "dev"

func main() {
	if len(os.Args) == 2 && os.Args[1] == scan.WorkerArg {
		os.Exit(scan.Work(os.Stdin, os.Stdout))
	}
	syscall.Umask(0o077) // all that is written is its owner's alone
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once, whatever it waits for
	code := run(ctx, os.Args[1:], terminal{in: os.Stdin, out: os.Stdout, err: os.Stderr, env: os.LookupEnv})
	stop()
	os.Exit(code)
}

// terminal is what a command may touch of the world outside: three streams and the environment.
type terminal struct {
	in       io.Reader
	out, err io.Writer
	env      func(string) (string, bool)
}

const exitCodes = `Exit codes:
  0  done, or stopped by a signal
  1  the hub could not start, or had to stop
  4  usage or configuration error`

// usageError exits with 4.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func run(ctx context.Context, args []string, t terminal) int {
	root := &cobra.Command{
		Use: "seawall", Short: "The hub of Seawall", Version: version, SilenceErrors: true, SilenceUsage: true,
		Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(t.in)
	root.SetOut(t.out)
	root.SetErr(t.err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w (see `%s --help`)", err, cmd.CommandPath())}
	})
	root.AddCommand(newServe(t), newUp(t), newBackup(t), newRestore(t), newRecover(t))
	for _, cmd := range root.Commands() {
		cmd.Args = checked(cmd.Args)
	}
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil || errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return 0
	}
	fmt.Fprintf(t.err, "seawall: %v\n", err)
	var usage usageError
	if errors.As(err, &usage) {
		return 4
	}
	return 1
}

// checked makes usage errors of what a command says about its arguments.
func checked(args cobra.PositionalArgs) cobra.PositionalArgs {
	if args == nil {
		return nil
	}
	return func(cmd *cobra.Command, given []string) error {
		if err := args(cmd, given); err != nil {
			return usageError{fmt.Errorf("%w (see `%s --help`)", err, cmd.CommandPath())}
		}
		return nil
	}
}
