package check

import (
	"path"
	"strings"
	"time"
)

// kind is what a path says about an image.
type kind uint8

const (
	nothing kind = iota
	shell
	packageManager
	sshd
	cache
	sshKeys
)

// Interesting reports whether a path belongs into Input.Paths. It is meant to be asked for every entry of every
// layer: path is slash-separated without a leading slash.
func Interesting(p string) bool { return kindOf(p) != nothing }

func kindOf(p string) kind {
	switch {
	case strings.HasPrefix(p, "var/"):
		return stateKind(p)
	case strings.HasPrefix(p, "bin/"), strings.HasPrefix(p, "sbin/"), strings.HasPrefix(p, "usr/"):
		return programKind(p)
	case strings.HasSuffix(p, "/.ssh/authorized_keys"), strings.HasSuffix(p, "/.ssh/authorized_keys2"), strings.HasPrefix(p, "etc/ssh/authorized_keys"):
		return sshKeys
	case strings.HasSuffix(p, "/.cache/pip"), strings.HasSuffix(p, "/.npm/_cacache"), strings.HasSuffix(p, "/.cache/yarn"),
		strings.HasSuffix(p, "/.cache/go-build"), strings.HasSuffix(p, "/.composer/cache"):
		return cache
	}
	return nothing
}

// programKind names files directly in a directory that PATH commonly holds.
func programKind(p string) kind {
	switch dir, base := path.Split(p); dir {
	case "bin/", "sbin/", "usr/bin/", "usr/sbin/", "usr/local/bin/", "usr/local/sbin/":
		switch base {
		case "sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "fish", "busybox", "tcsh", "csh":
			return shell
		case "apt", "apt-get", "dpkg", "apk", "yum", "dnf", "microdnf", "tdnf", "zypper", "rpm", "pacman", "npm", "pip", "pip3", "gem", "composer":
			return packageManager
		case "sshd", "dropbear":
			return sshd
		}
	}
	return nothing
}

// stateKind names what package managers leave under var. Directories are no finding: they are always there.
func stateKind(p string) kind {
	base := path.Base(p)
	switch {
	case strings.HasPrefix(p, "var/cache/apt/archives/") && strings.HasSuffix(base, ".deb"),
		strings.HasPrefix(p, "var/cache/apt/") && strings.HasSuffix(base, "cache.bin"),
		strings.HasPrefix(p, "var/lib/apt/lists/") && strings.Contains(base, "_"),
		strings.HasPrefix(p, "var/cache/apk/") && (strings.HasPrefix(base, "APKINDEX") || strings.HasSuffix(base, ".apk")),
		(strings.HasPrefix(p, "var/cache/dnf/") || strings.HasPrefix(p, "var/cache/yum/") || strings.HasPrefix(p, "var/cache/zypp/")) &&
			(strings.HasSuffix(base, ".solv") || strings.HasSuffix(base, ".rpm") || strings.Contains(base, "primary.")):
		return cache
	case strings.HasSuffix(p, "/.ssh/authorized_keys"):
		return sshKeys
	}
	return nothing
}

func ofKind(in *Input, k kind) []File {
	var files []File
	for _, f := range in.Paths {
		if kindOf(f.Path) == k {
			files = append(files, f)
		}
	}
	return files
}

func shells(in *Input, _ time.Time) result {
	return filesResult(ofKind(in, shell), "%d shells to run commands with")
}

func packageManagers(in *Input, _ time.Time) result {
	return filesResult(ofKind(in, packageManager), "%d commands to install software with")
}

func sshServer(in *Input, _ time.Time) result {
	return filesResult(ofKind(in, sshd), "%d SSH servers")
}

func caches(in *Input, _ time.Time) result {
	return filesResult(ofKind(in, cache), "%d files or directories that package managers left")
}

func authorizedKeys(in *Input, _ time.Time) result {
	return filesResult(ofKind(in, sshKeys), "%d lists of keys that may enter")
}

func setuidFiles(in *Input, _ time.Time) result {
	return filesResult(in.Setuid, "%d files run with the rights of their owner or group")
}

// worldWritable leaves out what is a mount point when the container runs.
func worldWritable(in *Input, _ time.Time) result {
	var files []File
	for _, f := range in.WorldWritable {
		if !strings.HasPrefix(f.Path, "dev/") && !strings.HasPrefix(f.Path, "proc/") && !strings.HasPrefix(f.Path, "sys/") {
			files = append(files, f)
		}
	}
	return filesResult(files, "%d paths can be written by every user")
}

func emptyPasswords(in *Input, _ time.Time) result {
	if len(in.EmptyPasswords) == 0 {
		return result{}
	}
	return result{detail: "no password is needed for " + listed(in.EmptyPasswords)}
}
