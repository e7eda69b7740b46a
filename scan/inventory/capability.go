package inventory

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// capabilityNames are those of capabilities(7), by number.
var capabilityNames = [...]string{
	"chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap",
	"linux_immutable", "net_bind_service", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner", "sys_module",
	"sys_rawio", "sys_chroot", "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice", "sys_resource", "sys_time",
	"sys_tty_config", "mknod", "lease", "audit_write", "audit_control", "setfcap", "mac_override", "mac_admin", "syslog",
	"wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf", "checkpoint_restore",
}

// fileCapabilities decodes a security.capability attribute (struct vfs_cap_data of linux/capability.h, revisions 1 to
// 3) into "cap_net_raw+ep", one for each capability, by number. A value that is not one gives nil.
func fileCapabilities(v []byte) (names []string) {
	if len(v) < 4 {
		return nil
	}
	magic := binary.LittleEndian.Uint32(v)
	words := 2
	switch magic >> 24 {
	case 1:
		words = 1
	case 2, 3:
	default:
		return nil
	}
	if len(v) < 4+8*words {
		return nil
	}
	effective := magic&1 != 0
	for n := range 32 * words {
		at := 4 + n/32*8
		bit := uint32(1) << (n % 32)
		flags := capabilityFlags(effective, binary.LittleEndian.Uint32(v[at+4:])&bit != 0, binary.LittleEndian.Uint32(v[at:])&bit != 0)
		if flags != "" {
			names = append(names, capabilityName(n)+"+"+flags)
		}
	}
	return slices.Clip(names)
}

func capabilityFlags(effective, inheritable, permitted bool) (flags string) {
	if !inheritable && !permitted {
		return ""
	}
	if effective {
		flags += "e"
	}
	if inheritable {
		flags += "i"
	}
	if permitted {
		flags += "p"
	}
	return flags
}

func capabilityName(n int) string {
	if n < len(capabilityNames) {
		return "cap_" + capabilityNames[n]
	}
	return fmt.Sprintf("cap_%d", n)
}
