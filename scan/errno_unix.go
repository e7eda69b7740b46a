package scan

import (
	"errors"
	"syscall"
)

// isBrokenPipe: the worker stopped reading, and tells the reason itself.
func isBrokenPipe(err error) bool { return errors.Is(err, syscall.EPIPE) }
