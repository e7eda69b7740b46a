package sandbox

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	seccomp "github.com/elastic/go-seccomp-bpf"
	"github.com/landlock-lsm/go-landlock/landlock"
	"golang.org/x/sys/unix"
)

// self is the running executable even when its file was replaced meanwhile.
func self() string { return "/proc/self/exe" }

// nobody is the user without privileges on every Linux distribution.
const nobody = 65534

// Enter confines the whole process for good. It must be called before any foreign byte is read. The order matters:
// the seccomp filter comes last, since it forbids the calls that the other steps make.
func Enter(c Config) Report {
	var r Report
	r.note("limits", limit(c))
	r.note("landlock", restrictFiles(c))
	if !c.KeepUser && syscall.Geteuid() == 0 {
		r.note("user", becomeNobody())
	}
	r.note("seccomp", filterCalls())
	return r
}

func limit(c Config) error {
	if c.Memory == 0 {
		c.Memory = DefaultMemory
	}
	if c.FileSize == 0 {
		c.FileSize = DefaultFileSize
	}
	var errs []error
	for which, max := range map[int]uint64{
		unix.RLIMIT_DATA:  c.Memory,
		unix.RLIMIT_FSIZE: c.FileSize,
		unix.RLIMIT_CORE:  0,
	} {
		errs = append(errs, lower(which, max))
	}
	return errors.Join(errs...)
}

// lower sets a limit, never above the hard limit in force.
func lower(which int, max uint64) error {
	var have unix.Rlimit
	if err := unix.Getrlimit(which, &have); err != nil {
		return fmt.Errorf("reading limit %d: %w", which, err)
	}
	max = min(max, have.Max)
	return unix.Setrlimit(which, &unix.Rlimit{Cur: max, Max: max})
}

// restrictFiles takes every file right that landlock knows, but for the given directories, and TCP. It asks for the
// newest rights first and falls back to older kernels' sets; a kernel without landlock is an error.
func restrictFiles(c Config) error {
	var rules []landlock.Rule
	if len(c.ReadDirs) > 0 {
		rules = append(rules, landlock.RODirs(c.ReadDirs...))
	}
	if c.WriteDir != "" {
		rules = append(rules, landlock.RWDirs(c.WriteDir))
	}
	var err error
	for _, config := range []landlock.Config{landlock.V5, landlock.V4, landlock.V3, landlock.V2, landlock.V1} {
		if err = config.Restrict(rules...); err == nil {
			return nil
		}
	}
	return err
}

// becomeNobody gives up root in every thread, with its groups and so its capabilities.
func becomeNobody() error {
	if err := syscall.Setgroups(nil); err != nil {
		return fmt.Errorf("dropping groups: %w", err)
	}
	if err := syscall.Setresgid(nobody, nobody, nobody); err != nil {
		return fmt.Errorf("changing group: %w", err)
	}
	if err := syscall.Setresuid(nobody, nobody, nobody); err != nil {
		return fmt.Errorf("changing user: %w", err)
	}
	return nil
}

// allowed are the calls that the Go runtime and file parsing need. There is no call among them that opens a socket,
// starts a program, signals another process or changes privileges. Names that an architecture lacks are dropped.
var allowed = []string{
	"brk", "clock_gettime", "clock_nanosleep", "close", "copy_file_range", "dup", "dup3",
	"epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2", "epoll_wait", "eventfd2", "exit", "exit_group",
	"faccessat", "faccessat2", "fadvise64", "fallocate", "fchmod", "fchown", "fcntl", "fdatasync", "flock", "fstat",
	"fstatfs", "fsync", "ftruncate", "futex", "getcwd", "getdents64", "getegid", "geteuid", "getgid", "getpid",
	"getppid", "getrandom", "getrlimit", "getrusage", "gettid", "gettimeofday", "getuid", "lgetxattr", "lseek", "lstat",
	"madvise", "membarrier", "mincore", "mkdirat", "mmap", "mprotect", "mremap", "munmap", "nanosleep", "newfstatat", "open",
	"openat", "pipe2", "poll", "ppoll", "pread64", "preadv", "prlimit64", "pwrite64", "pwritev", "read", "readlink",
	"readlinkat", "readv", "renameat", "restart_syscall", "rseq", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn",
	"sched_getaffinity", "sched_yield", "sendfile", "set_robust_list", "sigaltstack", "splice", "stat", "statfs",
	"statx", "sysinfo", "timer_create", "timer_delete", "timer_settime", "timerfd_create", "timerfd_settime", "uname",
	"unlink", "unlinkat", "write", "writev",
}

// filterCalls loads the filter into every thread. A call that is not allowed fails with EPERM, so that a parser
// which tries one gets an error instead of taking its siblings down.
func filterCalls() error {
	names, err := known(allowed)
	if err != nil {
		return err
	}
	// tgkill is how the runtime preempts its own threads; aimed at any other process it is refused.
	ours := []seccomp.NameWithConditions{
		{Name: "clone", Conditions: seccomp.ArgumentConditions{{Argument: 0, Operation: seccomp.BitsSet, Value: unix.CLONE_THREAD}}},
		{Name: "tgkill", Conditions: seccomp.ArgumentConditions{{Argument: 0, Operation: seccomp.Equal, Value: uint64(syscall.Getpid())}}},
	}
	return seccomp.LoadFilter(seccomp.Filter{
		NoNewPrivs: true,
		Flag:       seccomp.FilterFlagTSync,
		Policy: seccomp.Policy{
			DefaultAction: seccomp.ActionErrno,
			Syscalls: []seccomp.SyscallGroup{
				{Action: seccomp.ActionAllow, Names: names},
				{Action: seccomp.ActionAllow, NamesWithCondtions: ours},
				// "No such call" makes C libraries fall back to clone, whose flags a filter can read.
				{Action: seccomp.ActionErrno | seccomp.Action(unix.ENOSYS), Names: []string{"clone3"}},
			},
		},
	})
}

// Give hands a directory of root's to the user that a confined process becomes.
func Give(dir string) error { return os.Chown(dir, nobody, nobody) }
