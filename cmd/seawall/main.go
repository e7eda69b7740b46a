// Command seawall finds out what is wrong with a container image and whether it may ship.
//
// It scans images, root file systems and SBOM files, keeps the advisory database, and decides by a gate file.
// This package reads flags, files and the environment, and wires the stages; it decides nothing itself.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/seawall/seawall/scan"
)

// version is set by the linker.
var version = "dev"

func main() {
	if len(os.Args) == 2 && os.Args[1] == scan.WorkerArg {
		os.Exit(scan.Work(os.Stdin, os.Stdout))
	}
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

// run executes one command line and returns the exit code: see exitCodes.
func run(ctx context.Context, args []string, t terminal) int {
	root := newRoot(t)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	var e exitError
	if !errors.As(err, &e) {
		e = exitError{code: exitUsage, err: err}
	}
	if e.err != nil {
		fmt.Fprintf(t.err, "seawall: %v\n", e.err)
		if hint := hintFor(e.err); hint != "" {
			fmt.Fprintf(t.err, "hint: %s\n", hint)
		}
	}
	return e.code
}
