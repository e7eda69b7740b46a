package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// command is a shell line under a name.
type command struct{ name, line string }

// sample is one run.
type sample struct {
	wall, cpu time.Duration
	largest   int64 // bytes: ru_maxrss, the largest single process
	tree      int64 // bytes: the whole process tree at its largest, 0 when it was not sampled
}

// process starts plain lines without a shell, which would add its own start to the time.
func (c command) process(ctx context.Context) *exec.Cmd {
	if strings.ContainsAny(c.line, "'\"\\$`;|&<>()*?~") {
		return exec.CommandContext(ctx, "sh", "-c", c.line)
	}
	words := strings.Fields(c.line)
	return exec.CommandContext(ctx, words[0], words[1:]...)
}

// execute runs c. Its output goes nowhere; the end of its errors is part of the error when it fails.
func execute(ctx context.Context, c command, accepted []int, memory bool) (sample, error) {
	var complaints tail
	cmd := c.process(ctx)
	cmd.Stderr = &complaints
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return sample{}, err
	}
	peak := func() int64 { return 0 }
	if memory {
		peak = watch(cmd.Process.Pid)
	}
	err := cmd.Wait()
	s := sample{wall: time.Since(start), tree: peak()}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return s, err
	}
	state := cmd.ProcessState
	if !slices.Contains(accepted, state.ExitCode()) {
		return s, fmt.Errorf("%s: %s\n%s", c.line, state, complaints.text)
	}
	s.cpu = state.UserTime() + state.SystemTime()
	if usage, ok := state.SysUsage().(*syscall.Rusage); ok {
		s.largest = usage.Maxrss << 10
	}
	return s, nil
}

// tail keeps the last 2 KiB of what is written to it.
type tail struct{ text []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	if len(t.text) > 2048 {
		t.text = slices.Clone(t.text[len(t.text)-2048:])
	}
	return len(p), nil
}

// readOnce reads every file below path, so that the page cache holds what memory allows.
func readOnce(path string) error {
	return filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = io.Copy(io.Discard, f)
		return err
	})
}
