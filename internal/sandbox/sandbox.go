// Package sandbox confines the process that parses hostile bytes.
//
// A parent starts its own executable again with Command; the child calls Enter before it reads the first foreign
// byte and from then on has no network, cannot start a program, can read only the directories that it was given,
// can write only to one private directory and to descriptors that it inherited, and has bounded memory. What the
// kernel refuses is reported by name, so that the user can insist (see Report.Complete).
//
// It leaves out what is parsed and how parent and child talk. docs/decisions/0002-sandbox.md tells why the child
// confines itself rather than inheriting from a restricted thread.
package sandbox

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// Config says what the confined process may still do. The zero value allows nothing but inherited descriptors.
type Config struct {
	// ReadDirs are directory trees that it may read: a live root file system.
	ReadDirs []string
	// WriteDir is the one directory in which it may create, write and remove files; "" for none.
	WriteDir string
	// Memory bounds its private writable memory in bytes (RLIMIT_DATA); 0 means DefaultMemory.
	Memory uint64
	// FileSize bounds any file that it writes, in bytes (RLIMIT_FSIZE); 0 means DefaultFileSize.
	FileSize uint64
	// KeepUser keeps the user that started it. Otherwise root becomes nobody: files that only their owner may
	// read need KeepUser.
	KeepUser bool
}

// The bounds that a zero Config means. Memory counts address space that the Go runtime reserved for its heap and
// stacks, which is about twice what is in use.
const (
	DefaultMemory   = 2 << 30
	DefaultFileSize = 8 << 30
)

// Report names what Enter could and could not confine.
type Report struct {
	Applied []string // "landlock", "seccomp", "user", "limits"
	Refused []string // the same names, each with the kernel's reason
}

// Complete reports whether everything was applied.
func (r Report) Complete() bool { return len(r.Refused) == 0 }

func (r Report) String() string {
	s := "sandbox: " + strings.Join(r.Applied, ", ")
	if !r.Complete() {
		s += "; refused by this system: " + strings.Join(r.Refused, "; ")
	}
	return s
}

func (r *Report) note(name string, err error) {
	if err != nil {
		r.Refused = append(r.Refused, fmt.Sprintf("%s (%v)", name, err))
		return
	}
	r.Applied = append(r.Applied, name)
}

// Command prepares a second process of this executable with args and an environment of nothing but what the Go
// runtime needs to behave as the parent's does. The caller adds descriptors and starts it.
func Command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, self(), args...)
	cmd.Env = []string{"LANG=C.UTF-8", "TZ=UTC"}
	for _, name := range []string{"GOMAXPROCS", "GODEBUG", "GOCOVERDIR"} {
		if v, ok := os.LookupEnv(name); ok {
			cmd.Env = append(cmd.Env, name+"="+v)
		}
	}
	return cmd
}
