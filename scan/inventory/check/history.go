package check

import (
	"fmt"
	"strings"
	"time"

	"github.com/seawall/seawall/finding"
)

// maxInstruction bounds the bytes that are read of one instruction; heredocs can be long.
const maxInstruction = 256 << 10

// instructions reports those instructions of the history that bad objects to.
func instructions(in *Input, bad func(instruction) bool) result {
	var places []string
	var r result
	layer := 0
	for i, h := range in.Image.Config.History {
		parsed := parseInstruction(h.CreatedBy[:min(len(h.CreatedBy), maxInstruction)])
		if bad(parsed) {
			places = append(places, fmt.Sprintf("instruction %d: %s", i+1, short(parsed)))
			if r.layer == nil && !h.EmptyLayer {
				r.layer = layerAt(in.Image.Layers, layer)
			}
		}
		if !h.EmptyLayer {
			layer++
		}
	}
	r.detail = listed(places)
	return r
}

func layerAt(layers []finding.Layer, index int) *finding.LayerRef {
	if index >= len(layers) {
		return nil
	}
	ref := layers[index].LayerRef
	return &ref
}

// short quotes an instruction's keyword and the name of its first command. The text itself may hold a secret.
func short(i instruction) string {
	if i.keyword != "RUN" {
		return i.keyword
	}
	var names []string
	for _, c := range commands(i.text) {
		if len(names) < 4 && len(c.name()) < 40 {
			names = append(names, c.name())
		}
	}
	return "RUN " + strings.Join(names, ", ")
}

// runs reports RUN instructions with a list of commands that bad objects to.
func runs(in *Input, bad func([]command) bool) result {
	return instructions(in, func(i instruction) bool { return i.keyword == "RUN" && bad(commands(i.text)) })
}

// anyRun reports RUN instructions with one command that bad objects to.
func anyRun(in *Input, bad func(*command) bool) result {
	return runs(in, func(cs []command) bool {
		for i := range cs {
			if bad(&cs[i]) {
				return true
			}
		}
		return false
	})
}

func addURL(in *Input, _ time.Time) result {
	return instructions(in, func(i instruction) bool {
		return i.keyword == "ADD" && !strings.Contains(i.text, "--checksum") &&
			(strings.Contains(i.text, "http://") || strings.Contains(i.text, "https://") || strings.Contains(i.text, "ftp://"))
	})
}

func usesSudo(in *Input, _ time.Time) result {
	return anyRun(in, func(c *command) bool { return c.words[0] == "sudo" || c.words[0] == "/usr/bin/sudo" })
}

// pipedScript finds curl … | sh, sh -c "$(curl …)" and sh <(curl …).
func pipedScript(in *Input, _ time.Time) result {
	return runs(in, func(cs []command) bool {
		downloaded := false
		for i := range cs {
			c := &cs[i]
			if !c.piped {
				downloaded = false
			}
			if runsScript(c) && (downloaded || inlineDownload(c) || redirected(cs, i)) {
				return true
			}
			downloaded = downloaded || downloads(c.name())
		}
		return false
	})
}

func downloads(name string) bool { return name == "curl" || name == "wget" || name == "fetch" }

// runsScript is false for an interpreter whose program is an argument, as in python3 -c: its input is data.
func runsScript(c *command) bool {
	switch name := c.name(); name {
	case "sh", "bash", "ash", "dash", "zsh", "source", ".", "eval":
		return true
	case "node", "perl", "ruby", "php":
		return !c.has("-e", "-ne", "-pe", "-n", "-p", "-r")
	default:
		return strings.HasPrefix(name, "python") && !c.has("-c", "-m")
	}
}

func inlineDownload(c *command) bool {
	text := strings.Join(c.words, " ")
	return strings.Contains(text, "$(curl") || strings.Contains(text, "$(wget") || strings.Contains(text, "`curl") || strings.Contains(text, "`wget")
}

// redirected: the splitter ends a command at the parenthesis of <( and $(, so that the download is the next one.
func redirected(cs []command, i int) bool {
	last := cs[i].words[len(cs[i].words)-1]
	return (strings.HasSuffix(last, "<") || strings.HasSuffix(last, "$")) && i+1 < len(cs) && downloads(cs[i+1].name())
}

// chmodAll finds modes that let others write, unless the sticky bit goes with them.
func chmodAll(in *Input, _ time.Time) result {
	return anyRun(in, func(c *command) bool {
		if c.name() != "chmod" {
			return false
		}
		for _, arg := range c.words[1:] {
			if writableMode(arg) {
				return true
			}
		}
		return false
	})
}

func writableMode(mode string) bool {
	if octal := strings.TrimLeft(mode, "0"); len(octal) >= 3 && len(octal) <= 4 && strings.Trim(octal, "01234567") == "" {
		last := octal[len(octal)-1]
		sticky := len(octal) == 4 && (octal[0]-'0')&1 != 0
		return (last-'0')&2 != 0 && !sticky
	}
	for clause := range strings.SplitSeq(mode, ",") {
		who, what, ok := strings.Cut(clause, "+")
		if !ok {
			who, what, ok = strings.Cut(clause, "=")
		}
		if ok && strings.Trim(who, "ugoa") == "" && strings.ContainsAny(who, "oa") && strings.Trim(what, "rwxXst") == "" &&
			strings.Contains(what, "w") && !strings.Contains(what, "t") {
			return true
		}
	}
	return false
}

func upgrades(in *Input, _ time.Time) result {
	return anyRun(in, func(c *command) bool {
		switch c.name() {
		case "apt-get", "apt":
			return c.has("upgrade", "dist-upgrade", "full-upgrade")
		case "apk":
			return c.has("upgrade")
		case "yum", "dnf", "microdnf", "tdnf":
			return c.has("upgrade", "update") && lastIsOption(c, "upgrade", "update")
		}
		return false
	})
}

// lastIsOption reports whether nothing but options stands with the verbs: a package's name makes it a single upgrade.
func lastIsOption(c *command, verbs ...string) bool {
	for _, arg := range c.words[1:] {
		verb := false
		for _, v := range verbs {
			verb = verb || arg == v
		}
		if !verb && !strings.HasPrefix(arg, "-") {
			return false
		}
	}
	return true
}

// updateAlone finds apt-get update in a RUN that installs nothing.
func updateAlone(in *Input, _ time.Time) result {
	return runs(in, func(cs []command) bool {
		updates, uses := false, false
		for i := range cs {
			if name := cs[i].name(); name == "apt-get" || name == "apt" {
				updates = updates || cs[i].has("update")
				uses = uses || cs[i].has("install", "upgrade", "dist-upgrade", "full-upgrade", "build-dep", "source", "download")
			} else if name == "sh" || name == "bash" || strings.HasSuffix(name, ".sh") {
				uses = true // a script may install
			}
		}
		return updates && !uses
	})
}

// unverified finds options that switch the verification of certificates or signatures off.
func unverified(in *Input, _ time.Time) result {
	return anyRun(in, func(c *command) bool {
		switch c.name() {
		case "curl":
			return c.has("-k", "--insecure") || insecureLetters(c)
		case "wget":
			return c.has("--no-check-certificate")
		case "apt-get", "apt":
			return c.has("--allow-unauthenticated", "--force-yes", "--allow-insecure-repositories")
		case "apk":
			return c.has("--allow-untrusted")
		case "yum", "dnf", "microdnf", "tdnf", "rpm":
			return c.has("--nogpgcheck", "--nosignature", "--no-gpg-checks")
		case "pip", "pip3":
			return c.has("--trusted-host")
		case "npm":
			return c.has("strict-ssl") && c.has("false") || c.has("strict-ssl=false", "--strict-ssl=false")
		case "git":
			return c.has("http.sslVerify=false") || c.has("http.sslVerify", "http.sslverify") && c.has("false")
		}
		return false
	})
}

// insecureLetters finds k among curl's joined one-letter options that take no value, as in -fsSLk.
func insecureLetters(c *command) bool {
	for _, arg := range c.words[1:] {
		if len(arg) > 1 && arg[0] == '-' && strings.Contains(arg, "k") && strings.Trim(arg[1:], "fsSLkgiIvOJRl46j#") == "" {
			return true
		}
	}
	return false
}
