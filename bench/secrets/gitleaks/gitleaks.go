// Package gitleaks runs the default rules of gitleaks over a file.
package gitleaks

import (
	"github.com/zricethezav/gitleaks/v8/detect"
)

// Engine holds the default rules.
type Engine struct{ d *detect.Detector }

// New makes the engine.
func New() (*Engine, error) {
	d, err := detect.NewDetectorDefaultConfig()
	return &Engine{d}, err
}

// Count returns the number of secrets in content.
func (e *Engine) Count(path string, content []byte) (int, error) {
	found := e.d.Detect(detect.Fragment{Raw: string(content), FilePath: path})
	return len(found), nil
}
