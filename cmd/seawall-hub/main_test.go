package main

import (
	"os"
	"testing"

	"github.com/seawall/seawall/scan"
)

// TestMain lets the test binary be the scanner's worker, as the hub is.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == scan.WorkerArg {
		os.Exit(scan.Work(os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}
