package check

import (
	"time"

	"github.com/seawall/seawall/finding"
)

// Rule is one check.
type Rule struct {
	ID       string // stable: suppressions and gate files name it
	Title    string
	Severity finding.Severity
	Fix      string
	// CIS is the recommendation of the CIS Docker Benchmark, section 4, that it answers; "" for none.
	CIS string

	needsConfig bool
	run         func(in *Input, now time.Time) result
}

// rules is sorted by id. An id is never given to another check.
var rules = []Rule{
	{"SW-IMG-001", "runs as root", finding.SeverityMedium, "Create a user and end the Dockerfile with USER.", "4.1", true, rootUser},
	{"SW-IMG-002", "no health check", finding.SeverityLow, "Add HEALTHCHECK, or probes in the pod's specification.", "4.6", true, noHealthcheck},
	{"SW-IMG-003", "ADD of a URL", finding.SeverityMedium, "Fetch the file in RUN and verify its digest, or use ADD --checksum.", "4.9", true, addURL},
	{"SW-IMG-004", "base image without a fixed tag", finding.SeverityLow, "Name the base image by version and digest.", "4.2", true, latestBase},
	{"SW-IMG-005", "port 22 exposed", finding.SeverityMedium, "Remove EXPOSE 22; enter containers with the runtime's exec.", "", true, sshPort},
	{"SW-IMG-006", "SSH server installed", finding.SeverityMedium, "Do not install openssh-server; enter containers with the runtime's exec.", "4.3", false, sshServer},
	{"SW-IMG-007", "setuid or setgid files", finding.SeverityLow, "Remove the bits: RUN find / -xdev -perm /6000 -type f -exec chmod a-s {} +", "4.8", false, setuidFiles},
	{"SW-IMG-008", "paths that anyone may write", finding.SeverityMedium, "Take write permission from others, or set the sticky bit on shared directories.", "", false, worldWritable},
	{"SW-IMG-009", "secret in the environment or labels", finding.SeverityHigh, "Pass it at run time, and replace it: it is in the image's configuration for good.", "4.10", true, secretEnv},
	{"SW-IMG-010", "secret in the build history", finding.SeverityHigh, "Use RUN --mount=type=secret, and replace it: it is in the image's history for good.", "4.10", true, secretHistory},
	{"SW-IMG-011", "package manager left in the image", finding.SeverityNegligible, "Copy the application into a distroless or scratch base in a last stage.", "4.3", false, packageManagers},
	{"SW-IMG-012", "shell left in the image", finding.SeverityNegligible, "Copy the application into a distroless or scratch base in a last stage.", "4.3", false, shells},
	{"SW-IMG-013", "old image", finding.SeverityLow, "Build it anew on an up-to-date base.", "4.4", true, oldImage},
	{"SW-IMG-014", "distribution without support", finding.SeverityHigh, "Move to a release that still gets security updates.", "4.4", false, endOfLife},
	{"SW-IMG-015", "package caches left in the image", finding.SeverityNegligible, "Remove them in the RUN that made them, or use RUN --mount=type=cache.", "", false, caches},
	{"SW-IMG-016", "neither ENTRYPOINT nor CMD", finding.SeverityLow, "Say what the container runs, so that it can be reviewed.", "", true, noCommand},
	{"SW-IMG-017", "relative working directory", finding.SeverityLow, "Give WORKDIR as an absolute path.", "", true, relativeWorkdir},
	{"SW-IMG-018", "label that asks for the host", finding.SeverityMedium, "Remove the label: tools that run its command hand over the host.", "", true, dangerousLabels},
	{"SW-IMG-019", "account without a password", finding.SeverityHigh, "Lock it: RUN passwd -l NAME", "", false, emptyPasswords},
	{"SW-IMG-020", "SSH keys that may enter", finding.SeverityHigh, "Remove authorized_keys; mount it where it is needed.", "", false, authorizedKeys},
	{"SW-IMG-021", "sudo used while building", finding.SeverityLow, "Switch with USER; do not install sudo.", "", true, usesSudo},
	{"SW-IMG-022", "download run unseen", finding.SeverityMedium, "Save the script, verify its digest, then run it.", "4.11", true, pipedScript},
	{"SW-IMG-023", "chmod that lets anyone write", finding.SeverityMedium, "Give the files to the user that needs them: COPY --chown, chmod 755.", "", true, chmodAll},
	{"SW-IMG-024", "whole distribution upgraded while building", finding.SeverityLow, "Take a newer base image; upgrade single packages by version.", "", true, upgrades},
	{"SW-IMG-025", "package lists updated apart from installing", finding.SeverityLow, "Update and install in one RUN, so that a cached layer cannot serve old lists.", "4.7", true, updateAlone},
	{"SW-IMG-026", "remote administration port exposed", finding.SeverityHigh, "Remove EXPOSE of telnet, rsh or the Docker API without TLS.", "", true, adminPorts},
	{"SW-IMG-027", "certificates or signatures not verified while building", finding.SeverityMedium, "Install the certificate authority or key instead of switching verification off.", "4.11", true, unverified},
	{"SW-IMG-028", "environment that weakens the process", finding.SeverityMedium, "Remove the variable.", "", true, weakEnvironment},
	{"SW-IMG-029", "volume over a sensitive path", finding.SeverityMedium, "Remove the VOLUME.", "", true, sensitiveVolumes},
}

// Rules lists every check, sorted by id.
func Rules() []Rule { return append([]Rule(nil), rules...) }
