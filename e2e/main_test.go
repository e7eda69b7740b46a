//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// executable is the seawall under test, absolute: $SEAWALL, else what `make build` made.
var executable string

func TestMain(m *testing.M) {
	path := os.Getenv("SEAWALL")
	if path == "" {
		path = "../bin/seawall"
	}
	path, err := filepath.Abs(path)
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "e2e: no executable to test: %v (run make build)\n", err)
		os.Exit(1)
	}
	executable = path
	os.Exit(m.Run())
}
