package image

import (
	"context"
	"errors"
	"fmt"
)

// LayerError says which layer, and which entry of it where that is known, could not be read.
type LayerError struct {
	Layer string // Input.Name, or the root directory
	Path  string // the entry, as the tar spells it; "" when the layer as a whole is meant
	Err   error
}

func (e *LayerError) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("reading %s: %v", e.Layer, e.Err)
	}
	return fmt.Sprintf("reading %s: entry %.200q: %v", e.Layer, e.Path, e.Err)
}

func (e *LayerError) Unwrap() error { return e.Err }

// layerError wraps err once; a cancelled context stays as it is.
func layerError(layer, path string, err error) error {
	var already *LayerError
	if err == nil || errors.As(err, &already) || errors.Is(err, context.Canceled) {
		return err
	}
	return &LayerError{Layer: layer, Path: path, Err: err}
}
