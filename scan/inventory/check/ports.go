package check

import (
	"fmt"
	"strings"
	"time"
)

func sshPort(in *Input, _ time.Time) result {
	if exposed(in, "22") {
		return result{detail: "port 22/tcp is exposed"}
	}
	return result{}
}

// adminPorts: telnet, rlogin, rsh, the Docker API without TLS, and the kubelet's read-only port.
func adminPorts(in *Input, _ time.Time) result {
	var bad []string
	for _, port := range []string{"23", "513", "514", "2375", "10255"} {
		if exposed(in, port) {
			bad = append(bad, port+"/tcp")
		}
	}
	if len(bad) == 0 {
		return result{}
	}
	return result{detail: fmt.Sprintf("exposed: %s", listed(bad))}
}

func exposed(in *Input, port string) bool {
	for _, p := range in.Image.Config.ExposedPorts {
		number, protocol, _ := strings.Cut(p, "/")
		if number == port && (protocol == "" || strings.EqualFold(protocol, "tcp")) {
			return true
		}
	}
	return false
}
