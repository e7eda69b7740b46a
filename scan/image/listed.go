package image

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// maxListed bounds the lists of manifests and configurations: a few bytes of JSON for each element would otherwise
// become a hundred in memory.
const maxListed = 10_000

// listed is a JSON array of at most maxListed elements.
type listed[T any] []T

func (l *listed[T]) UnmarshalJSON(b []byte) error {
	if bytes.Equal(b, []byte("null")) {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if start, err := d.Token(); err != nil || start != json.Delim('[') {
		return fmt.Errorf("%.20q where a list should be", b)
	}
	*l = listed[T]{}
	for d.More() {
		if len(*l) == maxListed {
			return fmt.Errorf("elements of a list: %w of %d", ErrLimit, maxListed)
		}
		var v T
		if err := d.Decode(&v); err != nil {
			return err
		}
		*l = append(*l, v)
	}
	return nil
}
