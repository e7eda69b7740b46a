//go:build !unix

package mapped

import (
	"fmt"
	"io"
	"os"
)

// File reads the first n bytes of f: there is no mapping here.
func File(f *os.File, n int) (b []byte, unmap func() error, err error) {
	b = make([]byte, n)
	if _, err := io.ReadFull(f, b); err != nil {
		return nil, nil, fmt.Errorf("reading it: %w", err)
	}
	return b, func() error { return nil }, nil
}
