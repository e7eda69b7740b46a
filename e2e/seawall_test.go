//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seawall/seawall/finding"
)

// user is one who runs seawall: with directories of their own, and perhaps by way of another command.
type user struct {
	home   string
	prefix []string // a command that runs the rest of its line: nsenter, runuser
	env    []string
}

// newUser has an empty home, and so neither database nor cache.
func newUser(t *testing.T) *user {
	t.Helper()
	return &user{home: t.TempDir()}
}

func (u *user) dbDir() string { return filepath.Join(u.home, "db") }

// outcome is how one run of seawall ended.
type outcome struct {
	stdout, stderr string
	code           int
}

// command is seawall with args, not yet started.
func (u *user) command(ctx context.Context, args ...string) *exec.Cmd {
	line := append(append([]string{}, u.prefix...), executable)
	line = append(line, args...)
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	cmd.Dir = u.home
	cmd.Env = append(os.Environ(), "HOME="+u.home, "TMPDIR="+u.home, "XDG_CACHE_HOME=", "XDG_DATA_HOME=",
		"SEAWALL_CACHE_DIR="+filepath.Join(u.home, "cache"), "SEAWALL_DB_DIR="+u.dbDir())
	cmd.Env = append(cmd.Env, u.env...)
	return cmd
}

// run waits for seawall and never fails the test by itself.
func (u *user) run(t *testing.T, args ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := u.command(ctx, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("seawall %s: %v", strings.Join(args, " "), err)
	}
	return outcome{stdout: stdout.String(), stderr: stderr.String(), code: cmd.ProcessState.ExitCode()}
}

// must runs seawall and fails the test unless it exits with code.
func (u *user) must(t *testing.T, code int, args ...string) outcome {
	t.Helper()
	o := u.run(t, args...)
	if o.code != code {
		t.Fatalf("seawall %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), o.code, code, o.stdout, o.stderr)
	}
	return o
}

// scan scans ref as JSON and returns the result of its one platform.
func (u *user) scan(t *testing.T, ref string, flags ...string) finding.Result {
	t.Helper()
	o := u.must(t, 0, append([]string{"scan", "-q", "-o", "json", ref}, flags...)...)
	return one(t, o.stdout)
}

// one reads a JSON report that holds one result.
func one(t *testing.T, report string) finding.Result {
	t.Helper()
	var doc struct {
		SchemaVersion int              `json:"schemaVersion"`
		Results       []finding.Result `json:"results"`
	}
	if err := json.Unmarshal([]byte(report), &doc); err != nil {
		t.Fatalf("the JSON report does not parse: %v\n%.500s", err, report)
	}
	if doc.SchemaVersion != 1 || len(doc.Results) != 1 {
		t.Fatalf("schema version %d with %d results; want 1 and 1", doc.SchemaVersion, len(doc.Results))
	}
	return doc.Results[0]
}
