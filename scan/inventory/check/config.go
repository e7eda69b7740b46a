package check

import (
	"fmt"
	"path"
	"sort"
	"strings"
	"time"
)

// rootUser reads USER: name or number, with or without a group.
func rootUser(in *Input, _ time.Time) result {
	user, _, _ := strings.Cut(strings.TrimSpace(in.Image.Config.User), ":")
	switch user {
	case "":
		return result{detail: "no USER is set, so processes run as root"}
	case "root", "0":
		return result{detail: fmt.Sprintf("USER is %q", in.Image.Config.User)}
	}
	return result{}
}

func noHealthcheck(in *Input, _ time.Time) result {
	switch test := in.Image.Config.Healthcheck; {
	case len(test) == 0:
		return result{detail: "no HEALTHCHECK is set"}
	case test[0] == "NONE":
		return result{detail: "the base image's HEALTHCHECK is switched off"}
	}
	return result{}
}

// latestBase reads the annotation that builders write.
func latestBase(in *Input, _ time.Time) result {
	base := in.Image.BaseName()
	if base == "" || base == "scratch" || strings.Contains(base, "@") || in.Image.BaseDigest() != "" {
		return result{}
	}
	if _, tag, ok := strings.Cut(path.Base(base), ":"); ok && tag != "latest" {
		return result{}
	}
	return result{detail: "the base image is " + base}
}

func noCommand(in *Input, _ time.Time) result {
	if len(in.Image.Config.Entrypoint) > 0 || len(in.Image.Config.Cmd) > 0 {
		return result{}
	}
	return result{detail: "neither ENTRYPOINT nor CMD is set"}
}

func relativeWorkdir(in *Input, _ time.Time) result {
	if dir := in.Image.Config.WorkingDir; dir != "" && !strings.HasPrefix(dir, "/") {
		return result{detail: fmt.Sprintf("WORKDIR is %q", dir)}
	}
	return result{}
}

// dangerousLabels reads labels that hold a command line, such as RUN and INSTALL, for options that give the host.
func dangerousLabels(in *Input, _ time.Time) result {
	var bad []string
	for name, value := range in.Image.Config.Labels {
		for _, option := range []string{"--privileged", "--pid=host", "--pid host", "--net=host", "--network=host", "--net host", "--ipc=host",
			"--cap-add=all", "--cap-add=sys_admin", "docker.sock", "-v /:/", "--volume /:/", "--security-opt seccomp=unconfined"} {
			if strings.Contains(strings.ToLower(value), option) {
				bad = append(bad, fmt.Sprintf("%s (%s)", name, option))
				break
			}
		}
	}
	sort.Strings(bad)
	return result{detail: listed(bad)}
}

// weakSettings are variables that switch a protection off, by name; "" stands for any value.
var weakSettings = map[string]string{
	"LD_PRELOAD": "", "LD_AUDIT": "", "NODE_TLS_REJECT_UNAUTHORIZED": "0", "PYTHONHTTPSVERIFY": "0", "GIT_SSL_NO_VERIFY": "",
	"GONOSUMCHECK": "", "GOINSECURE": "", "NPM_CONFIG_STRICT_SSL": "false", "npm_config_strict_ssl": "false", "PIP_TRUSTED_HOST": "",
}

// allocators are libraries that are preloaded for speed.
var allocators = []string{"jemalloc", "tcmalloc", "mimalloc"}

func weakEnvironment(in *Input, _ time.Time) result {
	var bad []string
	for _, kv := range in.Image.Config.Env {
		name, value, _ := strings.Cut(kv, "=")
		weak, known := weakSettings[name]
		if known && value != "" && (weak == "" || strings.EqualFold(weak, value)) && !allocator(name, value) {
			bad = append(bad, name)
		}
	}
	return result{detail: listed(bad)}
}

func allocator(name, value string) bool {
	for _, a := range allocators {
		if name == "LD_PRELOAD" && strings.Contains(value, a) {
			return true
		}
	}
	return false
}

func sensitiveVolumes(in *Input, _ time.Time) result {
	var bad []string
	for _, v := range in.Image.Config.Volumes {
		switch clean := path.Clean(v); clean {
		case "/", "/etc", "/proc", "/sys", "/dev", "/root", "/boot", "/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock":
			bad = append(bad, clean)
		}
	}
	return result{detail: listed(bad)}
}

func secretEnv(in *Input, _ time.Time) result {
	env, labels := secretsResult(in.Secrets, "env "), secretsResult(in.Secrets, "label ")
	if env.detail != "" && labels.detail != "" {
		env.detail += ", "
	}
	env.detail += labels.detail
	return env
}

func secretHistory(in *Input, _ time.Time) result { return secretsResult(in.Secrets, "history ") }
