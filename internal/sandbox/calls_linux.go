package sandbox

import (
	"fmt"

	"github.com/elastic/go-seccomp-bpf/arch"
)

// known keeps the names that this architecture has: arm64 never had open, stat or unlink.
func known(names []string) ([]string, error) {
	info, err := arch.GetInfo("")
	if err != nil {
		return nil, fmt.Errorf("no system call table: %w", err)
	}
	var have []string
	for _, name := range names {
		if _, ok := info.SyscallNames[name]; ok {
			have = append(have, name)
		}
	}
	return have, nil
}
