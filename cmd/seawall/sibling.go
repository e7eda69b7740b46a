package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"
)

// siblings are the commands that another executable of the same version serves, as git does: each executable links only
// what it needs.
var siblings = []struct{ name, executable, short string }{
	{"serve", "seawall-hub", "Run the hub: registry, scanner, policies, API, console"},
	{"up", "seawall-hub", "Run a hub on this machine for a first look"},
	{"backup", "seawall-hub", "Write the hub's state to a file, while it runs"},
	{"restore", "seawall-hub", "Read a backup into an empty state"},
	{"recover", "seawall-hub", "Let an administrator of the hub in again"},
}

func newSiblings() []*cobra.Command {
	var out []*cobra.Command
	for _, s := range siblings {
		out = append(out, &cobra.Command{
			Use: s.name, Short: s.short, DisableFlagParsing: true,
			RunE: func(_ *cobra.Command, args []string) error {
				return become(s.executable, append([]string{s.name}, args...))
			},
		})
	}
	return out
}

// become replaces this process by the sibling, which lies beside this executable or in the PATH. It returns only if
// that cannot be done.
func become(executable string, args []string) error {
	path, err := findSibling(executable)
	if err != nil {
		return exitError{code: exitUsage, err: fmt.Errorf("%s is not installed: put it beside seawall or into the PATH", executable)}
	}
	err = syscall.Exec(path, append([]string{executable}, args...), os.Environ())
	return exitError{code: exitUsage, err: fmt.Errorf("starting %s: %w", path, err)}
}

func findSibling(executable string) (string, error) {
	if self, err := os.Executable(); err == nil {
		path := filepath.Join(filepath.Dir(self), executable)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	path, err := exec.LookPath(executable)
	if errors.Is(err, exec.ErrDot) {
		return "", err // never the working directory's
	}
	return path, err
}
