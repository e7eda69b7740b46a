package main

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/seawall/seawall/scan"
)

// TestMain makes the test executable both seawall, for the scripts, and its worker.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == scan.WorkerArg {
		os.Exit(scan.Work(os.Stdin, os.Stdout))
	}
	testscript.Main(m, map[string]func(){"seawall": main})
}

// TestScripts runs the transcripts in testdata: each is a user's session with the whole program.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("SEAWALL_CACHE_DIR", e.WorkDir+"/.cache")
			e.Setenv("SEAWALL_DB_DIR", e.WorkDir+"/.db")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
	})
}

// exits CODE COMMAND... runs a command that must end with this exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND [ARGS]")
	}
	code := "0"
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		code = exitStatus(err)
	}
	if code != args[0] {
		ts.Fatalf("exit code %s, want %s", code, args[0])
	}
}
func exitStatus(err error) string {
	var e *exec.ExitError
	if !errors.As(err, &e) {
		return err.Error()
	}
	return strconv.Itoa(e.ExitCode())
}
