// Package mapped gives the bytes of a file without reading them first.
//
// It promises that a file which shrinks while it is mapped leads to an error and not to the end of the process,
// where reads stand under Guard. It leaves out writing.
package mapped

import (
	"fmt"
	"runtime/debug"
)

// Guard turns a fault in a mapping, as when somebody cuts the file, into an error that wraps the given one. Use it as
// "defer mapped.Guard(ErrX)(&err)" in the goroutine that reads; other panics pass.
func Guard(damaged error) func(*error) {
	old := debug.SetPanicOnFault(true)
	return func(err *error) {
		debug.SetPanicOnFault(old)
		r := recover()
		if r == nil {
			return
		}
		fault, ok := r.(interface{ Addr() uintptr })
		if !ok {
			panic(r)
		}
		*err = fmt.Errorf("the file changed while it was read, at %#x: %w", fault.Addr(), damaged)
	}
}
