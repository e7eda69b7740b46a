package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

func TestRunPrintsOneLinePerCommand(t *testing.T) {
	var out bytes.Buffer
	log := filepath.Join(t.TempDir(), "log.jsonl")
	args := []string{"-n", "3", "-title", "two", "-log", log, "-before", "fast=true", "fast=true", "slow=sleep 0.02"}
	if err := run(t.Context(), args, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"two\n", "fast", "slow"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("output lacks %q:\n%s", want, out.String())
		}
	}
}

func TestRunFailsWithTheCommand(t *testing.T) {
	err := run(t.Context(), []string{"broken=sh -c 'echo no such image >&2; exit 4'"}, &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), "no such image") {
		t.Errorf("error %v does not carry what the command said", err)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, args := range [][]string{{}, {"nameless"}, {"-before", "other=true", "one=true"}, {"-ok", "x", "one=true"}} {
		if _, _, err := parse(args); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}

// The tree is larger than its root: a child's memory counts.
func TestTreeMemoryCountsChildren(t *testing.T) {
	const line = "sh -c 'head -c 30000000 /dev/zero | tail -c 30000000 | (sleep 0.1; wc -c)'"
	s, err := execute(t.Context(), command{name: "tree", line: line}, []int{0}, true)
	if err != nil {
		t.Fatal(err)
	}
	if s.tree < 25<<20 {
		t.Errorf("tree peak is %d bytes; a child held 30 MB", s.tree)
	}
}

func TestMedian(t *testing.T) {
	if got := median([]float64{9, 1, 5}); got != 5 {
		t.Errorf("median = %v", got)
	}
	if got := median([]int(nil)); got != 0 {
		t.Errorf("median of nothing = %v", got)
	}
}
