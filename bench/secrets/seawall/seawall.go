// Package seawall runs the scanner's own detector over a file.
package seawall

import "github.com/seawall/seawall/scan/inventory/secret"

// Engine holds the detector.
type Engine struct{ d *secret.Detector }

// New makes the engine and has it compile its table, so that the first file is not charged with it.
func New() *Engine {
	e := &Engine{secret.New()}
	_, _ = e.Count("start", []byte("x"))
	return e
}

// Count returns the number of secrets in content.
func (e *Engine) Count(path string, content []byte) (int, error) {
	return len(e.d.File(path, content)), nil
}
