//go:build !unix

package feed

import (
	"fmt"
	"os"
)

// acquire makes the directory. Systems without flock have no lock: run one update at a time there.
func (p paths) acquire() (release func(), err error) {
	if err := os.MkdirAll(string(p), 0o755); err != nil {
		return nil, fmt.Errorf("making the database directory: %w", err)
	}
	return func() {}, nil
}
