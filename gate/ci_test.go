package gate_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seawall/seawall/gate"
	"go.yaml.in/yaml/v3"
)

// templates reads every file under deploy/ci whose name ends so.
func templates(t *testing.T, suffixes ...string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir("../deploy/ci", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if !slices.ContainsFunc(suffixes, func(s string) bool { return strings.HasSuffix(name, s) }) {
			return nil
		}
		b, err := os.ReadFile(name)
		out[name] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) == 0 {
		t.Fatalf("no %v under deploy/ci", suffixes)
	}
	return out
}

func TestTemplatesAreYAML(t *testing.T) {
	for name, text := range templates(t, ".yml", ".yaml") {
		dec := yaml.NewDecoder(strings.NewReader(text))
		for {
			var doc map[string]any // refuses repeated keys
			if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Errorf("%s: %v", name, err)
				break
			}
		}
	}
}

func TestExampleGateFile(t *testing.T) {
	s := compiledSchema(t)
	for _, name := range examples(t) {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := gate.Parse(name, b); err != nil {
			t.Error(err)
		}
		if err := validate(s, string(b)); err != nil {
			t.Error(err)
		}
	}
}

// The flags that the templates may use, by command.
var commands = map[string][]string{
	"gate":      {"-o", "--out", "--gate-file", "--vex", "--since-baseline", "--ignore-unfixed", "--warn-exit"},
	"sbom":      {"-o", "--out"},
	"scan":      {"-o", "--out"},
	"db update": {"--from"},
}

var (
	invocation = regexp.MustCompile(`(?m)^(?:\s|-|\.seawall/)*seawall (gate|sbom|scan|db update)\b(.*)$`)
	flag       = regexp.MustCompile(`(?:^|\s|\+)(--?[a-z][a-z-]*)`)
	pinned     = regexp.MustCompile(`uses: (\S+)`)
	commit     = regexp.MustCompile(`@[0-9a-f]{40}$`)
)

func TestTemplatesUseKnownFlags(t *testing.T) {
	for name, text := range templates(t, ".yml", "Jenkinsfile") {
		calls := invocation.FindAllStringSubmatch(text, -1)
		if len(calls) == 0 && !strings.HasSuffix(name, "workflow.yml") {
			t.Errorf("%s never calls seawall", name)
		}
		for _, call := range calls {
			for _, f := range flag.FindAllStringSubmatch(call[2], -1) {
				if !slices.Contains(commands[call[1]], f[1]) {
					t.Errorf("%s: seawall %s has no flag %s", name, call[1], f[1])
				}
			}
		}
	}
}

// What is downloaded is checked, what is foreign is pinned, and nothing is traced into the log.
func TestTemplatesAreCareful(t *testing.T) {
	for name, text := range templates(t, ".yml", "Jenkinsfile") {
		if strings.Count(text, "curl --fail") != strings.Count(text, "| sha256sum") {
			t.Errorf("%s: a download is not checked", name)
		}
		if regexp.MustCompile(`set -[a-z]*x|--verbose|printenv|--insecure|curl [^\n]*-k\b`).MatchString(text) {
			t.Errorf("%s: traces commands or trusts any server", name)
		}
		for _, uses := range pinned.FindAllStringSubmatch(text, -1) {
			if !strings.HasPrefix(uses[1], "./") && !commit.MatchString(uses[1]) {
				t.Errorf("%s: %s is not pinned to a commit", name, uses[1])
			}
		}
	}
}

// Inputs reach scripts as variables: an expression inside a script would let an input write shell.
func TestScriptsHaveNoExpressions(t *testing.T) {
	for name, text := range templates(t, "action.yml", "azure-pipelines.yml") {
		for _, script := range scripts(t, text) {
			if strings.Contains(script, "${{") {
				t.Errorf("%s: an expression inside a script:\n%s", name, script)
			}
		}
	}
}

func TestScriptsParse(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("bash is not installed: the scripts of deploy/ci are not parsed")
	}
	for name, text := range templates(t, ".yml") {
		for _, script := range scripts(t, text) {
			cmd := exec.Command(bash, "-n")
			cmd.Stdin = strings.NewReader(script)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			if err := cmd.Run(); err != nil {
				t.Errorf("%s: %v: %s\n%s", name, err, stderr.String(), script)
			}
		}
	}
}

// scripts returns the shell of every run, bash, script and before_script key.
func scripts(t *testing.T, text string) []string {
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(text), &root); err != nil {
		t.Fatal(err)
	}
	var out []string
	var visit func(n *yaml.Node)
	visit = func(n *yaml.Node) {
		for i, c := range n.Content {
			visit(c)
			if n.Kind != yaml.MappingNode || i%2 == 1 || !slices.Contains([]string{"run", "bash", "script", "before_script"}, c.Value) {
				continue
			}
			value := n.Content[i+1]
			lines := []string{value.Value}
			for _, item := range value.Content {
				lines = append(lines, item.Value)
			}
			out = append(out, strings.Join(lines, "\n"))
		}
	}
	visit(&root)
	return out
}

// A Jenkinsfile is no YAML: what can be checked without Jenkins is that its brackets and quotes close, and that its
// scripts name their shell, without which Jenkins traces them and stops at the first failing line.
func TestJenkinsfileCloses(t *testing.T) {
	for name, text := range templates(t, "Jenkinsfile") {
		if 2*strings.Count(text, "'''#!/bin/sh\n") != strings.Count(text, "'''") {
			t.Errorf("%s: a script does not name its shell", name)
		}
		if strings.Count(text, "'''")%2 != 0 {
			t.Errorf("%s: a text is left open", name)
		}
		for _, pair := range []string{"{}", "()", "[]"} {
			if strings.Count(text, pair[:1]) != strings.Count(text, pair[1:]) {
				t.Errorf("%s: %s do not match", name, pair)
			}
		}
	}
}
