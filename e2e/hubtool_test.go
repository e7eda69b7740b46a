//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// tool is a program with the arguments that all its calls share.
type tool struct {
	line []string
	env  []string
}

// try runs it with input and returns all that it said.
func (c tool) try(input string, args ...string) (string, error) {
	line := append(append([]string{}, c.line...), args...)
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Stdin = strings.NewReader(input)
	cmd.Env = append(os.Environ(), c.env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// must runs it and fails the test unless it succeeds.
func (c tool) must(t *testing.T, input string, args ...string) string {
	t.Helper()
	out, err := c.try(input, args...)
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}
