package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
)

// The exit codes of every command. Their text is part of the help.
const (
	exitOK           = 0
	exitFail         = 1
	exitWarn         = 2
	exitNotEvaluated = 3
	exitUsage        = 4
)

const exitCodes = `Exit codes:
  0  done; for gate: pass, or warn unless --warn-exit is given
  1  gate: fail
  2  gate: warn, with --warn-exit
  3  not evaluated: something that the gate asks about could not be looked at
  4  usage or input error: nothing was decided`

// exitError carries an exit code; err is printed unless it is nil.
type exitError struct {
	code int
	err  error
}

func (e exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e exitError) Unwrap() error { return e.err }

// usagef is an error of the command line.
func usagef(format string, args ...any) error {
	return exitError{code: exitUsage, err: fmt.Errorf(format, args...)}
}

// hintFor is the one place that turns an error into advice.
func hintFor(err error) string {
	switch text := err.Error(); {
	case errors.Is(err, context.Canceled):
		return ""
	case strings.Contains(text, "UNAUTHORIZED") || strings.Contains(text, "DENIED"):
		return "sign in with `docker login` or set DOCKER_CONFIG; credential helpers are honoured"
	case strings.Contains(text, "x509:"):
		return "give the registry's CA with --ca-cert FILE, or --insecure for a test registry"
	case strings.Contains(text, "the worker died (signal: killed)"):
		return "something killed the parsing process, most often the system for lack of memory: try --jobs 1, or more memory"
	case strings.Contains(text, "making the worker's directory"):
		return "set TMPDIR to a directory that exists and can be written to"
	case errors.Is(err, syscall.ENOSPC) && !strings.Contains(text, "TMPDIR"):
		return "the disk is full: free some space, or write elsewhere"
	case errors.Is(err, fs.ErrPermission) && !readsImage(text):
		return "choose another place, or run as the owner of this one"
	case errors.Is(err, fs.ErrPermission):
		return "the file or socket belongs to someone else: run as its owner, or save the image to a file and scan that"
	case strings.HasPrefix(text, "unknown command") || strings.HasPrefix(text, "unknown flag"):
		return "`seawall --help` lists the commands, `seawall COMMAND --help` its flags"
	}
	return ""
}

// readsImage reports whether an error is about an image rather than a file of Seawall's own.
func readsImage(text string) bool {
	return strings.HasPrefix(text, "scanning ") || strings.HasPrefix(text, "opening the image")
}
