//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// engineHost is a container engine in mount and network namespaces of its own: its sockets lie where engines put
// them, on a /run that only it sees, and the machine's interfaces and filter tables stay as they are.
type engineHost struct {
	pid  int
	path string   // PATH inside
	in   []string // its namespaces, as nsenter names them
}

// startEngine runs line, a shell command that ends in `exec DAEMON`, until the test ends. It waits for socket.
func startEngine(t *testing.T, line, socket string) engineHost {
	t.Helper()
	return engineIn(t, []string{"--mount", "--net"}, line, socket)
}

// engineHere is startEngine with the machine's own network: the engine reaches what listens on loopback.
func engineHere(t *testing.T, line, socket string) engineHost {
	t.Helper()
	return engineIn(t, []string{"--mount"}, line, socket)
}

func engineIn(t *testing.T, namespaces []string, line, socket string) engineHost {
	t.Helper()
	needRoot(t)
	need(t, "unshare", "nsenter")
	h := engineHost{path: os.Getenv("PATH"), in: namespaces}
	if unpacked := os.Getenv("SEAWALL_E2E_ENGINES"); unpacked != "" {
		// Client and daemon of one release: a newer client may refuse an old daemon.
		h.path = fmt.Sprintf("%s/usr/bin:%s/usr/sbin:%s", unpacked, unpacked, h.path)
	}
	// The engine's files go to a directory of the machine, its sockets to the new /run.
	script := "set -e\nmount -t tmpfs tmpfs /run\nmkdir -p /run/containerd /run/podman\nip link set lo up 2>/dev/null || true\n" + line
	unshare := append(slices.Clone(namespaces), "--propagation", "private", "sh", "-c", script)
	cmd := exec.CommandContext(t.Context(), "unshare", unshare...)
	cmd.Env = append(os.Environ(), "PATH="+h.path, "DIR="+t.TempDir())
	start(t, cmd)
	h.pid = cmd.Process.Pid
	inside := filepath.Join("/proc", fmt.Sprint(h.pid), "root", socket)
	waitFor(t, line, func() bool {
		_, err := os.Stat(inside)
		return err == nil && h.try("true") == nil
	})
	return h
}

// enter is the command line that runs the rest of it inside.
func (h engineHost) enter() []string {
	line := append([]string{"nsenter", "--target", fmt.Sprint(h.pid)}, h.in...)
	return append(line, "env", "PATH="+h.path)
}

func (h engineHost) try(args ...string) error {
	line := append(h.enter(), args...)
	return exec.Command(line[0], line[1:]...).Run()
}

// call runs a client inside.
func (h engineHost) call(t *testing.T, args ...string) string {
	t.Helper()
	line := append(h.enter(), args...)
	return call(t, line[0], line[1:]...)
}

// lacks skips the test when an engine cannot be had.
func lacks(t *testing.T, daemon string) {
	t.Helper()
	if _, err := exec.LookPath(daemon); err != nil {
		t.Skipf("%s is neither on PATH nor could e2e/engines unpack it", daemon)
	}
}
